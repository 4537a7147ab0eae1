//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package codegen

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks the folder itself, which needs no file and no right to write there. It reports whether
// another holder has it.
func tryLock(root string) (unlock func(), isBusy bool) {
	dir, err := os.Open(root)
	if err != nil {
		return func() {}, false // what follows says why the folder cannot be read
	}
	err = syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		_ = dir.Close()
		return nil, true
	}
	return func() { _ = dir.Close() }, false
}
