package inputs

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	posts "github.com/gatehouse-graphql/gatehouse/benchmarks/posts/graph"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/introspect"
	enginetest "github.com/gatehouse-graphql/gatehouse/enginetest/graph"
	"github.com/gatehouse-graphql/gatehouse/enginetest/inputs/graph"
	petstore "github.com/gatehouse-graphql/gatehouse/examples/petstore/graph"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	shop "github.com/gatehouse-graphql/gatehouse/graph"
)

// introspectionQuery asks for every field of introspection, with each way to say whether deprecated
// members are wanted.
const introspectionQuery = `{
  __schema {
    description queryType { name } mutationType { name } subscriptionType { name }
    types { ...type }
    directives { name description isRepeatable locations args { ...value } all: args(includeDeprecated: true) { ...value } }
  }
  int: __type(name: "Int") { ...type } float: __type(name: "Float") { ...type } id: __type(name: "ID") { ...type }
  self: __type(name: "__Type") { name isOneOf } nothing: __type(name: "Nothing") { name }
}
fragment type on __Type {
  __typename kind name description specifiedByURL isOneOf ofType { name }
  fields { name } visible: fields(includeDeprecated: false) { name } null: fields(includeDeprecated: null) { name }
  all: fields(includeDeprecated: true) {
    name description isDeprecated deprecationReason type { ...ref } args { ...value } all: args(includeDeprecated: true) { ...value }
  }
  inputFields { name } visibleInputs: inputFields(includeDeprecated: false) { name } nullInputs: inputFields(includeDeprecated: null) { name }
  allInputs: inputFields(includeDeprecated: true) { ...value }
  enumValues { name } visibleValues: enumValues(includeDeprecated: false) { name } nullValues: enumValues(includeDeprecated: null) { name }
  allValues: enumValues(includeDeprecated: true) { __typename name description isDeprecated deprecationReason }
  interfaces { ...ref } possibleTypes { ...ref }
}
fragment value on __InputValue { __typename name description type { ...ref } defaultValue isDeprecated deprecationReason }
fragment ref on __Type { ...level ofType { ...level ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } }
fragment level on __Type { kind name isOneOf specifiedByURL fields { name } inputFields { name } enumValues { name } possibleTypes { name } interfaces { name } }`

var schemas = flag.Int("schemas", 30, "how many random schemas are compared with graphql-js")

// Random schemas answer introspection as graphql-js does, and so does the SDL that is printed of
// them.
func TestIntrospectionAgreesWithGraphQLJS(t *testing.T) {
	n := *schemas
	if testing.Short() {
		n /= 10
	}
	var questions []introspection
	var executable []graphql.ExecutableSchema
	for i := range n {
		sdl := (&schemaWriter{Rand: rand.New(rand.NewPCG(uint64(i), 7))}).schema()
		schema, err := gqlparser.LoadSchema(&ast.Source{Name: "random.graphqls", Input: sdl})
		if err != nil {
			t.Fatalf("%v\n%s", err, sdl)
		}
		printed := introspect.Print(introspect.Publish(schema))
		questions = append(questions, introspection{sdl, introspectionQuery}, introspection{printed, introspectionQuery})
		executable = append(executable, graph.NewExecutableSchema(graph.Config{Schema: schema}))
	}
	expected := introspectByGraphQLJS(t, questions)
	for i, schema := range executable {
		got := introspectByGateway(t, schema, engine.EnginePlan, introspectionQuery)
		if diff := cmp.Diff(normalIntrospection(t, expected[2*i]), normalIntrospection(t, got)); diff != "" {
			t.Fatalf("-graphql-js +gatehouse\n%s\n%s", diff, questions[2*i].SDL)
		}
		if diff := cmp.Diff(normalIntrospection(t, got), normalIntrospection(t, expected[2*i+1])); diff != "" {
			t.Fatalf("-gatehouse +graphql-js over the printed SDL\n%s\n%s", diff, questions[2*i+1].SDL)
		}
	}
}

// Both executors of every graph here answer introspection as graphql-js does over the SDL of the
// graph.
func TestIntrospectionOfGraphs(t *testing.T) {
	graphs := map[string]graphql.ExecutableSchema{
		"shop": shop.NewSchema(nil), "petstore": petstore.NewSchema(nil), "posts": posts.NewSchema(nil),
		"enginetest": enginetest.NewSchema(nil), "inputs": graph.NewSchema(nil),
	}
	var names []string
	var questions []introspection
	for name, schema := range graphs {
		names, questions = append(names, name), append(questions, introspection{introspect.Print(schema.Schema()), queryFor(name)})
	}
	for i, expected := range introspectByGraphQLJS(t, questions) {
		for _, how := range engines {
			got := introspectByGateway(t, graphs[names[i]], how, queryFor(names[i]))
			if diff := cmp.Diff(normalIntrospection(t, expected), normalIntrospection(t, got)); diff != "" {
				t.Errorf("%s, %s: -graphql-js +gatehouse\n%s", names[i], how, diff)
			}
		}
	}
}

// queryFor returns the query for a graph. In graphql-js a default value of a custom scalar that holds
// a list cannot be introspected, and the graph "inputs" has some.
func queryFor(graph string) string {
	if graph == "inputs" {
		return strings.ReplaceAll(introspectionQuery, "defaultValue", "")
	}
	return introspectionQuery
}

type introspection struct {
	SDL   string `json:"sdl"`
	Query string `json:"query"`
}

func introspectByGateway(t *testing.T, schema graphql.ExecutableSchema, how, query string) []byte {
	t.Helper()
	f, err := front.New(front.Options{Introspection: true, Execution: engine.Options{Engine: how}}, front.Deps{
		Schema: schema, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(map[string]string{"query": query})
	r := httptest.NewRequest("POST", "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, r)
	return w.Body.Bytes()
}

// introspectByGraphQLJS returns the responses of graphql-js.
func introspectByGraphQLJS(t *testing.T, questions []introspection) [][]byte {
	t.Helper()
	return graphQLJS(t, questions, "introspect.js")
}

// normalIntrospection returns a response without the order of types, which has no meaning.
func normalIntrospection(t *testing.T, response []byte) any {
	t.Helper()
	var v struct {
		Data   map[string]any
		Errors []any
	}
	if err := json.Unmarshal(response, &v); err != nil || v.Errors != nil {
		t.Fatalf("%v %v %.2000s", err, v.Errors, response)
	}
	withoutProposals(v.Data)
	schema := v.Data["__schema"].(map[string]any)
	for _, list := range []string{"types", "directives"} {
		byName := map[string]any{}
		for _, item := range schema[list].([]any) {
			item := item.(map[string]any)
			name := item["name"].(string)
			if byName[name] != nil {
				t.Errorf("%s twice", name)
			}
			byName[name] = item
			sortByName(item["possibleTypes"])
			dropPossible(item)
		}
		schema[list] = byName
	}
	return v.Data
}

// withoutProposals removes what graphql-js has and the specification of September 2025 does not:
// the deprecation of directives.
func withoutProposals(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			v[key] = withoutProposals(member)
			if list, ok := v[key].([]any); ok && v["name"] == "__Directive" {
				v[key] = slices.DeleteFunc(list, isDeprecationField)
			}
		}
		if v["name"] == "directives" && v["args"] != nil { // of __Schema; no field of the schemas here has that name
			v["args"], v["all"] = []any{}, []any{}
		}
	case []any:
		for i := range v {
			v[i] = withoutProposals(v[i])
		}
		return slices.DeleteFunc(v, func(item any) bool {
			member, _ := item.(map[string]any)
			return item == "DIRECTIVE_DEFINITION" || member["name"] == "DIRECTIVE_DEFINITION"
		})
	}
	return v
}

func isDeprecationField(v any) bool {
	member, _ := v.(map[string]any)
	return member["name"] == "isDeprecated" || member["name"] == "deprecationReason"
}

// dropPossible sorts the possible types of all types below v.
func dropPossible(v any) {
	switch v := v.(type) {
	case map[string]any:
		sortByName(v["possibleTypes"])
		for _, member := range v {
			dropPossible(member)
		}
	case []any:
		for _, item := range v {
			dropPossible(item)
		}
	}
}

// sortByName sorts a list of objects by their names; what is not a list it leaves as it is.
func sortByName(v any) {
	list, _ := v.([]any)
	name := func(i int) string { return list[i].(map[string]any)["name"].(string) }
	for i := range list {
		for j := i; j > 0 && name(j) < name(j-1); j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// schemaWriter writes random schemas with everything that introspection shows.
type schemaWriter struct {
	*rand.Rand
	b strings.Builder
}

var randomDescriptions = []string{
	"plain", "two\nlines", "  indented", "a\n  b\n\nc", `with """ and \""" inside`, `ends with a quote"`, `ends with \`, "tab\tinside",
	"ünïcödé 😀", "\ttab first", "a\n\nb ", "control \u0001 \u0085", "%description 0%", "# no comment", "{ } ! |", "bidi \u202e", "\nlines around\n",
}

func (w *schemaWriter) oneIn(n int) bool { return w.IntN(n) == 0 }

func (w *schemaWriter) printf(format string, args ...any) { fmt.Fprintf(&w.b, format, args...) }

// description writes a description in a third of the cases.
func (w *schemaWriter) description() {
	if w.oneIn(3) {
		w.printf("%s ", jsonString(randomDescriptions[w.IntN(len(randomDescriptions))]))
	}
}

// jsonString returns a string of JSON, which is one of GraphQL as well.
func jsonString(text string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text)
	return strings.TrimSpace(b.String())
}

func (w *schemaWriter) deprecated() string {
	return []string{"", "", "", "", " @deprecated", ` @deprecated(reason: "old \" one")`, ` @deprecated(reason: "No longer supported")`, ` @deprecated(reason: "")`}[w.IntN(8)]
}

// wrapped returns a type around a named one.
func (w *schemaWriter) wrapped(name string) string {
	for range w.IntN(4) {
		if w.oneIn(2) && !strings.HasSuffix(name, "!") {
			name += "!"
		} else {
			name = "[" + name + "]"
		}
	}
	return name
}

// input returns an input type with a default value, or without.
func (w *schemaWriter) input(deprecated bool) string {
	values := map[string][]string{
		"Int": {"1", "-2"}, "Float": {"1.5", "-0.25"}, "String": {`"a\"\\ \u00fc"`, `""`, `"""block"""`}, "Boolean": {"true", "false"}, "ID": {`"a"`, "4"},
		"Color": {"RED", "OLD"}, "Filter": {"{text: \"a\"}", `{text: "b", list: ["x", "y"]}`}, "Choice": {`{a: "one"}`, `{a: ""}`}, "Stamp": nil,
	}
	names := []string{"Int", "Float", "String", "Boolean", "ID", "Color", "Filter", "Choice", "Stamp"}
	if w.oneIn(2) {
		names = names[2:4] // so that Int, Float and ID are not used by some schemas
	}
	name := names[w.IntN(len(names))]
	typ := w.wrapped(name)
	value := ""
	switch list := values[name]; {
	case w.oneIn(4) && !strings.HasSuffix(typ, "!"):
		value = " = null"
	case w.oneIn(2) && list != nil && strings.Trim(typ, "!") == name:
		value = " = " + list[w.IntN(len(list))]
	case w.oneIn(2) && list != nil && strings.Trim(typ, "!") == "["+strings.Trim(strings.Trim(typ, "!"), "[]")+"]" && strings.Count(typ, "[") == 1:
		value = " = [" + list[0] + ", " + list[len(list)-1] + "]"
	}
	if deprecated && (value != "" || !strings.HasSuffix(typ, "!")) {
		value += w.deprecated()
	}
	return typ + value
}

// arguments writes arguments in half of the cases.
func (w *schemaWriter) arguments() {
	if w.oneIn(2) {
		return
	}
	w.printf("(")
	for i := range 1 + w.IntN(3) {
		w.description()
		w.printf("a%d: %s ", i, w.input(true))
	}
	w.printf(")")
}

// output returns an output type.
func (w *schemaWriter) output() string {
	names := []string{"String", "Boolean", "Color", "Stamp", "A", "B", "Node", "Named", "Any", "Int", "Float", "ID"}
	if w.oneIn(2) {
		names = names[:9]
	}
	return w.wrapped(names[w.IntN(len(names))])
}

func (w *schemaWriter) fields(n int, extra ...string) {
	w.printf(" {\n")
	for _, f := range extra {
		w.description()
		w.printf("  %s%s\n", f, w.deprecated())
	}
	for i := range n {
		w.description()
		w.printf("  f%d", i)
		w.arguments()
		w.printf(": %s%s\n", w.output(), w.deprecated())
	}
	w.printf("}\n")
}

// schema returns a schema whose root type is Query. It may lack deprecated members, descriptions
// and the scalars of the specification.
func (w *schemaWriter) schema() string {
	if w.oneIn(3) {
		w.description()
		mutation := ""
		if w.oneIn(2) {
			mutation = " mutation: B"
		}
		w.printf("schema { query: Query%s }\n", mutation)
	}
	for i := range w.IntN(3) {
		w.description()
		w.printf("directive @d%d", i)
		w.arguments()
		if w.oneIn(2) {
			w.printf(" repeatable")
		}
		w.printf(" on FIELD | %s\n", []string{"QUERY", "FIELD_DEFINITION", "VARIABLE_DEFINITION", "ENUM_VALUE | SCHEMA"}[w.IntN(4)])
	}
	w.description()
	w.printf("scalar Stamp")
	if w.oneIn(2) {
		w.printf(` @specifiedBy(url: "https://example.com/a\"b")`)
	}
	w.printf("\n")
	w.description()
	w.printf("interface Node")
	w.fields(0, "id: String!")
	w.description()
	w.printf("interface Named implements Node")
	w.fields(0, "id: String!", "name: String")
	w.description()
	w.printf("type Query")
	w.fields(1 + w.IntN(3))
	w.description()
	w.printf("type A implements Node & Named")
	w.fields(w.IntN(4), "id: String!", "name: String")
	w.description()
	w.printf("type B implements Node")
	w.fields(w.IntN(4), "id: String!")
	if w.oneIn(2) {
		w.printf("type Mutation { set: String } ")
	}
	w.description()
	w.printf("union Any = A | B\n")
	w.description()
	w.printf("enum Color { RED%s ", w.deprecated())
	w.description()
	w.printf("OLD%s }\n", w.deprecated())
	w.description()
	w.printf("input Filter { text: String%s ", w.deprecated())
	w.description()
	w.printf("list: [String!]%s }\n", w.deprecated())
	w.description()
	w.printf("input Choice @oneOf { a: String b: %s }\n", []string{"Boolean", "Color"}[w.IntN(2)])
	if w.oneIn(3) {
		w.printf("extend type B { late: Boolean @deprecated }\n")
	}
	return w.b.String()
}

// The generator of schemas makes each thing that introspection can show.
func TestRandomSchemasHaveEverything(t *testing.T) {
	var all strings.Builder
	for i := range 50 {
		all.WriteString((&schemaWriter{Rand: rand.New(rand.NewPCG(uint64(i), 7))}).schema())
	}
	for _, part := range []string{"@deprecated\n", "RED @deprecated ", "= null", "repeatable", "@specifiedBy", "mutation: B", "extend type", "= {", "= [", "]!"} {
		if !strings.Contains(all.String(), part) {
			t.Errorf("no schema has %q", part)
		}
	}
}

// Both executors refuse what is not published, by any way of writing it.
func TestDeferIsUnknown(t *testing.T) {
	for _, how := range engines {
		g := newGateway(t, how)
		for _, query := range []string{
			`{ ... @defer { __typename } }`, `{ ... on Query @defer(label: "a") { __typename } }`, `{ ...f @defer(if: false) } fragment f on Query { __typename }`,
			`query($if: Boolean) { ... @defer(if: $if) { __typename } }`, `{ __schema { ... @defer { description } } }`,
		} {
			got := g.post(t, query, "")
			if got.Data != nil || len(got.Errors) != 1 || got.Errors[0].Message != `Unknown directive "@defer".` || got.Errors[0].Extensions.Code != "GRAPHQL_VALIDATION_FAILED" {
				t.Errorf("%s: %s: %s", how, query, got.text)
			}
		}
	}
}
