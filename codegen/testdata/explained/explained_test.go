package plannedCalls

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"

	"example.com/everything/graph"
	"example.com/everything/resolvers"
	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/codegen"
	"github.com/gatehouse-graphql/gatehouse/codegen/explain"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// service returns as many elements as a call asks for, and counts its calls.
type service struct {
	mu    sync.Mutex
	calls map[string]int
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first := "/" + strings.Split(r.URL.Path, "/")[1]
	s.mu.Lock()
	s.calls[r.Method+" "+first]++
	s.mu.Unlock()
	answer, err := s.answer(first, r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

type object = map[string]any

func (s *service) answer(first string, r *http.Request) (any, error) {
	q := r.URL.Query()
	switch last := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]; first {
	case "/posts":
		return repeat(q.Get("n"), func(i int) object { return object{"id": i, "headline": "p", "by": "p" + strconv.Itoa(i)} })
	case "/me":
		return object{"id": "me"}, nil
	case "/people":
		all, err := repeat(q.Get("limit"), person)
		return object{"data": all}, err
	case "/numbered":
		return repeat(q.Get("size"), func(i int) object { return person(i + 100) })
	case "/friends":
		return repeat(q.Get("size"), func(i int) object {
			return object{"id": fmt.Sprint(q.Get("of"), "-", q.Get("page"), "-", i), "name": "f"}
		})
	case "/teams":
		return object{"id": last, "name": "team " + last}, nil
	case "/beasts":
		return []object{{"kind": "d", "id": "a"}, {"kind": "d", "id": "b"}, {"kind": "d", "id": "c"}, {"kind": "d", "id": "d"}}, nil
	case "/whole":
		return object{"data": people(strings.Split(q.Get("ids"), ","))}, nil
	case "/find", "/bosses":
		var sent struct{ Names, IDs []string }
		err := json.NewDecoder(r.Body).Decode(&sent)
		return object{"found": people(append(sent.Names, sent.IDs...))}, err
	case "/label":
		return object{}, nil
	case "/note":
		return object{"text": "note"}, nil
	}
	return nil, fmt.Errorf("no %s", first)
}

func repeat(n string, one func(int) object) ([]object, error) {
	count, err := strconv.Atoi(n)
	list := make([]object, count)
	for i := range list {
		list[i] = one(i)
	}
	return list, err
}

func person(i int) object { return object{"id": "p" + strconv.Itoa(i)} }

func people(ids []string) []object {
	list := make([]object, len(ids))
	for i, id := range ids {
		list[i] = object{"id": id, "name": "name of " + id}
	}
	return list
}

// newGateway returns a function that executes operations over the service.
func newGateway(t *testing.T, s *service) func(query string, variables map[string]any) *graphql.Response {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	source := upstreams.Source{URLs: upstreams.URLs(server.URL), Config: map[string]string{"tenant": "t"}}
	services, err := upstreams.New(upstreams.Options{"s": source, "plain": source}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(services.Close)
	schema := executor.New(graph.NewSchema(&resolvers.Resolver{Services: services}))
	key, err := page.NewKey(page.Options{Secret: "a secret of the test, of many bytes"})
	if err != nil {
		t.Fatal(err)
	}
	return func(query string, variables map[string]any) *graphql.Response {
		identity := &auth.Identity{Subject: "me", Claims: map[string]any{"sub": "me"}}
		ctx := page.WithKey(graphql.StartOperationTrace(engine.WithOperation(auth.NewContext(t.Context(), identity), engine.Options{})), key)
		op, errs := schema.CreateOperationContext(ctx, &graphql.RawParams{Query: query, Variables: variables})
		if errs != nil {
			t.Fatal(errs)
		}
		next, ctx := schema.DispatchOperation(ctx, op)
		return next(ctx)
	}
}

// plannedCalls returns the calls of an operation's plan.
func plannedCalls(t *testing.T, query string, variables map[string]any) map[string]int {
	t.Helper()
	plans, err := new(codegen.Project).Explain(t.Context(), &ast.Source{Name: "q", Input: query}, explain.Options{Variables: variables})
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]int{}
	for _, n := range plans[0].Nodes {
		if n.Call.Calls > 0 {
			path, _, _ := strings.Cut(n.Call.Path, "?")
			calls[n.Call.Method+" /"+strings.Split(path, "/")[1]] += int(n.Call.Calls)
		}
	}
	return calls
}

// The planned calls are those that are made if the service has as many elements as the plan
// assumes.
func TestExplainedCalls(t *testing.T) {
	for name, query := range map[string]string{
		"enough is sent":         `{ posts(n: 5) { title author { id __typename } team { id } } me { id } }`,
		"completed":              `{ posts(n: 5) { author { name } } }`,
		"completed, one by one":  `{ posts(n: 5) { team { name } } }`,
		"its key is enough":      `{ posts(n: 5) { author { id note { text } label { of } } } }`,
		"an alias wants more":    `{ posts(n: 5) { a: author { id } b: author { name } } }`,
		"through a fragment":     `{ posts(n: 5) { author { ...f } } } fragment f on Person { ... on Person { name } }`,
		"left out for certain":   `{ posts(n: 5) { author { id name @skip(if: true) } } }`,
		"two places, one key":    `{ a: me { name } b: me { id } }`,
		"a page":                 `{ people(first: 5) { nodes { id } } }`,
		"a page by default":      `{ people { edges { node { label { text } } } } }`,
		"a completed page":       `{ people(first: 5) { nodes { name } } }`,
		"pages of each":          `{ people(first: 2) { nodes { friends(first: 4) { nodes { boss { name } } } } } }`,
		"pages of each, twice":   `{ people(first: 2) { nodes { a: friends(first: 4) { nodes { id } } b: friends(first: 4) { nodes { id } } } } }`,
		"a POST for many":        `{ find(names: ["a", "b", "c"]) { name boss { name } } }`,
		"answers of other words": `{ find(names: ["a", "b"]) { a: label(text: "x") { of text } b: label(text: "y") { of text } } }`,
		"answers with the key":   `{ find(names: ["a", "b"]) { note { of text last } } }`,
		"of several types":       `{ beasts { id ... on Dog { owner { name } } } }`,
		"shared by name":         `{ posts(n: 3) { author { name } } beasts { ... on Dog { owner { name } } } }`,
		"asked for by its key":   `{ team(id: "x") { id name } }`,
	} {
		t.Run(name, func(t *testing.T) {
			comparePlan(t, query, nil)
		})
	}
}

// comparePlan compares the planned calls with those that are made.
func comparePlan(t *testing.T, query string, variables map[string]any) {
	t.Helper()
	s := &service{calls: map[string]int{}}
	response := newGateway(t, s)(query, variables)
	if len(response.Errors) > 0 {
		t.Error(response.Errors)
	}
	if want := plannedCalls(t, query, variables); fmt.Sprint(want) != fmt.Sprint(s.calls) {
		t.Errorf("%s\nexplained %v\nreal      %v\n%s", query, want, s.calls, response.Data)
	}
}

// A page that starts in the middle of one of the service's pages takes at most two calls: one where a page
// of another size holds it.
func TestExplainedPages(t *testing.T) {
	const query = `query($after: String) { numbered(first: 3, after: $after) { nodes { id } pageInfo { endCursor } } }`
	if calls := plannedCalls(t, query, nil); calls["GET /numbered"] != 2 {
		t.Errorf("anywhere: %v", calls)
	}
	comparePlan(t, query, map[string]any{"after": nil})
	s := &service{calls: map[string]int{}}
	var first struct {
		Numbered struct{ PageInfo struct{ EndCursor string } }
	}
	ask := newGateway(t, s)
	if err := json.Unmarshal(ask(`{ numbered(first: 2) { pageInfo { endCursor } } }`, nil).Data, &first); err != nil {
		t.Fatal(err)
	}
	s.calls = map[string]int{}
	ask(query, map[string]any{"after": first.Numbered.PageInfo.EndCursor})
	if planned, made := plannedCalls(t, query, map[string]any{"after": first.Numbered.PageInfo.EndCursor}), s.calls; planned["GET /numbered"] != 2 || made["GET /numbered"] != 1 {
		t.Errorf("explained %v, made %v", planned, made)
	}
}

// The responses are those of the bindings, also where these share calls.
func TestAnswers(t *testing.T) {
	for query, want := range map[string]string{
		`{ find(names: ["a"]) { a: label(text: "x", texts: ["1", "2"]) { of text last } b: label(text: "y") { text last } } }`: `{"find":[{"a":{"of":"a","text":"x","last":"2"},"b":{"text":"y","last":null}}]}`,
		`{ find(names: ["a", "b"]) { note { of text last } } }`:                                                                `{"find":[{"note":{"of":"a","text":"note","last":"me"}},{"note":{"of":"b","text":"note","last":"me"}}]}`,
		`{ people(first: 2) { edges { node { id name } } nodes { name } } }`:                                                   `{"people":{"edges":[{"node":{"id":"p0","name":"name of p0"}},{"node":{"id":"p1","name":"name of p1"}}],"nodes":[{"name":"name of p0"},{"name":"name of p1"}]}}`,
	} {
		response := newGateway(t, &service{calls: map[string]int{}})(query, nil)
		if string(response.Data) != want || len(response.Errors) > 0 {
			t.Errorf("%s\ngot  %s %v\nwant %s", query, response.Data, response.Errors, want)
		}
	}
}

// No operation makes more calls than planned.
func TestExplainedBound(t *testing.T) {
	const query = `{ posts(n: 7) { author { name friends(first: 3) { nodes { boss { name } label { of } } } } team { name } } people { edges { node { name } } nodes { name boss { id } } } }`
	s := &service{calls: map[string]int{}}
	newGateway(t, s)(query, nil)
	allowed := plannedCalls(t, query, nil)
	for call, n := range s.calls {
		if n > allowed[call] {
			t.Errorf("%s: %d calls, explained were %d", call, n, allowed[call])
		}
	}
	if len(allowed) != len(s.calls) || slices.Contains([]int{0, 1}, len(allowed)) {
		t.Errorf("explained %v, real %v", allowed, s.calls)
	}
}
