package admission

import (
	"os"
	"strconv"
	"strings"
	"sync"
)

// cpuQuota returns how many processors the container may use, 0 if it has no limit of its own. It is
// read once.
var cpuQuota = sync.OnceValue(func() float64 {
	if text, err := os.ReadFile("/sys/fs/cgroup/cpu.max"); err == nil {
		return parseQuota(string(text))
	}
	quota, err := os.ReadFile("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
	period, err2 := os.ReadFile("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
	if err != nil || err2 != nil {
		return 0
	}
	return parseQuota(string(quota) + " " + string(period))
})

// parseQuota reads a quota and a period, as cpu.max of cgroups has them: "50000 100000" is half a
// processor. It returns 0 for "max", for what version 1 has in its place, -1, and for any other text.
func parseQuota(text string) float64 {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return 0
	}
	quota, err := strconv.ParseUint(fields[0], 10, 63)
	period, err2 := strconv.ParseUint(fields[1], 10, 63)
	if err != nil || err2 != nil || period == 0 {
		return 0
	}
	return float64(quota) / float64(period)
}
