package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Semaphore{Max: 3}
		var running, most atomic.Int64
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := s.Acquire(t.Context()); err != nil {
					t.Error(err)
					return
				}
				defer s.Release()
				if n := running.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(time.Second)
				running.Add(-1)
			})
		}
		start := time.Now()
		all.Wait()
		if most.Load() != 3 || time.Since(start) != 7*time.Second || s.taken != 0 {
			t.Errorf("%d ran at the same time, for %s, and %d slots are taken", most.Load(), time.Since(start), s.taken)
		}
	})
}

// A goroutine that stops waiting does not keep a slot, even if it stops at the moment at which it
// gets one.
func TestSlotsOfAbandonedWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Semaphore{Max: 1}
		if err := s.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		var left atomic.Int64
		var all sync.WaitGroup
		for i := range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%3)*time.Second+time.Millisecond)
			defer cancel()
			all.Go(func() {
				if err := s.Acquire(ctx); errors.Is(err, context.DeadlineExceeded) {
					left.Add(1)
				} else {
					s.Release()
				}
			})
		}
		time.Sleep(time.Second + time.Millisecond) // when a third of them stop waiting
		s.Release()
		all.Wait()
		if left.Load() < 34 || s.taken != 0 || len(s.waiting) != 0 {
			t.Errorf("%d left, %d slots are taken and %d wait", left.Load(), s.taken, len(s.waiting))
		}
	})
}

func TestParallelCallsOfOneOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(WithOperation(t.Context(), Options{MaxParallelCalls: 2}), time.Minute)
		defer cancel()
		for range 2 {
			if err := AcquireCall(ctx, "users"); err != nil {
				t.Fatal(err)
			}
		}
		if err := AcquireCall(ctx, "users"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the third of two calls: %v", err)
		}
		ReleaseCall(ctx, "users")
		if err := AcquireCall(WithEpoch(ctx), "users"); err != nil {
			t.Errorf("after one has ended: %v", err)
		}
	})
}
