package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func status(code int) (*http.Response, error) {
	return &http.Response{StatusCode: code, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

func target(host string, transport roundTrip) balance.Target {
	return balance.Target{URL: &url.URL{Scheme: "http", Host: host, Path: "/api"}, Transport: transport}
}

// states returns the endpoints and their states.
func states(b *balance.Balancer) string {
	var list []string
	for _, s := range b.Status() {
		list = append(list, strings.TrimSuffix(strings.TrimPrefix(s.URL, "http://"), "/api")+":"+s.State.String())
	}
	return strings.Join(list, " ")
}

// start starts a Checker of hosts with intervals of exactly one second.
func start(t *testing.T, c Check, transport roundTrip, hosts ...string) (*balance.Balancer, *Checker) {
	t.Helper()
	var targets []balance.Target
	for _, host := range hosts {
		targets = append(targets, target(host, transport))
	}
	b := balance.New(targets, balance.Options{})
	c.Interval, c.Jitter = time.Second, -1
	k := New(c, b, http.Header{"X-Api-Key": {"k"}})
	k.Start()
	t.Cleanup(k.Stop)
	time.Sleep(startDelay / 2)
	return b, k
}

func TestChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var code atomic.Int64
		var last atomic.Pointer[http.Request]
		code.Store(200)
		b, k := start(t, Check{Path: "/healthz?deep=1"}, func(req *http.Request) (*http.Response, error) {
			last.Store(req)
			if req.URL.Host == "a" {
				return status(204)
			}
			return status(int(code.Load()))
		}, "a", "b")
		step := func(status int64, want string) {
			t.Helper()
			code.Store(status)
			time.Sleep(time.Second)
			if got := states(b); got != "a:healthy b:"+want {
				t.Errorf("after %d: %s, want b %s", status, got, want)
			}
		}
		step(200, "healthy")
		step(500, "healthy")
		step(500, "healthy")
		step(200, "healthy") // the count begins anew
		step(500, "healthy")
		step(404, "healthy")
		step(301, "unhealthy")
		step(299, "unhealthy")
		step(500, "unhealthy")
		step(200, "unhealthy")
		step(200, "healthy")
		req := last.Load()
		if req.Method != "GET" || req.URL.Path != "/api/healthz" || req.URL.RawQuery != "deep=1" || req.Header.Get("X-Api-Key") != "k" {
			t.Errorf("requested %s %s with %v", req.Method, req.URL, req.Header)
		}
		k.SetHeader(http.Header{"X-Api-Key": {"new"}})
		step(200, "healthy")
		if got := last.Load().Header.Get("X-Api-Key"); got != "new" {
			t.Errorf("sent the key %q", got)
		}
	})
}

// The first check of an endpoint decides, also of one that comes later.
func TestFirstCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := func(req *http.Request) (*http.Response, error) {
			switch req.URL.Host {
			case "a":
				return status(204)
			case "b":
				return nil, errors.New("refused")
			}
			return status(200)
		}
		b, _ := start(t, Check{Path: "/", Status: 204}, transport, "a", "b")
		time.Sleep(startDelay)
		if got := states(b); got != "a:healthy b:unhealthy" {
			t.Errorf("at first: %s", got)
		}
		b.SetEndpoints([]balance.Target{target("a", transport), target("c", transport)})
		time.Sleep(time.Second)
		if got := states(b); got != "a:healthy c:unhealthy" {
			t.Errorf("after a change: %s", got)
		}
	})
}

// A check that has no response in time fails, and the others are made meanwhile.
func TestCheckTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var checks [2]atomic.Int64
		b, _ := start(t, Check{Path: "/", Timeout: 400 * time.Millisecond}, func(req *http.Request) (*http.Response, error) {
			if req.URL.Host == "a" {
				checks[0].Add(1)
				return status(200)
			}
			checks[1].Add(1)
			<-req.Context().Done()
			return nil, req.Context().Err()
		}, "a", "b")
		time.Sleep(5*time.Second + 500*time.Millisecond)
		if got := states(b); got != "a:healthy b:unhealthy" {
			t.Error(got)
		}
		if got := fmt.Sprint(checks[0].Load(), checks[1].Load()); got != "6 6" {
			t.Errorf("checks: %s in 5.4 s", got)
		}
	})
}

// Stop ends a check that runs, and no other one follows. A Checker without a path does nothing.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var checks atomic.Int64
		b, k := start(t, Check{Path: "/"}, func(req *http.Request) (*http.Response, error) {
			checks.Add(1)
			<-req.Context().Done()
			return nil, context.Cause(req.Context())
		}, "a")
		time.Sleep(startDelay)
		began := time.Now()
		k.Stop()
		if took := time.Since(began); took != 0 {
			t.Errorf("Stop took %s", took)
		}
		time.Sleep(time.Minute)
		k.Start()
		time.Sleep(time.Minute)
		if checks.Load() != 1 || states(b) != "a:healthy" {
			t.Errorf("%d checks, %s", checks.Load(), states(b))
		}
		none := New(Check{}, b, nil)
		none.Start()
		none.SetHeader(nil)
		none.Stop()
	})
}

// Services that are closed at once, as those that only validate settings, make no check.
func TestNoCheckBeforeDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checked := target("a", func(*http.Request) (*http.Response, error) {
			t.Error("checked")
			return status(200)
		})
		k := New(Check{Path: "/"}, balance.New([]balance.Target{checked}, balance.Options{}), nil)
		k.Start()
		time.Sleep(startDelay - 1)
		k.Stop()
	})
}

func TestIntervals(t *testing.T) {
	k := New(Check{Path: "/", Interval: time.Second, Jitter: 20}, balance.New(nil, balance.Options{}), nil)
	shortest, longest := time.Hour, time.Duration(0)
	for range 1000 {
		d := k.interval()
		shortest, longest = min(shortest, d), max(longest, d)
	}
	if shortest < 800*time.Millisecond || longest > 1200*time.Millisecond || longest-shortest < 300*time.Millisecond {
		t.Errorf("intervals from %s to %s", shortest, longest)
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		check Check
		want  string
	}{
		{Check{}, ""},
		{Check{Path: "/healthz?full=1", Status: 204, Jitter: -1}, ""},
		{Check{Interval: time.Second}, "path is missing"},
		{Check{Path: "healthz"}, "path is not a path"},
		{Check{Path: "http://h/healthz"}, "path is not a path"},
		{Check{Path: "/a b\n"}, "path is not a path"},
		{Check{Path: "/", Interval: -1}, "interval is negative"},
		{Check{Path: "/", Timeout: -1}, "timeout is negative"},
		{Check{Path: "/", HealthyAfter: -1}, "healthyAfter is negative"},
		{Check{Path: "/", UnhealthyAfter: -1}, "unhealthyAfter is negative"},
		{Check{Path: "/", Jitter: 101}, "jitter is not a percentage"},
		{Check{Path: "/", Status: 20}, "status is not one of HTTP"},
	} {
		err := test.check.Validate()
		if (err == nil) != (test.want == "") || err != nil && !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.check, err, test.want)
		}
	}
}
