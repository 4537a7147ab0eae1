package resilience_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
)

// Calls beyond the limit wait in their order, as many and as long as the settings permit.
func TestLimiter(t *testing.T) {
	for _, test := range []struct {
		name    string
		options resilience.Concurrency
		want    string // what becomes of the 2nd to 5th call, while the 1st holds the only slot for 10 s
	}{
		{"all wait", resilience.Concurrency{MaxCalls: 1}, "10s 10s 10s 10s"},
		{"two wait", resilience.Concurrency{MaxCalls: 1, MaxQueued: 2}, "10s 10s full full"},
		{"none waits", resilience.Concurrency{MaxCalls: 1, MaxQueued: -1}, "full full full full"},
		{"not long", resilience.Concurrency{MaxCalls: 1, MaxWait: time.Second}, "late late late late"},
		{"long enough", resilience.Concurrency{MaxCalls: 1, MaxWait: time.Minute}, "10s 10s 10s 10s"},
		{"two may run", resilience.Concurrency{MaxCalls: 2}, "0s 0s 0s 0s"},
		{"no limit", resilience.Concurrency{MaxCalls: -1}, "0s 0s 0s 0s"},
		{"adaptive", resilience.Concurrency{MaxCalls: 4, Adaptive: true}, "0s 0s 0s 0s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := resilience.NewLimiter(test.options)
			first, err := l.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			began, results := time.Now(), make([]string, 4)
			var order []int
			var mu sync.Mutex
			var wg sync.WaitGroup
			for i := range results {
				wg.Go(func() {
					slot, err := l.Acquire(t.Context())
					switch {
					case err == nil:
						results[i] = time.Since(began).String()
						mu.Lock()
						order = append(order, i)
						mu.Unlock()
						slot.Release(true)
					case errors.Is(err, resilience.ErrQueueFull):
						results[i] = "full"
					case errors.Is(err, resilience.ErrWaitedLong):
						results[i] = "late"
					}
				})
				synctest.Wait()
			}
			time.Sleep(10 * time.Second)
			first.Release(true)
			wg.Wait()
			if got := strings.Join(results, " "); got != test.want || !slices.IsSorted(order) {
				t.Errorf("%s: %s in the order %v, want %s", test.name, got, order, test.want)
			}
			if s := l.Status(); s.Running != 0 || s.Queued != 0 {
				t.Errorf("%s: %+v", test.name, s)
			}
		})
	}
}

// A call whose context ends does not keep its place.
func TestLimiterForgetsCallers(t *testing.T) {
	for _, options := range []resilience.Concurrency{{MaxCalls: 1, MaxQueued: 1}, {MaxCalls: 4, MaxQueued: 1, Adaptive: true}} {
		synctest.Test(t, func(t *testing.T) {
			l := resilience.NewLimiter(options)
			var held []resilience.Slot
			for range options.MaxCalls {
				slot, err := l.Acquire(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				held = append(held, slot)
			}
			for range 3 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				if _, err := l.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
				cancel()
			}
			for _, slot := range held {
				slot.Release(false)
			}
			if _, err := l.Acquire(t.Context()); err != nil {
				t.Error(err)
			}
			if s := l.Status(); s.Running != 1 || s.Queued != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A service that serves a few calls at once, and is slower the more there are, lowers the limit.
func TestAdaptiveLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := resilience.NewLimiter(resilience.Concurrency{Adaptive: true})
		run := func(callers, seconds int, took func(running int64) time.Duration) int {
			var wg sync.WaitGroup
			end := time.Now().Add(time.Duration(seconds) * time.Second)
			for range callers {
				wg.Go(func() {
					for time.Now().Before(end) {
						slot, err := l.Acquire(t.Context())
						if err != nil {
							t.Error(err)
							return
						}
						time.Sleep(took(l.Status().Running))
						slot.Release(true)
					}
				})
			}
			wg.Wait()
			return l.Status().Limit
		}
		calm := run(40, 60, func(int64) time.Duration { return 10 * time.Millisecond })
		busy := run(300, 120, func(running int64) time.Duration { return time.Duration(running) * 2 * time.Millisecond })
		if calm < 40 || busy >= calm/2 {
			t.Errorf("the limit is %d when all is well and %d when the service is overloaded", calm, busy)
		}
	})
}

// BenchmarkLimiter measures what the bulkhead costs a call that need not wait.
func BenchmarkLimiter(b *testing.B) {
	for name, o := range map[string]resilience.Concurrency{"default": {}, "adaptive": {Adaptive: true}} {
		b.Run(name, func(b *testing.B) {
			l := resilience.NewLimiter(o)
			b.ReportAllocs()
			for b.Loop() {
				slot, err := l.Acquire(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				slot.Release(true)
			}
		})
	}
}
