// Package coalescetest lets tests know that callers of package flight are where they should
// be, so that none has to hope that some time was long enough.
package coalescetest

import (
	"bytes"
	"runtime"
	"testing"
	"time"
)

// waitsIn is how a goroutine's stack names the place where callers wait.
var waitsIn = []byte("/engine/coalesce.(*call[...]).wait(")

// Waiting is how many callers wait for flights in this process.
func Waiting() int {
	stacks := make([]byte, 1<<20)
	for {
		if n := runtime.Stack(stacks, true); n < len(stacks) {
			return bytes.Count(stacks[:n], waitsIn)
		}
		stacks = make([]byte, 2*len(stacks))
	}
}

// Await waits until as many callers wait for flights in this process, and something else
// that the test needs is true.
func Await(t testing.TB, callers int, and func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if Waiting() == callers && and() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d callers wait, want %d, or what else was awaited is not so", Waiting(), callers)
		}
	}
}
