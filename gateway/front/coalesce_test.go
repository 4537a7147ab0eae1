package front_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/coalesce/coalescetest"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/admission"
)

// coalescingService is a service whose queries may all be coalesced.
type coalescingService struct{ *service }

func (coalescingService) CanCoalesce(_ context.Context, op *graphql.OperationContext) bool {
	return op.Operation.Operation == ast.Query
}

// coalescingPlanner is a coalescingService that executes operations by plans.
type coalescingPlanner struct{ planner }

func (s coalescingPlanner) CanCoalesce(ctx context.Context, op *graphql.OperationContext) bool {
	return coalescingService{}.CanCoalesce(ctx, op)
}

var (
	_ engine.Coalescer = coalescingService{}
	_ engine.Coalescer = coalescingPlanner{}
	_ engine.Executor  = coalescingPlanner{}
)

var coalescing = front.Options{Execution: engine.Options{Coalesce: true}}

// newCoalescingGateway returns a gateway that coalesces queries.
func newCoalescingGateway(t *testing.T, o front.Options, respond func(context.Context) *graphql.Response, edit ...func(*front.Deps)) *gateway {
	t.Helper()
	share := func(d *front.Deps) {
		d.Schema, d.Forwarded = coalescingService{d.Schema.(*service)}, []string{}
	}
	return newGateway(t, o, respond, append([]func(*front.Deps){share}, edit...)...)
}

// both sends {n} twice at the same time. It calls leave once the service has been called as often
// as asked says and that many callers wait.
func (g *gateway) both(t *testing.T, asked int64, waiting int, leave func()) (answers [2]*reply) {
	t.Helper()
	before := g.service.asked.Load()
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = g.ask(t, "{n}") })
	}
	coalescetest.Await(t, waiting, func() bool { return g.service.asked.Load()-before == asked })
	leave()
	all.Wait()
	return answers
}

// Queries are coalesced only if the settings say so, the schema reports that they may be, the
// forwarded headers are known, and there are no extensions.
func TestCoalescing(t *testing.T) {
	for name, c := range map[string]struct {
		options front.Options
		edit    func(*front.Deps)
		use     graphql.HandlerExtension
		shared  bool
	}{
		"on":              {options: coalescing, shared: true},
		"off":             {},
		"stock":           {options: front.Options{Execution: engine.Options{Coalesce: true, Engine: engine.EngineGqlgen}}},
		"extension":       {options: coalescing, use: responseInterceptor{}},
		"interceptor":     {options: coalescing, use: fieldInterceptor{}},
		"unknown headers": {options: coalescing, edit: func(d *front.Deps) { d.Forwarded = nil }},
		"unknown schema":  {options: coalescing, edit: func(d *front.Deps) { d.Schema = d.Schema.(coalescingService).service }},
	} {
		t.Run(name, func(t *testing.T) {
			leave := make(chan struct{})
			if c.edit == nil {
				c.edit = func(*front.Deps) {}
			}
			g := newCoalescingGateway(t, c.options, func(context.Context) *graphql.Response {
				<-leave
				return &graphql.Response{Data: []byte(`{"n":2}`)}
			}, c.edit)
			if c.use != nil {
				g.front.Use(c.use)
			}
			asked, waiting := int64(2), 0
			if c.shared {
				asked, waiting = 1, 2
			}
			for _, a := range g.both(t, asked, waiting, func() { close(leave) }) {
				if a.status != http.StatusOK || !strings.Contains(a.text, `{"n":2}`) {
					t.Errorf("%d %s", a.status, a.text)
				}
			}
		})
	}
}

// A panic of our own code is an error for all callers, and does not end the process.
// Callers that share an execution have one place in it, so that a single place serves all of them.
func TestCoalescedCallersHaveOnePlace(t *testing.T) {
	leave := make(chan struct{})
	o := coalescing
	o.Admission = admission.Options{MaxOperations: 1, MaxQueued: -1}
	g := newCoalescingGateway(t, o, func(context.Context) *graphql.Response {
		<-leave
		return &graphql.Response{Data: []byte(`{"n":2}`)}
	})
	for _, a := range g.both(t, 1, 2, func() { close(leave) }) {
		if a.status != http.StatusOK {
			t.Errorf("%d %s", a.status, a.text)
		}
	}
	if got := g.front.Load().Operations; got.Refused != (admission.Refusals{}) || got.Running != 0 {
		t.Errorf("%+v", got)
	}
}

func TestCoalescedPanic(t *testing.T) {
	leave := make(chan struct{})
	g := newCoalescingGateway(t, coalescing, func(context.Context) *graphql.Response {
		<-leave
		panic("swordfish")
	})
	for _, a := range g.both(t, 1, 2, func() { close(leave) }) {
		if a.status != http.StatusInternalServerError || a.code() != "INTERNAL_SERVER_ERROR" || strings.Contains(a.text, "swordfish") {
			t.Errorf("%d %s", a.status, a.text)
		}
	}
	if !strings.Contains(g.log.String(), "panic: swordfish") {
		t.Error("the log does not say what was thrown")
	}
}

// When the deadline of a coalesced execution passes, its callers get what it has, as without
// coalescing.
func TestCoalescedDeadline(t *testing.T) {
	o := coalescing
	o.Deadline = 100 * time.Millisecond
	g := newCoalescingGateway(t, o, func(ctx context.Context) *graphql.Response {
		<-ctx.Done()
		time.Sleep(10 * time.Millisecond)
		graphql.AddError(ctx, ctx.Err())
		return &graphql.Response{Data: []byte(`{"n":null}`)}
	})
	if a := g.ask(t, "{n}"); a.status != http.StatusOK || a.code() != "GATEWAY_TIMEOUT" || !strings.Contains(a.text, `{"n":null}`) {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// slowWriter is a client that reads its response when the test allows it.
type slowWriter struct {
	*httptest.ResponseRecorder
	taking, take chan struct{}
}

func (w slowWriter) Write(b []byte) (int, error) {
	if len(b) > 0 && b[0] == 'x' {
		w.taking <- struct{}{}
		<-w.take
	}
	return w.ResponseRecorder.Write(b)
}

// The memory of a response is used again once the last of its callers has written it, and not
// earlier.
func TestCoalescedBuffers(t *testing.T) {
	leave := make(chan struct{})
	s := &service{}
	var filled atomic.Int32
	execute := func(_ *graphql.OperationContext, buf []byte) engine.Result {
		letter := []byte("y")
		if filled.Add(1) == 1 {
			letter = []byte("x")
			<-leave
		}
		return written(append(buf[:0], bytes.Repeat(letter, 8<<10)...))
	}
	f, err := front.New(coalescing, front.Deps{Schema: coalescingPlanner{planner{s, execute}}, Forwarded: []string{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(w http.ResponseWriter) {
		r := httptest.NewRequest("POST", "/graphql", strings.NewReader(`{"query":"{n}"}`))
		r.Header.Set("Content-Type", typeJSON)
		f.Handler().ServeHTTP(w, r)
	}
	var all sync.WaitGroup
	callers := make([]slowWriter, 3)
	for i := range callers {
		callers[i] = slowWriter{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
		all.Go(func() { ask(callers[i]) })
	}
	coalescetest.Await(t, len(callers), func() bool { return filled.Load() == 1 })
	close(leave)
	for _, c := range callers {
		<-c.taking
	}
	for _, c := range callers { // the others still have to read what they have
		for range 20 {
			ask(httptest.NewRecorder())
		}
		close(c.take)
	}
	all.Wait()
	for i, c := range callers {
		body, _ := io.ReadAll(c.Body)
		if want := `{"data":` + strings.Repeat("x", 8<<10) + `}`; string(body) != want {
			t.Errorf("caller %d got %.50q of %d bytes", i, body, len(body))
		}
	}
}

// slowBody is a body whose first byte takes a while.
type slowBody struct {
	io.Reader
	late time.Duration
}

func (b *slowBody) Read(p []byte) (int, error) {
	time.Sleep(b.late)
	b.late = 0
	return b.Reader.Read(p)
}

// A request whose body took most of its time is not coalesced. Otherwise a client could have a
// popular query fail for all clients by sending it slowly.
func TestCoalescedLateRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := coalescing
		o.Deadline = time.Second
		s := &service{respond: func(ctx context.Context) *graphql.Response {
			select {
			case <-ctx.Done():
				graphql.AddError(ctx, ctx.Err())
				return &graphql.Response{Data: []byte(`{"n":null}`)}
			case <-time.After(200 * time.Millisecond):
				return &graphql.Response{Data: []byte(`{"n":2}`)}
			}
		}}
		f, err := front.New(o, front.Deps{Schema: coalescingService{s}, Forwarded: []string{}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(late time.Duration) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/graphql", &slowBody{strings.NewReader(`{"query":"{n}"}`), late})
			r.Header.Set("Content-Type", typeJSON)
			f.Handler().ServeHTTP(w, r)
			return w
		}
		var all sync.WaitGroup
		all.Go(func() { ask(900 * time.Millisecond) })
		time.Sleep(950 * time.Millisecond)
		if a := ask(0); a.Code != http.StatusOK || !strings.Contains(a.Body.String(), `{"n":2}`) {
			t.Errorf("who joins has %d %s", a.Code, a.Body)
		}
		all.Wait()
	})
}
