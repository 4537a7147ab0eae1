package binding

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// document has one operation, whose body has a list, an object and a text.
const document = `
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /things:
    post:
      operationId: add
      requestBody: {required: true, content: {application/json: {schema: {type: object, properties: {
        name: {type: string}, part: {type: object}, parts: {type: array, items: {type: object}}}}}}}
      responses: {'204': {description: Done}}
  /lists:
    post:
      operationId: addAll
      requestBody: {required: true, content: {application/json: {schema: {type: array, items: {type: object}}}}}
      responses: {'204': {description: Done}}
  /any:
    post:
      operationId: addAny
      requestBody: {required: true, content: {application/json: {}}}
      responses: {'204': {description: Done}}
`

// What a body is made of follows from the arguments, unless the binding says it.
func TestOperationBody(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.graphqls")
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "s.yaml"), []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ arguments, operation, want string }{
		{`input: Part!`, `add`, `$args.input`},
		{`thing: Part!`, `add`, `$args.thing`},
		{`name: String!`, `add`, `{name: $args.name}`},
		{`part: Part!`, `add`, `{part: $args.part}`},
		{`parts: [Part!]!, name: String`, `add`, `{name: $args.name, parts: $args.parts}`},
		{`parts: [Part!]!`, `addAll`, `$args.parts`},
		{`input: [Part!]!`, `addAll`, `$args.input`},
		{`part: Part!`, `add(body: { name: $("x") part: $args.part { name } })`, `{name: "x", part: $args.part {name: .name}}`},
		{`part: Part!`, `addAny`, `$args.part`},
		{`parts: [Part!]`, `addAny`, `$args.parts`},
		{`part: Part!`, `add(body: $args.part)`, `$args.part`},
	} {
		g, err := compile(t, file, `
			extend schema @source(name: "s", openapi: "s.yaml")
			type Query { part(like: Part): ID @goField(forceResolver: true) }
			type Mutation { add(`+c.arguments+`): Boolean @connect(source: "s", operation: "`+strings.ReplaceAll(c.operation, `"`, `\"`)+`") }
			input Part { name: String }`)
		if err != nil {
			t.Errorf("%s by (%s): %v", c.operation, c.arguments, err)
			continue
		}
		body := g.Fields[0].Call.Body
		if got := inWords(body); got != c.want {
			t.Errorf("%s by (%s): the body is %s, want %s", c.operation, c.arguments, got, c.want)
		}
		for v := range body.Variables() { // whatever is made of a variable, it keeps its own type
			if v.Own == nil || v.Own.Name() == "" {
				t.Errorf("%s by (%s): %s has no type of its own", c.operation, c.arguments, v)
			}
		}
	}
}

// inWords is a value of members and objects, for people.
func inWords(v *Value) string {
	text := ""
	switch v.Scope {
	case Current:
	case Constant:
		text = v.Literal
	default:
		text = v.String()
	}
	for _, change := range v.Then {
		switch change.Op {
		case Member:
			text += "." + change.Name
		case Object:
			members := make([]string, len(change.Fields))
			for i, f := range change.Fields {
				members[i] = f.Name + ": " + inWords(f.Of)
			}
			text = strings.TrimSpace(text + " {" + strings.Join(members, ", ") + "}")
		}
	}
	return text
}

// The parameters that tell a service of pages are found by their names and types.
func TestOperationPages(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.graphqls")
	for parameters, want := range map[string]string{
		`[{name: offset, in: query, schema: {type: integer}}, {name: limit, in: query, schema: {type: integer}}]`: "offset[$page.offset] limit[$page.size]",
		`[{name: skip, in: query}, {name: per_page, in: query}]`:                                                  "skip[$page.offset] per_page[$page.size]",
		`[{name: start, in: query}, {name: count, in: query, schema: {type: boolean}}, {name: size, in: query}]`:  "start[$page.offset] size[$page.size]",
	} {
		document := "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {/a: {get: {operationId: list, parameters: " + parameters + ", responses: {'200': {description: d}}}}}\n"
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), "s.yaml"), []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		g, err := compile(t, file, `
			extend schema @source(name: "s", openapi: "s.yaml")
			type Query { list(first: Int, after: String): Things @connect(source: "s", operation: "list", pagination: {type: OFFSET}) }
			type Things { nodes: [ID!]! }`)
		if err != nil {
			t.Errorf("%s: %v", parameters, err)
			continue
		}
		var got []string
		for _, q := range g.Fields[0].Call.Query {
			got = append(got, q.Name+parts(q.Parts))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %s, want %s", parameters, got, want)
		}
	}
}
