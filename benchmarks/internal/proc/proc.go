// Package proc reads what Linux accounts to a process: the CPU time that it took and the
// most memory that it held. Of all that a benchmark can read, other load on the machine
// disturbs the CPU time least.
package proc

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Self is the process that asks.
const Self = 0

// tick is the unit of CPU time under /proc: USER_HZ, which is 100 on every platform that Go
// runs on.
const tick = 10 * time.Millisecond

func file(pid int, name string) string {
	if pid == Self {
		return "/proc/self/" + name
	}
	return fmt.Sprintf("/proc/%d/%s", pid, name)
}

// CPU is the time that all threads of a process have computed so far, in steps of 10 ms.
func CPU(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(file(pid, "stat"))
	if err != nil {
		return 0, err
	}
	return parseStat(string(stat))
}

var errStat = errors.New("/proc/PID/stat does not look as proc(5) says")

// parseStat reads utime and stime, the 14th and 15th field. The second is the program's
// name in brackets, which may hold anything, brackets too.
func parseStat(stat string) (time.Duration, error) {
	_, behind, ok := strings.Cut(stat[max(0, strings.LastIndexByte(stat, ')')):], ")")
	fields := strings.Fields(behind)
	if !ok || len(fields) < 13 {
		return 0, errStat
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if errors.Join(err1, err2) != nil {
		return 0, errStat
	}
	return time.Duration(user+system) * tick, nil
}

// PeakMemory is the most resident memory that a process has had, in bytes, since it began
// or since ForgetPeak.
func PeakMemory(pid int) (int64, error) {
	status, err := os.ReadFile(file(pid, "status"))
	if err != nil {
		return 0, err
	}
	return parseStatus(string(status))
}

// parseStatus reads VmHWM.
func parseStatus(status string) (int64, error) {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("/proc/PID/status has no VmHWM")
}

// ForgetPeak makes what a process holds now its peak.
func ForgetPeak(pid int) error {
	return os.WriteFile(file(pid, "clear_refs"), []byte("5"), 0)
}
