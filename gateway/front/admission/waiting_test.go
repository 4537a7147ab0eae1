package admission

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// letGo is how long an operation that waits for services keeps its place at most.
const letGo = (waitingLooks + 1) * lookEvery

func mustBegin(t *testing.T, turn *Turn, services ...string) {
	t.Helper()
	for _, service := range services {
		if err := turn.BeginCall(service); err != nil {
			t.Fatal(err)
		}
	}
}

// An operation that waits for a service gives its place to one that queues, and gets one back before
// others that queue when the service has responded.
func TestWaitingTakesNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 1, MaxWait: time.Minute})
		first := mustAcquire(t, l, Request{})
		mustBegin(t, first, "users")
		time.Sleep(time.Hour)
		wantStats(t, l, "while none queues", Stats{Running: 1, Limit: 1}, 0)
		turns, errs := make(chan *waiter, 2), make(chan error, 2)
		begin := time.Now()
		enqueue(t, l, "second", Request{}, turns, errs)
		second := <-turns
		if took := time.Since(begin); took > letGo || took < 100*time.Millisecond {
			t.Errorf("the second had its turn after %s", took)
		}
		enqueue(t, l, "third", Request{}, turns, errs)
		wantStats(t, l, "one waits", Stats{Running: 1, Waiting: 1, Queued: 1, Limit: 1}, 0)
		resumed := make(chan struct{})
		go func() {
			first.EndCall(t.Context(), "users")
			close(resumed)
		}()
		synctest.Wait()
		select {
		case <-resumed:
			t.Fatal("it goes on without a turn")
		default:
		}
		second.Release()
		<-resumed
		wantStats(t, l, "it goes on", Stats{Running: 1, Queued: 1, Limit: 1}, 0)
		first.Release()
		(<-turns).Release()
		wantStats(t, l, "at the end", Stats{Limit: 1}, 0)
		if len(l.waiting.byService) != 0 {
			t.Errorf("remembered services: %v", l.waiting.byService)
		}
	})
}

// An operation counts as long as it computes: without a call, or while its calls begin and end.
func TestComputingTakesAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 2, MaxWait: time.Second})
		computing, calling := mustAcquire(t, l, Request{}), mustAcquire(t, l, Request{})
		mustBegin(t, computing, "users")
		computing.EndCall(t.Context(), "users")
		turns, errs := make(chan *waiter, 1), make(chan error, 1)
		enqueue(t, l, "", Request{}, turns, errs)
		mustBegin(t, calling, "slow")
		for range 9 {
			mustBegin(t, calling, "users")
			time.Sleep(lookEvery)
			calling.EndCall(t.Context(), "users")
			time.Sleep(lookEvery)
		}
		wantStats(t, l, "both count", Stats{Running: 2, Queued: 1, Limit: 2}, 0)
		next := <-turns // the slow one is all that the second waits for, which has 100 ms more
		wantStats(t, l, "the second waits", Stats{Running: 2, Waiting: 1, Limit: 2}, 0)
		for _, turn := range []*Turn{computing, calling, &next.Turn} {
			turn.Release()
		}
		wantStats(t, l, "at the end", Stats{Limit: 2}, 0)
	})
}

// Services that hang share the places of those that wait, and always leave some for others. What is
// refused is the call, before it is sent, and not the operation.
func TestServicesLeavePlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 1, MaxWaiting: 24, MaxWait: time.Minute})
		var held []*Turn
		hang := func(service string, want int) {
			t.Helper()
			for n := 0; ; n++ {
				turn := &Turn{}
				if err := l.Acquire(t.Context(), turn, Request{}); err != nil {
					t.Fatal(err)
				}
				err := turn.BeginCall(service)
				if err == nil {
					held = append(held, turn)
					continue
				}
				turn.Release()
				if f := err.(*fault.Error); f.Code != fault.ServiceUnavailable || f.Service != service {
					t.Errorf("%+v", f)
				}
				if n != want {
					t.Errorf("%s: %d operations hang, want %d", service, n, want)
				}
				return
			}
		}
		hang("a", 12) // 12 of 24 are left
		hang("b", 6)  // 6 of 12
		hang("c", 3)  // 3 of 6
		turn := &Turn{}
		if err := l.Acquire(t.Context(), turn, Request{}); err != nil {
			t.Fatal(err)
		}
		mustBegin(t, turn, "healthy")
		turn.EndCall(t.Context(), "healthy")
		turn.Release()
		for _, turn := range held { // the services respond
			service := turn.calls.services[0].service
			turn.EndCall(t.Context(), service)
			turn.Release()
		}
		turn = mustAcquire(t, l, Request{})
		mustBegin(t, turn, "a", "b", "c", "d", "a", "d")
		turn.Release()
		wantStats(t, l, "at the end", Stats{Limit: 1}, 0)
	})
}

// What waits for a service is counted for each class, so that the operations of one do not keep those of
// another from a service that is slow.
func TestServicesAreSharedByClasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 2, MaxWaiting: 8, MaxWait: time.Minute, Classes: map[string]Class{"partner": {MinOperations: -1}}})
		refused := 0
		for range 20 {
			turn := &Turn{}
			if err := l.Acquire(t.Context(), turn, by("anonymous")); err != nil {
				t.Fatal(err)
			}
			if turn.BeginCall("slow") != nil {
				refused++
				turn.Release()
			}
		}
		if refused < 10 {
			t.Errorf("%d are refused", refused)
		}
		turn := &Turn{}
		if err := l.Acquire(t.Context(), turn, by("partner")); err != nil {
			t.Fatal(err)
		}
		mustBegin(t, turn, "slow")
	})
}

// An operation that has had its response goes on after maxResume, or when its context ends, though no
// turn is free: what holds the turns may wait for what it holds.
func TestResumeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 1, MaxWait: time.Minute})
		first := mustAcquire(t, l, Request{})
		mustBegin(t, first, "users", "users", "users")
		turns, errs := make(chan *waiter, 2), make(chan error, 2)
		enqueue(t, l, "second", Request{}, turns, errs)
		second := <-turns // which computes for long
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		for _, c := range []struct {
			ctx  context.Context
			want time.Duration
		}{{t.Context(), maxResume}, {ctx, time.Millisecond}} {
			begin := time.Now()
			if first.EndCall(c.ctx, "users"); time.Since(begin) > c.want {
				t.Errorf("it went on after %s, want %s", time.Since(begin), c.want)
			}
		}
		wantStats(t, l, "it goes on", Stats{Running: 1, Waiting: 1, Limit: 1}, 0)
		second.Release()
		wantStats(t, l, "it has a turn", Stats{Running: 1, Limit: 1}, 0)
		first.EndCall(t.Context(), "users")
		first.Release()
		wantStats(t, l, "at the end", Stats{Limit: 1}, 0)
	})
}

// Operations of all kinds, which end at any moment, while the settings change: no place is lost, and no
// more operations run than may.
func TestRandomOperations(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			l := newLimiter(Options{MaxOperations: 4, MaxWaiting: 6, MaxQueued: 20, MaxWait: time.Second})
			var all sync.WaitGroup
			for i := range 60 {
				all.Go(func() {
					random := rand.New(rand.NewPCG(seed, uint64(i)))
					pause := func(most time.Duration) { time.Sleep(time.Duration(random.Int64N(int64(most)))) }
					for range 20 {
						randomOperation(t, l, random, pause)
						pause(time.Second)
					}
				})
			}
			for i := range 30 {
				time.Sleep(time.Second)
				o := Options{MaxOperations: 4, MaxWaiting: 6 - i%3*3, MaxQueued: 20, MaxWait: time.Second, MaxOperationsPerCaller: i % 2 * 3}
				if i%4 < 2 {
					o.Classes = map[string]Class{"anonymous": {Weight: 1 + i%3}, "partner": {MaxOperations: i % 5}}
				}
				l.SetOptions(o)
			}
			all.Wait()
			time.Sleep(time.Second) // no look is left
			wantStats(t, l, fmt.Sprintf("seed %d", seed), Stats{Limit: 4}, sum(l.Stats().Refused))
			l.SetOptions(Options{})
			if len(l.classes) != 1 || l.list.first != nil || len(l.waiting.byService) > 0 || l.waiting.resuming.Len() > 0 || l.waiting.any.Load() {
				t.Errorf("left: %+v", l)
			}
		})
	}
}

// randomOperation executes an operation with a few calls in parallel.
func randomOperation(t *testing.T, l *Limiter, random *rand.Rand, pause func(time.Duration)) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.Int64N(int64(3*time.Second))))
	defer cancel()
	turn := &Turn{}
	r := from([]string{"anonymous", "partner", "other"}[random.IntN(3)], []string{"192.0.2.1", "192.0.2.2"}[random.IntN(2)])
	cost := random.Int64N(1000)
	r.Cost = func() int64 { return cost }
	if l.Acquire(ctx, turn, r) != nil {
		return
	}
	defer turn.Release()
	if s := l.Stats(); s.Running > s.Limit {
		t.Errorf("%d run of %d", s.Running, s.Limit)
	}
	var calls sync.WaitGroup
	for range random.IntN(4) {
		service, d := []string{"a", "b", "c", "d"}[random.IntN(4)], time.Duration(random.Int64N(int64(2*time.Second)))
		calls.Go(func() {
			if turn.BeginCall(service) != nil {
				return
			}
			time.Sleep(d)
			turn.EndCall(ctx, service)
		})
	}
	calls.Wait()
	pause(50 * time.Millisecond)
}

func sum(r Refusals) int64 { return r.Queue + r.Wait + r.Caller + r.CPU + r.Memory }
