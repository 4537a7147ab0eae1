package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

func TestDeadlineFormats(t *testing.T) {
	for _, c := range []struct {
		d                           time.Duration
		milliseconds, seconds, grpc string
	}{
		{time.Millisecond, "1", "0.001", "1m"},
		{1500 * time.Millisecond, "1500", "1.5", "1500m"},
		{2 * time.Second, "2000", "2", "2000m"},
		{99_999_999 * time.Millisecond, "99999999", "99999.999", "99999999m"},
		{100_000_000 * time.Millisecond, "100000000", "100000", "100000S"},
		{1<<63 - 1, "9223372036854", "9223372036.854", "99999999S"},
	} {
		if ms, s, grpc := rest.Milliseconds(c.d), rest.Seconds(c.d), rest.GRPC(c.d); ms != c.milliseconds || s != c.seconds || grpc != c.grpc {
			t.Errorf("%s: %q, %q, %q", c.d, ms, s, grpc)
		}
	}
}

// Each attempt tells the time that remains for it: of the call's timeout or the operation's deadline,
// whichever ends first.
func TestDeadlineHeader(t *testing.T) {
	const name = "X-Request-Timeout-Ms"
	for _, c := range []struct {
		client, call, operation time.Duration
		want                    string // of two attempts, the second 1.2505 s later
	}{
		{10 * time.Second, 0, time.Minute, "[10000] [8749]"},
		{10 * time.Second, 2 * time.Second, time.Minute, "[2000] [749]"},
		{10 * time.Second, 30 * time.Second, time.Minute, "[30000] [28749]"},
		{10 * time.Second, 0, 3 * time.Second, "[3000] [1749]"},
		{0, 0, 1250*time.Millisecond + 600*time.Microsecond, "[1250] [1]"},
		{0, 0, 0, "[] []"},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			if c.operation > 0 {
				bounded, cancel := context.WithTimeout(ctx, c.operation)
				defer cancel()
				ctx = bounded
			}
			var got []http.Header
			client := &rest.Client{
				Service: "users", Timeout: c.client,
				DeadlineHeader: rest.DeadlineHeader{Name: name, Format: rest.Milliseconds},
				Resilience:     resilience.New(resilience.Options{Hedge: resilience.Hedge{Delay: -1}}),
				Balancer:       balance.New([]*url.URL{{Scheme: "http", Host: "a"}, {Scheme: "http", Host: "b"}}, balance.Options{}),
				Transport: transportFunc(func(req *http.Request) (*http.Response, error) {
					if got = append(got, req.Header); len(got) == 1 {
						time.Sleep(1250*time.Millisecond + 500*time.Microsecond)
						return nil, syscall.ECONNRESET
					}
					return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody}, nil
				}),
			}
			if _, err := client.Do(ctx, rest.New("GET", "/users").Header(name, "of the binding").Timeout(c.call)); err != nil {
				t.Fatal(err)
			}
			want := c.want
			if want == "[] []" { // without a deadline, the binding's own is sent
				want = "[of the binding] [of the binding]"
			}
			if text := fmt.Sprint(got[0][name], " ", got[1][name]); text != want {
				t.Errorf("client %s, call %s, operation %s: %s, not %s", c.client, c.call, c.operation, text, want)
			}
		})
	}
}
