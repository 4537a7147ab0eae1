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

// callers are those who ask, by their tokens. The last one may have everything.
var callers = map[string]*auth.Identity{
	"none": {Subject: "n"}, "a": {Subject: "a", Scopes: []string{"a"}}, "b": {Subject: "b", Scopes: []string{"b"}},
	"all": {Subject: "all", Scopes: []string{"a", "b"}},
}

// service answers every path with objects that have members of all types' names, and
// remembers the paths.
type service struct {
	mu   sync.Mutex
	sent []string
}

const (
	secret = `{"kind": "t", "id": "1", "name": "secret name", "extra": "secret extra", "o": {"kind": "o", "id": "1", "name": "open name"}}`
	public = `{"kind": "o", "id": "1", "name": "open name"}`
)

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.sent = append(s.sent, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	kind := strings.Split(r.URL.Path, "/")[1]
	answer := map[string]string{
		"one": secret, "list": "[" + secret + "," + secret + "]", "grid": "[[" + secret + "],[" + secret + "]]", "open": public,
		"mixed": "[" + public + "," + secret + "]", "byID": "[" + secret + "]", "map": `{"1": [` + secret + `]}`,
		"holder": `{"id": "1", "t": ` + secret + `, "ts": [` + secret + `], "u": ` + secret + `, "us": [` + public + `,` + secret + `], "n": ` + secret + `}`,
	}[kind]
	io.WriteString(w, answer)
}

// take gives the calls since the last time, sorted.
func (s *service) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	slices.Sort(sent)
	return sent
}

// step is a field on a path, as it is selected of one type.
type step struct {
	object *ast.Definition // that has the field
	field  *ast.FieldDefinition
	below  *ast.Definition // the type of objects that it leads to, nil for a leaf
}

// walker finds the paths of a schema as its author wrote it, before guards are spread.
type walker struct {
	schema *ast.Schema
	paths  [][]step
}

const deepest = 5

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
				continue // which the service does not send there
			}
			if next := append(slices.Clone(path), step{object, f, possible}); len(next) < deepest {
				w.walk(possible, next)
			}
		}
	}
}

// refusals are the guards that stand in the way to a step: of the field, of the type that has
// it and of the type that it gives, where a connection and its edges are as guarded as nodes.
func (w *walker) refusals(s step, who *auth.Identity) string {
	code := ""
	for _, directives := range []ast.DirectiveList{s.field.Directives, w.guards(s.object), w.guards(w.schema.Types[s.field.Type.Name()])} {
		code = max(code, refused(directives, who))
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

// refused is the code with which guards refuse a caller, "" when they do not.
func refused(directives ast.DirectiveList, who *auth.Identity) string {
	for _, d := range directives {
		switch {
		case d.Name != "authenticated" && d.Name != "requiresScopes":
		case who == nil:
			return "UNAUTHENTICATED"
		case d.Name == "requiresScopes" && !slices.Contains(who.Scopes, scopeOf(d)):
			return "FORBIDDEN"
		}
	}
	return ""
}

// scopeOf is the one scope that guards of these schemas ask for.
func scopeOf(d *ast.Directive) string {
	return d.Arguments.ForName("scopes").Value.Children[0].Value.Children[0].Value.Raw
}

// wall is where a caller is refused on a path: the number of fields in the error's path, and
// how many fields may be asked for, whose calls are made. It is -1 for a path that is open.
func (w *walker) wall(path []step, who *auth.Identity) (at, made int, code string) {
	for i, s := range path {
		if code := w.refusals(s, who); code != "" {
			return i + 1, i, code
		}
		if i > 0 && s.field.Name != "id" && stub(w.schema, path[i-1]) && s.field.Directives.ForName("connect") == nil {
			if root := w.root(s.object); root != nil {
				if code := refused(root.Directives, who); code != "" {
					return i, i, code
				}
			}
		}
	}
	return -1, len(path), ""
}

// stub reports whether objects come to a field with their keys alone.
func stub(schema *ast.Schema, s step) bool {
	return strings.HasPrefix(s.field.Name, "stub") || schema.Types[s.field.Type.Name()].IsAbstractType()
}

// root is the field of Query whose call completes a type's objects.
func (w *walker) root(def *ast.Definition) *ast.FieldDefinition {
	for _, f := range w.schema.Query.Fields {
		d := f.Directives.ForName("connect")
		if d != nil && d.Arguments.ForName("entity") != nil && f.Type.Name() == def.Name {
			return f
		}
	}
	return nil
}

// operation writes a path, in one of the ways in which fields can be selected.
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

// answer is what a client gets.
type answer struct {
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Path       []any
		Extensions struct{ Code string }
	}
}

// has reports whether there is an error with a code at a path of so many fields.
func (a *answer) has(fields int, code string) bool {
	for _, e := range a.Errors {
		n := 0
		for _, at := range e.Path {
			if _, ok := at.(string); ok {
				n++
			}
		}
		if n == fields && e.Extensions.Code == code {
			return true
		}
	}
	return false
}

// Whatever leads to what is guarded, a caller who is refused has null, an error with its path
// and code, and no call is made for it; and whoever is not refused has the value.
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
	for _, how := range []string{engine.EnginePlan, engine.EngineGqlgen} {
		s := &service{}
		gateway := serve(t, s, how)
		for kind, root := range map[string]*ast.Definition{"query": schema.Query, "mutation": schema.Mutation} {
			w.paths = nil
			w.walk(root, nil)
			chance := rand.New(rand.NewPCG(seed, 1))
			for _, path := range w.paths {
				for _, token := range []string{"", "none", "a", "b", "all"} {
					who := callers[token]
					tried++
					if at, _, _ := w.wall(path, who); at >= 0 {
						refusedCases++
					}
					w.check(t, s, gateway, how, kind, operation(chance, schema, kind, path), path, token)
					if t.Failed() {
						return
					}
				}
			}
		}
	}
	t.Logf("%d operations, of which %d are refused", tried, refusedCases)
	if tried < 500 || refusedCases < tried/5 || refusedCases > tried*9/10 {
		t.Errorf("too little is tried: %d operations, of which %d are refused", tried, refusedCases)
	}
}

// check asks for a path as a caller.
func (w *walker) check(t *testing.T, s *service, gateway *front.Front, how, kind, query string, path []step, token string) {
	t.Helper()
	at, made, code := w.wall(path, callers[token])
	a := ask(t, gateway, token, query)
	sent := s.take()
	leaf := "open "
	if path[len(path)-1].object.Name[0] == 'T' {
		leaf = "secret "
	}
	leaf += path[len(path)-1].field.Name
	if at < 0 {
		if len(a.Errors) > 0 || path[len(path)-1].field.Name == "name" && !strings.Contains(string(a.Data), leaf) {
			t.Errorf("%s: %s as %q is refused: %s %v", how, query, token, a.Data, a.Errors)
		}
		return
	}
	if !a.has(at, code) || strings.Contains(string(a.Data), leaf) {
		t.Errorf("%s: %s as %q must be %s at field %d: %s %v", how, query, token, code, at, a.Data, a.Errors)
	}
	allowed := w.before(t, s, gateway, kind, path[:made])
	for _, call := range sent {
		i := slices.Index(allowed, call)
		if i < 0 {
			t.Errorf("%s: %s as %q makes the call %s; allowed are %v", how, query, token, call, allowed)
			return
		}
		allowed = slices.Delete(allowed, i, i+1)
	}
}

// before are the calls of the fields that come before a wall.
func (w *walker) before(t *testing.T, s *service, gateway *front.Front, kind string, path []step) []string {
	t.Helper()
	if len(path) == 0 {
		return nil
	}
	ask(t, gateway, "all", operation(rand.New(rand.NewPCG(1, 1)), w.schema, kind, path))
	return s.take()
}

func serve(t *testing.T, s *service, how string) *front.Front {
	t.Helper()
	backend := httptest.NewServer(s)
	t.Cleanup(backend.Close)
	services, err := upstreams.New(upstreams.Options{"all": {URLs: []string{backend.URL}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(services.Close)
	f, err := front.New(front.Options{Execution: engine.Options{Engine: how}}, front.Deps{
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

func ask(t *testing.T, gateway *front.Front, token, query string) (a *answer) {
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
	a = &answer{}
	if err := json.Unmarshal(recorder.Body.Bytes(), a); err != nil || a.Data == nil {
		t.Fatalf("%s\nanswers %s", query, recorder.Body)
	}
	return a
}
