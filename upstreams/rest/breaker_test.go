package rest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// A breaker opens when most calls fail, refuses calls at once, lets probes through after its time,
// and closes when they succeed. Each change is one line of the log.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		f := &fleet{replies: []reply{respond(500, "")}}
		client := f.client(resilience.Options{
			Retry:   resilience.Retry{MaxAttempts: 1},
			Breaker: resilience.Breaker{FailurePercent: 50},
			Log: slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == "time" {
					return slog.Attr{}
				}
				return a
			}})),
		})
		do := func() error {
			time.Sleep(10 * time.Millisecond)
			_, err := client.Do(t.Context(), readUser())
			return err
		}
		for range 50 {
			do()
		}
		if len(f.calls) != 20 {
			t.Errorf("%d calls before the breaker opened, want 20", len(f.calls))
		}
		err := do()
		open, isOpen := errors.AsType[*resilience.OpenError](err)
		if fault.CodeOf(err) != fault.ServiceUnavailable || !isOpen || open.RetryIn <= 0 || open.RetryIn > 5*time.Second {
			t.Errorf("%v, want SERVICE_UNAVAILABLE and when to try again", err)
		}

		time.Sleep(5 * time.Second)
		for range 5 {
			do()
		}
		if len(f.calls) != 21 {
			t.Errorf("%d calls, want one probe, which fails", len(f.calls)-20)
		}

		time.Sleep(5 * time.Second)
		f.replies[0] = ok
		for range 10 {
			if err := do(); err != nil {
				t.Errorf("after it was healed: %v", err)
			}
		}
		if s := client.Resilience.Status().Breakers; fmt.Sprint(s) != "[{ closed 0s} {GET /users/{} closed 0s}]" {
			t.Error(s)
		}
		for message, want := range map[string]int{"circuit breaker opened": 4, "circuit breaker half-open": 4, "circuit breaker closed": 2} {
			if got := strings.Count(text.String(), message); got != want { // of the service and of the operation
				t.Errorf("%q is logged %d times, want %d:\n%s", message, got, want, &text)
			}
		}
	})
}

// What does not open a breaker.
func TestBreakerStaysClosed(t *testing.T) {
	for name, test := range map[string]struct {
		replies []reply
		timeout time.Duration // of the caller
		fails   bool
	}{
		"one replica of three": {replies: []reply{unavailable, ok, ok}},
		"404":                  {replies: []reply{respond(404, "")}, fails: true},
		"429":                  {replies: []reply{respond(429, "")}, fails: true},
		"callers leave early":  {replies: []reply{hang}, timeout: 100 * time.Millisecond, fails: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fleet{replies: test.replies}
			client := f.client(resilience.Options{Breaker: resilience.Breaker{FailurePercent: 10}, Retry: resilience.Retry{Budget: resilience.Budget{Percent: 100}}})
			for range 100 {
				ctx, cancel := context.WithCancel(t.Context())
				if test.timeout > 0 {
					ctx, cancel = context.WithTimeout(t.Context(), test.timeout)
				}
				_, err := client.Do(ctx, readUser())
				cancel()
				if (err != nil) != test.fails || fault.CodeOf(err) == fault.ServiceUnavailable {
					t.Fatalf("%s: %v", name, err)
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
}

// An operation that fails is refused, and others are not while the service is well as a whole.
func TestBreakerOfOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{replies: []reply{func(req *http.Request) (*http.Response, error) {
			if req.URL.Path == "/reports" {
				return respond(500, "")(req)
			}
			return ok(req)
		}}}
		client := f.client(resilience.Options{Breaker: resilience.Breaker{FailurePercent: 60}})
		var err error
		for range 100 {
			time.Sleep(10 * time.Millisecond)
			if _, err := client.Do(t.Context(), readUser()); err != nil {
				t.Fatal(err)
			}
			_, err = client.Do(t.Context(), rest.New("GET", "/reports"))
		}
		if open, ok := errors.AsType[*resilience.OpenError](err); !ok || open.Operation != "GET /reports" || !strings.HasPrefix(open.Error(), "the circuit breaker of GET /reports is open for another ") {
			t.Errorf("%v, want that GET /reports is refused", err)
		}
	})
}

// A probe whose caller leaves has proved nothing, and does not keep the breaker half-open for ever.
func TestProbeThatIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{replies: []reply{respond(503, "")}}
		client := f.client(resilience.Options{Breaker: resilience.Breaker{FailurePercent: 100}, Retry: resilience.Retry{MaxAttempts: 1}})
		for range 20 {
			client.Do(t.Context(), readUser())
		}
		f.calls, f.replies[0] = "", hang
		for range 10 {
			time.Sleep(5 * time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			client.Do(ctx, readUser())
			cancel()
		}
		if len(f.calls) < 9 {
			t.Errorf("%d probes, want one after each pause", len(f.calls))
		}
		f.replies[0] = ok
		time.Sleep(5 * time.Second)
		if _, err := client.Do(t.Context(), readUser()); err != nil {
			t.Error(err)
		}
	})
}
