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

// create returns a create function for Load, whose value is its weight.
func create(weight int) func() (int, int) { return func() (int, int) { return weight, weight } }

func load(t *testing.T, c *Cache[string, int], key string, weight int) {
	t.Helper()
	if got, err := c.Load(t.Context(), key, create(weight)); err != nil || got != weight {
		t.Fatalf("%s: got %d, %v", key, got, err)
	}
}

func TestFirstCallersShareOneCreation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, weight := range []int{1, -1} { // kept, and not kept
			c := New[string, int](Options{MaxEntries: 10})
			release := make(chan struct{})
			var creations atomic.Int32
			var callers sync.WaitGroup
			for range 100 {
				callers.Go(func() {
					got, err := c.Load(t.Context(), "key", func() (int, int) {
						creations.Add(1)
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
			if _, kept := c.Get("key"); creations.Load() != 1 || kept != (weight > 0) {
				t.Errorf("created %d times, kept: %t", creations.Load(), kept)
			}
		}
	})
}

func TestCallerWaitsNoLongerThanItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[string, int](Options{MaxEntries: 10})
		release := make(chan struct{})
		go func() { _, _ = c.Load(t.Context(), "key", func() (int, int) { <-release; return 7, 1 }) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Load(ctx, "key", create(1)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(release)
	})
}

func TestCallersDoNotWaitForACreationThatPanicked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[string, int](Options{MaxEntries: 10})
		release := make(chan struct{})
		var panicked, returned atomic.Int32
		var callers sync.WaitGroup
		var creations atomic.Int32
		for range 10 {
			callers.Go(func() {
				defer func() {
					if recover() != nil {
						panicked.Add(1)
					}
				}()
				_, err := c.Load(t.Context(), "key", func() (int, int) {
					<-release
					if creations.Add(1) == 1 {
						panic("first")
					}
					return 7, 1
				})
				if err == nil {
					returned.Add(1)
				}
			})
		}
		synctest.Wait()
		close(release)
		callers.Wait()
		if panicked.Load() != 1 || returned.Load() != 9 || creations.Load() != 2 {
			t.Errorf("%d panicked, %d returned, created %d times", panicked.Load(), returned.Load(), creations.Load())
		}
	})
}

// A thousand small values that are in use stay, whatever large values are requested.
func TestLargeValuesDoNotDisplaceSmallOnes(t *testing.T) {
	for name, o := range map[string]Options{
		"by weight":  {MaxEntries: 5000, MaxWeight: 1100 * 4},
		"by entries": {MaxEntries: 1000, MaxWeight: 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			c, creations := New[string, int](o), 0
			small := func() {
				for i := range 1000 {
					if _, err := c.Load(t.Context(), fmt.Sprint("small", i), func() (int, int) { creations++; return 4, 4 }); err != nil {
						t.Fatal(err)
					}
				}
			}
			small()
			for round := range 20 {
				for i := range 50 {
					for range 3 { // three requests each
						load(t, c, fmt.Sprint("large", round, "-", i), 400)
					}
					if c.Len() > o.MaxEntries || c.Weight() > o.MaxWeight {
						t.Fatalf("%d entries weigh %d", c.Len(), c.Weight())
					}
				}
				small()
			}
			if creations > 1000 {
				t.Errorf("small values were created %d times", creations)
			}
		})
	}
}

// A large value that is requested often is kept, and one that is no longer requested is evicted.
func TestPriorityGrowsWithRequestsAndAges(t *testing.T) {
	c := New[string, int](Options{MaxEntries: 100, MaxWeight: 100})
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
		t.Fatal("a value that is requested often is never kept")
	}
	for i := range 100_000 {
		load(t, c, fmt.Sprint("later", i), 1)
	}
	if _, kept := c.Get("large"); kept {
		t.Error("a value that is no longer requested stays forever")
	}
}

func TestTooHeavyValueIsNotKept(t *testing.T) {
	c := New[string, int](Options{MaxEntries: 10, MaxWeight: 10})
	load(t, c, "a", 10)
	load(t, c, "b", 11)
	if _, kept := c.Get("a"); !kept || c.Len() != 1 {
		t.Error("a value that is too heavy has displaced one that fits")
	}
	none := New[string, int](Options{})
	load(t, none, "a", 1)
	if none.Len() != 0 {
		t.Error("a cache of no entries keeps one")
	}
}

func BenchmarkGet(b *testing.B) {
	c := New[string, int](Options{MaxEntries: 1000})
	for i := range 1000 {
		_, _ = c.Load(b.Context(), fmt.Sprint(i), create(1))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := c.Get("500"); !ok {
			b.Fatal("not kept")
		}
	}
}

// A pinned value stays whatever is requested, takes no room from others, and goes with its last pin.
func TestPinnedValuesStay(t *testing.T) {
	c := New[string, int](Options{MaxEntries: 2, MaxWeight: 20})
	load(t, c, "before", 5)
	for key, weight := range map[string]int{"before": 5, "large": 1000} {
		if got, w, pinned := c.Pin(key, create(weight)); got != weight || w != weight || !pinned {
			t.Errorf("%s: got %d of weight %d, pinned: %t", key, got, w, pinned)
		}
	}
	if got, _, pinned := c.Pin("refused", create(-1)); got != -1 || pinned {
		t.Errorf("a value of a negative weight: %d, %t", got, pinned)
	}
	for i := range 1000 {
		load(t, c, fmt.Sprint(i), 10)
		if c.Len() > 4 || c.Weight() > 20 {
			t.Fatalf("%d values of the weight %d", c.Len(), c.Weight())
		}
	}
	if c.Len() != 4 {
		t.Errorf("two are pinned, and two more fit; there are %d", c.Len())
	}
	c.Pin("large", create(0)) // a second one, of the same value
	c.Unpin("large")
	c.Unpin("before")
	c.Unpin("nothing")
	if got, ok := c.Get("large"); !ok || got != 1000 {
		t.Errorf("after the first of two Unpin: %d, %t", got, ok)
	}
	c.Unpin("large")
	for _, key := range []string{"before", "large"} {
		if _, ok := c.Get(key); ok {
			t.Errorf("%s stays after its last Unpin", key)
		}
	}
	if c.Len() != 2 || c.Weight() != 20 {
		t.Errorf("%d values of the weight %d stay", c.Len(), c.Weight())
	}
}

// A value that is pinned while another caller creates it is the one that stays.
func TestPinDuringCreation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New[string, int](Options{MaxEntries: 10})
		release := make(chan struct{})
		go func() { _, _ = c.Load(t.Context(), "key", func() (int, int) { <-release; return 7, 1 }) }()
		synctest.Wait()
		c.Pin("key", create(9))
		close(release)
		synctest.Wait()
		if got, ok := c.Get("key"); !ok || got != 9 || c.Len() != 1 || c.Weight() != 0 {
			t.Errorf("got %d, %t, %d values of the weight %d", got, ok, c.Len(), c.Weight())
		}
		c.Unpin("key")
		load(t, c, "key", 3)
	})
}
