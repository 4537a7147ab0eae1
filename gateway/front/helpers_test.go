package front_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

func TestMain(m *testing.M) {
	// The pool of a closed Redis client ends within a second.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

const (
	typeJSON    = "application/json"
	typeGraphQL = "application/graphql-response+json"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	type Query { n: Int s(first: Int, kind: Kind): String q: Query many: [String] pet: Pet }
	type Mutation { set(n: Int!): Int }
	type Subscription { ticks: Int }
	interface Pet { name: String owner: Person }
	type Dog implements Pet { name: String owner: Person }
	type Person { name: String }
	enum Kind { A B }
	input Filter { name: String! }
	extend type Query { find(filter: Filter): Int }
`})

// service is a schema that responds as respond does; by default with {"n":1}.
type service struct {
	respond func(ctx context.Context) *graphql.Response
	asked   atomic.Int64
}

func (s *service) Schema() *ast.Schema { return schema }

func (s *service) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (s *service) Exec(context.Context) graphql.ResponseHandler {
	s.asked.Add(1)
	if s.respond == nil {
		return graphql.OneShot(&graphql.Response{Data: []byte(`{"n":1}`)})
	}
	return s.respond
}

// planner is a service that executes operations by execute, in the place of plans.
type planner struct {
	*service
	execute func(op *graphql.OperationContext, buf []byte) engine.Result
}

var _ engine.Executor = planner{}

func (p planner) Execute(_ context.Context, op *graphql.OperationContext, buf []byte) (engine.Result, error) {
	result := p.execute(op, buf)
	if result.Response != nil {
		p.asked.Add(1)
	}
	return result, nil
}

// written returns the result of a plan that wrote the data.
func written(data []byte) engine.Result {
	return engine.Result{Response: &graphql.Response{Data: data}, Buffer: data}
}

// planned makes the service of a gateway a planner.
func planned(execute func(op *graphql.OperationContext, buf []byte) engine.Result) func(*front.Deps) {
	return func(d *front.Deps) { d.Schema = planner{d.Schema.(*service), execute} }
}

// gateway is a running front with its service and its log.
type gateway struct {
	*httptest.Server
	front   *front.Front
	service *service
	log     *logBuffer
}

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// lines returns the log's lines with a message.
func (l *logBuffer) lines(t *testing.T, message string) (found []map[string]any) {
	t.Helper()
	for line := range strings.Lines(l.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if record["msg"] == message {
			found = append(found, record)
		}
	}
	return found
}

func newFront(t *testing.T, o front.Options, s *service, edit ...func(*front.Deps)) (*front.Front, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	deps := front.Deps{Schema: s, Log: slog.New(slog.NewJSONHandler(log, nil))}
	for _, change := range edit {
		change(&deps)
	}
	f, err := front.New(o, deps)
	if err != nil {
		t.Fatal(err)
	}
	return f, log
}

func newGateway(t *testing.T, o front.Options, respond func(ctx context.Context) *graphql.Response, edit ...func(*front.Deps)) *gateway {
	t.Helper()
	s := &service{respond: respond}
	f, log := newFront(t, o, s, edit...)
	server := httptest.NewServer(f.Handler())
	t.Cleanup(server.Close)
	return &gateway{Server: server, front: f, service: s, log: log}
}

// reply is a response with its decoded body.
type reply struct {
	status int
	header http.Header
	text   string
	body   struct {
		Data       *json.RawMessage
		Errors     []replyError
		Extensions map[string]any
	}
}

type replyError struct {
	Message    string
	Path       []any
	Extensions struct {
		Code    string
		Service string
		HTTP    struct{ Status int }
	}
}

// code returns the code of the first error, "" without errors.
func (r *reply) code() string {
	if len(r.body.Errors) == 0 {
		return ""
	}
	return r.body.Errors[0].Extensions.Code
}

func (g *gateway) do(t *testing.T, r *http.Request) *reply {
	t.Helper()
	response, err := g.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := &reply{status: response.StatusCode, header: response.Header, text: string(text)}
	if len(text) > 0 && strings.Contains(response.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(text, &got.body); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return got
}

// request returns a request with headers of the form "Name: value".
func (g *gateway) request(t *testing.T, method, path, body string, headers ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, g.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// ask sends a query by POST, as most clients do.
func (g *gateway) ask(t *testing.T, query string, headers ...string) *reply {
	t.Helper()
	return g.do(t, g.request(t, "POST", "/graphql", envelope(t, query, ""),
		append([]string{"Content-Type: " + typeJSON, "Accept: " + typeGraphQL}, headers...)...))
}

func envelope(t *testing.T, query, operationName string) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"query": query, "operationName": operationName})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// slowVerify returns when the deadline has passed.
func slowVerify(ctx context.Context, _ string) (*auth.Identity, error) {
	<-ctx.Done()
	return nil, nil
}
