package rest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// newService returns a service and a client of it. Both end with the test.
func newService(t testing.TB, handler http.HandlerFunc) (*rest.Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(handler)
	transport := http1.New(http1.Options{})
	t.Cleanup(server.Close)
	t.Cleanup(transport.CloseIdleConnections)
	return &rest.Client{Service: server.Listener.Addr().String(), Transport: transport}, server
}

// faultOf returns the fault in err. It must be one of client's service, with a message that
// has no text of the service.
func faultOf(t testing.TB, client *rest.Client, err error, kind fault.Code) *fault.Error {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("got %v, want a fault", err)
	}
	if f.Code != kind || f.Service != client.Service {
		t.Errorf("got kind %s of service %q (%v), want %s", f.Code, f.Service, err, kind)
	}
	if f.Message == "" || strings.Contains(f.Message, "127.0.0.1") || strings.Contains(f.Message, "s3cret") {
		t.Errorf("text %q is not fit for clients", f.Message)
	}
	return f
}

func TestStatusBecomesFault(t *testing.T) {
	client, _ := newService(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.WriteHeader(status)
		if status != 204 && status != 304 {
			fmt.Fprint(w, "s3cret words of the service")
		}
	})
	for status, want := range map[int]fault.Code{
		200: "", 201: "", 202: "", 204: "", 206: "",
		301: fault.DownstreamService, 304: fault.DownstreamService, 307: fault.DownstreamService,
		400: fault.BadUserInput, 401: fault.DownstreamService, 403: fault.DownstreamService, 404: fault.NotFound,
		405: fault.DownstreamService, 409: fault.Conflict, 410: fault.DownstreamService, 418: fault.DownstreamService,
		413: fault.BadUserInput, 414: fault.BadUserInput, 431: fault.BadUserInput, 422: fault.BadUserInput, 429: fault.DownstreamService,
		500: fault.DownstreamService, 502: fault.DownstreamService, 503: fault.DownstreamService,
		504: fault.DownstreamService, 599: fault.DownstreamService,
	} {
		answer, err := client.Do(t.Context(), rest.New("GET", "/").Segment(status))
		if want == "" {
			if err != nil || answer.Status != status {
				t.Errorf("%d: %v %v", status, answer, err)
			}
			continue
		}
		f := faultOf(t, client, err, want)
		cause, ok := errors.AsType[*rest.StatusError](err)
		if f.Status != status || !ok || cause.Response.Status != status {
			t.Errorf("%d: fault has status %d and cause %v", status, f.Status, f.Cause)
		}
		if status != 304 && !strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%d: the log would not show the service's words: %v", status, err)
		}
	}
}

// A 401 or 403 has the caller's code only if DeniesCaller says so.
func TestDeniesCaller(t *testing.T) {
	client, _ := newService(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(status)
	})
	client.DecorateHeaders = func(_ context.Context, h http.Header) { h["Authorization"] = []string{"Bearer x"} }
	client.DeniesCaller = func(r *http.Request, h http.Header) bool {
		return r.Header.Get("Authorization") == "Bearer x" && h.Get("Www-Authenticate") == "Bearer"
	}
	for status, want := range map[int]fault.Code{
		401: fault.Unauthenticated, 403: fault.Forbidden, 404: fault.NotFound, 407: fault.DownstreamService, 500: fault.DownstreamService,
	} {
		_, err := client.Do(t.Context(), rest.New("GET", "/").Segment(status))
		if f := faultOf(t, client, err, want); f.Status != status {
			t.Errorf("%d: the fault has status %d", status, f.Status)
		}
	}
}

func TestEmptyAnswers(t *testing.T) {
	client, _ := newService(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip") // of an empty body
		if r.Method == "DELETE" {
			w.WriteHeader(http.StatusNoContent)
		}
	})
	for method, status := range map[string]int{"DELETE": 204, "GET": 200, "HEAD": 200} {
		answer, err := client.Do(t.Context(), rest.New(method, "/"))
		if err != nil || answer.Status != status || len(answer.Body) != 0 {
			t.Errorf("%s: %v %v", method, answer, err)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	var followed atomic.Bool
	client, server := newService(t, nil)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/other" {
			followed.Store(true)
		}
		http.Redirect(w, r, "/other", http.StatusFound)
	})
	_, err := client.Do(t.Context(), rest.New("GET", "/one"))
	if f := faultOf(t, client, err, fault.DownstreamService); f.Status != 302 || followed.Load() {
		t.Errorf("status %d, followed %t", f.Status, followed.Load())
	}
}

func TestRequestHeaders(t *testing.T) {
	client, _ := newService(t, func(w http.ResponseWriter, r *http.Request) {
		for name, want := range map[string]string{
			"User-Agent": "gatehouse", "Accept": "application/json, application/problem+json",
			"Content-Type": "application/json", "X-Own": "call", "X-Added": "by complete",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if _, sent := r.Header["Idempotency-Key"]; sent {
			t.Error("the sign for repeatable calls was sent")
		}
		if body, _ := io.ReadAll(r.Body); string(body) != `"x"` {
			t.Errorf("body %s", body)
		}
	})
	client.DecorateHeaders = func(_ context.Context, h http.Header) {
		if h.Get("X-Own") != "call" {
			t.Error("Complete does not see the call's headers")
		}
		h.Set("X-Added", "by complete")
	}
	if _, err := client.Do(t.Context(), rest.New("POST", "/").Header("X-Own", "call").JSON("x").Idempotent()); err != nil {
		t.Error(err)
	}
}

// Accept and User-Agent are those of the call, else those that are added, else those of the client. Each is
// sent once, and both transports send the same.
func TestDefaultHeaders(t *testing.T) {
	get := func() *rest.Call { return rest.New("GET", "/") }
	const fallback = "application/json, application/problem+json"
	for _, c := range []struct {
		call                *rest.Call
		added               map[string]string
		wantAccept, wantUse []string
	}{
		{get(), nil, []string{fallback}, []string{"gatehouse"}},
		{get().Accept("application/vnd.api+json, application/json"), nil, []string{"application/vnd.api+json, application/json, application/problem+json"}, []string{"gatehouse"}},
		{get().Header("Accept", "a/b"), nil, []string{"a/b"}, []string{"gatehouse"}},
		{get().Header("accept", "a/b").Header("user-agent", "x/1"), nil, []string{"a/b"}, []string{"x/1"}},
		{get().Header("Accept", "a/b").Accept("c/d"), nil, []string{"a/b"}, []string{"gatehouse"}},
		{get().Accept("c/d").Header("Accept", nil).Header("User-Agent", nil), nil, []string{"c/d, application/problem+json"}, []string{"gatehouse"}},
		{get().Header("User-Agent", ""), nil, []string{fallback}, nil},
		{get(), map[string]string{"Accept": "e/f", "User-Agent": "y"}, []string{"e/f"}, []string{"y"}},
		{get().Accept("c/d"), map[string]string{"User-Agent": "y"}, []string{"c/d, application/problem+json"}, []string{"y"}},
	} {
		for _, transport := range []http.RoundTripper{nil, http.DefaultTransport} {
			var got http.Header
			client, _ := newService(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
			if transport != nil {
				client.Transport = transport
			}
			client.DecorateHeaders = func(_ context.Context, h http.Header) {
				for name, value := range c.added {
					h.Set(name, value)
				}
			}
			if _, err := client.Do(t.Context(), c.call); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got["Accept"], c.wantAccept) || !slices.Equal(got["User-Agent"], c.wantUse) {
				t.Errorf("%s, transport %T: Accept %q, User-Agent %q, want %q, %q", c.call.Key(), client.Transport, got["Accept"], got["User-Agent"], c.wantAccept, c.wantUse)
			}
		}
	}
	if get().Key() == get().Accept("c/d").Key() {
		t.Error("calls for different media types are equal")
	}
}

func TestAnswerIsBounded(t *testing.T) {
	const limit = 1000
	gzipped := func(w http.ResponseWriter, size int64) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.CopyN(z, zeros{}, size)
		z.Close()
	}
	ended := make(chan struct{})
	handlers := map[string]http.HandlerFunc{
		"/fits":      func(w http.ResponseWriter, _ *http.Request) { io.CopyN(w, zeros{}, limit) },
		"/fits/gzip": func(w http.ResponseWriter, _ *http.Request) { gzipped(w, limit) },
		"/over":      func(w http.ResponseWriter, _ *http.Request) { io.CopyN(w, zeros{}, limit+1) },
		"/over/gzip": func(w http.ResponseWriter, _ *http.Request) { gzipped(w, limit+1) },
		"/bomb":      func(w http.ResponseWriter, _ *http.Request) { gzipped(w, 256<<20) },
		"/announced": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "999999999999") },
		"/endless":   func(w http.ResponseWriter, _ *http.Request) { io.Copy(w, zeros{}); close(ended) },
		"/encoding": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			io.WriteString(w, "x")
		},
	}
	client, _ := newService(t, func(w http.ResponseWriter, r *http.Request) { handlers[r.URL.Path](w, r) })
	client.MaxResponse = limit
	for path := range handlers {
		answer, err := client.Do(t.Context(), rest.New("GET", path))
		if strings.HasPrefix(path, "/fits") {
			if err != nil || len(answer.Body) != limit {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		if f := faultOf(t, client, err, fault.DownstreamService); f.Status != 0 {
			t.Errorf("%s: status %d, but there was no usable answer", path, f.Status)
		}
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the service is still sending: the connection was not closed")
	}
}

func TestDefaultBound(t *testing.T) {
	client, _ := newService(t, func(w http.ResponseWriter, _ *http.Request) { io.CopyN(w, zeros{}, rest.DefaultMaxResponse+1) })
	_, err := client.Do(t.Context(), rest.New("GET", "/"))
	faultOf(t, client, err, fault.DownstreamService)
}

func TestEndlessErrorBodyIsCut(t *testing.T) {
	client, _ := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(500)
		io.Copy(w, zeros{})
	})
	_, err := client.Do(t.Context(), rest.New("GET", "/"))
	faultOf(t, client, err, fault.DownstreamService)
	if cause, _ := errors.AsType[*rest.StatusError](err); len(cause.Response.Body) != 64<<10 || len(cause.Error()) > 2000 {
		t.Errorf("kept %d bytes, and %d for the log", len(cause.Response.Body), len(cause.Error()))
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestTimeout(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	drip := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	for name, handler := range map[string]http.HandlerFunc{"no answer": hang, "slow body": drip} {
		client, _ := newService(t, handler)

		client.Timeout = 30 * time.Millisecond
		_, err := client.Do(t.Context(), rest.New("GET", "/"))
		faultOf(t, client, err, fault.GatewayTimeout)
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v does not say that time was up", name, err)
		}

		client.Timeout = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		_, err = client.Do(ctx, rest.New("GET", "/"))
		cancel()
		faultOf(t, client, err, fault.GatewayTimeout)
	}
}

type broken struct{ err error }

func (b broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, b.err }

// The error of a connection after its deadline depends on what it was doing.
func TestTimeoutOfConnection(t *testing.T) {
	expired, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
	for _, test := range []struct {
		name string
		ctx  context.Context
		err  error
		want fault.Code
	}{
		{"deadline passed, connection broke", expired, io.ErrUnexpectedEOF, fault.GatewayTimeout},
		{"the dial was first to notice", t.Context(), dial, fault.GatewayTimeout},
		{"nothing of the kind", t.Context(), io.ErrUnexpectedEOF, fault.DownstreamService},
	} {
		client := &rest.Client{Service: "users", Transport: broken{test.err}}
		_, err := client.Do(test.ctx, rest.New("GET", "/"))
		faultOf(t, client, err, test.want)
		if timeout := test.want == fault.GatewayTimeout; errors.Is(err, context.DeadlineExceeded) != timeout || !errors.Is(err, test.err) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestCallerGone(t *testing.T) {
	for _, early := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		client, _ := newService(t, func(w http.ResponseWriter, r *http.Request) {
			if !early {
				w.WriteHeader(200)
				w.(http.Flusher).Flush()
			}
			cancel()
			<-r.Context().Done()
		})
		_, err := client.Do(ctx, rest.New("GET", "/"))
		faultOf(t, client, err, fault.GatewayTimeout)
		if !errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("early %t: %v does not say that the caller left", early, err)
		}
	}
}

func TestBrokenAnswers(t *testing.T) {
	for name, bytes := range map[string]string{
		"closed at once":  "",
		"no HTTP":         "\x00\x01\x02 s3cret\r\n\r\n",
		"half a header":   "HTTP/1.1 200 OK\r\nConte",
		"short body":      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
		"short chunk":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"not gzip":        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab",
		"endless headers": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 2<<20),
	} {
		client, _ := newService(t, func(w http.ResponseWriter, r *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			defer conn.Close()
			io.WriteString(conn, bytes)
		})
		_, err := client.Do(t.Context(), rest.New("GET", "/"))
		if f := faultOf(t, client, err, fault.DownstreamService); f.Cause == nil {
			t.Errorf("%s: no cause for the log", name)
		}
	}
}

func TestRefusedCallIsNotSent(t *testing.T) {
	client, _ := newService(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	_, err := client.Do(t.Context(), rest.New("GET", "/users/").Segment(".."))
	if fault.CodeOf(err) != fault.BadUserInput {
		t.Errorf("got %v", err)
	}
}

func TestConnectionIsUsedAgain(t *testing.T) {
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/404":
			http.Error(w, strings.Repeat("a long explanation ", 1000), 404)
		case "/204":
			w.WriteHeader(204)
		default:
			fmt.Fprint(w, strings.Repeat("{}", 10000))
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	transport := http1.New(http1.Options{})
	defer transport.CloseIdleConnections()
	client := rest.Client{Service: server.Listener.Addr().String(), Transport: transport}
	for i := range 30 {
		client.Do(t.Context(), rest.New("GET", []string{"/200", "/204", "/404"}[i%3]))
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for 30 calls in turn, want 1", n)
	}
}

func TestLogHasNoValues(t *testing.T) {
	var log bytes.Buffer
	client, _ := newService(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "s3cret") })
	client.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c := rest.New("POST", "/users/").Segment("s3cret").Query("q", "s3cret").Header("Authorization", "Bearer s3cret").JSON("s3cret")
	if _, err := client.Do(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	client.Do(t.Context(), c.Segment(".."))
	line := log.String()
	for _, want := range []string{"level=DEBUG", "source=" + client.Service, "method=POST", "path=/users/{}", "status=200", "endpoint=" + client.Service, "duration_ms="} {
		if !strings.Contains(line, want) {
			t.Errorf("log lacks %s: %s", want, line)
		}
	}
	if strings.Contains(line, "s3cret") {
		t.Errorf("the log has a value: %s", line)
	}
}

// The memory of a released body is reused. That of an error response is not: the fault keeps
// it.
func TestRelease(t *testing.T) {
	client, _ := newService(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusConflict)
		}
		io.WriteString(w, r.URL.Path)
	})
	_, refused := client.Do(t.Context(), rest.New(http.MethodGet, "/no"))
	for _, path := range []string{"/a", "/bb", "/ccc"} {
		answer, err := client.Do(t.Context(), rest.New(http.MethodGet, path))
		if err != nil || string(answer.Body) != path {
			t.Fatalf("%s: got %q, %v", path, answer.Body, err)
		}
		answer.Release()
		if answer.Body != nil {
			t.Error("a released answer still has a body")
		}
		answer.Release() // a second time has no effect
	}
	if status, ok := errors.AsType[*rest.StatusError](refused); !ok || string(status.Response.Body) != "/no" {
		t.Errorf("got %v", refused)
	}
}
