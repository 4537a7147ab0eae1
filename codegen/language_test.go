package codegen_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	graphql "github.com/vektah/gqlparser/v2/ast"
)

// languageSchema returns a schema with one field whose selection consists of the expressions, and
// one whose error extensions do.
func languageSchema(expressions, types []string) string {
	fields, members := "", ""
	for i, e := range expressions {
		fields += fmt.Sprintf("  v%d: %s\n", i, types[i])
		members += fmt.Sprintf("\n        v%d: %s", i, e)
	}
	return `extend schema @source(name: "s")
scalar JSON
type Query {
  made: Made @connect(source: "s", http: {GET: "/made"})
  entry: Entry @connect(source: "s", http: {GET: "/entry"})
  all: All @connect(source: "s", http: {GET: "/a"}, selection: """{` + members + `
      }""")
  rule: String @connect(source: "s", http: {GET: "/b"}, isSuccess: "$status->eq(0)", errors: {extensions: """{` + members + `
      }"""})
}
type All {
` + fields + `}
type Made { x: JSON y: JSON }
type Entry { key: String value: JSON }
`
}

// expressionWriter generates random expressions over responses with the members a, b, c and l.
type expressionWriter struct{ *rand.Rand }

func (w expressionWriter) one(of ...string) string { return of[w.IntN(len(of))] }

func (w expressionWriter) path() string {
	path := w.one("", "$.", "@.") + w.one("a", "b", "c", "l", "l")
	for range w.IntN(3) {
		path += w.one(".a", ".b", ".c", "?.a", "->first", "->last", "->map(@)->first", "->map(@.b)->last")
	}
	return path
}

func (w expressionWriter) literal() string {
	return w.one("null", "true", "false", "0", "1", "1.0", "1e400", `"x"`, `"1"`, `"é"`)
}

func (w expressionWriter) match(result string) string {
	cases := ""
	for range 1 + w.IntN(3) {
		cases += fmt.Sprintf("[%s, %s], ", w.literal(), w.one("@", fmt.Sprintf(result, w.IntN(9)), "null"))
	}
	if w.IntN(2) == 0 {
		cases += fmt.Sprintf("[@, %s], ", w.one("@", fmt.Sprintf(result, w.IntN(9))))
	}
	return "->match(" + strings.TrimSuffix(cases, ", ") + ")"
}

// element returns an argument of ->map, with the type of its results.
func (w expressionWriter) element() (expr, typ string) {
	at := w.one("@", "@.a", "@.b.c", "a", "@->first", "@.l->last", "@->first.a")
	switch w.IntN(5) {
	case 0:
		return at + "->eq(" + w.literal() + ")", "Boolean"
	case 1:
		return at + w.match(`"r%d"`), "JSON"
	case 2:
		return at + "->joinNotNull(\"-\")", "String"
	case 3:
		return "@ { x: $.a y: b.c }", "Made"
	}
	return at, "JSON"
}

// expression returns a random expression, with the type of a field that has its value.
func (w expressionWriter) expression() (expr, typ string) {
	path := w.path()
	switch w.IntN(10) {
	case 0:
		return path + "->eq(" + w.literal() + ")", "Boolean"
	case 1:
		return path + w.match("%d"), "JSON"
	case 2:
		return path + "->joinNotNull(\", \")", "String"
	case 3:
		return path + "->map(" + w.one("@.a", "@.b", "@->first", "@"+w.match(`"r%d"`)) + ")->joinNotNull(\"+\")", "String"
	case 4:
		return path + "->entries", "[Entry]"
	case 5:
		return path + " { x: a y: $.b.c }", "Made"
	case 6:
		return path + " { x: l->map(@.a)->first y: @.b->eq(null) }", "[Made]"
	case 7, 8:
		element, typ := w.element()
		return path + "->map(" + element + ")", "[" + typ + "]"
	}
	return path, "JSON"
}

// A selection and a rule give the same expression the same value. The test generates one project,
// whose own test evaluates the expressions over random responses.
func TestOneLanguage(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it compiles a project of its own")
	}
	w := expressionWriter{rand.New(rand.NewPCG(1, 2))}
	var expressions, types []string
	for refused := 0; len(expressions) < 150; {
		expr, typ := w.expression()
		if err := checkAll(t, &graphql.Source{Name: "s.graphqls", Input: languageSchema([]string{expr}, []string{typ})}); err != nil {
			if refused++; refused > 1000 {
				t.Fatalf("nearly every expression is rejected; the last is %s: %v", expr, err)
			}
			continue
		}
		if !slices.Contains(expressions, expr) {
			expressions, types = append(expressions, expr), append(types, typ)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"gqlgen.yml", "resolvers/resolver.go"} {
		writeFile(t, filepath.Join(dir, name), string(read(t, filepath.Join("testdata", "project", name))))
	}
	copyTree(t, filepath.Join("testdata", "language"), dir)
	writeFile(t, filepath.Join(dir, "schema", "s.graphqls"), languageSchema(expressions, types))
	list, err := json.Marshal(expressions)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "expressions.json"), string(list))
	writeModule(t, repository(t), dir)
	t.Chdir(dir)
	generate(t)
	run(t, buildTest(t))
}

// $ and @ have the same meaning everywhere. An expression that no response can be read by is
// rejected, and so is one that has no meaning.
func TestObjectAround(t *testing.T) {
	for expr, want := range map[string]string{
		"l->map(@.a)":                          "",
		"l->map($.a)":                          "write @ for the element",
		"l->map($)":                            "write @ for the element",
		"l->map(@.l->map($.a))":                "write @ for the element",
		"l->map(@ { x: $.a })":                 "",
		"l->map($.a)->first":                   "write @ for the element",
		"l->map($.a)->joinNotNull(\",\")":      "write @ for the element",
		"a->match([$, 1])":                     "a candidate is a literal, or @",
		"a->match([1, $])":                     "a literal is expected here",
		"l->map($(1))->first":                  "write the value alone",
		"l->map($args.q)->last":                "write the value alone",
		"l->map($(\"x\"))->joinNotNull(\",\")": "write the value alone",
	} {
		t.Run(expr, func(t *testing.T) {
			typ := "JSON"
			if strings.Contains(expr, "->map") && !strings.Contains(expr, ")->") {
				typ = map[bool]string{true: "[Made]", false: "[JSON]"}[strings.Contains(expr, "{")]
			} else if strings.Contains(expr, "join") {
				typ = "String"
			}
			text := `extend schema @source(name: "s")
				scalar JSON
				type Query { f(q: String): ` + typ + ` @connect(source: "s", http: {GET: "/?q={$args.q}"}, selection: """$.` + expr + `""") }
				type Made { x: JSON }
				type Mutation { g(input: [JSON!]!): Int @connect(source: "s", http: {POST: "/", body: "input: $args.input->map(@)"}, selection: "$.n") }`
			if !strings.Contains(expr, "{") {
				text = strings.Replace(text, "type Made { x: JSON }", "", 1)
			}
			err := checkAll(t, &graphql.Source{Name: "s.graphqls", Input: text})
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
	body := `extend schema @source(name: "s")
		type Query { q: Int @goField(forceResolver: true) }
		type Mutation { g(input: [In!]!): Int @connect(source: "s", http: {POST: "/", body: "input: $args.input->map($.n)"}, selection: "$.n") }
		input In { n: Int }`
	if err := checkAll(t, &graphql.Source{Name: "s.graphqls", Input: body}); err == nil || !strings.Contains(err.Error(), "write @ for the value that the method works on") {
		t.Errorf("$ in a body, which nothing is around: %v", err)
	}
}
