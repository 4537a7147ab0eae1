package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// value makes a value of a weight for Load.
func value(weight int) func() (int, int) { return func() (int, int) { return weight, weight } }

func load(t *testing.T, c *Cache[string, int], key string, weight int) {
	t.Helper()
	if got, err := c.Load(t.Context(), key, value(weight)); err != nil || got != weight {
		t.Fatalf("%s: got %d, %v", key, got, err)
	}
}

func TestFirstCallersShareOneCreation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, weight := range []int{1, -1} { // kept, and not
			c := New[string, int](Options{Entries: 10})
			release := make(chan struct{})
			var made atomic.Int32
			var callers sync.WaitGroup
			for range 100 {
				callers.Go(func() {
					got, err := c.Load(t.Context(), "key", func() (int, int) {
						made.Add(1)
						<-release
						return 7, weight
					})
					if got != 7 || err != nil {
						t.Errorf("got %d, %v", got, err)
					}
				})
			}
			synctest.Wait()
			close(release)
			callers.Wait()
			if _, kept := c.Get("key"); made.Load() != 1 || kept != (weight > 0) {
				t.Errorf("made %d times, kept: %t", made.Load(), kept)
			}
		}
	})
}

func TestCallerWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[string, int](Options{Entries: 10})
		release := make(chan struct{})
		go func() { _, _ = c.Load(t.Context(), "key", func() (int, int) { <-release; return 7, 1 }) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Load(ctx, "key", value(1)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(release)
	})
}

func TestPanicLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[string, int](Options{Entries: 10})
		release := make(chan struct{})
		var panicked, answered atomic.Int32
		var callers sync.WaitGroup
		var made atomic.Int32
		for range 10 {
			callers.Go(func() {
				defer func() {
					if recover() != nil {
						panicked.Add(1)
					}
				}()
				_, err := c.Load(t.Context(), "key", func() (int, int) {
					<-release
					if made.Add(1) == 1 {
						panic("first")
					}
					return 7, 1
				})
				if err == nil {
					answered.Add(1)
				}
			})
		}
		synctest.Wait()
		close(release)
		callers.Wait()
		if panicked.Load() != 1 || answered.Load() != 9 || made.Load() != 2 {
			t.Errorf("%d panicked, %d answered, made %d times", panicked.Load(), answered.Load(), made.Load())
		}
	})
}

// A thousand small values that are in use stay, whatever large ones are asked for.
func TestLargeValuesDoNotPushOutSmallOnes(t *testing.T) {
	for name, o := range map[string]Options{
		"by weight":  {Entries: 5000, Weight: 1100 * 4},
		"by entries": {Entries: 1000, Weight: 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			c, made := New[string, int](o), 0
			small := func() {
				for i := range 1000 {
					if _, err := c.Load(t.Context(), fmt.Sprint("small", i), func() (int, int) { made++; return 4, 4 }); err != nil {
						t.Fatal(err)
					}
				}
			}
			small()
			for round := range 20 {
				for i := range 50 {
					for range 3 { // asked for three times each
						load(t, c, fmt.Sprint("large", round, "-", i), 400)
					}
					if c.Len() > o.Entries || c.Weight() > o.Weight {
						t.Fatalf("%d entries weigh %d", c.Len(), c.Weight())
					}
				}
				small()
			}
			if made > 1000 {
				t.Errorf("small values were made %d times", made)
			}
		})
	}
}

// A large value that is asked for often gets in, and one that was popular once goes.
func TestWorthIsEarnedAndLost(t *testing.T) {
	c := New[string, int](Options{Entries: 100, Weight: 100})
	for i := range 100 {
		load(t, c, fmt.Sprint("small", i), 1)
	}
	kept := false
	for range 1000 {
		load(t, c, "large", 50)
		if _, kept = c.Get("large"); kept {
			break
		}
	}
	if !kept {
		t.Fatal("a value that everybody asks for is never kept")
	}
	for i := range 100_000 {
		load(t, c, fmt.Sprint("later", i), 1)
	}
	if _, kept := c.Get("large"); kept {
		t.Error("a value that nobody asks for stays for ever")
	}
}

func TestTooHeavyIsNotKept(t *testing.T) {
	c := New[string, int](Options{Entries: 10, Weight: 10})
	load(t, c, "a", 10)
	load(t, c, "b", 11)
	if _, kept := c.Get("a"); !kept || c.Len() != 1 {
		t.Error("what fits has gone for what does not")
	}
	none := New[string, int](Options{})
	load(t, none, "a", 1)
	if none.Len() != 0 {
		t.Error("a cache without entries keeps one")
	}
}

func BenchmarkGet(b *testing.B) {
	c := New[string, int](Options{Entries: 1000})
	for i := range 1000 {
		_, _ = c.Load(b.Context(), fmt.Sprint(i), value(1))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := c.Get("500"); !ok {
			b.Fatal("not kept")
		}
	}
}
