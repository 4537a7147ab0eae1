//go:build unix

package admission

import (
	"syscall"
	"time"
)

// canReadCPU reports whether readCPU works.
const canReadCPU = true

// readCPU returns the processor time that the process has used.
func readCPU() (time.Duration, bool) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, false
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), true
}
