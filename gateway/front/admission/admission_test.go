package admission

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
)

func newLimiter(o Options) *Limiter { return New(o, slog.New(slog.DiscardHandler)) }

// by returns a request of a class.
func by(class string) Request { return Request{Caller: &caller.Caller{Class: class}} }

// costing returns a request of an operation with a cost.
func costing(n int64) Request { return Request{Cost: func() int64 { return n }} }

// mustAcquire returns the turn of an operation that has it at once.
func mustAcquire(t *testing.T, l *Limiter, r Request) *Turn {
	t.Helper()
	turn := &Turn{}
	begin := time.Now()
	if err := l.Acquire(t.Context(), turn, r); err != nil || time.Since(begin) > 0 {
		t.Fatalf("%v after %s", err, time.Since(begin))
	}
	return turn
}

// mustRefuse checks that an operation is refused at once.
func mustRefuse(t *testing.T, l *Limiter, r Request) *fault.Error {
	t.Helper()
	begin := time.Now()
	err := l.Acquire(t.Context(), &Turn{}, r)
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != fault.Overloaded && f.Code != fault.RateLimited || time.Since(begin) > 0 {
		t.Fatalf("%v after %s", err, time.Since(begin))
	}
	return f
}

// waiter is an operation that waits for its turn.
type waiter struct {
	Turn
	name string
}

// enqueue has an operation wait for its turn. It sends itself to turns when it has it; its error goes to
// errs.
func enqueue(t *testing.T, l *Limiter, name string, r Request, turns chan<- *waiter, errs chan<- error) {
	t.Helper()
	w := &waiter{name: name}
	go func() {
		if err := l.Acquire(t.Context(), &w.Turn, r); err != nil {
			errs <- err
			return
		}
		turns <- w
	}()
	synctest.Wait()
}

// wantStats compares the state of l, with the refusals of all causes together.
func wantStats(t *testing.T, l *Limiter, what string, want Stats, refused int64) {
	t.Helper()
	synctest.Wait()
	got := l.Stats()
	all := sum(got.Refused)
	got.Refused = Refusals{}
	if got != want || all != refused {
		t.Errorf("%s: %+v with %d refused, want %+v with %d", what, got, all, want, refused)
	}
}

// At most MaxOperations run, MaxQueued wait in the order of arrival, and the others are refused at
// once; those that wait too long are refused later.
func TestQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 2, MaxQueued: 3, MaxWait: time.Second})
		running := []*Turn{mustAcquire(t, l, Request{}), mustAcquire(t, l, Request{})}
		turns, errs := make(chan *waiter, 3), make(chan error, 3)
		for _, name := range []string{"first", "second", "third"} {
			enqueue(t, l, name, Request{}, turns, errs)
		}
		begin := time.Now()
		mustRefuse(t, l, Request{})
		wantStats(t, l, "a full queue", Stats{Running: 2, Queued: 3, Limit: 2}, 1)
		for i, want := range []string{"first", "second"} {
			running[i].Release()
			if got := <-turns; got.name != want {
				t.Errorf("the %s had the turn of the %s", got.name, want)
			}
		}
		if err := <-errs; fault.CodeOf(err) != fault.Overloaded || time.Since(begin) != time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		wantStats(t, l, "the queue is empty", Stats{Running: 2, Limit: 2}, 2)
	})
}

// A client that leaves does not keep its place, and one that leaves with its turn passes it on.
func TestLeavingTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 1, MaxWait: time.Minute})
		running := mustAcquire(t, l, Request{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Acquire(ctx, &Turn{}, Request{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		wantStats(t, l, "one has left", Stats{Running: 1, Limit: 1}, 0)
		running.Release()
		running = mustAcquire(t, l, Request{})
		leaving := &Turn{} // its client leaves at the moment at which it gets its turn
		if isDecided, err := l.enter(leaving, Request{}); isDecided {
			t.Fatal(err)
		}
		place, _, _ := l.enqueue(leaving)
		running.Release()
		if err := l.leave(leaving, place, context.Canceled); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		wantStats(t, l, "the other has left", Stats{Limit: 1}, 0)
		time.Sleep(time.Minute) // no look is left, so that the bubble ends
	})
}

// The defaults refuse none of 2,000 clients at once, whatever the processors, as long as their
// turns come within MaxWait: 2,000 short operations take a small machine less than five seconds.
func TestDefaultsAreGenerous(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{})
		var refused atomic.Int32
		var all sync.WaitGroup
		for range 2000 {
			all.Go(func() {
				turn := &Turn{}
				if l.Acquire(t.Context(), turn, Request{}) != nil {
					refused.Add(1)
					return
				}
				time.Sleep(300 * time.Millisecond)
				turn.Release()
			})
		}
		all.Wait()
		if refused.Load() > 0 || l.Stats().Running != 0 {
			t.Errorf("%d were refused; %+v", refused.Load(), l.Stats())
		}
	})
}

func TestNoLimit(t *testing.T) {
	l := newLimiter(Options{MaxOperations: -1})
	for range 100_000 {
		mustAcquireNow(t, l)
	}
	var none *Limiter
	turn := &Turn{}
	if err := none.Acquire(t.Context(), turn, Request{}); err != nil {
		t.Error(err)
	}
	if err := turn.BeginCall("users"); err != nil {
		t.Error(err)
	}
	turn.EndCall(t.Context(), "users")
	turn.Release()
}

// mustAcquireNow is mustAcquire where time is not faked.
func mustAcquireNow(t *testing.T, l *Limiter) *Turn {
	t.Helper()
	turn := &Turn{}
	if err := l.Acquire(t.Context(), turn, Request{}); err != nil {
		t.Fatal(err)
	}
	return turn
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
		l := newLimiter(Options{MaxOperations: 1, MaxWait: time.Minute})
		running := []*Turn{mustAcquire(t, l, Request{})}
		turns, errs := make(chan *waiter, 5), make(chan error, 5)
		for range 5 {
			enqueue(t, l, "", Request{}, turns, errs)
		}
		take := func() { running = append(running, &(<-turns).Turn) }
		wantStats(t, l, "before", Stats{Running: 1, Queued: 5, Limit: 1}, 0)
		l.SetOptions(Options{MaxOperations: 3})
		take()
		take()
		wantStats(t, l, "more", Stats{Running: 3, Queued: 3, Limit: 3}, 0)
		l.SetOptions(Options{MaxOperations: 1, MaxQueued: -1})
		wantStats(t, l, "fewer", Stats{Running: 3, Queued: 3, Limit: 1}, 0)
		mustRefuse(t, l, Request{})
		for i := range 2 {
			running[i].Release()
			wantStats(t, l, "after one that was too many", Stats{Running: 2 - i, Queued: 3, Limit: 1}, 1)
		}
		running[2].Release()
		take()
		wantStats(t, l, "after one that was not", Stats{Running: 1, Queued: 2, Limit: 1}, 1)
		l.SetOptions(Options{MaxOperations: -1})
		take()
		take()
		wantStats(t, l, "no bound", Stats{Running: 3}, 1)
		for _, turn := range running[3:] {
			turn.Release()
		}
		wantStats(t, l, "at the end", Stats{}, 1)
	})
}

// Turns go to classes by their weights, and within a class by the order of arrival.
func TestTurnsByWeight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 1, MaxWait: time.Minute, Classes: map[string]Class{"partner": {Weight: 3}, "anonymous": {}}})
		running := mustAcquire(t, l, by("anonymous"))
		turns, errs := make(chan *waiter, 16), make(chan error, 16)
		for i := range 8 { // the anonymous ones come first
			enqueue(t, l, "a"+string(rune('0'+i)), by("anonymous"), turns, errs)
		}
		for i := range 8 {
			enqueue(t, l, "p"+string(rune('0'+i)), by("partner"), turns, errs)
		}
		var order []string
		for range 16 {
			running.Release()
			next := <-turns
			order, running = append(order, next.name), &next.Turn
		}
		first := strings.Join(order[:8], " ")
		if n := strings.Count(first, "p"); n != 6 {
			t.Errorf("of the first 8 turns the partner has %d, want 6: %s", n, first)
		}
		for _, prefix := range []string{"a", "p"} {
			own := slices.DeleteFunc(slices.Clone(order), func(name string) bool { return !strings.HasPrefix(name, prefix) })
			if !slices.IsSorted(own) {
				t.Errorf("not in the order of arrival: %v", own)
			}
		}
	})
}

// A class that floods the gateway takes no turns from another one for longer than one of its own
// operations lasts, whatever it queues, and has all places while the other is idle but those that are
// kept free.
func TestOneClassDoesNotStarveAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 16, MaxQueued: 100, MaxWait: time.Hour, Classes: map[string]Class{"anonymous": {}, "partner": {}}})
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 300 {
			all.Go(func() {
				for ctx.Err() == nil {
					turn := &Turn{}
					if l.Acquire(ctx, turn, by("anonymous")) == nil {
						time.Sleep(10 * time.Second)
						turn.Release()
					} else {
						time.Sleep(time.Second)
					}
				}
			})
		}
		time.Sleep(time.Minute + time.Millisecond)
		if got := l.ClassStats()["anonymous"]; got.Running != 14 || got.Queued < 80 { // one place is kept for each other class
			t.Errorf("%+v", got)
		}
		for range 100 { // one at a time has the place that is kept, at once
			turn := mustAcquire(t, l, by("partner"))
			time.Sleep(time.Second)
			turn.Release()
		}
		var slowest time.Duration
		for range 20 { // eight at a time get half of the places, when the operations end that have them
			var eight sync.WaitGroup
			var mu sync.Mutex
			for range 8 {
				eight.Go(func() {
					begin := time.Now()
					turn := &Turn{}
					if err := l.Acquire(ctx, turn, by("partner")); err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					slowest = max(slowest, time.Since(begin))
					mu.Unlock()
					time.Sleep(time.Second)
					turn.Release()
				})
			}
			eight.Wait()
		}
		if slowest > 10*time.Second {
			t.Errorf("the partner waited for %s", slowest)
		}
		cancel()
		all.Wait()
		wantStats(t, l, "at the end", Stats{Limit: 16}, l.Stats().Refused.Queue)
	})
}

// The class whose queue is longest gives up its places in a full queue, and the classes that are not
// in the settings are one together.
func TestQueueIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 2, MaxQueued: 4, MaxWait: time.Minute, Classes: map[string]Class{"partner": {MinOperations: -1}}})
		running := []*Turn{mustAcquire(t, l, by("anonymous")), mustAcquire(t, l, by("authenticated"))}
		turns, errs := make(chan *waiter, 8), make(chan error, 8)
		for range 4 {
			enqueue(t, l, "other", by("anonymous"), turns, errs)
		}
		for i := range 2 {
			enqueue(t, l, "partner", by("partner"), turns, errs)
			if len(errs) != i+1 {
				t.Fatalf("%d were refused for %d of the partner", len(errs), i+1)
			}
		}
		mustRefuse(t, l, by("partner")) // its queue is as long as the other by now
		mustRefuse(t, l, by("authenticated"))
		if got := l.ClassStats(); got["partner"].Queued != 2 || got[caller.Other].Queued != 2 || got[caller.Other].Running != 2 {
			t.Errorf("%+v", got)
		}
		for range 4 {
			running[0].Release()
			running = append(running[1:], &(<-turns).Turn)
		}
		for _, turn := range running {
			turn.Release()
		}
		wantStats(t, l, "at the end", Stats{Limit: 2}, 4)
	})
}

// A class has no more operations than it may, and its queue holds up no other class.
func TestMaxOperationsOfAClass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 10, MaxWait: time.Minute, Classes: map[string]Class{"anonymous": {MaxOperations: 2}}})
		first, second := mustAcquire(t, l, by("anonymous")), mustAcquire(t, l, by("anonymous"))
		turns, errs := make(chan *waiter, 1), make(chan error, 1)
		enqueue(t, l, "", by("anonymous"), turns, errs)
		wantStats(t, l, "two of two", Stats{Running: 2, Queued: 1, Limit: 10}, 0)
		third := mustAcquire(t, l, by("authenticated"))
		first.Release()
		next := <-turns
		for _, turn := range []*Turn{second, third, &next.Turn} {
			turn.Release()
		}
		wantStats(t, l, "at the end", Stats{Limit: 10}, 0)
	})
}

// The weights of a full queue: the most expensive operation is refused, of those that cost about the
// same the newest, and a more expensive newcomer is refused itself.
func TestQueueShedsByCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 1, MaxQueued: 4, MaxWait: time.Minute})
		running := mustAcquire(t, l, Request{})
		turns, errs := make(chan *waiter, 8), make(chan error, 8)
		queue := func(name string, cost int64, refused int) {
			t.Helper()
			enqueue(t, l, name, costing(cost), turns, errs)
			if len(errs) != refused {
				t.Fatalf("after %s: %d are refused, want %d", name, len(errs), refused)
			}
		}
		queue("cheap", 1, 0)
		queue("expensive", 1000, 0)
		queue("as expensive", 900, 0)
		queue("medium", 100, 0)
		mustRefuse(t, l, costing(1020)) // about as expensive, and the newest
		mustRefuse(t, l, costing(1<<40))
		queue("second medium", 110, 1)
		queue("second cheap", 1, 2)
		mustRefuse(t, l, costing(127))
		queue("third cheap", 0, 3)
		var order []string
		for range 4 {
			running.Release()
			next := <-turns
			order, running = append(order, next.name), &next.Turn
		}
		running.Release()
		if got, want := strings.Join(order, ", "), "cheap, medium, second cheap, third cheap"; got != want {
			t.Errorf("served %s, want %s", got, want)
		}
		wantStats(t, l, "at the end", Stats{Limit: 1}, 6)
	})
}

// One caller has no more operations than it may, whether they run or wait, and is forgotten when it has
// none.
func TestMaxOperationsPerCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 2, MaxWait: time.Minute, MaxOperationsPerCaller: 2, Classes: map[string]Class{
			"partner": {MaxOperationsPerCaller: 3, MinOperations: -1}, "batch": {MaxOperationsPerCaller: -1, MinOperations: -1},
		}})
		callers := map[string]Request{
			"alice": from("anonymous", "192.0.2.1"), "bob": from("anonymous", "192.0.2.2"),
			"carol": from("anonymous", "2001:db8::1"), "carol's other address": from("anonymous", "2001:db8::ffff"), "dave": from("anonymous", "2001:db8:0:1::1"),
			"partner": from("partner", "192.0.2.1"), "batch": from("batch", "192.0.2.1"), "unknown": {},
		}
		turns, errs := make(chan *waiter, 100), make(chan error, 100)
		for _, c := range []struct {
			caller string
			passes bool
		}{
			{"alice", true},
			{"alice", true},
			{"alice", false},
			{"bob", true},
			{"bob", true},
			{"bob", false},
			{"carol", true},
			{"carol's other address", true},
			{"carol", false},
			{"dave", true},
			{"partner", true},
			{"partner", true},
			{"partner", true},
			{"partner", false},
			{"batch", true},
			{"batch", true},
			{"batch", true},
			{"batch", true},
			{"unknown", true},
			{"unknown", true},
			{"unknown", true},
		} {
			before := len(errs)
			enqueue(t, l, c.caller, callers[c.caller], turns, errs)
			if passes := len(errs) == before; passes != c.passes {
				t.Errorf("%s passes: %t", c.caller, passes)
			}
		}
		for l.Stats().Running > 0 {
			(<-turns).Release()
		}
		wantStats(t, l, "at the end", Stats{Limit: 2}, 4)
		for _, c := range l.classes {
			if len(c.callers) > 0 {
				t.Errorf("the class %s remembers %v", c.name, c.callers)
			}
		}
	})
}

// from returns a request of a class from an address.
func from(class, address string) Request {
	r := by(class)
	r.Caller.IP = netip.MustParseAddr(address)
	return r
}

// Classes that come and go while their operations run and queue lose none of them.
func TestClassesChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		few := Options{MaxOperations: 1, MaxWait: time.Minute, MaxOperationsPerCaller: 2}
		some := few
		some.Classes = map[string]Class{"a": {Weight: 2}, "b": {MaxOperations: 1}}
		l := newLimiter(some)
		running := mustAcquire(t, l, from("a", "192.0.2.1"))
		turns, errs := make(chan *waiter, 8), make(chan error, 8)
		enqueue(t, l, "a", from("a", "192.0.2.1"), turns, errs)
		enqueue(t, l, "b", from("b", "192.0.2.1"), turns, errs)
		l.SetOptions(few)
		enqueue(t, l, "a", from("a", "192.0.2.1"), turns, errs)
		enqueue(t, l, "c", from("c", "192.0.2.1"), turns, errs) // a and c are Other by now
		mustRefuse(t, l, from("b", "192.0.2.1"))
		if len(l.classes) != 3 {
			t.Errorf("%d classes, want those of operations and Other", len(l.classes))
		}
		l.SetOptions(some)
		for range 4 {
			running.Release()
			running = &(<-turns).Turn
		}
		running.Release()
		l.SetOptions(few)
		if len(l.classes) != 1 || len(errs) != 0 {
			t.Errorf("%d classes and %d errors", len(l.classes), len(errs))
		}
		wantStats(t, l, "at the end", Stats{Limit: 1}, 1)
	})
}

// When to come again follows from the queue and from how fast turns come.
func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Options{MaxOperations: 1, MaxQueued: 20, MaxWait: time.Hour})
		running := mustAcquire(t, l, Request{})
		turns, errs := make(chan *waiter, 100), make(chan error, 100)
		fill := func() {
			for l.Stats().Queued < 20 {
				enqueue(t, l, "", Request{}, turns, errs)
			}
		}
		fill()
		if got := mustRefuse(t, l, Request{}).RetryAfter; got != time.Second {
			t.Errorf("%s before anything is known", got)
		}
		for _, each := range []time.Duration{500 * time.Millisecond, 2 * time.Second} { // twice a second, then once in two
			for range 40 {
				time.Sleep(each)
				running.Release()
				running = &(<-turns).Turn
				fill()
				mustRefuse(t, l, Request{})
			}
			want := 21 * each // 20 before it, and its own
			if got := mustRefuse(t, l, Request{}).RetryAfter; got < want*8/10 || got > want*12/10 {
				t.Errorf("%s with a turn each %s and 20 in the queue, want about %s", got, each, want)
			}
		}
		time.Sleep(10 * time.Minute) // nothing more ends
		if got := mustRefuse(t, l, Request{}).RetryAfter; got < time.Minute {
			t.Errorf("%s though nothing ends", got)
		}
		for range 21 {
			running.Release()
			if len(turns) == 0 {
				synctest.Wait()
			}
			if len(turns) > 0 {
				running = &(<-turns).Turn
			}
		}
	})
}

func TestValidate(t *testing.T) {
	for want, o := range map[string]Options{
		"":                                  {MaxOperations: -1, MaxQueued: -1, MaxBytes: -1, Classes: map[string]Class{"a": {Weight: 2, MinOperations: -1}}},
		"maxWait is negative":               {MaxWait: -1},
		"maxOperationsPerCaller is negativ": {MaxOperationsPerCaller: -1},
		"classes.a.weight is negative":      {Classes: map[string]Class{"a": {Weight: -1}}},
		"classes.a.maxOperations is negati": {Classes: map[string]Class{"a": {MaxOperations: -1}}},
		"classes.a.minOperations is 3, more than its maxOperations, 2": {Classes: map[string]Class{"a": {MinOperations: 3, MaxOperations: 2}}},
		"are 10 together, but must be fewer than maxOperations, 10":    {MaxOperations: 10, Classes: map[string]Class{"a": {MinOperations: 4}, "b": {MinOperations: 6}}},
		"watermarks.cpuPercent is 101":                                 {Watermarks: Watermarks{CPUPercent: 101}},
		"watermarks.memoryPercent is 101":                              {Watermarks: Watermarks{MemoryPercent: 101}},
		"watermarks.cpuPercent is negative":                            {Watermarks: Watermarks{CPUPercent: -1}},
		"watermarks.cheapCost is negative":                             {Watermarks: Watermarks{CheapCost: -1}},
	} {
		switch err := o.Validate(); {
		case want == "" && err != nil:
			t.Errorf("%+v: %v", o, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%v, want %s", err, want)
		}
	}
}
