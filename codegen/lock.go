package codegen

import (
	"context"
	"time"
)

// lockInterval is how often a run looks whether another one has ended.
const lockInterval = 50 * time.Millisecond

// lock keeps other processes from writing the files of the project, and returns the function that ends
// that. It waits for a process that writes them already, after it has warned, until ctx ends. A run
// that holds the lock may lock again. The lock ends with the process that holds it, so it is never left
// behind. Where the file system has no locks, lock does nothing.
func (r *run) lock(ctx context.Context) (unlock func(), err error) {
	if r.isLocked {
		return func() {}, nil
	}
	ticker := time.NewTicker(lockInterval)
	defer ticker.Stop()
	for waiting := false; ; {
		release, isBusy := tryLock(r.root)
		if !isBusy {
			r.isLocked = true
			return func() { r.isLocked = false; release() }, nil
		}
		if !waiting && r.Warn != nil {
			r.Warn("another gatehouse writes the files of this project; this one waits until it has ended")
		}
		waiting = true
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
