// Package proc starts the programs that a benchmark measures, and reads what Linux accounts to a
// process: its CPU time, its memory and its descriptors. Of all that a benchmark can measure, CPU time is
// disturbed least by other load on the machine.
package proc

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Self is the calling process.
const Self = 0

// tick is the unit of CPU time under /proc: USER_HZ, which is 100 on all platforms of Go.
const tick = 10 * time.Millisecond

func file(pid int, name string) string {
	if pid == Self {
		return "/proc/self/" + name
	}
	return fmt.Sprintf("/proc/%d/%s", pid, name)
}

// CPU returns the CPU time of all threads of a process so far, in steps of 10 ms.
func CPU(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(file(pid, "stat"))
	if err != nil {
		return 0, err
	}
	return parseStat(string(stat))
}

var errStat = errors.New("/proc/PID/stat does not look as proc(5) says")

// parseStat returns utime and stime, fields 14 and 15. Field 2 is the name of the program in
// parentheses, which may contain any characters, parentheses included.
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

// PeakMemory returns the peak resident memory of a process, in bytes, since its start or since
// ForgetPeak.
func PeakMemory(pid int) (int64, error) {
	status, err := os.ReadFile(file(pid, "status"))
	if err != nil {
		return 0, err
	}
	return parseStatus(string(status), "VmHWM")
}

// Memory returns the resident memory of a process, in bytes.
func Memory(pid int) (int64, error) {
	status, err := os.ReadFile(file(pid, "status"))
	if err != nil {
		return 0, err
	}
	return parseStatus(string(status), "VmRSS")
}

// parseStatus returns a size of /proc/PID/status.
func parseStatus(status, name string) (int64, error) {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("/proc/PID/status has no " + name)
}

// Descriptors returns how many files and connections a process has open.
func Descriptors(pid int) (int, error) {
	open, err := os.ReadDir(file(pid, "fd"))
	return len(open), err
}

// ForgetPeak resets the peak to the current memory of a process.
func ForgetPeak(pid int) error {
	return os.WriteFile(file(pid, "clear_refs"), []byte("5"), 0)
}
