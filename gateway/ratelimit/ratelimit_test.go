package ratelimit

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
	"github.com/gatehouse-graphql/gatehouse/store"
	"github.com/gatehouse-graphql/gatehouse/store/redistest"
)

// query returns an operation of a caller.
func query(c caller.Caller) *execute.Operation {
	return &execute.Operation{
		OperationContext: graphql.OperationContext{Operation: &ast.OperationDefinition{Operation: ast.Query, Name: "Q"}},
		Caller:           &c,
	}
}

// from is an anonymous caller at an address.
func from(address string) caller.Caller {
	return caller.Caller{IP: netip.MustParseAddr(address), Class: caller.Anonymous}
}

// user is a caller with a token.
func user(subject string, claims map[string]any) caller.Caller {
	all := map[string]any{"sub": subject, "iss": "https://issuer"}
	for name, value := range claims {
		all[name] = value
	}
	return caller.Caller{Identity: auth.NewIdentity(all, ""), Class: caller.Authenticated, IP: netip.MustParseAddr("192.0.2.1")}
}

func newLimiter(t testing.TB, o Options, change ...func(*Deps)) *Limiter {
	t.Helper()
	d := Deps{Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&d)
	}
	l, err := New(o, d)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// passes reports whether a limiter lets an operation pass.
func passes(t testing.TB, l *Limiter, c caller.Caller) bool {
	t.Helper()
	err := l.Check(t.Context(), query(c))
	if err != nil && fault.CodeOf(err) != fault.RateLimited {
		t.Fatal(err)
	}
	return err == nil
}

// TestFlood sends 10,000 requests a second: as many pass in each second as the limit says, from the first one
// on, whatever the burst.
func TestFlood(t *testing.T) {
	for _, limit := range []string{"100/s", "100/s burst 1", "100/s burst 20", "6000/m burst 100"} {
		synctest.Test(t, func(t *testing.T) {
			l := newLimiter(t, Options{Rules: []Rule{{Name: "flood", Limits: []string{limit}}}})
			for second := range 10 {
				passed := 0
				for range 10_000 {
					if passes(t, l, from("192.0.2.1")) {
						passed++
					}
					time.Sleep(100 * time.Microsecond)
				}
				if passed < 99 || passed > 101 {
					t.Errorf("%s: %d pass in second %d, want 100 ± 1", limit, passed, second+1)
				}
			}
		})
	}
}

// TestKeepsToTheLimit has clients that keep to the limit: none is refused.
func TestKeepsToTheLimit(t *testing.T) {
	for _, test := range []struct {
		limit string
		batch int // requests at once
		every time.Duration
	}{
		{"100/s", 1, 10 * time.Millisecond},
		{"100/s burst 1", 1, 10 * time.Millisecond},
		{"100/s burst 20", 20, 200 * time.Millisecond},
		{"100/s", 50, 500 * time.Millisecond},
		{"100/s", 100, time.Second},
		{"10/s burst 100", 100, 10 * time.Second},
		{"7/m", 7, time.Minute},
		{"1000/day", 1000, 24 * time.Hour},
		{"3/month", 3, 720 * time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLimiter(t, Options{Rules: []Rule{{Name: "kept", Limits: []string{test.limit}}}})
			for round := range 20 {
				for i := range test.batch {
					if !passes(t, l, from("192.0.2.1")) {
						t.Fatalf("%s, %d every %s: request %d of round %d is refused", test.limit, test.batch, test.every, i, round)
					}
				}
				time.Sleep(test.every)
			}
		})
	}
}

// TestRetryAfter refuses a request, which then passes after the time that the refusal has said, and not a
// second before.
func TestRetryAfter(t *testing.T) {
	for _, limits := range [][]string{{"5/m"}, {"5/m burst 2"}, {"100/s", "3/h"}, {"10/day"}} {
		synctest.Test(t, func(t *testing.T) {
			l := newLimiter(t, Options{Rules: []Rule{{Name: "r", Limits: limits}}})
			op := query(from("192.0.2.1"))
			for l.Check(t.Context(), op) == nil {
				op = query(from("192.0.2.1"))
			}
			var seconds int64
			if _, err := fmt.Sscan(op.Header.Get("Retry-After"), &seconds); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(seconds)*time.Second - time.Second)
			if seconds > 1 && passes(t, l, from("192.0.2.1")) {
				t.Errorf("%s: a request passes a second before Retry-After, %d", limits, seconds)
			}
			time.Sleep(time.Second)
			if !passes(t, l, from("192.0.2.1")) {
				t.Errorf("%s: a request is refused after Retry-After, %d", limits, seconds)
			}
		})
	}
}

// TestBy counts callers apart.
func TestBy(t *testing.T) {
	gold := user("u1", map[string]any{"org": "o1"})
	other := user("u1", nil)
	other.Identity.Claims["iss"] = "https://another"
	web, app := from("192.0.2.1"), from("192.0.2.1")
	web.Client, app.Client = "web", "app"
	tests := []struct {
		by    []string
		a, b  caller.Caller
		apart bool
	}{
		{nil, from("192.0.2.1"), from("192.0.2.2"), true},
		{nil, from("192.0.2.1"), from("::ffff:192.0.2.1"), false},
		{nil, gold, from("192.0.2.1"), true},
		{nil, user("u1", nil), user("u2", nil), true},
		{nil, user("u1", nil), other, true},
		{[]string{"ip"}, gold, from("192.0.2.1"), false},
		{[]string{"ip"}, from("2001:db8::1"), from("2001:db8::ffff:1"), false},
		{[]string{"ip"}, from("2001:db8:0:1::1"), from("2001:db8:0:2::1"), true},
		{[]string{"client"}, web, app, true},
		{[]string{"client"}, from("192.0.2.1"), from("192.0.2.2"), false},
		{[]string{"client", "ip"}, web, from("192.0.2.1"), true},
		{[]string{"class"}, gold, from("192.0.2.1"), true},
		{[]string{"class"}, gold, user("u2", nil), false},
		{[]string{"claims.org"}, gold, user("u2", map[string]any{"org": "o1"}), false},
		{[]string{"claims.org"}, gold, user("u1", map[string]any{"org": "o2"}), true},
		{[]string{"claims.org"}, user("u1", nil), user("u2", nil), true},
		{[]string{"operation"}, gold, from("192.0.2.9"), false},
		{[]string{"everyone"}, gold, from("192.0.2.9"), false},
	}
	for _, test := range tests {
		l := newLimiter(t, Options{Rules: []Rule{{Name: "r", Limits: []string{"1/h"}, By: test.by}}})
		if !passes(t, l, test.a) {
			t.Fatal("the first request is refused")
		}
		if got := passes(t, l, test.b); got != test.apart {
			t.Errorf("by %v: %+v and %+v are counted apart: %t, want %t", test.by, test.a, test.b, got, test.apart)
		}
	}
}

// TestKeysAreUnambiguous joins values whose texts are equal when they are joined.
func TestKeysAreUnambiguous(t *testing.T) {
	a, b := from("192.0.2.1"), from("192.0.2.1")
	a.Client, a.Class = "ab", "c"
	b.Client, b.Class = "a", "bc"
	l := newLimiter(t, Options{Rules: []Rule{{Name: "r", Limits: []string{"1/h"}, By: []string{"client", "class"}}}})
	if !passes(t, l, a) || !passes(t, l, b) {
		t.Error("two callers have one key")
	}
}

// TestMatch has rules for some requests.
func TestMatch(t *testing.T) {
	mutation := query(from("192.0.2.1"))
	mutation.OperationContext.Operation.Operation = ast.Mutation
	for _, test := range []struct {
		match   Match
		op      *execute.Operation
		matches bool
	}{
		{Match{}, query(from("192.0.2.1")), true},
		{Match{Classes: []string{"anonymous"}}, query(from("192.0.2.1")), true},
		{Match{Classes: []string{"anonymous"}}, query(user("u1", nil)), false},
		{Match{Operations: []string{"P", "Q"}}, query(user("u1", nil)), true},
		{Match{Operations: []string{"P"}}, query(user("u1", nil)), false},
		{Match{Kinds: []string{"mutation"}}, mutation, true},
		{Match{Kinds: []string{"mutation"}}, query(user("u1", nil)), false},
		{Match{Clients: []string{"web"}}, query(user("u1", nil)), false},
	} {
		l := newLimiter(t, Options{Rules: []Rule{{Name: "r", Limits: []string{"1/h"}, Match: test.match}}})
		l.Check(t.Context(), test.op) //nolint:errcheck // the first one passes
		if refused := l.Check(t.Context(), test.op) != nil; refused != test.matches {
			t.Errorf("%+v: refused: %t, want %t", test.match, refused, test.matches)
		}
	}
}

// TestTiers gives callers limits by a claim and by their class.
func TestTiers(t *testing.T) {
	count := func(l *Limiter, c caller.Caller) (n int) {
		for n < 50 && passes(t, l, c) {
			n++
		}
		return n
	}
	l := newLimiter(t, Options{Rules: []Rule{{
		Name: "r", Limits: []string{"1/h"}, Tier: "claims.plan", Tiers: map[string][]string{"gold": {"5/h"}, "internal": {"unlimited"}},
	}}})
	for plan, want := range map[string]int{"gold": 5, "internal": 50, "unknown": 1, "": 1} {
		if got := count(l, user("u-"+plan, map[string]any{"plan": plan})); got != want {
			t.Errorf("the plan %q: %d pass, want %d", plan, got, want)
		}
	}
	l = newLimiter(t, Options{Rules: []Rule{{Name: "r", Limits: []string{"1/h"}, Tiers: map[string][]string{"authenticated": {"3/h"}}}}})
	if got := count(l, user("u", nil)); got != 3 {
		t.Errorf("authenticated: %d pass, want 3", got)
	}
	if got := count(l, from("192.0.2.1")); got != 1 {
		t.Errorf("anonymous: %d pass, want 1", got)
	}
}

// TestAllOrNothing refuses a request by one limit, which is then charged to no other.
func TestAllOrNothing(t *testing.T) {
	o := Options{Rules: []Rule{
		{Name: "low", Limits: []string{"2/h"}, By: []string{"ip"}},
		{Name: "high", Limits: []string{"3/h", "1000/day"}, By: []string{"everyone"}},
	}}
	both(t, o, func(t *testing.T, l *Limiter) {
		for i := range 10 {
			if got := passes(t, l, from("192.0.2.1")); got != (i < 2) {
				t.Fatalf("request %d passes: %t", i, got)
			}
		}
		if !passes(t, l, from("192.0.2.2")) {
			t.Error("refused requests were charged")
		}
		if passes(t, l, from("192.0.2.2")) {
			t.Error("four requests pass a limit of 3")
		}
	})
}

// TestCost counts what operations cost.
func TestCost(t *testing.T) {
	cost := int64(0)
	l := newLimiter(t, Options{Rules: []Rule{{Name: "cost", Limits: []string{"100/h"}, Count: "cost"}}}, func(d *Deps) {
		d.Cost = func(*execute.Operation) int64 { return cost }
	})
	for _, step := range []struct {
		cost   int64
		passes bool
	}{{60, true}, {50, false}, {40, true}, {0, true}, {1, false}} {
		cost = step.cost
		if got := passes(t, l, from("192.0.2.1")); got != step.passes {
			t.Errorf("the cost %d passes: %t", step.cost, got)
		}
	}
	cost = 101
	op := query(from("192.0.2.9"))
	if err := l.Check(t.Context(), op); fault.CodeOf(err) != fault.RateLimited || op.Header.Get("Retry-After") != "" {
		t.Errorf("more than the burst: %v, Retry-After %q; want a refusal without", err, op.Header.Get("Retry-After"))
	}
}

// TestHeaders tells a client about its limits, whether it is refused or not.
func TestHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, Options{Rules: []Rule{{Name: "api", Limits: []string{"2/m", "100/day burst 10"}}, {Name: "ip", Limits: []string{"1000/500ms"}, By: []string{"ip"}}}})
		for _, want := range []string{
			`"api/m";r=1;t=30, "api/day";r=9;t=864, "ip";r=999;t=1`,
			`"api/m";r=0;t=60, "api/day";r=8;t=1728, "ip";r=998;t=1`,
			`"api/m";r=0;t=60, "api/day";r=8;t=1728, "ip";r=998;t=1`,
		} {
			op := query(from("192.0.2.1"))
			err := l.Check(t.Context(), op)
			if got := op.Header.Get("RateLimit"); got != want {
				t.Errorf("RateLimit: %s\nwant %s", got, want)
			}
			if got, want := op.Header.Get("RateLimit-Policy"), `"api/m";q=2;w=60, "api/day";q=100;w=86400, "ip";q=1000`; got != want {
				t.Errorf("RateLimit-Policy: %s, want %s", got, want)
			}
			if got := op.Header.Get("Retry-After"); (err != nil) != (got == "60") {
				t.Errorf("%v, Retry-After: %q", err, got)
			}
		}
		l, err := l.With(Options{Headers: "none", Rules: []Rule{{Name: "api", Limits: []string{"2/m"}}}})
		if err != nil {
			t.Fatal(err)
		}
		op := query(from("192.0.2.1"))
		if err := l.Check(t.Context(), op); err == nil || len(op.Header) != 1 || op.Header.Get("Retry-After") != "60" {
			t.Errorf("without headers: %v, %v", err, op.Header)
		}
	})
}

// TestDryRun counts and logs what a rule would refuse, and lets it pass.
func TestDryRun(t *testing.T) {
	var log bytes.Buffer
	l := newLimiter(t, Options{Rules: []Rule{
		{Name: "tried", Limits: []string{"1/h"}, Mode: "log"},
		{Name: "held", Limits: []string{"4/h"}},
	}}, func(d *Deps) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	for i := range 5 {
		if got := passes(t, l, from("192.0.2.1")); got != (i < 4) {
			t.Errorf("request %d passes: %t", i, got)
		}
	}
	want := []LimitStats{{"held", 4, 1}, {"tried", 1, 3}}
	if got := l.Stats().Limits; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	if n := strings.Count(log.String(), "limit=tried"); n != 1 {
		t.Errorf("%d lines:\n%s", n, &log)
	}
}

// TestWith changes settings: what has been counted is kept where name and time are the same.
func TestWith(t *testing.T) {
	l := newLimiter(t, Options{Rules: []Rule{{Name: "a", Limits: []string{"2/h"}}, {Name: "b", Limits: []string{"10/h"}, By: []string{"ip"}}}})
	for range 2 {
		passes(t, l, from("192.0.2.1"))
	}
	l, err := l.With(Options{Rules: []Rule{{Name: "a", Limits: []string{"3/h"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if !passes(t, l, from("192.0.2.1")) || passes(t, l, from("192.0.2.1")) {
		t.Error("the raised limit has not one request left")
	}
	if _, err := l.With(Options{Rules: []Rule{{}}}); err == nil {
		t.Error("a wrong rule is accepted")
	}
}

// TestMaxKeys fills the memory with callers of little debt. The one that has used up its limit stays refused.
func TestMaxKeys(t *testing.T) {
	l := newLimiter(t, Options{MaxKeys: 2048, Rules: []Rule{{Name: "r", Limits: []string{"20/h"}}}})
	for passes(t, l, from("192.0.2.1")) {
	}
	for i := range 100_000 {
		passes(t, l, from(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String()))
	}
	if passes(t, l, from("192.0.2.1")) {
		t.Error("100,000 other callers reset the limit of one")
	}
	s := l.Stats()
	if s.Keys > 2048 || s.Evicted == 0 {
		t.Errorf("%d keys, %d evicted", s.Keys, s.Evicted)
	}
}

// TestKeysAreForgotten has many callers over a time in which their debt ends.
func TestKeysAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, Options{MaxKeys: 2048, Rules: []Rule{{Name: "r", Limits: []string{"20/s"}}}})
		for i := range 10_000 {
			passes(t, l, from(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String()))
			time.Sleep(time.Millisecond)
		}
		if s := l.Stats(); s.Evicted != 0 {
			t.Errorf("%d keys were forgotten too early", s.Evicted)
		}
	})
}

// both runs a test with limits in memory and in Redis.
func both(t *testing.T, o Options, test func(*testing.T, *Limiter)) {
	t.Run("memory", func(t *testing.T) { test(t, newLimiter(t, o)) })
	t.Run("redis", func(t *testing.T) { test(t, newLimiter(t, o, withRedis(t, redistest.Start(t).URL()))) })
}

func withRedis(t testing.TB, url string) func(*Deps) {
	t.Helper()
	// The machine of the tests may have other work. The bound itself is tested where it is measured.
	s, err := store.New(store.Options{Redis: store.Redis{URLs: []string{url}, Timeout: 500 * time.Millisecond}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return func(d *Deps) { d.Store = s }
}

// TestReplicas has two limiters with one Redis hold a limit together under load, within 1%.
func TestReplicas(t *testing.T) {
	server := redistest.Start(t)
	o := Options{OnStoreFailure: FailClosed, Rules: []Rule{{Name: "r", Limits: []string{"200/s"}, By: []string{"everyone"}}}}
	replicas := []*Limiter{newLimiter(t, o, withRedis(t, server.URL())), newLimiter(t, o, withRedis(t, server.URL()))}
	var passed [2]atomic.Int64
	var running sync.WaitGroup
	begin := time.Now()
	const duration, want = 2900 * time.Millisecond, 600 // within the third second
	for i, l := range replicas {
		for range 4 {
			running.Go(func() {
				for time.Since(begin) < duration {
					if passes(t, l, from("192.0.2.1")) {
						passed[i].Add(1)
					}
				}
			})
		}
	}
	running.Wait()
	a, b := passed[0].Load(), passed[1].Load()
	if a+b > 1.01*want || a+b < 0.99*want || a == 0 || b == 0 {
		t.Errorf("%d and %d pass in %s, want %d ± 1%%", a, b, duration, want)
	}
	if got := server.Command("DBSIZE"); got != ":1" && got != ":2" { // the limit, and the key of the store's check
		t.Errorf("%s keys", got)
	}
	for begin := time.Now(); server.Command("DBSIZE") != ":0"; time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > 5*time.Second {
			t.Fatal("keys are left in Redis after their time")
		}
	}
}

// TestRedisAgrees compares the script with the algorithm in memory, on random limits.
func TestRedisAgrees(t *testing.T) {
	deps := withRedis(t, redistest.Start(t).URL())
	for i := range 30 {
		o := Options{Rules: []Rule{
			{Name: fmt.Sprint("a", i), Limits: []string{fmt.Sprintf("%d/h", 1+i%7), fmt.Sprintf("%d/day burst %d", 1+i%11, 1+i%5)}},
			{Name: fmt.Sprint("b", i), Limits: []string{fmt.Sprintf("%d/h", 1+i%13)}, By: []string{"everyone"}, Count: "cost"},
			{Name: fmt.Sprint("c", i), Limits: []string{"1/h"}, Mode: "log"},
		}}
		cost := func(d *Deps) { d.Cost = func(op *execute.Operation) int64 { return int64(op.Caller.IP.As4()[3]) % 4 } }
		inMemory, inRedis := newLimiter(t, o, cost), newLimiter(t, o, cost, deps)
		for n := range 20 {
			c := from(fmt.Sprintf("192.0.2.%d", 1+n*n%5))
			a, b := query(c), query(c)
			errA, errB := inMemory.Check(t.Context(), a), inRedis.Check(t.Context(), b)
			if (errA == nil) != (errB == nil) {
				t.Fatalf("%v: in memory %v, in Redis %v", o.Rules, errA, errB)
			}
			// The remaining times differ by the time that the test takes.
			if got, want := withoutTimes(b.Header.Get("RateLimit")), withoutTimes(a.Header.Get("RateLimit")); got != want {
				t.Fatalf("%v: in memory %s, in Redis %s", o.Rules, want, got)
			}
		}
		if a, b := inMemory.Stats().Limits, inRedis.Stats().Limits; fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("in memory %v, in Redis %v", a, b)
		}
	}
}

func withoutTimes(field string) string {
	var kept []string
	for item := range strings.SplitSeq(field, ", ") {
		name, _, _ := strings.Cut(item, ";t=")
		kept = append(kept, name)
	}
	return strings.Join(kept, ", ")
}

// TestStoreFailure lets Redis hang: what holds then is chosen, within the bound on waiting.
func TestStoreFailure(t *testing.T) {
	for mode, want := range map[string]string{"memory": "passes 3", "open": "passes 10", "closed": "passes 0"} {
		t.Run(mode, func(t *testing.T) {
			server := redistest.Start(t)
			l := newLimiter(t, Options{OnStoreFailure: mode, Rules: []Rule{{Name: "r", Limits: []string{"3/h"}}}}, withRedis(t, server.URL()))
			passes(t, l, from("192.0.2.9"))
			server.Kill()
			passed := 0
			for range 10 {
				op := query(from("192.0.2.1"))
				switch err := l.Check(t.Context(), op); {
				case err == nil:
					passed++
				case mode == FailClosed && (fault.CodeOf(err) != fault.ServiceUnavailable || op.Header.Get("Retry-After") == ""):
					t.Error(err, op.Header)
				}
			}
			if got := fmt.Sprint("passes ", passed); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if l.Stats().StoreFailures != 10 {
				t.Errorf("%+v", l.Stats())
			}
		})
	}
}

func TestParseLimit(t *testing.T) {
	for text, want := range map[string]Limit{
		"100/s":           {100, time.Second, 100},
		"5/15m":           {5, 15 * time.Minute, 5},
		"10000/day":       {10000, 24 * time.Hour, 10000},
		"1/month burst 3": {1, 720 * time.Hour, 3},
		" 2/1m30s ":       {2, 90 * time.Second, 2},
	} {
		if got, err := ParseLimit(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "100", "100/", "/s", "0/s", "-1/s", "+1/s", "1e3/s", "1/0s", "1/-1s", "1/1us", "1/9000h", "1/s burst", "1/s burst 0", "1/s bursts 2", "1/s burst 2 3", "1000000001/s", "1 / s"} {
		if got, err := ParseLimit(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func FuzzParseLimit(f *testing.F) {
	for _, text := range []string{"100/s", "5/15m burst 2", "1/month", "1/1h2m3s", "x/y", "9/0.001s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLimit(text)
		if err != nil {
			if len(err.Error()) > 400 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			return
		}
		if again, err := ParseLimit(l.String()); err != nil || again != l {
			t.Errorf("%q is %+v, and its text %q is %+v, %v", text, l, l.String(), again, err)
		}
		var c cell
		if !c.take(&l, 1, 1) || c.end < 1 || c.take(&l, 1, l.Burst) {
			t.Errorf("%q: %+v", text, c)
		}
	})
}

// FuzzKeys checks that different subjects have different keys.
func FuzzKeys(f *testing.F) {
	f.Add("a", "bc", "ab", "c")
	f.Add("", "\x00", "\x00", "")
	f.Fuzz(func(t *testing.T, client, class, otherClient, otherClass string) {
		key := func(client, class string) string {
			op := query(caller.Caller{Client: client, Class: class})
			s := subject{op: op}
			return string(selectors["class"](selectors["client"](nil, &s), &s))
		}
		if equal := client == otherClient && class == otherClass; equal != (key(client, class) == key(otherClient, otherClass)) {
			t.Errorf("%q, %q and %q, %q", client, class, otherClient, otherClass)
		}
	})
}

func TestValidate(t *testing.T) {
	rule := func(r Rule) Options {
		if r.Name == "" {
			r.Name = "r"
		}
		if r.Limits == nil && r.Tiers == nil {
			r.Limits = []string{"1/s"}
		}
		return Options{Rules: []Rule{r}}
	}
	for want, o := range map[string]Options{
		`rules[0] has no name`:                                     {Rules: []Rule{{Limits: []string{"1/s"}}}},
		`rules[0] has the name "a b"`:                              rule(Rule{Name: "a b"}),
		`rules[1] has the name "r", which another rule`:            {Rules: []Rule{{Name: "r", Limits: []string{"1/s"}}, {Name: "r", Limits: []string{"1/s"}}}},
		`rules[0] has no limits`:                                   {Rules: []Rule{{Name: "r"}}},
		`"100" is not a limit; write one as "100/s"`:               rule(Rule{Limits: []string{"100"}}),
		`"lightyear" is not a period`:                              rule(Rule{Limits: []string{"1/lightyear"}}),
		`two are for the same time, "2/1m"`:                        rule(Rule{Limits: []string{"1/m", "2/1m"}}),
		`did you mean "client"?`:                                   rule(Rule{By: []string{"clinet"}}),
		`has a by that is not known, "claims."`:                    rule(Rule{By: []string{"claims."}}),
		`has a count that must be requests or cost, not "x"`:       rule(Rule{Count: "x"}),
		`has a mode that must be enforce or log`:                   rule(Rule{Mode: "x"}),
		`matches a kind that must be query`:                        rule(Rule{Match: Match{Kinds: []string{"x"}}}),
		`has a tier that must be class or claims.NAME`:             rule(Rule{Tier: "x", Tiers: map[string][]string{"a": {"1/s"}}}),
		`has a tier without tiers`:                                 rule(Rule{Tier: "class"}),
		`has no limits for the tier "a"`:                           rule(Rule{Tiers: map[string][]string{"a": {}}}),
		`has limits for the tier "a" of which "x" is not a limit`:  rule(Rule{Tiers: map[string][]string{"a": {"x"}}}),
		`headers must be standard or none, not "x"`:                {Headers: "x"},
		`onStoreFailure must be memory, open or closed, not "ope"`: {OnStoreFailure: "ope"},
		`maxKeys is negative`:                                      {MaxKeys: -1},
	} {
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := rule(Rule{Limits: []string{"1/s", "10/m"}, By: []string{"claims.a.b", "ip"}, Count: "cost", Tier: "claims.plan", Tiers: map[string][]string{"a": {"unlimited"}}}).Validate(); err != nil {
		t.Error(err)
	}
}

func BenchmarkMemory(b *testing.B) {
	for _, bench := range []struct {
		name string
		o    Options
	}{
		{"one limit", Options{Headers: "none", Rules: []Rule{{Name: "r", Limits: []string{"1000000000/s"}}}}},
		{"three limits", Options{Headers: "none", Rules: []Rule{{Name: "r", Limits: []string{"1000000000/s", "1000000000/day"}}, {Name: "ip", Limits: []string{"1000000000/s"}, By: []string{"ip"}}}}},
		{"headers", Options{Rules: []Rule{{Name: "r", Limits: []string{"1000000000/s"}}}}},
		{"refused", Options{Headers: "none", Rules: []Rule{{Name: "r", Limits: []string{"1/month"}}}}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			l := newLimiter(b, bench.o)
			op := query(from("192.0.2.1"))
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				l.Check(ctx, op) //nolint:errcheck // one limit refuses
				op.Header = nil
			}
		})
	}
	b.Run("hot key in parallel", func(b *testing.B) {
		l := newLimiter(b, Options{Headers: "none", Rules: []Rule{{Name: "r", Limits: []string{"1000000000/s"}}}})
		b.ReportAllocs()
		b.RunParallel(func(p *testing.PB) {
			op := query(from("192.0.2.1"))
			for p.Next() {
				l.Check(context.Background(), op) //nolint:errcheck // it passes
			}
		})
	})
}

func BenchmarkRedis(b *testing.B) {
	l := newLimiter(b, Options{Headers: "none", Rules: []Rule{{Name: "r", Limits: []string{"1000000000/s", "1000000000/day"}}}}, withRedis(b, redistest.Start(b).URL()))
	op := query(from("192.0.2.1"))
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Check(context.Background(), op); err != nil {
			b.Fatal(err)
		}
	}
}
