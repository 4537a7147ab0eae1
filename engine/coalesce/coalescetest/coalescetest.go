// Package coalescetest lets tests wait until callers of package coalesce are blocked, instead of
// sleeping for a time that may be too short.
package coalescetest

import (
	"bytes"
	"runtime"
	"testing"
	"time"
)

// waitFunction is how the stack of a goroutine names the function in which callers wait.
var waitFunction = []byte("/engine/coalesce.(*call[...]).wait(")

// Waiting returns the number of callers in this process that wait for runs.
func Waiting() int {
	stacks := make([]byte, 1<<20)
	for {
		if n := runtime.Stack(stacks, true); n < len(stacks) {
			return bytes.Count(stacks[:n], waitFunction)
		}
		stacks = make([]byte, 2*len(stacks))
	}
}

// Await waits until that many callers in this process wait for runs and the condition is true. It
// fails the test after a minute.
func Await(t testing.TB, callers int, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if Waiting() == callers && condition() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d callers wait, want %d, or the condition is false", Waiting(), callers)
		}
	}
}
