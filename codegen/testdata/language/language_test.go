package everything

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"

	"example.com/everything/graph"
	"example.com/everything/resolvers"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/mapping"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// someJSON is a random value; depth bounds how deep it nests.
func someJSON(r *rand.Rand, depth int) string {
	scalars := []string{
		"null", "null", "true", "false", "0", "-0", "1", "1.0", "10e-1", "2", "1e400", "9007199254740993",
		`""`, `"x"`, `"\u0078"`, `"1"`, `"é"`, `"\u00e9\n"`,
	}
	kind := r.IntN(4)
	if depth == 0 || kind == 0 {
		return scalars[r.IntN(len(scalars))]
	}
	var parts []string
	for range r.IntN(4) {
		text := someJSON(r, depth-1)
		if kind > 1 {
			text = strconv.Quote(string("abc"[r.IntN(3)])) + ": " + text
		}
		parts = append(parts, text)
	}
	if kind == 1 {
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// someAnswer is a random object, whose members nest as expressions reach.
func someAnswer(r *rand.Rand) string {
	var parts []string
	for range r.IntN(6) {
		parts = append(parts, strconv.Quote(string("abcl"[r.IntN(4)]))+": "+someJSON(r, 3))
	}
	for range r.IntN(2) { // which most of the methods are for
		var elements []string
		for range r.IntN(4) {
			elements = append(elements, someJSON(r, 2))
		}
		parts = append(parts, `"l": [`+strings.Join(elements, ", ")+"]")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// present drops the members of objects that are null: a rule leaves out what is missing.
func present(v any) any {
	switch v := v.(type) {
	case map[string]any:
		some := map[string]any{}
		for name, member := range v {
			if member != nil {
				some[name] = present(member)
			}
		}
		return some
	case []any:
		for i := range v {
			v[i] = present(v[i])
		}
	}
	return v
}

// sameJSON compares two values that encoding/json has read, numbers exactly.
func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	parsed := func(v any) any {
		text, err := json.Marshal(present(v))
		if err != nil {
			t.Fatal(err)
		}
		value, err := mapping.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	return mapping.Equal(parsed(a), parsed(b))
}

type response struct {
	Data struct {
		All map[string]any `json:"all"`
	} `json:"data"`
	Errors []struct {
		Path       []any          `json:"path"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
}

// An expression gives the same value where a field is read by it and where a rule is made of
// it, whatever the service sends, unless the value does not fit the field.
func TestOneLanguage(t *testing.T) {
	var expressions []string
	if text, err := os.ReadFile("expressions.json"); err != nil || json.Unmarshal(text, &expressions) != nil {
		t.Fatal("no expressions", err)
	}
	body := ""
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }))
	defer service.Close()
	services, err := upstreams.New(upstreams.Options{"s": {URLs: []string{service.URL}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer services.Close()
	gateway := executor.New(graph.NewSchema(&resolvers.Resolver{Services: services}))
	query := "{ all {"
	for i := range expressions {
		query += " " + fieldOf(expressions[i], i)
	}
	query += " } rule }"
	r := rand.New(rand.NewPCG(3, 4))
	compared, fit := 0, make([]int, len(expressions))
	for range 3000 {
		body = someAnswer(r)
		got := execute(t, gateway, query)
		var rule map[string]any
		faulty := map[string]bool{}
		for _, e := range got.Errors {
			if e.Path[0] == "rule" {
				rule = e.Extensions
			} else if len(e.Path) > 1 {
				faulty[e.Path[1].(string)] = true
			}
		}
		if rule == nil || got.Data.All == nil {
			t.Fatalf("%s: the answers are %+v", body, got)
		}
		for i, e := range expressions {
			name := fmt.Sprintf("v%d", i)
			if faulty[name] {
				continue
			}
			compared++
			if got.Data.All[name] != nil {
				fit[i]++
			}
			if !sameJSON(t, got.Data.All[name], rule[name]) {
				t.Errorf("%s over %s is %v for a field, and %v for a rule", e, body, got.Data.All[name], rule[name])
			}
		}
		if t.Failed() {
			return
		}
	}
	for i, n := range fit {
		if n == 0 {
			t.Errorf("%s has never a value", expressions[i])
		}
	}
	t.Logf("%d values of %d expressions compared", compared, len(expressions))
}

// fieldOf selects a field; what braces make has the members x and y, and an entry key and value.
func fieldOf(expression string, i int) string {
	name := fmt.Sprintf("v%d", i)
	switch {
	case strings.Contains(expression, "->entries"):
		return name + " { key value }"
	case strings.Contains(expression, "{"):
		return name + " { x y }"
	}
	return name
}

func execute(t *testing.T, gateway *executor.Executor, query string) response {
	t.Helper()
	ctx := engine.WithExecution(graphql.StartOperationTrace(engine.WithOperation(t.Context(), engine.Options{})), &engine.Execution{})
	op, errs := gateway.CreateOperationContext(ctx, &graphql.RawParams{Query: query})
	if errs != nil {
		t.Fatal(errs)
	}
	next, ctx := gateway.DispatchOperation(ctx, op)
	text, err := json.Marshal(next(ctx))
	if err != nil {
		t.Fatal(err)
	}
	var got response
	numbers := json.NewDecoder(strings.NewReader(string(text)))
	numbers.UseNumber()
	if err := numbers.Decode(&got); err != nil {
		t.Fatal(err)
	}
	return got
}
