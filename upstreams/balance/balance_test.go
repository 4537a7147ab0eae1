package balance

import (
	"bytes"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

func targets(hosts string) (list []Target) {
	for host := range strings.SplitSeq(hosts, "") {
		list = append(list, Target{URL: &url.URL{Scheme: "http", Host: host}})
	}
	return list
}

// send makes an attempt at the endpoint that b picks, and returns its host. Attempts at the endpoints of
// down cannot connect.
func send(t *testing.T, b *Balancer, down string, tried ...*Endpoint) string {
	t.Helper()
	lease, err := b.Pick(Choice{Tried: tried})
	if err != nil {
		t.Fatal(err)
	}
	host := lease.Endpoint.String()
	if strings.Contains(down, host) {
		lease.Done(t.Context(), attempt.Unreachable, errors.New("connection refused"))
	} else {
		lease.Done(t.Context(), attempt.Success, nil)
	}
	return host
}

// sendMany returns the hosts of n attempts.
func sendMany(t *testing.T, b *Balancer, down string, n int) (hosts string) {
	t.Helper()
	for range n {
		hosts += send(t, b, down)
	}
	return hosts
}

func TestCooldown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(targets("abc"), Options{Cooldown: time.Second})
		if got := sendMany(t, b, "a", 6); got != "abcbcb" {
			t.Errorf("during the cooldown: %s, want one try and then turns of the others", got)
		}
		time.Sleep(time.Second)
		if got := sendMany(t, b, "a", 3); got != "cab" && got != "acb" {
			t.Errorf("after the cooldown: %s, want one more try", got)
		}
		time.Sleep(time.Second)
		// It may begin the next round while the others end the last.
		if n := strings.Count(sendMany(t, b, "", 30), "a"); n < 9 || n > 11 {
			t.Errorf("healthy again, it got %d of 30", n)
		}
	})
}

func TestAllEndpointsInCooldown(t *testing.T) {
	b := New(targets("ab"), Options{Cooldown: time.Hour})
	sendMany(t, b, "ab", 2)
	if got := sendMany(t, b, "", 2); len(got) != 2 {
		t.Errorf("sent to %q, want a choice in spite of the cooldowns", got)
	}
}

func TestTriedEndpoints(t *testing.T) {
	b := New(targets("abc"), Options{})
	all := *b.endpoints.Load()
	for range 10 {
		if got := send(t, b, "", all[0], all[2]); got != "b" {
			t.Errorf("chose %s, want the only one that was not tried", got)
		}
		send(t, b, "", all...) // has a choice
	}
}

func TestSetEndpoints(t *testing.T) {
	b := New(targets("ab"), Options{Cooldown: time.Hour})
	before := *b.endpoints.Load()
	sendMany(t, b, "b", 2)
	b.SetEndpoints(targets("bc"))
	after := *b.endpoints.Load()
	if after[0] != before[1] || after[0].Available() {
		t.Error("an endpoint of both lists has lost its state")
	}
	if got := sendMany(t, b, "", 4); got != "cccc" {
		t.Errorf("sent to %s", got)
	}
}

func TestDirect(t *testing.T) {
	for _, test := range []struct{ endpoint, request, want string }{
		{"http://h:1", "http://service/a", "http://h:1/a"},
		{"https://h", "http://service/a?q=1", "https://h/a?q=1"},
		{"http://h/", "http://service/a", "http://h/a"},
		{"http://h/api/v1", "http://service/a/b", "http://h/api/v1/a/b"},
		{"http://h/api/v1/", "http://service/a%2Fb?q=%2F", "http://h/api/v1/a%2Fb?q=%2F"},
		{"http://h/a%2Fb", "http://service/c%20d", "http://h/a%2Fb/c%20d"},
		{"http://h/api", "http://service/x%21'()", "http://h/api/x%21'()"},
		{"http://h", "http://user:password@service/a", "http://h/a"},
	} {
		endpoint, err := url.Parse(test.endpoint)
		if err != nil {
			t.Fatal(err)
		}
		got, err := url.Parse(test.request)
		if err != nil {
			t.Fatal(err)
		}
		newEndpoint(Target{URL: endpoint}).Direct(got)
		if got.String() != test.want {
			t.Errorf("%s on %s: %s, want %s", test.request, test.endpoint, got, test.want)
		}
	}
}

func TestNoEndpoints(t *testing.T) {
	if _, err := New(nil, Options{}).Pick(Choice{}); !errors.Is(err, ErrNoEndpoints) {
		t.Errorf("got %v", err)
	}
}

func TestFailingEndpointIsReported(t *testing.T) {
	var log bytes.Buffer
	b := New(targets("ab"), Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	sendMany(t, b, "a", 2)
	if line := log.String(); strings.Count(line, "level=WARN") != 1 || !strings.Contains(line, "endpoint=a ") {
		t.Errorf("log: %s", line)
	}
}

// The first response after a cooldown is reported, and no further one.
func TestEndpointThatIsBackIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := New(targets("ab"), Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Cooldown: time.Second})
		sendMany(t, b, "a", 4)
		if strings.Contains(log.String(), "is back") {
			t.Errorf("reported while it is down:\n%s", &log)
		}
		time.Sleep(2 * time.Second)
		sendMany(t, b, "", 4)
		if got := strings.Count(log.String(), `msg="backend endpoint is back" endpoint=a`); got != 1 {
			t.Errorf("reported %d times:\n%s", got, &log)
		}
	})
}
