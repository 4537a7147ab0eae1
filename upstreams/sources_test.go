package upstreams_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
)

// observed is a server that counts its requests and its connections.
type observed struct {
	*httptest.Server
	calls, opened, open atomic.Int64
}

func newObserved(t testing.TB, handler http.HandlerFunc) *observed {
	t.Helper()
	if handler == nil {
		handler = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }
	}
	o := &observed{}
	o.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.calls.Add(1)
		handler(w, r)
	}))
	o.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			o.opened.Add(1)
			o.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			o.open.Add(-1)
		}
	}
	o.Start()
	t.Cleanup(o.Close)
	return o
}

// use has services use other options.
func use(t testing.TB, s *upstreams.Services, o upstreams.Options) {
	t.Helper()
	next, err := s.Prepare(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Use(next)
}

func call(t testing.TB, ctx context.Context, s *upstreams.Services, source string) {
	t.Helper()
	r, err := s.Do(ctx, source, get())
	if err != nil {
		t.Fatal(err)
	}
	r.Release()
}

// eventually fails unless what holds reports true within a while.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 5s: %s", what)
		}
	}
}

// A source keeps its connections unless what they depend on has changed.
func TestUseKeepsConnections(t *testing.T) {
	base := func(url string) upstreams.Source {
		return upstreams.Source{URLs: upstreams.URLs(url), Forward: []string{"Authorization"}, Headers: map[string]string{"X-Key": "one"}}
	}
	for name, c := range map[string]struct {
		change func(*upstreams.Source)
		kept   bool
	}{
		"nothing":        {func(*upstreams.Source) {}, true},
		"timeout":        {func(s *upstreams.Source) { s.Timeout = time.Second }, true},
		"headers":        {func(s *upstreams.Source) { s.Headers = map[string]string{"X-Key": "two"} }, true},
		"forward":        {func(s *upstreams.Source) { s.Forward = nil }, true},
		"config":         {func(s *upstreams.Source) { s.Config = map[string]string{"tenant": "a"} }, true},
		"maxResponse":    {func(s *upstreams.Source) { s.MaxResponse = 100 }, true},
		"maxCalls":       {func(s *upstreams.Source) { s.Concurrency.MaxCalls = 7 }, true},
		"another URL":    {func(s *upstreams.Source) { s.URLs = append(s.URLs, upstreams.URL{URL: unreachable}) }, true},
		"connectTimeout": {func(s *upstreams.Source) { s.ConnectTimeout = time.Second }, false},
		"maxIdle":        {func(s *upstreams.Source) { s.Pool.MaxIdle = 3 }, false},
		"a proxy":        {func(s *upstreams.Source) { s.ProxyFromEnvironment = true }, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := newObserved(t, nil)
			services := newServices(t, base(server.URL))
			call(t, t.Context(), services, "users")
			changed := base(server.URL)
			c.change(&changed)
			use(t, services, upstreams.Options{"users": changed})
			for range 2 {
				call(t, t.Context(), services, "users")
			}
			want := int64(1)
			if !c.kept {
				want = 2
			}
			if n := server.opened.Load(); n != want {
				t.Errorf("%d connections were opened, want %d", n, want)
			}
			eventually(t, "the connections of the source before are closed", func() bool { return server.open.Load() == 1 })
		})
	}
}

// An endpoint that is in both lists stays, with its cooldown; a new one is called, and one that was
// removed is not.
func TestUseChangesEndpoints(t *testing.T) {
	first, second, third := newObserved(t, nil), newObserved(t, nil), newObserved(t, nil)
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(first.URL, second.URL)})
	for range 4 {
		call(t, t.Context(), services, "users")
	}
	use(t, services, upstreams.Options{"users": {URLs: upstreams.URLs(second.URL, third.URL)}})
	for range 4 {
		call(t, t.Context(), services, "users")
	}
	if calls := []int64{first.calls.Load(), second.calls.Load(), third.calls.Load()}; calls[0] != 2 || calls[1] < 3 || calls[2] < 1 {
		t.Errorf("the calls were %v", calls)
	}
	if n := second.opened.Load(); n != 1 {
		t.Errorf("%d connections to the endpoint that stays", n)
	}
}

// A request uses the sources with which it began, for its calls, its values and its rules; others use
// the new ones.
func TestRequestKeepsItsSources(t *testing.T) {
	old, changed := newObserved(t, nil), newObserved(t, nil)
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(old.URL), Config: map[string]string{"tenant": "a"}})
	before := services.Sources().WithClientHeaders(t.Context(), http.Header{}, "1")
	inner := upstreams.WithClientHeaders(before, http.Header{"X": {"y"}}, "1") // as handwritten code may call it
	use(t, services, upstreams.Options{
		"users":  {URLs: upstreams.URLs(changed.URL), Config: map[string]string{"tenant": "b"}, Forward: []string{"X-Tenant"}, ConnectTimeout: time.Second},
		"orders": {URLs: upstreams.URLs(changed.URL)},
	})
	after := services.Sources().WithClientHeaders(t.Context(), http.Header{}, "2")
	for name, c := range map[string]struct {
		ctx    context.Context
		tenant any
		server *observed
	}{"before": {before, "a", old}, "before, other headers": {inner, "a", old}, "after": {after, "b", changed}, "no request": {t.Context(), "b", changed}} {
		calls := c.server.calls.Load()
		call(t, c.ctx, services, "users")
		if got := services.Config(c.ctx, "users", "tenant"); got != c.tenant || c.server.calls.Load() != calls+1 {
			t.Errorf("%s: $config.tenant is %v, %d calls", name, got, c.server.calls.Load()-calls)
		}
	}
	if _, err := services.Do(before, "orders", get()); err == nil || !strings.Contains(fmt.Sprint(err), "not configured") {
		t.Errorf("a source that was added later: %v", err)
	}
	eventually(t, "the source before has no connection", func() bool { return old.open.Load() == 0 })

	// Services of another gateway in the process are not those of the request.
	other := newServices(t, upstreams.Source{URLs: upstreams.URLs(changed.URL), Config: map[string]string{"tenant": "c"}})
	if got := other.Config(before, "users", "tenant"); got != "c" {
		t.Errorf("$config.tenant of other services is %v", got)
	}
	if got, now := services.Sources().ForwardedHeaders(), services.ForwardedHeaders(); !slices.Equal(got, []string{"X-Tenant"}) || !slices.Equal(now, got) {
		t.Errorf("forwarded: %v, %v", got, now)
	}
}

// A call that runs when its source is removed finishes, and leaves no connection.
func TestRemovedSourceFinishesItsCalls(t *testing.T) {
	arrived, answer := make(chan struct{}), make(chan struct{})
	server := newObserved(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-answer
		fmt.Fprint(w, "{}")
	})
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(server.URL)})
	ctx := services.Sources().WithClientHeaders(t.Context(), http.Header{}, "1")
	var running sync.WaitGroup
	running.Go(func() { call(t, ctx, services, "users") })
	<-arrived
	use(t, services, upstreams.Options{})
	close(answer)
	running.Wait()
	eventually(t, "the connection is closed", func() bool { return server.open.Load() == 0 })
	go func() { <-arrived }()
	call(t, ctx, services, "users") // another one of the same request
	eventually(t, "the second connection is closed", func() bool { return server.open.Load() == 0 })
	if _, err := services.Do(t.Context(), "users", get()); err == nil {
		t.Error("the source is still there for new requests")
	}
}

// Mistakes change nothing, and what is prepared changes nothing before it is used.
func TestPrepareChangesNothing(t *testing.T) {
	server := newObserved(t, nil)
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(server.URL)})
	before := services.Sources()
	if _, err := services.Prepare(upstreams.Options{"users": {}, "orders": {URLs: upstreams.URLs("x")}}); err == nil ||
		!strings.Contains(err.Error(), `source "orders": urls[0]`) || !strings.Contains(err.Error(), `source "users": urls is empty`) {
		t.Errorf("%v", err)
	}
	if _, err := services.Prepare(upstreams.Options{"users": {URLs: upstreams.URLs(unreachable)}}); err != nil {
		t.Fatal(err)
	}
	if services.Sources() != before {
		t.Error("the sources have changed")
	}
	call(t, t.Context(), services, "users")
}

// An open breaker stays open if the source is called by other options, and closes with options of its own
// that are other ones.
func TestUseKeepsBreakers(t *testing.T) {
	server := newObserved(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	source := upstreams.Source{URLs: upstreams.URLs(server.URL), Breaker: resilience.Breaker{FailurePercent: 50, MinCalls: 4, OpenFor: time.Minute}}
	services := newServices(t, source)
	reaches := func() bool {
		t.Helper()
		before := server.calls.Load()
		if _, err := services.Do(t.Context(), "users", get()); err == nil {
			t.Fatal("the service succeeds")
		}
		return server.calls.Load() > before
	}
	eventually(t, "the breaker does not open", func() bool { return !reaches() })
	source.Timeout, source.Headers, source.URLs = time.Second, map[string]string{"X-Key": "two"}, upstreams.URLs(server.URL, server.URL+"/b")
	use(t, services, upstreams.Options{"users": source})
	if reaches() {
		t.Error("the breaker is closed after options of calls have changed")
	}
	source.Breaker.OpenFor = time.Hour
	use(t, services, upstreams.Options{"users": source})
	if !reaches() {
		t.Error("the breaker is open after its options have changed")
	}
}

// An endpoint that was ejected stays so while the source keeps its endpoints.
func TestUseKeepsHealth(t *testing.T) {
	good := newObserved(t, nil)
	bad := newObserved(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	source := upstreams.Source{URLs: upstreams.URLs(good.URL, bad.URL)}
	services := newServices(t, source)
	send := func(n int) (toBad int64) {
		before := bad.calls.Load()
		for range n {
			if r, err := services.Do(t.Context(), "users", get()); err == nil {
				r.Release()
			}
		}
		return bad.calls.Load() - before
	}
	eventually(t, "the bad endpoint is not ejected", func() bool { return send(10) == 0 })
	source.Headers, source.URLs = map[string]string{"X-Key": "two"}, upstreams.URLs(good.URL+"/", bad.URL, good.URL+"/b")
	use(t, services, upstreams.Options{"users": source})
	if n := send(10); n > 0 {
		t.Errorf("%d calls to the ejected endpoint after options of calls have changed", n)
	}
	source.ConnectTimeout = time.Second
	use(t, services, upstreams.Options{"users": source})
	if send(10) == 0 {
		t.Error("a source with other connections has the health of the one before")
	}
}

// What is discarded keeps no connection, except for what is in use.
func TestDiscard(t *testing.T) {
	used, unused := newObserved(t, nil), newObserved(t, nil)
	source := upstreams.Source{URLs: upstreams.URLs(used.URL)}
	services := newServices(t, source)
	call(t, t.Context(), services, "users")
	source.Timeout = time.Second
	next, err := services.Prepare(upstreams.Options{"users": source, "orders": {URLs: upstreams.URLs(unused.URL)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := services.Do(next.WithClientHeaders(t.Context(), http.Header{}, "1"), "orders", get()); err != nil {
		t.Fatal(err)
	}
	next.Discard()
	eventually(t, "a connection of a discarded source stays open", func() bool { return unused.open.Load() == 0 })
	call(t, t.Context(), services, "users")
	if used.opened.Load() != 1 {
		t.Error("the connection of the source that is in use was closed")
	}
}

// Sources change while calls run: none fails, and each connection is closed in the end.
func TestUseUnderLoad(t *testing.T) {
	servers := []*observed{newObserved(t, nil), newObserved(t, nil), newObserved(t, nil)}
	source := func(i int) upstreams.Source {
		o := upstreams.Source{URLs: upstreams.URLs(servers[i%3].URL, servers[(i+1)%3].URL), Timeout: time.Duration(10+i%2) * time.Second}
		if i%5 == 0 {
			o.ConnectTimeout = time.Duration(2+i%3) * time.Second // a new source
		}
		return o
	}
	services, err := upstreams.New(upstreams.Options{"users": source(0)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var done atomic.Int64
	for range 8 {
		all.Go(func() {
			for ctx.Err() == nil {
				request := services.Sources().WithClientHeaders(t.Context(), http.Header{}, "1")
				for range 3 {
					if r, err := services.Do(request, "users", get()); err != nil {
						t.Errorf("%v", err)
					} else {
						r.Release()
						done.Add(1)
					}
				}
			}
		})
	}
	for i := range 200 {
		use(t, services, upstreams.Options{"users": source(i)})
		time.Sleep(time.Millisecond)
	}
	stop()
	all.Wait()
	services.Close()
	if done.Load() < 200 {
		t.Errorf("only %d calls", done.Load())
	}
	eventually(t, "the connections are closed", func() bool {
		return !slices.ContainsFunc(servers, func(o *observed) bool { return o.open.Load() > 0 })
	})
}
