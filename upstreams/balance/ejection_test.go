package balance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// outcomes are those of attempts by the endpoint, Success by default.
type outcomes map[string]attempt.Outcome

// send makes an attempt at the endpoint that b picks, and returns its host.
func send(t *testing.T, b *Balancer, by outcomes) string {
	t.Helper()
	lease := pick(t, b, Choice{})
	finish(t, lease, by)
	return lease.Endpoint.String()
}

func finish(t *testing.T, l Lease, by outcomes) {
	t.Helper()
	switch o, ok := by[l.Endpoint.String()]; {
	case o == attempt.Malformed:
		l.Done(t.Context(), attempt.Unjudged, nil)
		l.Judge(o)
	case ok:
		l.Done(t.Context(), o, errors.New(o.String()))
	default:
		l.Done(t.Context(), attempt.Unjudged, nil)
		l.Judge(attempt.Success)
	}
}

// sendMany returns the hosts of n attempts.
func sendMany(t *testing.T, b *Balancer, by outcomes, n int) (hosts string) {
	t.Helper()
	for range n {
		hosts += send(t, b, by)
	}
	return hosts
}

// Every outcome that speaks against an endpoint ejects it when it comes five times in a row. An endpoint
// that cannot be connected to is ejected at once.
func TestOutcomesThatEject(t *testing.T) {
	for o := range attempt.Outcome(attempt.Outcomes) {
		want := 15 // of 45
		switch {
		case o == attempt.Unreachable:
			want = 1
		case o.Failed(), o == attempt.Slow:
			want = 5
		}
		b := newBalancer(t, "abc", Options{})
		if got := strings.Count(sendMany(t, b, outcomes{"b": o}, 45), "b"); got != want {
			t.Errorf("%s: %d of 45 calls, want %d", o, got, want)
		}
	}
}

// A response that is good in between begins the count anew.
func TestFailuresInARow(t *testing.T) {
	b := newBalancer(t, "ab", Options{Eject: Eject{FailureRate: -1}})
	for range 20 {
		sendMany(t, b, outcomes{"b": attempt.ServerError}, 8)
		sendMany(t, b, nil, 2)
	}
	if got := states(b); got != "a:healthy b:healthy" {
		t.Errorf("after 4 failures in a row: %s", got)
	}
}

func TestFailureRate(t *testing.T) {
	for _, test := range []struct {
		name   string
		failed int           // of 4 calls
		calls  int           // to b
		every  time.Duration // a call
		want   State
	}{
		{"half", 2, 20, time.Millisecond, Ejected},
		{"three of four, too few calls", 3, 19, time.Millisecond, Healthy},
		{"three of four", 3, 20, time.Millisecond, Ejected},
		{"a quarter", 1, 100, time.Millisecond, Healthy},
		{"three of four, but few in the window", 3, 100, time.Second, Healthy},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBalancer(t, "ab", Options{})
			for i := range test.calls {
				send(t, b, nil)
				by := outcomes{}
				if i%4 >= 4-test.failed {
					by["b"] = attempt.ServerError
				}
				send(t, b, by)
				time.Sleep(test.every)
			}
			if got := b.Status()[1].State; got != test.want {
				t.Errorf("%s: %s, want %s", test.name, got, test.want)
			}
		})
	}
}

// A failing endpoint gets one call after each ejection, which lasts longer each time up to a bound, and
// none in between. When it has healed, one call is enough.
func TestEjection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(t, "abc", Options{})
		bad := outcomes{"b": attempt.BrokenOff}
		sendMany(t, b, bad, 15)
		start := time.Now()
		var tries []time.Duration
		for time.Since(start) < 20*time.Second {
			if send(t, b, bad) == "b" {
				tries = append(tries, time.Since(start))
			}
			time.Sleep(100 * time.Millisecond)
		}
		if got := fmt.Sprint(tries); got != "[2s 6s 11s 16s]" {
			t.Errorf("tries after %s", got)
		}
		healed := time.Now()
		for send(t, b, nil) != "b" {
			time.Sleep(100 * time.Millisecond)
		}
		if passed := time.Since(healed); passed > 5*time.Second {
			t.Errorf("not tried for %s after it healed", passed)
		}
		if got := sendMany(t, b, nil, 30); strings.Count(got, "b") < 9 {
			t.Errorf("healthy again: %s", got)
		}

		// An ejection soon afterwards continues to grow; a later one begins anew.
		for _, test := range []struct{ idle, want time.Duration }{{time.Second, 5 * time.Second}, {time.Minute, 2 * time.Second}} {
			time.Sleep(test.idle)
			for b.Endpoints()[1].Available() {
				send(t, b, bad)
			}
			if got := time.Until(b.Status()[1].EjectedUntil); got != test.want {
				t.Errorf("%s later the ejection lasts %s, want %s", test.idle, got, test.want)
			}
			time.Sleep(6 * time.Second)
			sendMany(t, b, nil, 6)
		}
	})
}

// While an ejected endpoint is on trial, it has one call at a time.
func TestTrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(t, "abc", Options{})
		eject := func() {
			t.Helper()
			for b.Endpoints()[1].Available() {
				send(t, b, outcomes{"b": attempt.TimedOut})
			}
			time.Sleep(time.Until(b.Status()[1].EjectedUntil))
		}
		eject()
		if lease := pick(t, b, Choice{Unrepeatable: true}); lease.Trial || lease.Endpoint.String() == "b" {
			t.Error("a call that cannot be repeated is the trial")
		}
		if lease := pick(t, b, Choice{Tried: b.Endpoints()[1:2]}); lease.Trial {
			t.Error("a call that was sent there already is the trial")
		}
		trial := pick(t, b, Choice{})
		if !trial.Trial || trial.Endpoint.String() != "b" {
			t.Fatalf("the call is sent to %s", trial.Endpoint)
		}
		if got := sendMany(t, b, nil, 6); strings.Contains(got, "b") {
			t.Errorf("during the trial: %s", got)
		}
		trial.Done(t.Context(), attempt.Success, nil)
		if got := sendMany(t, b, nil, 6); !strings.Contains(got, "b") {
			t.Errorf("after the trial: %s", got)
		}

		eject()
		trial = pick(t, b, Choice{})
		trial.Done(t.Context(), attempt.Unjudged, nil)
		trial.Judge(attempt.Malformed)
		if got := sendMany(t, b, nil, 6); strings.Contains(got, "b") {
			t.Errorf("after a trial with a malformed response: %s", got)
		}

		time.Sleep(5 * time.Second)
		trial = pick(t, b, Choice{})
		trial.Done(t.Context(), attempt.Canceled, nil)
		if lease := pick(t, b, Choice{}); lease.Trial {
			t.Error("a canceled trial is followed by another at once")
		}
		time.Sleep(5 * time.Second)
		trial = pick(t, b, Choice{})
		trial.Done(t.Context(), attempt.Stale, nil)
		if trial = pick(t, b, Choice{}); !trial.Trial {
			t.Error("a trial on a stale connection is not followed by another at once")
		}
		trial.Done(t.Context(), attempt.Success, nil)

		eject()
		time.Sleep(4 * time.Second)
		if lease := pick(t, b, Choice{Unrepeatable: true}); !lease.Trial {
			t.Error("without other calls the endpoint is never tried")
		}
	})
}

// Attempts that began before an endpoint was ejected, or before it was back, say nothing about it.
func TestLateOutcomes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(t, "ab", Options{})
		var hanging []Lease
		for len(hanging) < 12 {
			if l := pick(t, b, Choice{}); l.Endpoint.String() == "b" {
				hanging = append(hanging, l)
			}
		}
		time.Sleep(time.Second)
		for _, l := range hanging[:6] {
			l.Done(t.Context(), attempt.TimedOut, nil)
		}
		hanging[6].Done(t.Context(), attempt.Success, nil)
		if s := b.Status()[1]; s.State != Ejected || s.Ejections != 1 {
			t.Errorf("after late outcomes: %s, %d ejections", s.State, s.Ejections)
		}
		time.Sleep(2 * time.Second)
		sendMany(t, b, nil, 2)
		for _, l := range hanging[7:] {
			l.Done(t.Context(), attempt.TimedOut, nil)
		}
		if s := b.Status()[1]; s.State != Healthy {
			t.Errorf("old attempts that time out after it is back have %s it", s.State)
		}
	})
}

// At most half of the endpoints are ejected, and never all.
func TestMaxShare(t *testing.T) {
	for _, test := range []struct {
		hosts string
		share int
		want  int
	}{{"a", 0, 0}, {"ab", 0, 1}, {"abc", 0, 2}, {"abcd", 0, 2}, {"abcd", 100, 3}, {"abcd", -1, 0}} {
		b := newBalancer(t, test.hosts, Options{Eject: Eject{MaxShare: test.share}})
		bad := outcomes{}
		for _, host := range strings.Split(test.hosts, "") {
			bad[host] = attempt.ServerError
		}
		sendMany(t, b, bad, 100)
		if got := strings.Count(states(b), "ejected"); got != test.want {
			t.Errorf("%d of %s are ejected, want %d", got, test.hosts, test.want)
		}
	}
}

// Endpoints that cannot be connected to may all be ejected: nothing is lost by trying all of them then,
// and the first that answers is back.
func TestAllUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(t, "abc", Options{})
		down := outcomes{"a": attempt.Unreachable, "b": attempt.Unreachable, "c": attempt.Unreachable}
		sendMany(t, b, down, 30)
		if got := states(b); got != "a:ejected b:ejected c:ejected" {
			t.Errorf("states %s", got)
		}
		time.Sleep(30 * time.Second)
		sendMany(t, b, down, 30)
		if sendMany(t, b, nil, 1); strings.Count(states(b), "healthy") != 1 {
			t.Errorf("after a response: %s", states(b))
		}
		time.Sleep(5 * time.Second)
		if got := sendMany(t, b, nil, 30); strings.Count(got, "a") < 9 {
			t.Errorf("all up again: %s", got)
		}
		if got := states(b); got != "a:healthy b:healthy c:healthy" {
			t.Errorf("states %s", got)
		}
	})
}

// An endpoint that cannot be connected to is probed in the background, and no call is sent to it until
// that succeeds.
func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		down, probed := true, []time.Duration(nil) // guarded by mu
		start := time.Now()
		b := newBalancer(t, "abc", Options{Probe: func(_ context.Context, e *Endpoint) error {
			mu.Lock()
			defer mu.Unlock()
			probed = append(probed, time.Since(start))
			if e.String() != "b" || !down {
				return nil
			}
			return errors.New("refused")
		}})
		sendMany(t, b, outcomes{"b": attempt.Unreachable}, 3)
		for range 15 {
			if got := sendMany(t, b, nil, 3); strings.Contains(got, "b") {
				t.Errorf("%s after %s", got, time.Since(start))
			}
			time.Sleep(time.Second)
		}
		mu.Lock()
		down = false
		mu.Unlock()
		time.Sleep(5*time.Second + time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		if got := fmt.Sprint(probed); got != "[1s 3s 7s 12s 17s]" {
			t.Errorf("probed after %s", got)
		}
		if lease := pick(t, b, Choice{}); !lease.Trial {
			t.Error("the next call is not the trial")
		}
	})
}

// Close ends a running probe and those to come.
func TestCloseEndsProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		b := New(targets("ab"), Options{Probe: func(ctx context.Context, _ *Endpoint) error {
			runs++
			<-ctx.Done()
			return ctx.Err()
		}})
		down := outcomes{"a": attempt.Unreachable, "b": attempt.Unreachable}
		send(t, b, down)
		time.Sleep(500 * time.Millisecond)
		send(t, b, down)
		time.Sleep(700 * time.Millisecond) // the first is being probed
		b.Close()
		time.Sleep(time.Minute)
		if runs != 1 {
			t.Errorf("%d probes ran", runs)
		}
		if got := sendMany(t, b, nil, 6); len(got) != 6 {
			t.Errorf("closed, it chose %s", got)
		}
		b.Close()
	})
}

func TestRemovedEndpointIsNotProbed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		b := newBalancer(t, "ab", Options{Probe: func(context.Context, *Endpoint) error { runs++; return nil }})
		sendMany(t, b, outcomes{"b": attempt.Unreachable}, 2)
		b.SetEndpoints(targets("a"))
		time.Sleep(time.Minute)
		if runs != 0 {
			t.Errorf("probed %d times", runs)
		}
	})
}

// Each change is reported once.
func TestEjectionIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := newBalancer(t, "ab", Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		for range 30 { // with five failed trials
			sendMany(t, b, outcomes{"a": attempt.Reset}, 10)
			time.Sleep(time.Second)
		}
		if n := strings.Count(log.String(), `level=WARN msg="backend endpoint ejected" endpoint=a reason="consecutive failures" duration_ms=2000 error=reset`); n != 1 || strings.Count(log.String(), "\n") != 1 {
			t.Errorf("log:\n%s", &log)
		}
		time.Sleep(10 * time.Second)
		sendMany(t, b, nil, 10)
		if n := strings.Count(log.String(), `level=INFO msg="backend endpoint is back" endpoint=a`); n != 1 || strings.Count(log.String(), "\n") != 2 {
			t.Errorf("log:\n%s", &log)
		}
	})
}

// respondAfter makes n attempts by turns, each of which takes the time of its endpoint.
func respondAfter(t *testing.T, b *Balancer, n int, times map[string]time.Duration) {
	t.Helper()
	for range n {
		l := pick(t, b, Choice{})
		time.Sleep(times[l.Endpoint.String()])
		finish(t, l, nil)
	}
}

func TestSlowEndpoint(t *testing.T) {
	for _, test := range []struct {
		name  string
		times map[string]time.Duration
		calls int
		want  string
	}{
		{"3 s late", map[string]time.Duration{"a": 10 * time.Millisecond, "b": 3 * time.Second, "c": 20 * time.Millisecond}, 60, "a:healthy b:ejected c:healthy"},
		{"ten times slower, but fast", map[string]time.Duration{"a": 10 * time.Millisecond, "b": 100 * time.Millisecond, "c": 10 * time.Millisecond}, 90, "a:healthy b:healthy c:healthy"},
		{"all are slow", map[string]time.Duration{"a": 2 * time.Second, "b": 3 * time.Second, "c": time.Second}, 90, "a:healthy b:healthy c:healthy"},
		{"too few calls to compare", map[string]time.Duration{"b": time.Second}, 27, "a:healthy b:healthy c:healthy"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBalancer(t, "abc", Options{})
			respondAfter(t, b, test.calls, test.times)
			if got := states(b); got != test.want {
				t.Errorf("%s: %s", test.name, got)
			}
		})
	}
}

// An endpoint on trial that is still slow remains ejected, and one that is fast again is back.
func TestSlowTrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBalancer(t, "abc", Options{})
		times := map[string]time.Duration{"a": 10 * time.Millisecond, "b": 3 * time.Second, "c": 10 * time.Millisecond}
		respondAfter(t, b, 60, times)
		time.Sleep(2 * time.Second)
		respondAfter(t, b, 30, times)
		if s := b.Status()[1]; s.State != Ejected || s.Ejections != 2 {
			t.Errorf("%s after %d ejections", s.State, s.Ejections)
		}
		time.Sleep(4 * time.Second)
		respondAfter(t, b, 3, map[string]time.Duration{})
		if got := states(b); got != "a:healthy b:healthy c:healthy" {
			t.Errorf("states %s", got)
		}
	})
}

// A response of several readers that cannot be decoded is one failure.
func TestSharedResponseIsJudgedOnce(t *testing.T) {
	b := newBalancer(t, "ab", Options{})
	l := pick(t, b, Choice{})
	l.Done(t.Context(), attempt.Unjudged, nil)
	for range 10 {
		l.Judge(attempt.Malformed)
	}
	if got := states(b); got != "a:healthy b:healthy" {
		t.Errorf("states %s", got)
	}
}

func TestSetHealthy(t *testing.T) {
	var log bytes.Buffer
	b := newBalancer(t, "abc", Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	e := b.Endpoints()[1]
	for range 3 {
		b.SetHealthy(t.Context(), e, false, errors.New("status 500"))
	}
	if got := sendMany(t, b, nil, 6); strings.Contains(got, "b") || states(b) != "a:healthy b:unhealthy c:healthy" {
		t.Errorf("%s sent to %s", states(b), got)
	}
	for range 3 {
		b.SetHealthy(t.Context(), e, true, nil)
	}
	if got := sendMany(t, b, nil, 30); strings.Count(got, "b") < 10 {
		t.Errorf("%s sent to %s", states(b), got)
	}
	if lines := strings.Split(strings.TrimSpace(log.String()), "\n"); len(lines) != 2 ||
		!strings.Contains(lines[0], `level=WARN msg="backend endpoint fails its health check" endpoint=b error="status 500"`) ||
		!strings.Contains(lines[1], `level=INFO msg="backend endpoint passes its health check" endpoint=b`) {
		t.Errorf("log:\n%s", &log)
	}
}
