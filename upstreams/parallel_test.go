package upstreams_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// crowd is a service that counts its concurrent calls. It responds when the expected number
// has arrived.
type crowd struct {
	full    int64
	running atomic.Int64
	most    atomic.Int64
	calls   atomic.Int64
}

func (c *crowd) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	c.calls.Add(1)
	n := c.running.Add(1)
	defer c.running.Add(-1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
	for end := time.Now().Add(time.Second); c.most.Load() < c.full && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	fmt.Fprint(w, "{}")
}

// No more calls run at the same time than the settings allow, for one operation and for one
// source; further calls wait.
func TestMaxParallelCalls(t *testing.T) {
	for name, c := range map[string]struct {
		operations int
		options    engine.Options
		source     resilience.Concurrency
		want       int64
	}{
		"of one operation": {1, engine.Options{MaxParallelCalls: 4}, resilience.Concurrency{}, 4},
		"of two":           {2, engine.Options{MaxParallelCalls: 4}, resilience.Concurrency{}, 8},
		"to a source":      {3, engine.Options{MaxParallelCalls: 20}, resilience.Concurrency{MaxCalls: 5}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			s := &crowd{full: c.want}
			services := newServices(t, upstreams.Source{URLs: []string{newReplica(t, s.ServeHTTP).URL}, Concurrency: c.source})
			var all sync.WaitGroup
			for range c.operations {
				ctx := engine.WithOperation(t.Context(), c.options)
				for range 40 {
					all.Go(func() {
						if _, err := services.Do(ctx, "users", get()); err != nil {
							t.Error(err)
						}
					})
				}
			}
			all.Wait()
			if s.most.Load() != c.want || s.calls.Load() != int64(40*c.operations) {
				t.Errorf("%d of %d calls ran at the same time, want %d", s.most.Load(), s.calls.Load(), c.want)
			}
		})
	}
}

// A call that gets no slot waits no longer than its operation, and is not sent.
func TestCallWaitsNoLongerThanItsOperation(t *testing.T) {
	for name, c := range map[string]struct {
		options engine.Options
		source  resilience.Concurrency
	}{
		"of the operation": {engine.Options{MaxParallelCalls: 1}, resilience.Concurrency{}},
		"of the source":    {engine.Options{}, resilience.Concurrency{MaxCalls: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &held{let: make(chan struct{})}
			services := s.services(t, upstreams.Source{Concurrency: c.source})
			ctx := engine.WithOperation(t.Context(), c.options)
			var first sync.WaitGroup
			first.Go(func() {
				if _, err := services.Do(ctx, "s", get()); err != nil {
					t.Error(err)
				}
			})
			for s.calls.Load() == 0 {
				time.Sleep(time.Millisecond)
			}
			short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
			defer cancel()
			_, err := services.Do(short, "s", get())
			if fault.CodeOf(err) != fault.GatewayTimeout || !errors.Is(err, context.DeadlineExceeded) || s.calls.Load() != 1 {
				t.Errorf("got %v after %d calls", err, s.calls.Load())
			}
			close(s.let)
			first.Wait()
			if _, err := services.Do(ctx, "s", get()); err != nil {
				t.Errorf("after the first has ended: %v", err)
			}
		})
	}
}

// Callers that share a call use one slot of the source together.
func TestSharedCallsCountOnce(t *testing.T) {
	s := &crowd{full: 2}
	services := newServices(t, upstreams.Source{URLs: []string{newReplica(t, s.ServeHTTP).URL}, Concurrency: resilience.Concurrency{MaxCalls: 2}})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			call := rest.New("GET", "/users").Query("half", strconv.Itoa(i%2))
			if _, err := services.Do(asker(t, engine.Options{Coalesce: true}), "users", call); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if s.most.Load() != 2 {
		t.Errorf("%d calls ran at the same time", s.most.Load())
	}
}

// Calls that find the queue full, or have waited long enough, are refused at once, whether they
// coalesce or not.
func TestQueueIsBounded(t *testing.T) {
	for name, concurrency := range map[string]resilience.Concurrency{
		"full": {MaxCalls: 1, MaxQueued: -1},
		"long": {MaxCalls: 1, MaxWait: 10 * time.Millisecond},
	} {
		for _, coalesce := range []bool{false, true} {
			s := &held{let: make(chan struct{})}
			services := s.services(t, upstreams.Source{Concurrency: concurrency})
			ctx := asker(t, engine.Options{Coalesce: coalesce})
			var first sync.WaitGroup
			first.Go(func() {
				if _, err := services.Do(ctx, "s", get()); err != nil {
					t.Error(err)
				}
			})
			for s.calls.Load() == 0 {
				time.Sleep(time.Millisecond)
			}
			_, err := services.Do(ctx, "s", rest.New("GET", "/another"))
			if fault.CodeOf(err) != fault.ServiceUnavailable || s.calls.Load() != 1 {
				t.Errorf("%s, coalescing %t: %v after %d calls", name, coalesce, err, s.calls.Load())
			}
			close(s.let)
			first.Wait()
		}
	}
}
