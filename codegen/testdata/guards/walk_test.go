package guards

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"example.com/everything/graph"
	"example.com/everything/resolvers"
	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// callers are identities by token. The last one passes all guards.
var callers = map[string]*auth.Identity{
	"none": {Subject: "n"}, "a": {Subject: "a", Scopes: []string{"a"}}, "b": {Subject: "b", Scopes: []string{"b"}},
	"all": {Subject: "all", Scopes: []string{"a", "b"}},
}

// service responds to every path with objects that have the members of all types, and records
// requests.
type service struct {
	mu       sync.Mutex
	requests []string
}

const (
	secret = `{"kind": "t", "id": "1", "name": "secret name", "extra": "secret extra", "o": {"kind": "o", "id": "1", "name": "open name"}}`
	public = `{"kind": "o", "id": "1", "name": "open name"}`
)

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	kind := strings.Split(r.URL.Path, "/")[1]
	response := map[string]string{
		"one": secret, "list": "[" + secret + "," + secret + "]", "grid": "[[" + secret + "],[" + secret + "]]", "open": public,
		"mixed": "[" + public + "," + secret + "]", "byID": "[" + secret + "]", "map": `{"1": [` + secret + `]}`,
		"holder": `{"id": "1", "t": ` + secret + `, "ts": [` + secret + `], "u": ` + secret + `, "us": [` + public + `,` + secret + `], "n": ` + secret + `}`,
	}[kind]
	io.WriteString(w, response)
}

// takeRequests returns the requests since its last call, sorted.
func (s *service) takeRequests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := s.requests
	s.requests = nil
	slices.Sort(requests)
	return requests
}

// step is a field on a path, with the types of its object and of the objects that it returns.
type step struct {
	object *ast.Definition // the type that has the field
	field  *ast.FieldDefinition
	below  *ast.Definition // the type of the returned objects; nil for a leaf
}

// walker finds the paths of a schema as its author wrote it, before guards are spread.
type walker struct {
	schema *ast.Schema
	paths  [][]step
}

const maxDepth = 5

func (w *walker) walk(object *ast.Definition, path []step) {
	for _, f := range object.Fields {
		def := w.schema.Types[f.Type.Name()]
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		if def.IsLeafType() {
			w.paths = append(w.paths, append(slices.Clone(path), step{object, f, nil}))
			continue
		}
		for _, possible := range w.schema.GetPossibleTypes(def) {
			if def.IsAbstractType() && possible.Name[0] == 'O' && !strings.HasPrefix(f.Name, "us") {
				continue // the service does not send such objects there
			}
			if next := append(slices.Clone(path), step{object, f, possible}); len(next) < maxDepth {
				w.walk(possible, next)
			}
		}
	}
}

// stepRefusal returns the code with which guards refuse a step, or "": the guards of the field, of
// the type that has it, and of the type that it returns. Connections and edges have the guards of
// their nodes.
func (w *walker) stepRefusal(s step, identity *auth.Identity) string {
	code := ""
	for _, directives := range []ast.DirectiveList{s.field.Directives, w.guards(s.object), w.guards(w.schema.Types[s.field.Type.Name()])} {
		code = max(code, refusalCode(directives, identity))
	}
	return code
}

func (w *walker) guards(def *ast.Definition) ast.DirectiveList {
	for _, suffix := range []string{"Edge", "Connection"} {
		if node, ok := strings.CutSuffix(def.Name, suffix); ok {
			return w.schema.Types[node].Directives
		}
	}
	return def.Directives
}

// refusalCode returns the code with which guards refuse an identity, or "".
func refusalCode(directives ast.DirectiveList, identity *auth.Identity) string {
	for _, d := range directives {
		switch {
		case d.Name != "authenticated" && d.Name != "requiresScopes":
		case identity == nil:
			return "UNAUTHENTICATED"
		case d.Name == "requiresScopes" && !slices.Contains(identity.Scopes, scopeOf(d)):
			return "FORBIDDEN"
		}
	}
	return ""
}

// scopeOf returns the only scope that a guard of these schemas requires.
func scopeOf(d *ast.Directive) string {
	return d.Arguments.ForName("scopes").Value.Children[0].Value.Children[0].Value.Raw
}

// firstRefusal returns where a path is refused first: depth is the number of fields in the path of
// the error, or -1 if nothing refuses the caller, and calls the number of fields before it whose
// calls may be made.
func (w *walker) firstRefusal(path []step, identity *auth.Identity) (depth, calls int, code string) {
	for i, s := range path {
		if code := w.stepRefusal(s, identity); code != "" {
			return i + 1, i, code
		}
		if i > 0 && s.field.Name != "id" && isStub(w.schema, path[i-1]) && s.field.Directives.ForName("connect") == nil {
			if root := w.root(s.object); root != nil {
				if code := refusalCode(root.Directives, identity); code != "" {
					return i, i, code
				}
			}
		}
	}
	return -1, len(path), ""
}

// isStub reports whether a step returns objects with their keys only.
func isStub(schema *ast.Schema, s step) bool {
	return strings.HasPrefix(s.field.Name, "stub") || schema.Types[s.field.Type.Name()].IsAbstractType()
}

// root returns the field of Query whose call completes the objects of a type.
func (w *walker) root(def *ast.Definition) *ast.FieldDefinition {
	for _, f := range w.schema.Query.Fields {
		d := f.Directives.ForName("connect")
		if d != nil && d.Arguments.ForName("entity") != nil && f.Type.Name() == def.Name {
			return f
		}
	}
	return nil
}

// operation writes a path as an operation, in a random form: with aliases, fragments and so on.
func operation(chance *rand.Rand, schema *ast.Schema, kind string, path []step) string {
	text, fragments := "{__typename}", ""
	if path[len(path)-1].below == nil {
		text = ""
	}
	for i := len(path) - 1; i >= 0; i-- {
		s := path[i]
		field := s.field.Name
		var args []string
		for _, a := range s.field.Arguments {
			if a.Type.NonNull {
				args = append(args, a.Name+`: "1"`)
			}
		}
		if len(args) > 0 {
			field += "(" + strings.Join(args, ", ") + ")"
		}
		if chance.IntN(3) == 0 {
			field = "id: " + field // the name of an open field, as an alias
		}
		field += " " + text
		on := s.object.Name
		switch way := chance.IntN(4); {
		case i > 0 && schema.Types[path[i-1].field.Type.Name()].IsAbstractType() || way == 0:
			if above := schema.GetImplements(s.object); len(above) > 0 && way < 2 && above[0].Fields.ForName(s.field.Name) != nil && !strings.Contains(field, "(") {
				on = above[0].Name
			}
			text = "{... on " + on + " {" + field + "} __typename}"
		case way == 1:
			name := fmt.Sprint("F", i)
			fragments += fmt.Sprintf(" fragment %s on %s {%s}", name, on, field)
			text = "{..." + name + "}"
		default:
			text = "{" + field + "}"
		}
	}
	return kind + " " + text + fragments
}

// response is the response to a client.
type response struct {
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Path       []any
		Extensions struct{ Code string }
	}
}

// hasError reports whether there is an error with a code at a path of so many fields.
func (a *response) hasError(fields int, code string) bool {
	for _, e := range a.Errors {
		n := 0
		for _, element := range e.Path {
			if _, ok := element.(string); ok {
				n++
			}
		}
		if n == fields && e.Extensions.Code == code {
			return true
		}
	}
	return false
}

// Whatever path leads to a guarded field, a caller whom its guards refuse gets null, an error with
// its path and code, and causes no call for it. A caller whom they admit gets the value.
func TestEveryWay(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("schema", "all.graphqls"))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := binding.Load(&ast.Source{Name: "all.graphqls", Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	w := &walker{schema: schema}
	seed := uint64(len(text))
	var tried, refusedCases int
	for _, engineName := range []string{engine.EnginePlan, engine.EngineGqlgen} {
		s := &service{}
		gateway := serve(t, s, engineName)
		for kind, root := range map[string]*ast.Definition{"query": schema.Query, "mutation": schema.Mutation} {
			w.paths = nil
			w.walk(root, nil)
			chance := rand.New(rand.NewPCG(seed, 1))
			for _, path := range w.paths {
				for _, token := range []string{"", "none", "a", "b", "all"} {
					identity := callers[token]
					tried++
					if depth, _, _ := w.firstRefusal(path, identity); depth >= 0 {
						refusedCases++
					}
					w.check(t, s, gateway, engineName, kind, operation(chance, schema, kind, path), path, token)
					if t.Failed() {
						return
					}
				}
			}
		}
	}
	t.Logf("%d operations, %d of them refused", tried, refusedCases)
	if tried < 500 || refusedCases < tried/5 || refusedCases > tried*9/10 {
		t.Errorf("too few operations, or too few of a kind: %d, %d of them refused", tried, refusedCases)
	}
}

// check queries a path as a caller.
func (w *walker) check(t *testing.T, s *service, gateway *front.Front, engineName, kind, query string, path []step, token string) {
	t.Helper()
	depth, calls, code := w.firstRefusal(path, callers[token])
	a := runQuery(t, gateway, token, query)
	requests := s.takeRequests()
	leaf := "open "
	if path[len(path)-1].object.Name[0] == 'T' {
		leaf = "secret "
	}
	leaf += path[len(path)-1].field.Name
	if depth < 0 {
		if len(a.Errors) > 0 || path[len(path)-1].field.Name == "name" && !strings.Contains(string(a.Data), leaf) {
			t.Errorf("%s: %s as %q is refused: %s %v", engineName, query, token, a.Data, a.Errors)
		}
		return
	}
	if !a.hasError(depth, code) || strings.Contains(string(a.Data), leaf) {
		t.Errorf("%s: %s as %q must be %s at field %d: %s %v", engineName, query, token, code, depth, a.Data, a.Errors)
	}
	allowed := w.requestsOf(t, s, gateway, kind, path[:calls])
	for _, call := range requests {
		i := slices.Index(allowed, call)
		if i < 0 {
			t.Errorf("%s: %s as %q makes the call %s; allowed are %v", engineName, query, token, call, allowed)
			return
		}
		allowed = slices.Delete(allowed, i, i+1)
	}
}

// requestsOf returns the requests that a path makes if nothing is refused.
func (w *walker) requestsOf(t *testing.T, s *service, gateway *front.Front, kind string, path []step) []string {
	t.Helper()
	if len(path) == 0 {
		return nil
	}
	runQuery(t, gateway, "all", operation(rand.New(rand.NewPCG(1, 1)), w.schema, kind, path))
	return s.takeRequests()
}

func serve(t *testing.T, s *service, engineName string) *front.Front {
	t.Helper()
	backend := httptest.NewServer(s)
	t.Cleanup(backend.Close)
	services, err := upstreams.New(upstreams.Options{"all": {URLs: upstreams.URLs(backend.URL)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(services.Close)
	f, err := front.New(front.Options{Execution: engine.Options{Engine: engineName}}, front.Deps{
		Schema: graph.NewSchema(&resolvers.Resolver{Services: services}),
		Verify: func(_ context.Context, token string) (*auth.Identity, error) {
			return callers[strings.TrimPrefix(token, "Bearer ")], nil
		},
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func runQuery(t *testing.T, gateway *front.Front, token, query string) (a *response) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	recorder := httptest.NewRecorder()
	gateway.Handler().ServeHTTP(recorder, r)
	a = &response{}
	if err := json.Unmarshal(recorder.Body.Bytes(), a); err != nil || a.Data == nil {
		t.Fatalf("%s\nanswers %s", query, recorder.Body)
	}
	return a
}
