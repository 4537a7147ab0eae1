package balance

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/replay"
)

// Errors of endpoints that do not respond.
var (
	refused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	reset   = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
)

// fake is a transport over which every host responds, except those in errs.
type fake struct {
	mu     sync.Mutex
	errs   map[string]error
	hosts  []string // guarded by mu
	bodies []string // guarded by mu
	closed int      // guarded by mu
}

func (f *fake) RoundTrip(req *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hosts = append(f.hosts, req.URL.Host)
	if req.Body != nil {
		body, _ := io.ReadAll(req.Body)
		f.bodies = append(f.bodies, string(body))
		req.Body.Close()
	}
	if err := f.errs[req.URL.Host]; err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 200, Request: req, Body: http.NoBody}, nil
}

func (f *fake) CloseIdleConnections() { f.closed++ }

func (f *fake) order() string { return strings.Join(f.hosts, "") }

func urls(hosts string) (list []*url.URL) {
	for host := range strings.SplitSeq(hosts, "") {
		list = append(list, &url.URL{Scheme: "http", Host: host})
	}
	return list
}

func newRequest(t testing.TB, method, body string) *http.Request {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://service/path", reader)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestRetries(t *testing.T) {
	withoutGetBody := func(r *http.Request) { r.GetBody = nil }
	marked := func(r *http.Request) { r.Header["Idempotency-Key"] = nil }
	keyed := func(r *http.Request) { r.Header.Set("Idempotency-Key", "k1") }
	emptyKey := func(r *http.Request) { r.Header.Set("Idempotency-Key", "") }
	forbidden := func(r *http.Request) { *r = *r.WithContext(replay.Forbid(r.Context())) }
	for _, test := range []struct {
		name, method, body string
		change             func(*http.Request)
		err                error
		want               string // hosts that the request was sent to, in order
	}{
		{"GET refused", "GET", "", nil, refused, "abc"},
		{"GET reset", "GET", "", nil, reset, "ab"},
		{"GET cut off", "GET", "", nil, io.ErrUnexpectedEOF, "ab"},
		{"GET, replay forbidden, reset", "GET", "", forbidden, reset, "a"},
		{"GET, replay forbidden, refused", "GET", "", forbidden, refused, "abc"},
		{"HEAD reset", "HEAD", "", nil, reset, "ab"},
		{"OPTIONS reset", "OPTIONS", "", nil, reset, "ab"},
		{"PUT reset", "PUT", "x", nil, reset, "a"},
		{"PUT refused", "PUT", "x", nil, refused, "abc"},
		{"PUT with key, reset", "PUT", "x", keyed, reset, "ab"},
		{"DELETE reset", "DELETE", "", nil, reset, "a"},
		{"DELETE refused", "DELETE", "", nil, refused, "abc"},
		{"DELETE marked idempotent, reset", "DELETE", "", marked, reset, "ab"},
		{"POST refused", "POST", "x", nil, refused, "abc"},
		{"POST reset", "POST", "x", nil, reset, "a"},
		{"POST without body reset", "POST", "", nil, reset, "a"},
		{"POST cut off", "POST", "x", nil, io.ErrUnexpectedEOF, "a"},
		{"PATCH reset", "PATCH", "x", nil, reset, "a"},
		{"PATCH refused", "PATCH", "x", nil, refused, "abc"},
		{"POST marked idempotent, reset", "POST", "x", marked, reset, "ab"},
		{"POST with key, reset", "POST", "x", keyed, reset, "ab"},
		{"POST with empty key, reset", "POST", "x", emptyKey, reset, "a"},
		{"GET, replay forbidden, with key, reset", "GET", "", func(r *http.Request) { forbidden(r); keyed(r) }, reset, "ab"},
		{"PUT that cannot rewind", "PUT", "x", withoutGetBody, refused, "a"},
	} {
		below := &fake{errs: map[string]error{"a": test.err, "b": test.err, "c": test.err}}
		req := newRequest(t, test.method, test.body)
		if test.change != nil {
			test.change(req)
		}
		_, err := New(urls("abc"), Options{}, below).RoundTrip(req)
		if !errors.Is(err, test.err) || below.order() != test.want {
			t.Errorf("%s: sent to %q, want %q (%v)", test.name, below.order(), test.want, err)
		}
		for i, body := range below.bodies {
			if body != test.body {
				t.Errorf("%s: attempt %d had the body %q", test.name, i+1, body)
			}
		}
	}
}

func TestNextEndpointResponds(t *testing.T) {
	below := &fake{errs: map[string]error{"a": refused, "b": reset}}
	req := newRequest(t, "PUT", "x")
	req.Header["Idempotency-Key"] = nil
	resp, err := New(urls("abc"), Options{}, below).RoundTrip(req)
	if err != nil || resp.Request.URL.Host != "c" || below.order() != "abc" {
		t.Fatalf("sent to %q: %v", below.order(), err)
	}
	if req.URL.Host != "service" || req.Host != "service" {
		t.Errorf("the caller's request was changed: %s, %s", req.URL, req.Host)
	}
}

func TestNoRetryAfterCallerLeft(t *testing.T) {
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		below := &fake{errs: map[string]error{"a": context.Canceled}}
		cancel()
		_, err := New(urls("ab"), Options{}, below).RoundTrip(newRequest(t, "GET", "").WithContext(ctx))
		if !errors.Is(err, context.Canceled) || below.order() != "a" {
			t.Errorf("sent to %q: %v", below.order(), err)
		}
	})
	t.Run("deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			time.Sleep(time.Second)
			below := &fake{errs: map[string]error{"a": refused}}
			b := New(urls("ab"), Options{}, below)
			if _, err := b.RoundTrip(newRequest(t, "GET", "").WithContext(ctx)); err == nil || below.order() != "a" {
				t.Errorf("sent to %q: %v", below.order(), err)
			}
			if !b.endpoints[0].Available() {
				t.Error("the caller's deadline began a cooldown")
			}
		})
	})
}

func TestCooldown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := &fake{errs: map[string]error{"a": refused}}
		b := New(urls("abc"), Options{Cooldown: time.Second}, below)
		call := func(n int) string {
			below.hosts = nil
			for range n {
				if _, err := b.RoundTrip(newRequest(t, "GET", "")); err != nil {
					t.Fatal(err)
				}
			}
			return below.order()
		}
		if got := call(5); got != "abcbcb" {
			t.Errorf("during the cooldown: %s, want one try and then turns of the others", got)
		}
		time.Sleep(time.Second)
		if got := call(3); got != "acbc" {
			t.Errorf("after the cooldown: %s, want one more try", got)
		}
		time.Sleep(time.Second)
		below.errs = nil
		// It may begin the next round while the others end the last.
		if n := strings.Count(call(30), "a"); n < 10 || n > 11 {
			t.Errorf("healthy again, it got %d of 30", n)
		}
		if !b.endpoints[0].Available() {
			t.Error("healthy again, and not available")
		}
	})
}

func TestAllEndpointsInCooldown(t *testing.T) {
	below := &fake{errs: map[string]error{"a": refused, "b": refused}}
	b := New(urls("ab"), Options{Cooldown: time.Hour}, below)
	b.RoundTrip(newRequest(t, "GET", ""))
	below.hosts, below.errs = nil, nil
	if _, err := b.RoundTrip(newRequest(t, "GET", "")); err != nil || len(below.hosts) != 1 {
		t.Errorf("sent to %q: %v; want one of them in spite of its cooldown", below.order(), err)
	}
}

func TestNoCooldown(t *testing.T) {
	below := &fake{errs: map[string]error{"a": refused}}
	b := New(urls("ab"), Options{Cooldown: -1}, below)
	for range 4 {
		b.RoundTrip(newRequest(t, "GET", ""))
	}
	if got := below.order(); got != "abababab" {
		t.Errorf("sent to %s, want a tried whenever it is its turn", got)
	}
}

func TestResetBeginsNoCooldown(t *testing.T) {
	b := New(urls("ab"), Options{}, &fake{errs: map[string]error{"a": reset}})
	b.RoundTrip(newRequest(t, "GET", ""))
	if !b.endpoints[0].Available() {
		t.Error("one broken connection took the endpoint out")
	}
}

func TestEndpointURL(t *testing.T) {
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
		req, err := http.NewRequest("GET", test.request, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := New([]*url.URL{endpoint}, Options{}, &fake{}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Request; got.URL.String() != test.want || got.Host != "" {
			t.Errorf("%s on %s: %s with host %q, want %s", test.request, test.endpoint, got.URL, got.Host, test.want)
		}
	}
}

func TestNoEndpoints(t *testing.T) {
	req := newRequest(t, "POST", "x")
	body := &closing{Reader: strings.NewReader("x")}
	req.Body = body
	if _, err := New(nil, Options{}, &fake{}).RoundTrip(req); !errors.Is(err, ErrNoEndpoints) || !body.closed {
		t.Errorf("got %v, body closed %t", err, body.closed)
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func TestBodyThatCannotBeRewound(t *testing.T) {
	req := newRequest(t, "PUT", "x")
	gone := errors.New("the file is gone")
	req.GetBody = func() (io.ReadCloser, error) { return nil, gone }
	below := &fake{errs: map[string]error{"a": refused}}
	if _, err := New(urls("ab"), Options{}, below).RoundTrip(req); !errors.Is(err, gone) || below.order() != "a" {
		t.Errorf("sent to %q: %v", below.order(), err)
	}
}

func TestFailingEndpointIsReported(t *testing.T) {
	var log bytes.Buffer
	o := Options{Log: slog.New(slog.NewTextHandler(&log, nil))}
	New(urls("ab"), o, &fake{errs: map[string]error{"a": refused}}).RoundTrip(newRequest(t, "GET", ""))
	if line := log.String(); strings.Count(line, "level=WARN") != 1 || !strings.Contains(line, "endpoint=a ") {
		t.Errorf("log: %s", line)
	}
}

// The first response after a cooldown is reported, and no further one.
func TestEndpointThatIsBackIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f := &fake{errs: map[string]error{"a": refused}}
		b := New(urls("ab"), Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Cooldown: time.Second}, f)
		send := func() {
			t.Helper()
			response, err := b.RoundTrip(newRequest(t, "GET", ""))
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
		}
		for range 4 {
			send()
		}
		if strings.Contains(log.String(), "is back") {
			t.Errorf("reported while it is down:\n%s", &log)
		}
		delete(f.errs, "a")
		time.Sleep(2 * time.Second)
		for range 4 {
			send()
		}
		if got := strings.Count(log.String(), `msg="backend endpoint is back" endpoint=a`); got != 1 {
			t.Errorf("reported %d times:\n%s", got, &log)
		}
	})
}

func TestCloseIdleConnections(t *testing.T) {
	below := &fake{}
	(&http.Client{Transport: New(urls("a"), Options{}, below)}).CloseIdleConnections()
	if below.closed != 1 {
		t.Error("not passed on")
	}
}
