package enginetest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/enginetest/graph"
	"github.com/gatehouse-graphql/gatehouse/enginetest/resolvers"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// defaultSeeds is the number of operations that are compared unless the environment variable
// ENGINETEST_SEEDS has a range of seeds, such as 50000-60000.
const defaultSeeds = 3000

func seedRange(t *testing.T) (from, to uint64) {
	t.Helper()
	if chosen, ok := os.LookupEnv("ENGINETEST_SEEDS"); ok {
		if _, err := fmt.Sscanf(chosen, "%d-%d", &from, &to); err != nil {
			t.Fatalf("ENGINETEST_SEEDS is %q; write two numbers, such as 50000-60000: %v", chosen, err)
		}
		return from, to
	}
	if testing.Short() {
		return 0, defaultSeeds / 10
	}
	return 0, defaultSeeds
}

// Both executors respond alike to random operations. The outcomes are counted, so that the test
// fails if too few operations are valid or go wrong.
func TestExecutorsAgree(t *testing.T) {
	s := newRandomService(t)
	from, to := seedRange(t)
	n := int(to - from)
	seen := outcomes{}
	for seed := from; seed < to; seed++ {
		s.compareExecutors(t, seed, &seen)
		if t.Failed() {
			return
		}
	}
	t.Logf("%+v", seen)
	if seen.Valid < n*9/10 || seen.Failed < n/3 || seen.Null == 0 || seen.Denied == 0 || seen.Mismatched == 0 || seen.Degraded == 0 || seen.Planned < n*9/10 {
		t.Errorf("too few operations of a kind: %+v", seen)
	}
}

func FuzzExecutorsAgree(f *testing.F) {
	s := newRandomService(f)
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { s.compareExecutors(t, seed, &outcomes{}) })
}

// outcomes counts what happened to the operations.
type outcomes struct {
	Valid, Planned, Failed, Null, Denied, Mismatched, Many, Degraded int
}

// randomService sends JSON that does not always fit the graph. The first segment of the path is
// the seed.
type randomService struct {
	url string

	mu       sync.Mutex
	requests []string // method and URL of those since takeRequests; guarded by mu
}

// takeRequests returns the requests since its last call.
func (s *randomService) takeRequests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.requests
	s.requests = nil
	return all
}

func newRandomService(t testing.TB) *randomService {
	s := &randomService{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seed, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		number, _ := strconv.ParseUint(seed, 10, 64)
		text := serviceResponse(number, rest, r.URL.Query())
		if string(text) != malformedResponse { // such a call is repeated
			s.mu.Lock()
			s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
			s.mu.Unlock()
		}
		_, _ = w.Write(text)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// compareExecutors sends the operation of a seed to both executors and compares what they return
// and which resolvers they call.
func (s *randomService) compareExecutors(t *testing.T, seed uint64, seen *outcomes) {
	t.Helper()
	s.compareExecutorsOf(t, randomOperation(seed), seen)
}

// compareExecutorsOf is compareExecutors for an operation.
func (s *randomService) compareExecutorsOf(t *testing.T, op *operation, seen *outcomes) {
	t.Helper()
	gqlgen, plan := s.execute(t, op, engine.EngineGqlgen), s.execute(t, op, engine.EnginePlan)
	seen.count(gqlgen, plan)
	if diff := gocmp.Diff(gqlgen.calls.resolvers(), plan.calls.resolvers()); diff != "" {
		t.Errorf("%s\nresolvers called, -gqlgen +plan:\n%s", op, diff)
	}
	if repeated := plan.calls.repeated(); len(repeated) > 0 {
		t.Errorf("%s\nthese nodes of the plan are called more than once: %v", op, repeated)
	}
	for _, e := range []*execution{gqlgen, plan} {
		if repeated := e.repeatedReads(op); len(repeated) > 0 {
			t.Errorf("%s\nthese calls are made more than once: %v", op, repeated)
		}
	}
	wantErrors, gotErrors := comparableErrors(gqlgen.response, plan.response)
	if diff := gocmp.Diff(wantErrors, gotErrors); diff != "" || !bytes.Equal(gqlgen.Data, plan.Data) {
		t.Errorf("%s\ngqlgen: %s\nplan:   %s\nerrors, -gqlgen +plan:\n%s", op, gqlgen.Data, plan.Data, diff)
	}
	if diff := gocmp.Diff(gqlgen.Extensions, plan.Extensions); diff != "" {
		t.Errorf("%s\nextensions, -gqlgen +plan:\n%s", op, diff)
	}
}

// operation is a random operation with its caller.
type operation struct {
	seed      uint64
	query     string
	variables map[string]any
	identity  *auth.Identity
}

func randomOperation(seed uint64) *operation {
	r := rand.New(rand.NewPCG(seed, 1))
	w := &operationWriter{Rand: r, schema: graph.NewSchema(nil).Schema()}
	query, variables := w.operation()
	identities := []*auth.Identity{nil, {Subject: "u"}, {Subject: "u", Scopes: []string{"a"}}, {Subject: "u", Scopes: []string{"a", "b", "c"}}}
	return &operation{seed, query, variables, identities[r.IntN(len(identities))]}
}

func (o *operation) String() string {
	return fmt.Sprintf("seed %d: %s\nwith %v, as %+v", o.seed, o.query, o.variables, o.identity)
}

// execution is what an executor did with an operation.
type execution struct {
	response
	calls    *callRecorder
	requests []string // that the service received
	fellBack bool     // the executor by plans left the operation to gqlgen's
}

// repeatedReads returns the equal reading calls of a query. Each root field of a mutation may repeat
// those of the fields before it.
func (e *execution) repeatedReads(op *operation) (repeated []string) {
	slices.Sort(e.requests)
	for i, request := range e.requests {
		if i > 0 && request == e.requests[i-1] && strings.HasPrefix(op.query, "query") && strings.HasPrefix(request, "GET ") {
			repeated = append(repeated, request)
		}
	}
	return repeated
}

// execute runs an operation in a gateway of its own.
func (s *randomService) execute(t *testing.T, op *operation, executor string) *execution {
	t.Helper()
	services, err := upstreams.New(upstreams.Options{
		"answers": {URLs: upstreams.URLs(s.url + "/" + strconv.FormatUint(op.seed, 10))},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer services.Close()
	body, err := json.Marshal(map[string]any{"query": op.query, "variables": op.variables})
	if err != nil {
		t.Fatal(err)
	}
	e := &execution{calls: &callRecorder{}}
	schema := graph.NewSchema(&resolvers.Resolver{Services: services, Seed: op.seed, OnCall: e.calls.record})
	f, log := newGateway(t, executor, op.identity, schema)
	s.takeRequests()
	e.response = post(t, f, body)
	e.requests = s.takeRequests()
	e.fellBack = strings.Contains(log.String(), `"fallback"`)
	return e
}

// comparableErrors returns the errors of both responses as texts that must be equal.
func comparableErrors(gqlgen, plan response) (want, got []string) {
	if n := len(gqlgen.Errors); n > 0 && strings.Contains(gqlgen.Errors[n-1].Message, "not shown") && len(plan.Errors) > 0 {
		// Only the first of many errors are shown, and the executors find them in different orders:
		// the last one, which counts the others, is the same.
		gqlgen.Errors, plan.Errors = slices.Clone(gqlgen.Errors[n-1:]), slices.Clone(plan.Errors[len(plan.Errors)-1:])
		gqlgen.Errors[0].Extensions, plan.Errors[0].Extensions = nil, nil
	}
	plan.Errors = slices.DeleteFunc(slices.Clone(plan.Errors), func(e responseError) bool {
		return e.Message == "internal error" && underNull(plan.Data, e.Path) && !gqlgen.has(e)
	})
	return gqlgen.sortedErrors(), plan.sortedErrors()
}

func (s *outcomes) count(gqlgen, plan *execution) {
	if plan.Data != nil && !plan.fellBack {
		s.Planned++
	}
	r := gqlgen.response
	if r.Data == nil {
		return
	}
	s.Valid++
	if len(r.Errors) > 0 {
		s.Failed++
	}
	if string(r.Data) == "null" {
		s.Null++
	}
	if r.Extensions["degraded"] != nil {
		s.Degraded++
	}
	for _, e := range r.Errors {
		if strings.Contains(e.Message, "not shown") {
			s.Many++
		}
		switch e.Extensions["code"] {
		case "UNAUTHENTICATED", "FORBIDDEN":
			s.Denied++
		case "DOWNSTREAM_SERVICE_ERROR":
			s.Mismatched++
		}
	}
}

// response is the response of the gateway.
type response struct {
	Data       json.RawMessage
	Errors     []responseError
	Extensions map[string]any
}

type responseError struct {
	Message    string
	Path       []any
	Locations  []any
	Extensions map[string]any
}

// sortedErrors returns the errors as texts in an order that does not depend on when they occurred.
func (r response) sortedErrors() []string {
	texts := make([]string, len(r.Errors))
	for i, e := range r.Errors {
		texts[i] = fmt.Sprint(e.Path, " ", e.Message, " ", e.Locations, " ", e.Extensions)
	}
	slices.SortFunc(texts, cmp.Compare)
	return texts
}

// sortErrors sorts the errors by their paths.
func (r response) sortErrors() {
	slices.SortStableFunc(r.Errors, func(a, b responseError) int { return cmp.Compare(fmt.Sprint(a.Path), fmt.Sprint(b.Path)) })
}

func (r response) has(p responseError) bool {
	return slices.ContainsFunc(r.Errors, func(e responseError) bool { return gocmp.Equal(e, p) })
}

// underNull reports whether a path leads through a null. An infinite Float is an error when it is
// written, and gqlgen does not write what is below a null.
func underNull(data []byte, path []any) bool {
	var v any
	_ = json.Unmarshal(data, &v)
	for _, to := range path {
		switch at := v.(type) {
		case nil:
			return true
		case map[string]any:
			v = at[to.(string)]
		case []any:
			v = at[int(to.(float64))]
		}
	}
	return false
}

// newGateway returns a gateway with an executor, without limits except those that change sets, and
// its log. identity is the caller of all requests.
func newGateway(t testing.TB, executor string, identity *auth.Identity, schema graphql.ExecutableSchema, change ...func(*front.Options)) (*front.Front, *bytes.Buffer) {
	t.Helper()
	return newObservedGateway(t, executor, identity, schema, nil, change...)
}

// newObservedGateway is newGateway with a function that is called for degraded fields.
func newObservedGateway(t testing.TB, executor string, identity *auth.Identity, schema graphql.ExecutableSchema, onDegraded func(engine.DegradedBy, int), change ...func(*front.Options)) (*front.Front, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	none := -1
	o := front.Options{
		Limits:    limit.Options{Tokens: none, Depth: none, Aliases: none, RootFields: none, Directives: none, Selections: none},
		Execution: engine.Options{Engine: executor},
		Cursors:   page.Options{Secret: strings.Repeat("c", page.MinSecret)},
	}
	for _, c := range change {
		c(&o)
	}
	f, err := front.New(o, front.Deps{
		Schema: schema,
		Verify: func(context.Context, string) (*auth.Identity, error) { return identity, nil },
		Log:    slog.New(slog.NewJSONHandler(log, nil)),

		OnDegraded: onDegraded,
	})
	if err != nil {
		t.Fatal(err)
	}
	return f, log
}

func post(t *testing.T, f *front.Front, body []byte) (r response) {
	t.Helper()
	w := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	f.Handler().ServeHTTP(w, request)
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return r
}
