package rest_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// transportFunc is a reply as an http.RoundTripper.
type transportFunc reply

func (f transportFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A call ends at its own timeout, else at that of its client, and never after the operation's deadline.
func TestCallTimeout(t *testing.T) {
	for _, c := range []struct {
		client, call, operation, want time.Duration
	}{
		{client: 10 * time.Second, operation: time.Minute, want: 10 * time.Second},
		{client: 10 * time.Second, call: 2 * time.Second, operation: time.Minute, want: 2 * time.Second},
		{client: 10 * time.Second, call: 30 * time.Second, operation: time.Minute, want: 30 * time.Second},
		{client: 10 * time.Second, call: 30 * time.Second, operation: 20 * time.Second, want: 20 * time.Second},
		{client: 10 * time.Second, operation: 3 * time.Second, want: 3 * time.Second},
		{call: 4 * time.Second, operation: time.Minute, want: 4 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), c.operation)
			defer cancel()
			client := &rest.Client{Service: "users", Transport: transportFunc(hang), Timeout: c.client}
			started := time.Now()
			_, err := client.Do(ctx, rest.New("GET", "/users").Timeout(c.call))
			faultOf(t, client, err, fault.GatewayTimeout)
			if took := time.Since(started); took != c.want {
				t.Errorf("client %s, call %s, operation %s: it took %s, not %s", c.client, c.call, c.operation, took, c.want)
			}
		})
	}
}

// A call that is made again has what remains of its time, and none once that has passed.
func TestAgainKeepsTheDeadline(t *testing.T) {
	for _, decoding := range []time.Duration{0, 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			client := &rest.Client{
				Service:  "users",
				Timeout:  time.Minute,
				Balancer: balance.New([]*url.URL{{Scheme: "http", Host: "a"}, {Scheme: "http", Host: "b"}}, balance.Options{}),
				Transport: transportFunc(func(req *http.Request) (*http.Response, error) {
					if attempts++; attempts > 1 {
						return hang(req)
					}
					return late(600*time.Millisecond, ok)(req)
				}),
				Resilience: resilience.New(resilience.Options{Hedge: resilience.Hedge{Delay: -1}}),
			}
			call := rest.New("GET", "/users").Timeout(time.Second)
			started := time.Now()
			r, err := client.Do(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(decoding)
			_, again, err := client.Again(t.Context(), call, r)
			if decoding > 0 {
				if again || attempts != 1 {
					t.Errorf("the call was made again after its time: %v, %d attempts", err, attempts)
				}
				return
			}
			faultOf(t, client, err, fault.GatewayTimeout)
			if took := time.Since(started); !again || took != time.Second {
				t.Errorf("it was made again: %t; all attempts took %s", again, took)
			}
		})
	}
}

// Calls that are equal except for their timeouts are not made once: none may fail by the timeout of
// another one.
func TestKeyHasTheTimeout(t *testing.T) {
	keys := map[string]bool{}
	for _, d := range []time.Duration{0, time.Second, 2 * time.Second} {
		keys[rest.New("GET", "/users").Timeout(d).Key()] = true
	}
	if len(keys) != 3 || !keys["GET /users"] {
		t.Errorf("%v", keys)
	}
}
