package everything

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"example.com/everything/graph"
	"example.com/everything/resolvers"
	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine/mapping"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// randomJSON returns a random value that nests at most depth levels.
func randomJSON(r *rand.Rand, depth int) string {
	scalars := []string{
		"null", "null", "true", "false", "0", "-0", "1", "1.0", "10e-1", "2", "1e400", "9007199254740993",
		`""`, `"x"`, `"\u0078"`, `"1"`, `"é"`, `"\u00e9"`,
	}
	kind := r.IntN(4)
	if depth == 0 || kind == 0 {
		return scalars[r.IntN(len(scalars))]
	}
	var parts []string
	for range r.IntN(4) {
		text := randomJSON(r, depth-1)
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

// randomResponse returns a random object that nests as deep as expressions reach.
func randomResponse(r *rand.Rand) string {
	var parts []string
	for range r.IntN(6) {
		parts = append(parts, strconv.Quote(string("abcl"[r.IntN(4)]))+": "+randomJSON(r, 3))
	}
	for range r.IntN(2) { // which most of the methods are for
		var elements []string
		for range r.IntN(4) {
			elements = append(elements, randomJSON(r, 2))
		}
		parts = append(parts, `"l": [`+strings.Join(elements, ", ")+"]")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// dropNull removes null members from objects: a rule leaves out what is absent.
func dropNull(v any) any {
	switch v := v.(type) {
	case map[string]any:
		some := map[string]any{}
		for name, member := range v {
			if member != nil {
				some[name] = dropNull(member)
			}
		}
		return some
	case []any:
		for i := range v {
			v[i] = dropNull(v[i])
		}
	}
	return v
}

// equalJSON compares two values that encoding/json has decoded, with exact numbers.
func equalJSON(t *testing.T, a, b any) bool {
	t.Helper()
	parsed := func(v any) any {
		text, err := json.Marshal(dropNull(v))
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

// An expression has the same value in a field's selection and in a rule, whatever the service
// sends, unless the value does not fit the field.
func TestOneLanguage(t *testing.T) {
	var expressions []string
	if text, err := os.ReadFile("expressions.json"); err != nil || json.Unmarshal(text, &expressions) != nil {
		t.Fatal("no expressions", err)
	}
	body := ""
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }))
	defer service.Close()
	services, err := upstreams.New(upstreams.Options{"s": {URLs: upstreams.URLs(service.URL)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer services.Close()
	gateway, err := front.New(front.Options{}, front.Deps{
		Schema: graph.NewSchema(&resolvers.Resolver{Services: services}),
		Verify: func(context.Context, string) (*auth.Identity, error) { return nil, nil },
		Log:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	compared, fit := 0, make([]int, len(expressions))
	for range 1500 {
		body = randomResponse(r)
		for from := 0; from < len(expressions) && !t.Failed(); from += chunkSize {
			compared += compare(t, gateway.Handler(), body, expressions[from:min(from+chunkSize, len(expressions))], from, fit[from:])
		}
	}
	useless := 0
	for _, n := range fit {
		if n == 0 {
			useless++
		}
	}
	if useless > len(expressions)/5 {
		t.Errorf("%d of %d expressions have never a value", useless, len(expressions))
	}
	t.Logf("%d values of %d expressions compared", compared, len(expressions))
}

// chunkSize is the number of fields in one query. A response contains no more than fifty errors.
const chunkSize = 30

// compare queries the values of a chunk of expressions, both as fields and in a rule. It returns
// the number of values that fit their field, and counts in fit those that are not null.
func compare(t *testing.T, gateway http.Handler, body string, expressions []string, from int, fit []int) (compared int) {
	t.Helper()
	query := "{ rule all {"
	for i, e := range expressions {
		query += " " + fieldSelection(e, from+i)
	}
	got := execute(t, gateway, query+" } }")
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
		name := fmt.Sprintf("v%d", from+i)
		if faulty[name] {
			continue
		}
		compared++
		if got.Data.All[name] != nil {
			fit[i]++
		}
		if strings.Contains(e, "->entries") {
			rule[name] = entries(rule[name])
		}
		if !equalJSON(t, got.Data.All[name], rule[name]) {
			t.Errorf("%s over %s is %v for a field, and %v for a rule", e, body, got.Data.All[name], rule[name])
		}
	}
	return compared
}

// entries returns the keys and values of a list's elements, which are all that a field reads.
func entries(v any) any {
	list, ok := v.([]any)
	if !ok {
		return v
	}
	for i, e := range list {
		if object, ok := e.(map[string]any); ok {
			list[i] = map[string]any{"key": object["key"], "value": object["value"]}
		}
	}
	return list
}

// fieldSelection selects a field; an object that an expression builds has the members x and y, and
// an entry has key and value.
func fieldSelection(expression string, i int) string {
	name := fmt.Sprintf("v%d", i)
	switch {
	case strings.Contains(expression, "->entries"):
		return name + " { key value }"
	case strings.Contains(expression, "{"):
		return name + " { x y }"
	}
	return name
}

func execute(t *testing.T, gateway http.Handler, query string) response {
	t.Helper()
	text, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(string(text)))
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	gateway.ServeHTTP(recorder, request)
	var got response
	numbers := json.NewDecoder(recorder.Body)
	numbers.UseNumber()
	if err := numbers.Decode(&got); err != nil {
		t.Fatal(err)
	}
	return got
}
