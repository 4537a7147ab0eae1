package upstreams_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// unreachable is an address at which nothing listens: port 1 is reserved.
const unreachable = "http://127.0.0.1:1"

// replica is a server that counts its requests.
type replica struct {
	*httptest.Server
	calls atomic.Int64
}

// newReplica starts a replica. A nil handler responds with "{}".
func newReplica(t testing.TB, handler http.HandlerFunc) *replica {
	t.Helper()
	r := &replica{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.calls.Add(1)
		if handler == nil {
			io.WriteString(w, "{}")
			return
		}
		handler(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

// newServices returns services with one source, "users".
func newServices(t testing.TB, source upstreams.Source) *upstreams.Services {
	t.Helper()
	services, err := upstreams.New(upstreams.Options{"users": source}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(services.Close)
	return services
}

func get() *rest.Call { return rest.New("GET", "/users") }

func TestRoundRobinIsExact(t *testing.T) {
	replicas := []*replica{newReplica(t, nil), newReplica(t, nil), newReplica(t, nil)}
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(replicas[0].URL, replicas[1].URL, replicas[2].URL)})
	var wg sync.WaitGroup
	for range 300 {
		wg.Go(func() {
			if _, err := services.Do(t.Context(), "users", get()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, r := range replicas {
		if n := r.calls.Load(); n != 100 {
			t.Errorf("replica %d got %d of 300 calls, want 100", i+1, n)
		}
	}
}

func TestStoppedReplica(t *testing.T) {
	replicas := []*replica{newReplica(t, nil), newReplica(t, nil), newReplica(t, nil)}
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(replicas[0].URL, replicas[1].URL, replicas[2].URL)})
	call := func(n int) {
		t.Helper()
		for range n {
			if _, err := services.Do(t.Context(), "users", get()); err != nil {
				t.Fatal(err)
			}
		}
	}
	call(30)
	replicas[1].Close()
	call(200)
	a, c := replicas[0].calls.Load(), replicas[2].calls.Load()
	if a+c != 220 || max(a, c)-min(a, c) > 1 {
		t.Errorf("the others got %d and %d of 220 calls, want a half each", a, c)
	}
}

func TestAllReplicasDown(t *testing.T) {
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(unreachable, unreachable+"/api")})
	_, err := services.Do(t.Context(), "users", get())
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != fault.DownstreamService || f.Service != "users" || f.Status != 0 {
		t.Fatalf("got %#v", err)
	}
	if strings.ContainsAny(f.Message, "0123456789:") || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("text %q for clients, %q for the log", f.Message, err)
	}
}

func TestPostIsSentOnce(t *testing.T) {
	hangUp := func(w http.ResponseWriter, r *http.Request) {
		io.ReadAll(r.Body)
		conn, _, _ := http.NewResponseController(w).Hijack()
		conn.Close()
	}
	post := func() *rest.Call { return rest.New("POST", "/orders").JSON("x") }
	for _, test := range []struct {
		name        string
		call        *rest.Call
		refused     bool // the first replica does not listen; else it hangs up
		first, next int64
	}{
		{"POST, hung up", post(), false, 1, 0},
		{"POST, refused", post(), true, 0, 1},
		{"idempotent POST, hung up", post().Idempotent(), false, 1, 1},
		{"POST with key, hung up", post().Header("Idempotency-Key", "k"), false, 1, 1},
		{"PATCH, hung up", rest.New("PATCH", "/orders/1").JSON("x"), false, 1, 0},
		{"GET, hung up", get(), false, 1, 1},
	} {
		first := newReplica(t, hangUp)
		next := newReplica(t, func(_ http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); r.Method == "POST" && string(body) != `"x"` {
				t.Errorf("%s: repeated with the body %q", test.name, body)
			}
		})
		urls := []string{first.URL, next.URL}
		if test.refused {
			urls[0] = unreachable
		}
		_, err := newServices(t, upstreams.Source{URLs: upstreams.URLs(urls...)}).Do(t.Context(), "users", test.call)
		if a, b := first.calls.Load(), next.calls.Load(); a != test.first || b != test.next || (err == nil) != (test.next == 1) {
			t.Errorf("%s: %d and %d calls (%v), want %d and %d", test.name, a, b, err, test.first, test.next)
		}
	}
}

func TestCancellation(t *testing.T) {
	entered := make(chan struct{})
	first := newReplica(t, func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})
	next := newReplica(t, nil)
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(first.URL, next.URL), Timeout: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	_, err := services.Do(ctx, "users", get())
	if !errors.Is(err, context.Canceled) || next.calls.Load() != 0 {
		t.Errorf("%v, and the next replica got %d calls", err, next.calls.Load())
	}
}

func TestSourceTimeout(t *testing.T) {
	first := newReplica(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	next := newReplica(t, nil)
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(first.URL, next.URL), Timeout: 30 * time.Millisecond})
	_, err := services.Do(t.Context(), "users", get())
	if fault.CodeOf(err) != fault.GatewayTimeout || next.calls.Load() != 0 {
		t.Errorf("%v, and the next replica got %d calls", err, next.calls.Load())
	}
}

func TestPathOfTheBaseIsKept(t *testing.T) {
	var got string
	r := newReplica(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Host + r.RequestURI })
	for _, slash := range []string{"", "/"} {
		services := newServices(t, upstreams.Source{URLs: upstreams.URLs(r.URL + "/api%2Fx/v1" + slash)})
		c := rest.New("GET", "/users/").Segment("a/b%2F ü").Literal("/x'(y)").Query("q", "1,2/3")
		if _, err := services.Do(t.Context(), "users", c); err != nil {
			t.Fatal(err)
		}
		want := strings.TrimPrefix(r.URL, "http://") + "/api%2Fx/v1/users/a%2Fb%252F%20%C3%BC/x'(y)?q=1%2C2%2F3"
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestHeaders(t *testing.T) {
	client := http.Header{
		"Authorization": {"Bearer client"}, "Cookie": {"session=1"}, "X-Request-Id": {"client's"}, "Accept-Language": {"de"},
		"X-Api-Key": {"client's"}, "X-Trace": {"client's"}, "X-Broken": {"a\r\nb"}, "X-Twice": {"1", "2"},
	}
	for _, test := range []struct {
		name   string
		source upstreams.Source
		client http.Header
		call   *rest.Call
		want   map[string]string // joined by "|"; "" is not sent
	}{
		{
			"nothing by default, but the request id",
			upstreams.Source{},
			client, get(),
			map[string]string{"Authorization": "", "Cookie": "", "Accept-Language": "", "X-Request-Id": "r1", "User-Agent": "gatehouse"},
		},
		{
			"no client",
			upstreams.Source{Forward: []string{"Authorization"}},
			nil, get(),
			map[string]string{"Authorization": "", "X-Request-Id": ""},
		},
		{
			"what is listed, in any case",
			upstreams.Source{Forward: []string{"authorization", "Accept-Language", "x-twice", "X-Broken", "X-None"}},
			client, get(),
			map[string]string{"Authorization": "Bearer client", "Accept-Language": "de", "X-Twice": "1|2", "X-Broken": "", "X-Trace": ""},
		},
		{
			"two credentials",
			upstreams.Source{Forward: []string{"Authorization"}},
			http.Header{"Authorization": {"Bearer a", "Bearer b"}},
			get(),
			map[string]string{"Authorization": ""},
		},
		{
			"the operator's win",
			upstreams.Source{Headers: map[string]string{"x-api-key": "operator's"}, Forward: []string{"X-Api-Key"}},
			client,
			get().Header("X-API-Key", "binding's"),
			map[string]string{"X-Api-Key": "operator's"},
		},
		{
			"the binding's win over the client's",
			upstreams.Source{Forward: []string{"X-Trace"}},
			client,
			get().Header("X-Trace", "binding's"),
			map[string]string{"X-Trace": "binding's"},
		},
		{
			"a client's key is sent with a repeatable call",
			upstreams.Source{Forward: []string{"Idempotency-Key"}},
			http.Header{"Idempotency-Key": {"k1"}},
			get().Idempotent(),
			map[string]string{"Idempotency-Key": "k1"},
		},
	} {
		var got http.Header
		r := newReplica(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
		test.source.URLs = upstreams.URLs(r.URL)
		ctx := t.Context()
		if test.client != nil {
			ctx = upstreams.WithClientHeaders(ctx, test.client, "r1")
		}
		if _, err := newServices(t, test.source).Do(ctx, "users", test.call); err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		for name, want := range test.want {
			if sent := strings.Join(got.Values(name), "|"); sent != want {
				t.Errorf("%s: %s is %q, want %q", test.name, name, sent, want)
			}
		}
	}
}

func TestBudgetIsSpent(t *testing.T) {
	r := newReplica(t, nil)
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(r.URL)})
	ctx := engine.WithOperation(t.Context(), engine.Options{MaxCalls: 2})
	if _, err := services.Do(ctx, "users", rest.New("GET", "/").Segment("..")); fault.CodeOf(err) != fault.BadUserInput {
		t.Errorf("a refused call: %v", err)
	}
	for i, want := range []fault.Code{"", "", fault.BadRequest, fault.BadRequest} {
		if _, err := services.Do(ctx, "users", get()); fault.CodeOf(err) != want {
			t.Errorf("call %d: %v, want %q", i+1, err, want)
		}
	}
	if n := r.calls.Load(); n != 2 {
		t.Errorf("%d calls were made, want 2", n)
	}
}

func TestUnknownSource(t *testing.T) {
	_, err := newServices(t, upstreams.Source{URLs: upstreams.URLs(unreachable)}).Do(t.Context(), "order", get())
	if fault.CodeOf(err) != fault.Internal || !strings.Contains(err.Error(), `"order"`) {
		t.Errorf("got %v", err)
	}
}

func TestMaxResponse(t *testing.T) {
	r := newReplica(t, nil)
	for limit, want := range map[int64]fault.Code{1: fault.DownstreamService, 2: ""} {
		services := newServices(t, upstreams.Source{URLs: upstreams.URLs(r.URL), MaxResponse: limit})
		if _, err := services.Do(t.Context(), "users", get()); fault.CodeOf(err) != want {
			t.Errorf("%d bytes: %v", limit, err)
		}
	}
}

// The authority in the file is trusted, and HTTP/2 is used where the service offers it.
func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	trusting := newServices(t, upstreams.Source{URLs: upstreams.URLs(server.URL), TLS: upstreams.TLS{CAFile: file}})
	answer, err := trusting.Do(t.Context(), "users", get())
	if err != nil || string(answer.Body) != "HTTP/2.0" {
		t.Errorf("%v: %v", answer, err)
	}
	trusting.Close()
	distrusting := newServices(t, upstreams.Source{URLs: upstreams.URLs(server.URL)})
	if _, err := distrusting.Do(t.Context(), "users", get()); fault.CodeOf(err) != fault.DownstreamService {
		t.Errorf("an unknown authority: %v", err)
	}
}

func TestFailingReplicaIsInTheLog(t *testing.T) {
	var log bytes.Buffer
	r := newReplica(t, nil)
	o := upstreams.Options{"users": {URLs: upstreams.URLs(unreachable, r.URL)}}
	services, err := upstreams.New(o, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer services.Close()
	if _, err := services.Do(t.Context(), "users", get().Query("token", "s3cret")); err != nil {
		t.Fatal(err)
	}
	line := log.String()
	if strings.Count(line, "level=WARN") != 1 || !strings.Contains(line, "source=users endpoint=127.0.0.1:1 ") || strings.Contains(line, "s3cret") {
		t.Errorf("log: %s", line)
	}
}

// BenchmarkDo measures a whole call over loopback, with both ends in this process.
func BenchmarkDo(b *testing.B) {
	body := bytes.Repeat([]byte(`{"id":"u1"},`), 100)
	r := newReplica(b, func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
	services := newServices(b, upstreams.Source{URLs: upstreams.URLs(r.URL), Forward: []string{"Authorization"}})
	ctx := upstreams.WithClientHeaders(b.Context(), http.Header{"Authorization": {"Bearer x"}}, "r1")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := services.Do(ctx, "users", rest.New("GET", "/users/").Segment("u1").Query("limit", 10)); err != nil {
			b.Fatal(err)
		}
	}
}

// The service is told how long the gateway waits, in the format of the settings.
func TestDeadlineHeader(t *testing.T) {
	received := make(chan http.Header, 1)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		received <- r.Header
		io.WriteString(w, "{}")
	}))
	defer backend.Close()
	for format, parse := range map[string]func(string) (time.Duration, error){
		"":             func(s string) (time.Duration, error) { return time.ParseDuration(s + "ms") },
		"milliseconds": func(s string) (time.Duration, error) { return time.ParseDuration(s + "ms") },
		"seconds":      func(s string) (time.Duration, error) { return time.ParseDuration(s + "s") },
		"grpc":         func(s string) (time.Duration, error) { return time.ParseDuration(s + "s") }, // 1m is a millisecond
	} {
		services := newServices(t, upstreams.Source{
			URLs: upstreams.URLs(backend.URL), Timeout: time.Minute, DeadlineHeader: upstreams.DeadlineHeader{Name: "x-timeout", Format: format},
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := services.Do(ctx, "users", rest.New("GET", "/")); err != nil {
			t.Fatal(err)
		}
		text := (<-received).Get("X-Timeout")
		if got, err := parse(text); err != nil || got > 20*time.Second || got < 10*time.Second {
			t.Errorf("%q: %q %v", format, text, err)
		}
	}
}

// All calls with one key reach one replica, and another one only when it is gone. Calls without a value
// for the key go to all of them.
func TestBalanceByKey(t *testing.T) {
	for _, policy := range []string{"ring_hash", "rendezvous"} {
		t.Run(policy, func(t *testing.T) {
			replicas := map[string]*httptest.Server{}
			source := upstreams.Source{Balance: balance.Settings{Policy: policy, Key: "$claims.sub"}}
			for _, name := range []string{"a", "b", "c"} {
				replicas[name] = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, name) }))
				defer replicas[name].Close()
				source.URLs = append(source.URLs, upstreams.URL{URL: replicas[name].URL})
			}
			services := newServices(t, source)
			replicaOf := func(caller *auth.Identity) string {
				t.Helper()
				r, err := services.Do(auth.NewContext(t.Context(), caller), "users", rest.New("GET", "/"))
				if err != nil {
					t.Fatal(err)
				}
				return string(r.Body)
			}
			of, used := map[string]string{}, map[string]bool{}
			for range 3 {
				for i := range 30 {
					sub := fmt.Sprint("u", i)
					got := replicaOf(auth.NewIdentity(map[string]any{"sub": sub}, ""))
					if before := of[sub]; before != "" && before != got {
						t.Errorf("%s reached %s, and then %s", sub, before, got)
					}
					of[sub], used[got] = got, true
				}
			}
			if len(used) != 3 {
				t.Errorf("30 callers reached only %v", used)
			}
			anonymous := map[string]bool{}
			for range 9 {
				anonymous[replicaOf(nil)] = true
			}
			if len(anonymous) != 3 {
				t.Errorf("calls without a key reached only %v", anonymous)
			}
			replicas["a"].Close()
			for sub, before := range of {
				if got := replicaOf(auth.NewIdentity(map[string]any{"sub": sub}, "")); got == "a" || before != "a" && got != before {
					t.Errorf("without a, %s reached %s instead of %s", sub, got, before)
				}
			}
		})
	}
}
