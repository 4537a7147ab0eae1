package resilience_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		text      string
		wait      time.Duration
		ok, short bool
	}{
		{"", 0, false, false},
		{"0", 0, true, true},
		{"1", time.Second, true, true},
		{"2", 2 * time.Second, true, false},
		{"99999999999999999999", 0, false, false},
		{"9223372036854775807", 1 << 32 * time.Second, true, false},
		{"-1", 0, false, false},
		{"1.5", 0, false, false},
		{"soon", 0, false, false},
		{"Sun, 01 Mar 2026 12:00:01 GMT", time.Second, true, true},
		{"Sun, 01 Mar 2026 12:01:00 GMT", time.Minute, true, false},
		{"Sun, 01 Mar 2026 11:00:00 GMT", 0, true, true},
		{"Sunday, 01-Mar-26 12:00:01 GMT", time.Second, true, true},
	} {
		h := http.Header{}
		if test.text != "" {
			h.Set("Retry-After", test.text)
		}
		wait, ok, short := resilience.New(resilience.Options{}).RetryAfter(h, now)
		if wait != test.wait || ok != test.ok || short != test.short {
			t.Errorf("%q: %s, %t, %t, want %s, %t, %t", test.text, wait, ok, short, test.wait, test.ok, test.short)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{"1", "9223372036854775807", "Sun, 01 Mar 2026 12:00:01 GMT", "-1"} {
		f.Add(text)
	}
	p, now := resilience.New(resilience.Options{}), time.Now()
	f.Fuzz(func(t *testing.T, text string) {
		wait, ok, short := p.RetryAfter(http.Header{"Retry-After": {text}}, now)
		if wait < 0 || short && (!ok || wait > resilience.DefaultMaxRetryAfter) {
			t.Errorf("%q: %s, %t, %t", text, wait, ok, short)
		}
	})
}

func TestBackoff(t *testing.T) {
	p := resilience.New(resilience.Options{Retry: resilience.Retry{Backoff: 10 * time.Millisecond, MaxBackoff: 25 * time.Millisecond}})
	for n, most := range map[int]time.Duration{1: 10, 2: 20, 3: 25, 4: 25, 100: 25} {
		least, longest := time.Hour, time.Duration(0)
		for range 1000 {
			wait := p.Backoff(n)
			least, longest = min(least, wait), max(longest, wait)
		}
		most *= time.Millisecond
		if longest > most || longest < most*9/10 || least > most/10 {
			t.Errorf("retry %d waits from %s to %s, want from 0 to %s", n, least, longest, most)
		}
	}
}

func TestRetriesStatus(t *testing.T) {
	for _, test := range []struct {
		statuses         []int
		status           int
		isRead           bool
		retry, elsewhere bool
	}{
		{nil, 500, true, true, true},
		{nil, 500, false, false, true},
		{nil, 502, false, true, false},
		{nil, 503, true, true, false},
		{nil, 504, true, true, false},
		{nil, 501, true, false, false},
		{nil, 505, true, false, false},
		{nil, 404, true, false, false},
		{[]int{500, 520}, 500, false, true, false},
		{[]int{500, 520}, 520, true, true, false},
		{[]int{500, 520}, 503, true, false, false},
	} {
		p := resilience.New(resilience.Options{Retry: resilience.Retry{Statuses: test.statuses}})
		retry, elsewhere := p.RetriesStatus(test.status, test.isRead)
		if retry != test.retry || retry && elsewhere != test.elsewhere {
			t.Errorf("%+v: %t, %t", test, retry, elsewhere)
		}
	}
}

// What time alone adds to the budget is little, and the bucket of a busy service is larger.
func TestBudget(t *testing.T) {
	take := func(p *resilience.Policy) (n int) {
		for p.TakeRetry() {
			n++
		}
		return n
	}
	synctest.Test(t, func(t *testing.T) {
		p := resilience.New(resilience.Options{})
		if n := take(p); n != 10 {
			t.Errorf("%d at the start, want 10", n)
		}
		p.Begin(time.Now())
		time.Sleep(30 * time.Second)
		p.Begin(time.Now())
		if n := take(p); n != 3 {
			t.Errorf("%d after half a minute, want 3", n)
		}
		time.Sleep(time.Hour)
		p.Begin(time.Now())
		if n := take(p); n != 10 {
			t.Errorf("%d after an hour, want 10", n)
		}
		for range 20 * 100 { // 100 calls a second
			p.Begin(time.Now())
			time.Sleep(10 * time.Millisecond)
		}
		if n := take(p); n < 190 || n > 210 {
			t.Errorf("%d after 2,000 calls, want those of ten seconds: 200", n)
		}
		if s := p.Status(); s.Retries == 0 || s.Refused != 4 || s.Budget != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestHedgeDelay(t *testing.T) {
	for _, test := range []struct {
		name   string
		hedge  resilience.Hedge
		times  []time.Duration
		lo, hi time.Duration
	}{
		{"nothing measured", resilience.Hedge{}, nil, 500 * time.Millisecond, 500 * time.Millisecond},
		{"too little measured", resilience.Hedge{}, repeat(31, time.Millisecond), 500 * time.Millisecond, 500 * time.Millisecond},
		{"fast", resilience.Hedge{}, repeat(32, time.Millisecond), 50 * time.Millisecond, 50 * time.Millisecond},
		{"slow", resilience.Hedge{}, repeat(32, time.Minute), 2 * time.Second, 2 * time.Second},
		{"usual", resilience.Hedge{}, repeat(64, 100*time.Millisecond), 100 * time.Millisecond, 125 * time.Millisecond},
		{"a few late", resilience.Hedge{}, append(repeat(3, time.Second), repeat(93, 100*time.Millisecond)...), 100 * time.Millisecond, 125 * time.Millisecond},
		{"many late", resilience.Hedge{}, append(repeat(8, time.Second), repeat(56, 100*time.Millisecond)...), time.Second, 1250 * time.Millisecond},
		{"late long ago", resilience.Hedge{}, append(repeat(640, time.Second), repeat(20_000, 100*time.Millisecond)...), 100 * time.Millisecond, 125 * time.Millisecond},
		{"no time at all", resilience.Hedge{MinDelay: 1}, repeat(32, 0), 1, 2 * time.Microsecond},
		{"fixed", resilience.Hedge{Delay: time.Second}, repeat(64, time.Millisecond), time.Second, time.Second},
		{"off", resilience.Hedge{Delay: -1}, repeat(64, time.Millisecond), 0, 0},
	} {
		o := resilience.New(resilience.Options{Hedge: test.hedge}).Operation([]byte("GET /users"))
		for _, d := range test.times {
			o.Record(d)
		}
		if d := o.HedgeDelay(false); d < test.lo || d > test.hi {
			t.Errorf("%s: %s, want %s to %s", test.name, d, test.lo, test.hi)
		}
	}
}

func repeat(n int, d time.Duration) []time.Duration {
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = d
	}
	return times
}

// Handwritten code may write a value into each path. Operations are bounded all the same.
func TestOperationsAreBounded(t *testing.T) {
	p := resilience.New(resilience.Options{})
	first := p.Operation([]byte("GET /users/0"))
	seen := map[*resilience.Operation]bool{}
	for i := range 2000 {
		seen[p.Operation(fmt.Appendf(nil, "GET /users/%d", i))] = true
	}
	if len(seen) != 513 || p.Operation([]byte("GET /users/0")) != first {
		t.Errorf("%d operations, want 512 and one for all others", len(seen))
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		retry   resilience.Retry
		hedge   resilience.Hedge
		breaker resilience.Breaker
		want    string
	}{
		{},
		{breaker: resilience.Breaker{FailurePercent: 100}},
		{breaker: resilience.Breaker{FailurePercent: 101}, want: "breaker.failurePercent is 101: write 1 to 100"},
		{breaker: resilience.Breaker{Probes: 1}, want: "breaker has no failurePercent: write how many"},
		{breaker: resilience.Breaker{FailurePercent: 50, OpenFor: -1}, want: "breaker.openFor is negative"},
		{hedge: resilience.Hedge{Delay: -1}},
		{retry: resilience.Retry{MaxAttempts: -1}, want: "retry.maxAttempts is negative: leave it out to get the default"},
		{retry: resilience.Retry{Budget: resilience.Budget{Percent: 101}}, want: "retry.budget.percent is 101: write at most 100"},
		{retry: resilience.Retry{Statuses: []int{503, 429}}, want: "retry.statuses[1] is 429: write statuses from 500 to 599"},
		{hedge: resilience.Hedge{FirstDelay: -1}, want: "hedge.firstDelay is negative"},
		{hedge: resilience.Hedge{MinDelay: time.Minute}, want: "hedge.minDelay (1m0s) is longer than hedge.maxDelay (2s)"},
	} {
		text := fmt.Sprint(test.retry.Validate(), test.hedge.Validate(), test.breaker.Validate())
		if test.want == "" && text != "<nil> <nil> <nil>" || !strings.Contains(text, test.want) {
			t.Errorf("got %s, want %q", text, test.want)
		}
	}
}

type lateFunc func() time.Duration

func (f lateFunc) Late() time.Duration { return f() }

func TestTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := resilience.New(resilience.Options{})
		for range 3 { // the memory is reused
			var calls atomic.Int64
			timer := p.StartTimer(time.Second, lateFunc(func() time.Duration { calls.Add(1); return 0 }))
			time.Sleep(999 * time.Millisecond)
			timer.Stop()
			time.Sleep(time.Minute)
			if calls.Load() != 0 {
				t.Error("called after Stop")
			}

			timer = p.StartTimer(time.Second, lateFunc(func() time.Duration {
				if calls.Add(1) < 3 {
					return time.Second
				}
				time.Sleep(10 * time.Second)
				calls.Add(1)
				return 0
			}))
			time.Sleep(3500 * time.Millisecond)
			timer.Stop() // waits for the third call
			if calls.Load() != 4 {
				t.Errorf("%d steps, want 4", calls.Load())
			}

			timer = p.StartTimer(time.Second, lateFunc(func() time.Duration { calls.Add(1); return time.Second }))
			time.Sleep(2500 * time.Millisecond)
			timer.Stop()
			time.Sleep(time.Minute)
			if calls.Load() != 6 {
				t.Errorf("%d steps, want 6", calls.Load())
			}
		}
	})
}

// BenchmarkCall measures what a call costs that succeeds at once.
func BenchmarkCall(b *testing.B) {
	for name, o := range map[string]resilience.Options{"default": {}, "breaker": {Breaker: resilience.Breaker{FailurePercent: 50}}} {
		b.Run(name, func(b *testing.B) {
			p := resilience.New(o)
			late := lateFunc(func() time.Duration { return 0 })
			b.ReportAllocs()
			for b.Loop() {
				p.Begin(time.Now())
				o := p.Operation([]byte("GET /users/{}"))
				if err := o.Allow(); err != nil {
					b.Fatal(err)
				}
				timer := p.StartTimer(o.HedgeDelay(false), late)
				o.Record(time.Millisecond)
				timer.Stop()
				o.End(attempt.Success)
			}
		})
	}
}
