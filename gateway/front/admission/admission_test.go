package admission

import (
	"context"
	"errors"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// At most MaxOperations run, MaxQueued wait in the order of arrival, and the others are refused at
// once; those that wait too long are refused later.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{MaxOperations: 2, MaxQueued: 3, MaxWait: time.Second})
		for range 2 {
			if err := l.Acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		turns := make(chan int, 3)
		for i := range 3 {
			go func() {
				if err := l.Acquire(t.Context()); err != nil {
					turns <- -1
					return
				}
				turns <- i
			}()
			synctest.Wait()
		}
		begin := time.Now()
		if err := l.Acquire(t.Context()); fault.CodeOf(err) != fault.Overloaded || time.Since(begin) > 0 {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		if got := l.Stats(); got != (Stats{Running: 2, Queued: 3, Limit: 2, Refused: 1}) {
			t.Errorf("%+v", got)
		}
		l.Release()
		if got := <-turns; got != 0 {
			t.Errorf("operation %d had the first turn", got)
		}
		l.Release()
		if got := <-turns; got != 1 {
			t.Errorf("operation %d had the second turn", got)
		}
		if got := <-turns; got != -1 || time.Since(begin) != time.Second {
			t.Errorf("the third had a turn: %d, after %s", got, time.Since(begin))
		}
		if got := l.Stats(); got != (Stats{Running: 2, Limit: 2, Refused: 2}) {
			t.Errorf("%+v", got)
		}
	})
}

// A client that leaves does not keep its place, and one that leaves with its turn passes it on.
func TestLeavingTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{MaxOperations: 1, MaxWait: time.Minute})
		_ = l.Acquire(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) || l.Stats().Queued != 0 || l.Stats().Refused != 0 {
			t.Errorf("%v, %+v", err, l.Stats())
		}
		l.Release()
		if err := l.Acquire(t.Context()); err != nil {
			t.Error(err)
		}
		place, _, _ := l.enter() // its client leaves at the moment at which it gets its turn
		l.Release()
		if err := l.leave(place, context.Canceled); !errors.Is(err, context.Canceled) || l.Stats().Running != 0 {
			t.Errorf("%v, %+v", err, l.Stats())
		}
	})
}

// The defaults refuse none of 2,000 clients at once, whatever the processors, as long as their
// turns come within MaxWait: 2,000 short operations take a small machine less than five seconds.
func TestDefaultsAreGenerous(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{})
		var refused atomic.Int32
		var all sync.WaitGroup
		for range 2000 {
			all.Go(func() {
				if l.Acquire(t.Context()) != nil {
					refused.Add(1)
					return
				}
				time.Sleep(300 * time.Millisecond)
				l.Release()
			})
		}
		all.Wait()
		if refused.Load() > 0 || l.Stats().Running != 0 {
			t.Errorf("%d were refused; %+v", refused.Load(), l.Stats())
		}
	})
}

func TestNoLimit(t *testing.T) {
	l := New(Options{MaxOperations: -1})
	for range 100_000 {
		if err := l.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMaxBytesFollowsTheMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	for limit, want := range map[int64]int64{460 << 20: 460 << 20 / shareOfMemory, math.MaxInt64: DefaultMaxBytes} {
		debug.SetMemoryLimit(limit)
		if got := (Options{}).withDefaults().MaxBytes; got != want {
			t.Errorf("with the limit %d: %d, want %d", limit, got, want)
		}
	}
	if got := (Options{MaxBytes: -1}).NewMemory().Stats(); got.Max != 0 {
		t.Errorf("a limit though it is switched off: %+v", got)
	}
}

// Bounds that change while operations run and wait: a greater one lets more of them run, and a smaller
// one lets those finish that run.
func TestSetOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{MaxOperations: 1, MaxWait: time.Minute})
		_ = l.Acquire(t.Context())
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if err := l.Acquire(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		want := func(what string, want Stats) {
			t.Helper()
			synctest.Wait()
			if got := l.Stats(); got != want {
				t.Errorf("%s: %+v, want %+v", what, got, want)
			}
		}
		want("before", Stats{Running: 1, Queued: 5, Limit: 1})
		l.SetOptions(Options{MaxOperations: 3})
		want("more", Stats{Running: 3, Queued: 3, Limit: 3})
		l.SetOptions(Options{MaxOperations: 1, MaxQueued: -1})
		want("fewer", Stats{Running: 3, Queued: 3, Limit: 1})
		if err := l.Acquire(t.Context()); fault.CodeOf(err) != fault.Overloaded {
			t.Errorf("%v with a full queue", err)
		}
		for running := 2; running >= 1; running-- {
			l.Release()
			want("after one that was too many", Stats{Running: running, Queued: 3, Limit: 1, Refused: 1})
		}
		l.Release()
		want("after one that was not", Stats{Running: 1, Queued: 2, Limit: 1, Refused: 1})
		l.SetOptions(Options{MaxOperations: -1})
		want("no bound", Stats{Running: 3, Refused: 1})
		all.Wait()
		for range 3 {
			l.Release()
		}
		want("at the end", Stats{Refused: 1})
	})
}
