package front_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/admission"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/middleware"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
)

// prepare prepares other options for g.
func (g *gateway) prepare(t *testing.T, o front.Options, edit ...func(*front.Deps)) (apply func()) {
	t.Helper()
	deps := front.Deps{Schema: g.service, Log: slog.New(slog.NewJSONHandler(g.log, nil))}
	for _, change := range edit {
		change(&deps)
	}
	apply, err := g.front.Prepare(o, deps)
	if err != nil {
		t.Fatal(err)
	}
	return apply
}

// Other options are those of the requests that begin after apply was called.
func TestPrepare(t *testing.T) {
	g := newGateway(t, front.Options{}, nil)
	const deep = `{ q { q { n } } }`
	if got := g.ask(t, deep); got.code() != "" {
		t.Fatal(got.text)
	}
	if _, err := g.front.Prepare(front.Options{CORS: middleware.CORS{Origins: []string{"x"}}}, front.Deps{Schema: g.service}); err == nil || !strings.HasPrefix(err.Error(), "cors: ") {
		t.Errorf("%v", err)
	}
	apply := g.prepare(t, front.Options{
		Limits: limit.Options{Depth: 2}, Introspection: true, Playground: true, BodyBytes: 60, Compression: front.CompressionNone,
	}, func(d *front.Deps) {
		d.Verify = func(context.Context, string) (*auth.Identity, error) {
			return nil, fault.New(fault.Unauthenticated, "no")
		}
		d.Playground = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	})
	if got := g.ask(t, deep); got.code() != "" {
		t.Errorf("before apply: %s", got.text)
	}
	apply()
	page := g.do(t, g.request(t, "GET", "/", ""))
	sdl := g.do(t, g.request(t, "GET", front.SchemaPath, ""))
	if got := g.ask(t, "{n}"); got.status != http.StatusUnauthorized || page.status != http.StatusTeapot || sdl.status != http.StatusOK {
		t.Errorf("%d %d %d", got.status, page.status, sdl.status)
	}
	g.prepare(t, front.Options{Limits: limit.Options{Depth: 2}, BodyBytes: 60})()
	if got := g.ask(t, deep); got.code() != "MAX_DEPTH_LIMIT" {
		t.Error(got.text)
	}
	if got := g.ask(t, "{n}"+strings.Repeat(" ", 60)); got.status != http.StatusRequestEntityTooLarge {
		t.Error(got.text)
	}
}

type markKey struct{}

// mark has the front mark the context of requests.
func mark(text string) func(*front.Deps) {
	return func(d *front.Deps) {
		d.WithClientHeaders = func(ctx context.Context, _ http.Header, _ string) context.Context {
			return context.WithValue(ctx, markKey{}, text)
		}
	}
}

// A request that runs ends as it began, and counts for the bounds of now.
func TestPrepareDuringARequest(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	var marks sync.Map
	var n atomic.Int64
	g := newGateway(t, front.Options{}, func(ctx context.Context) *graphql.Response {
		arrived <- struct{}{}
		<-leave
		marks.Store(n.Add(1), ctx.Value(markKey{}))
		return &graphql.Response{Data: []byte(`{"n":1}`)}
	}, mark("old"))
	var all sync.WaitGroup
	ask := func() {
		all.Go(func() {
			if got := g.ask(t, "{n}"); got.code() != "" {
				t.Error(got.text)
			}
		})
	}
	ask()
	<-arrived
	g.prepare(t, front.Options{Admission: admission.Options{MaxOperations: 1, MaxBytes: 1 << 20}}, mark("new"))()
	ask()
	for g.front.Load().Operations.Queued == 0 { // behind the one that runs
		time.Sleep(time.Millisecond)
	}
	if load := g.front.Load(); load.Operations != (admission.Stats{Running: 1, Queued: 1, Limit: 1}) || load.Memory.Max != 1<<20 {
		t.Errorf("%+v", load)
	}
	leave <- struct{}{}
	<-arrived
	leave <- struct{}{}
	all.Wait()
	first, _ := marks.Load(int64(1))
	second, _ := marks.Load(int64(2))
	if first != "old" || second != "new" {
		t.Errorf("the first request was of %v, the second of %v", first, second)
	}
}

// Requests of two versions do not share an execution, since its key may lack what the other needs; and a
// stop waits for executions of both.
func TestPrepareDoesNotCoalesceVersions(t *testing.T) {
	arrived, leave := make(chan struct{}), make(chan struct{})
	g := newCoalescingGateway(t, coalescing, func(context.Context) *graphql.Response {
		arrived <- struct{}{}
		<-leave
		return &graphql.Response{Data: []byte(`{"n":1}`)}
	})
	share := func(d *front.Deps) { d.Schema, d.Forwarded = coalescingService{g.service}, []string{} } // by the headers alone they would be equal
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if got := g.ask(t, "{n}"); got.code() != "" {
				t.Error(got.text)
			}
		})
		select {
		case <-arrived:
		case <-time.After(5 * time.Second):
			t.Error("the request of the second version has joined the execution of the first one")
		}
		g.prepare(t, coalescing, share)()
	}
	close(leave)
	all.Wait()
}

// How the server stops follows the options that were set last.
func TestSetServeOptions(t *testing.T) {
	f, _ := newFront(t, front.Options{}, &service{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- f.Serve(ctx, listener, front.ServeOptions{Delay: time.Hour}) }()
	response, err := http.Get("http://" + listener.Addr().String() + "/readyz") // Serve has begun
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	f.SetServeOptions(front.ServeOptions{Grace: time.Second})
	stop()
	http.DefaultClient.CloseIdleConnections()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the server waits by the options of the start")
	}
}
