package rest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// reply is what a replica does with a request.
type reply func(*http.Request) (*http.Response, error)

// respond returns a reply with a status, a body and headers by turns of name and value.
func respond(status int, body string, headers ...string) reply {
	return func(req *http.Request) (*http.Response, error) {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i < len(headers); i += 2 {
			h.Set(headers[i], headers[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req}, nil
	}
}

func fail(err error) reply {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// late is a reply after a time, unless the request's context ends before.
func late(d time.Duration, then reply) reply {
	return func(req *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
			return then(req)
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
}

var (
	ok          = respond(200, `{"id":"u1"}`)
	hang        = late(time.Hour, ok)
	refuse      = fail(&net.OpError{Op: "dial", Err: errors.New("connection refused")})
	reset       = fail(errors.New("connection reset"))
	truncated   = respond(200, `{"id":"u`)
	unavailable = respond(503, "")
)

// fleet are replicas a, b, ... by their hosts, as an http.RoundTripper.
type fleet struct {
	replies []reply

	mu    sync.Mutex
	calls string // the hosts of the requests in their order
}

func (f *fleet) RoundTrip(req *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.calls += req.URL.Host
	f.mu.Unlock()
	return f.replies[req.URL.Host[0]-'a'](req)
}

func (f *fleet) targets() (targets []balance.Target) {
	for i := range f.replies {
		targets = append(targets, balance.Target{URL: &url.URL{Scheme: "http", Host: string(rune('a' + i))}})
	}
	return targets
}

// client returns a client of replicas with these replies.
func (f *fleet) client(o resilience.Options) *rest.Client {
	return &rest.Client{
		Service: "users", Transport: f, Timeout: 10 * time.Second,
		Balancer: balance.New(f.targets(), balance.Options{Eject: balance.Eject{MaxShare: -1}}), Resilience: resilience.New(o),
	}
}

func readUser() *rest.Call { return rest.New("GET", "/users/").Segment("u1") }

func TestRetries(t *testing.T) {
	status := func(s int, headers ...string) reply { return respond(s, "", headers...) }
	post := rest.New("POST", "/users").JSON("x")
	for _, test := range []struct {
		name    string
		replies []reply
		call    *rest.Call // default a read
		calls   string     // the replicas that the requests reached
		fails   bool
		within  time.Duration // default no wait at all
	}{
		{name: "well", replies: []reply{ok, ok, ok}, calls: "a"},
		{name: "refused once", replies: []reply{refuse, ok, ok}, calls: "ab"},
		{name: "refused twice", replies: []reply{refuse, refuse, ok}, calls: "abc"},
		{name: "reset", replies: []reply{reset, ok, ok}, calls: "ab"},
		{name: "reset twice", replies: []reply{reset, reset, ok}, calls: "ab", fails: true},
		{name: "truncated", replies: []reply{truncated, ok, ok}, calls: "ab"},
		{name: "truncated twice", replies: []reply{truncated, truncated, ok}, calls: "abc", within: 50 * time.Millisecond},
		{name: "500", replies: []reply{status(500), ok, ok}, calls: "ab"},
		{name: "500 everywhere", replies: []reply{status(500), status(500)}, calls: "ab", fails: true},
		{name: "500, one replica", replies: []reply{status(500)}, calls: "a", fails: true},
		{name: "501", replies: []reply{status(501), ok}, calls: "a", fails: true},
		{name: "505", replies: []reply{status(505), ok}, calls: "a", fails: true},
		{name: "502", replies: []reply{status(502), ok}, calls: "ab"},
		{name: "503", replies: []reply{unavailable, ok}, calls: "ab"},
		{name: "504", replies: []reply{status(504), ok}, calls: "ab"},
		{name: "503 everywhere", replies: []reply{unavailable, unavailable, unavailable, ok}, calls: "abc", fails: true, within: 50 * time.Millisecond},
		{name: "503, one replica", replies: []reply{unavailable}, calls: "aaa", fails: true, within: 75 * time.Millisecond},
		{name: "503 with a short Retry-After", replies: []reply{status(503, "Retry-After", "1")}, calls: "aaa", fails: true, within: 2 * time.Second},
		{name: "503 with a long Retry-After", replies: []reply{status(503, "Retry-After", "60")}, calls: "a", fails: true},
		{name: "503 with a Retry-After, another replica", replies: []reply{status(503, "Retry-After", "60"), ok}, calls: "ab"},
		{name: "429", replies: []reply{status(429), ok}, calls: "a", fails: true},
		{name: "429 with a short Retry-After", replies: []reply{status(429, "Retry-After", "1"), ok}, calls: "ab", within: time.Second},
		{name: "429 with a long Retry-After", replies: []reply{status(429, "Retry-After", "3"), ok}, calls: "a", fails: true},
		{name: "404", replies: []reply{status(404), ok}, calls: "a", fails: true},

		{name: "POST, 503", replies: []reply{unavailable, ok}, call: post, calls: "a", fails: true},
		{name: "POST, reset", replies: []reply{reset, ok}, call: post, calls: "a", fails: true},
		{name: "POST, refused", replies: []reply{refuse, ok}, call: post, calls: "ab"},
		{name: "POST, truncated", replies: []reply{truncated, ok}, call: post, calls: "a"},
		{name: "POST, 429", replies: []reply{status(429, "Retry-After", "1"), ok}, call: post, calls: "a", fails: true},
		{name: "a GET that changes something", replies: []reply{unavailable, ok}, call: readUser().NonIdempotent(), calls: "a", fails: true},
		{name: "idempotent, 503", replies: []reply{unavailable, ok}, call: rest.New("POST", "/users").JSON("x").Idempotent(), calls: "ab"},
		{name: "idempotent, 500", replies: []reply{status(500), ok}, call: rest.New("POST", "/users").JSON("x").Idempotent(), calls: "a", fails: true},
		{name: "key, reset", replies: []reply{reset, ok}, call: rest.New("POST", "/users").JSON("x").Header("Idempotency-Key", "k"), calls: "ab"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fleet{replies: test.replies}
				call := test.call
				if call == nil {
					call = readUser()
				}
				began := time.Now()
				_, err := f.client(resilience.Options{}).Do(t.Context(), call)
				if (err != nil) != test.fails || f.calls != test.calls {
					t.Errorf("replicas %q, want %q; error %v, want one: %t", f.calls, test.calls, err, test.fails)
				}
				if took := time.Since(began); took > test.within {
					t.Errorf("it took %s, want at most %s", took, test.within)
				}
			})
		})
	}
}

// A call that has no time for another attempt ends with the failure that it has.
func TestRetryFitsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{replies: []reply{respond(503, "", "Retry-After", "1")}}
		ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := f.client(resilience.Options{}).Do(ctx, readUser())
		if f.calls != "a" || time.Since(began) > 0 || fault.CodeOf(err) != fault.DownstreamService {
			t.Errorf("calls %q after %s: %v", f.calls, time.Since(began), err)
		}
	})
}

// The timeout of the source bounds a call with all of its attempts.
func TestTimeoutBoundsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{replies: []reply{hang, hang, hang}}
		client := f.client(resilience.Options{Hedge: resilience.Hedge{Delay: -1}})
		client.AttemptTimeout = 4 * time.Second
		began := time.Now()
		_, err := client.Do(t.Context(), readUser())
		if took := time.Since(began); took != client.Timeout || f.calls != "abc" || fault.CodeOf(err) != fault.GatewayTimeout {
			t.Errorf("%q after %s, want the timeout: %v", f.calls, took, err)
		}
	})
}

func TestAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{replies: []reply{hang, ok}}
		client := f.client(resilience.Options{Hedge: resilience.Hedge{Delay: -1}})
		client.AttemptTimeout = time.Second
		began := time.Now()
		if _, err := client.Do(t.Context(), readUser()); err != nil || time.Since(began) != time.Second || f.calls != "ab" {
			t.Errorf("%q after %s: %v", f.calls, time.Since(began), err)
		}
		_, err := client.Do(t.Context(), rest.New("POST", "/users").JSON("x"))
		if f.calls != "aba" || !errors.Is(err, context.DeadlineExceeded) || fault.CodeOf(err) != fault.GatewayTimeout {
			t.Errorf("a POST that is late: %q, %v", f.calls, err)
		}
	})
}

// All replicas fail for half a minute under a constant load.
func TestBudgetBoundsCalls(t *testing.T) {
	for _, perSecond := range []int{2, 5, 20, 200} {
		synctest.Test(t, func(t *testing.T) {
			f := &fleet{replies: []reply{unavailable, unavailable, unavailable}}
			client := f.client(resilience.Options{})
			calls := 30 * perSecond
			for range calls {
				if _, err := client.Do(t.Context(), readUser()); err == nil {
					t.Fatal("no error")
				}
				time.Sleep(time.Second / time.Duration(perSecond))
			}
			if most := calls * 3 / 2; len(f.calls) > most || len(f.calls) == calls {
				t.Errorf("%d a second: %d requests for %d calls, want retries, and at most %d", perSecond, len(f.calls), calls, most)
			}
			if s := client.Resilience.Status(); int(s.Retries) != len(f.calls)-calls || s.Refused == 0 {
				t.Errorf("%d a second: %+v for %d requests", perSecond, s, len(f.calls))
			}
		})
	}
}

// A tenth of all attempts fail, at any replica.
func TestFailuresEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		flaky := func(req *http.Request) (*http.Response, error) {
			if n++; n%10 == 0 || n%97 == 0 {
				return respond(500, "")(req)
			}
			return ok(req)
		}
		f := &fleet{replies: []reply{flaky, flaky, flaky}}
		client := f.client(resilience.Options{})
		for range 1000 {
			if _, err := client.Do(t.Context(), readUser()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A late replica costs a call the delay of the hedge, and both attempts have ended then.
func TestHedge(t *testing.T) {
	for name, first := range map[string]reply{"hangs": hang, "late": late(3*time.Second, ok), "late and broken": late(600*time.Millisecond, unavailable)} {
		synctest.Test(t, func(t *testing.T) {
			ended := 0
			f := &fleet{replies: []reply{func(req *http.Request) (*http.Response, error) {
				defer func() { ended++ }()
				return first(req)
			}, late(time.Millisecond, ok), ok}}
			client := f.client(resilience.Options{})
			began := time.Now()
			resp, err := client.Do(t.Context(), readUser())
			if took := time.Since(began); err != nil || string(resp.Body) != `{"id":"u1"}` || took != 501*time.Millisecond || f.calls != "ab" || ended != 1 {
				t.Errorf("%s: %q after %s, %d ended: %v", name, f.calls, took, ended, err)
			}
			if s := client.Resilience.Status(); s.Hedges != 1 || s.HedgesWon != 1 || s.Retries != 0 {
				t.Errorf("%s: %+v", name, s)
			}
		})
	}
}

// The first attempt may win although a hedge runs, and a hedge that fails does not end the call.
func TestHedgeThatLoses(t *testing.T) {
	for name, next := range map[string]reply{"hangs": hang, "fails": respond(500, ""), "panics": func(*http.Request) (*http.Response, error) { panic("broken") }} {
		synctest.Test(t, func(t *testing.T) {
			f := &fleet{replies: []reply{late(700*time.Millisecond, ok), next, hang}}
			client := f.client(resilience.Options{})
			began := time.Now()
			if _, err := client.Do(t.Context(), readUser()); err != nil || time.Since(began) != 700*time.Millisecond || f.calls[:2] != "ab" {
				t.Errorf("%s: %q after %s: %v", name, f.calls, time.Since(began), err)
			}
			if s := client.Resilience.Status(); s.Hedges != 1 || s.HedgesWon != 0 {
				t.Errorf("%s: %+v", name, s)
			}
		})
	}
}

func TestNoHedge(t *testing.T) {
	for name, test := range map[string]struct {
		replicas int
		call     *rest.Call
		options  resilience.Options
	}{
		"one replica":    {replicas: 1, call: readUser()},
		"POST":           {replicas: 2, call: rest.New("POST", "/users").JSON("x")},
		"idempotent":     {replicas: 2, call: rest.New("POST", "/users").JSON("x").Idempotent()},
		"under mutation": {replicas: 2, call: readUser().NonIdempotent()},
		"off":            {replicas: 2, call: readUser(), options: resilience.Options{Hedge: resilience.Hedge{Delay: -1}}},
		"one attempt":    {replicas: 2, call: readUser(), options: resilience.Options{Retry: resilience.Retry{MaxAttempts: 1}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			slow := late(5*time.Second, ok)
			f := &fleet{replies: []reply{slow, slow}[:test.replicas]}
			if _, err := f.client(test.options).Do(t.Context(), test.call); err != nil || f.calls != "a" {
				t.Errorf("%s: %q, %v", name, f.calls, err)
			}
		})
	}
}

// The delay follows the calls of the same method and path.
func TestMeasuredHedge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{replies: []reply{late(200*time.Millisecond, ok), late(200*time.Millisecond, ok)}}
		client := f.client(resilience.Options{})
		for range 64 {
			if _, err := client.Do(t.Context(), readUser()); err != nil {
				t.Fatal(err)
			}
		}
		f.calls, f.replies[0], f.replies[1] = "", hang, ok
		for range 2 { // round robin
			began := time.Now()
			if _, err := client.Do(t.Context(), rest.New("GET", "/users/").Segment("u2")); err != nil || time.Since(began) > 256*time.Millisecond {
				t.Errorf("%q after %s: %v", f.calls, time.Since(began), err)
			}
		}
		if s := client.Resilience.Status(); s.HedgesWon == 0 {
			t.Errorf("%+v, replicas %q", s, f.calls)
		}
	})
}

// A call that finds out whether an ejected replica has healed does not wait long for it.
func TestTrialIsHedgedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{replies: []reply{unavailable, ok}}
		client := f.client(resilience.Options{})
		client.Balancer = balance.New(f.targets(), balance.Options{}) // which ejects
		defer client.Balancer.Close()
		for range 20 { // too few to measure the delay
			if _, err := client.Do(t.Context(), readUser()); err != nil {
				t.Fatal(err)
			}
		}
		f.replies[0] = hang
		f.calls = ""
		for range 100 {
			time.Sleep(time.Second)
			began := time.Now()
			if _, err := client.Do(t.Context(), readUser()); err != nil || time.Since(began) > resilience.DefaultHedgeMinDelay {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
		}
		if n := strings.Count(f.calls, "a"); n == 0 || n > 20 {
			t.Errorf("%d of %d requests went to the ejected replica", n, len(f.calls))
		}
	})
}

// Hedges do not double the load of a service that has become slow.
func TestHedgesAreBudgeted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := late(3*time.Second, ok)
		f := &fleet{replies: []reply{slow, slow, slow}}
		client := f.client(resilience.Options{})
		var wg sync.WaitGroup
		const calls = 500
		for range calls {
			wg.Go(func() {
				if _, err := client.Do(t.Context(), readUser()); err != nil {
					t.Error(err)
				}
			})
			time.Sleep(10 * time.Millisecond)
		}
		wg.Wait()
		if n := len(f.calls); n > calls*3/2 || n == calls {
			t.Errorf("%d requests for %d calls", n, calls)
		}
	})
}

// A caller that leaves ends all attempts of its call.
func TestCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int64
		counted := func(req *http.Request) (*http.Response, error) {
			running.Add(1)
			defer running.Add(-1)
			return hang(req)
		}
		f := &fleet{replies: []reply{counted, counted}}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		_, err := f.client(resilience.Options{}).Do(ctx, readUser())
		if time.Since(began) != time.Second || running.Load() != 0 || f.calls != "ab" || !errors.Is(err, context.Canceled) {
			t.Errorf("%q, %d running after %s: %v", f.calls, running.Load(), time.Since(began), err)
		}
	})
}

// A stale connection is replaced at once, without using up the budget.
func TestStaleConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		f := &fleet{replies: []reply{func(req *http.Request) (*http.Response, error) {
			if n++; n == 1 {
				return nil, &attempt.StaleError{Err: io.EOF}
			}
			return ok(req)
		}}}
		client := f.client(resilience.Options{})
		began := time.Now()
		if _, err := client.Do(t.Context(), readUser()); err != nil || f.calls != "aa" || time.Since(began) != 0 {
			t.Errorf("%q after %s: %v", f.calls, time.Since(began), err)
		}
		if s := client.Resilience.Status(); s.Retries != 0 {
			t.Errorf("%+v", s)
		}
		n = 0
		if _, err := client.Do(t.Context(), rest.New("POST", "/users").JSON("x")); err == nil || f.calls != "aaa" {
			t.Errorf("a POST: %q, %v", f.calls, err)
		}
	})
}

// A status that the caller expects is not a failure.
func TestExpecting(t *testing.T) {
	f := &fleet{replies: []reply{respond(503, "{}"), respond(503, "{}")}}
	expects := func(r *rest.Response) bool { return r.Status == 503 && string(r.Body) == "{}" }
	_, err := f.client(resilience.Options{}).Do(t.Context(), readUser().Expecting(expects))
	if status, ok := errors.AsType[*rest.StatusError](err); !ok || status.Response.Status != 503 || f.calls != "a" {
		t.Errorf("%q: %v", f.calls, err)
	}
}

// A response that cannot be decoded shares the attempts and the time of its call.
func TestAgainSharesAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := late(time.Second, respond(200, `{"id":}`))
		f := &fleet{replies: []reply{bad, bad, bad, ok}}
		client := f.client(resilience.Options{Hedge: resilience.Hedge{Delay: -1}})
		resp, err := client.Do(t.Context(), readUser())
		for again := true; again; {
			if err != nil || resp == nil {
				t.Fatal(resp, err)
			}
			var next *rest.Response
			if next, again, err = client.Again(t.Context(), readUser(), resp); again {
				resp = next
			}
		}
		if f.calls != "abc" {
			t.Errorf("replicas %q, want three attempts in all", f.calls)
		}

		f.calls, client.Timeout = "", 1500*time.Millisecond
		began := time.Now()
		_, err = client.Do(t.Context(), readUser()) // d, which is well
		if err != nil {
			t.Fatal(err)
		}
		resp, err = client.Do(t.Context(), readUser())
		if err != nil {
			t.Fatal(err)
		}
		_, again, err := client.Again(t.Context(), readUser(), resp)
		if took := time.Since(began); !again || fault.CodeOf(err) != fault.GatewayTimeout || took != client.Timeout {
			t.Errorf("again %t after %s: %v", again, took, err)
		}
	})
}
