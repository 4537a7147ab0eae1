//go:build unix

package front

import (
	"math"
	"syscall"
)

// maxFiles returns how many files the process may open, 0 if that is not bounded. Go raises the soft
// limit to the hard one when a program starts.
func maxFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || uint64(limit.Cur) > math.MaxInt32 {
		return 0
	}
	return int(limit.Cur)
}
