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

// The arguments determine the body, unless the binding writes it.
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
		for v := range body.Variables() { // a variable keeps its own type whatever its transforms are
			if v.VariableType == nil || v.VariableType.Name() == "" {
				t.Errorf("%s by (%s): %s has no type of its own", c.operation, c.arguments, v)
			}
		}
	}
}

// inWords returns a value of members and objects in short.
func inWords(v *Value) string {
	text := ""
	switch v.Scope {
	case Current:
	case Constant:
		text = v.Literal
	default:
		text = v.String()
	}
	for _, change := range v.Transforms {
		switch change.Op {
		case Member:
			text += "." + change.Name
		case Object:
			members := make([]string, len(change.Fields))
			for i, f := range change.Fields {
				members[i] = f.Name + ": " + inWords(f.Value)
			}
			text = strings.TrimSpace(text + " {" + strings.Join(members, ", ") + "}")
		}
	}
	return text
}

// The parameters for pages are found by their names and types, in any order of the document.
func TestOperationPages(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ kind, parameters, operation, want string }{
		{"OFFSET", "offset: integer, limit: integer", "call", "limit=$page.size offset=$page.offset"},
		{"OFFSET", "from: string date, to: string date, limit: integer, offset: integer", "call", "limit=$page.size offset=$page.offset"},
		{"OFFSET", "from: string date-time, size: integer, skip: integer", "call", "size=$page.size skip=$page.offset"},
		{"OFFSET", "from: integer, size: integer", "call", "from=$page.offset size=$page.size"},
		{"OFFSET", "from: integer int64, to: integer int64, limit: integer", "call", "! the call does not carry the beginning of the page"},
		{"OFFSET", "from: integer int64, to: integer int64, limit: integer", "call(from: $args.after)", "from=$page.offset limit=$page.size"},
		{"OFFSET", "start: integer, end: integer, limit: integer, offset: integer", "call", "limit=$page.size offset=$page.offset"},
		{"OFFSET", "_start: integer, _limit: integer", "call", "_limit=$page.size _start=$page.offset"},
		{"OFFSET", "skip:, per_page:", "call", "per_page=$page.size skip=$page.offset"},
		{"OFFSET", "start:, count: boolean, size:", "call", "size=$page.size start=$page.offset"},
		{"OFFSET", "start: integer, from: integer, limit: integer", "call", "! the beginning of a page could be the query parameter start and the query parameter from of call"},
		{"OFFSET", "start: integer, from: integer, limit: integer", "call(from: $args.after)", "from=$page.offset limit=$page.size"},
		{"OFFSET", "start: integer, from:, limit: integer", "call", "limit=$page.size start=$page.offset"},
		{"OFFSET", "offset: string, limit: integer", "call", "! the call does not carry the beginning of the page"},
		{"OFFSET", "offset: integer, pageSize: integer, page_size: integer", "call", "! write call(pageSize: $args.first) or call(page_size: $args.first)"},
		{"OFFSET", "offset: integer, pageSize: integer, page_size: integer", "call(page_size: $args.first)", "offset=$page.offset page_size=$page.size"},
		{"OFFSET", "offset: integer, top: integer, limit: integer", "call", "limit=$page.size offset=$page.offset"},
		{"OFFSET", "offset: integer, count: integer, limit: integer", "call(limit: 5)", "! the call does not carry the size of the page"},
		{"OFFSET", "$skip: integer, $top: integer, $count: boolean", "call", "$skip=$page.offset $top=$page.size"},
		{"OFFSET", "'page[offset]': integer, 'page[limit]': integer", "call", "page[limit]=$page.size page[offset]=$page.offset"},
		{"PAGE_NUMBER", "from: string date, page: integer, pageSize: integer", "call", "page=$page.page pageSize=$page.size"},
		{"PAGE_NUMBER", "page: object, 'page[number]': integer, 'page[size]': integer", "call", "page[number]=$page.page page[size]=$page.size"},
		{"PAGE_NUMBER", "PageNumber: integer, PageSize: integer, Page: string", "call", "PageNumber=$page.page PageSize=$page.size"},
		{"PAGE_NUMBER", "pageNumber: integer, page_index: integer, limit: integer", "call", "! the beginning of a page could be"},
		{"PAGE_NUMBER", "pageNumber: integer, page: integer, per_page: integer", "call", "page=$page.page per_page=$page.size"},
		{"NEXT_CURSOR", "after: string date-time, cursor: string, limit: integer", "call", "cursor=$page.cursor limit=$page.size"},
		{"NEXT_CURSOR", "after: string date-time, limit: integer", "call", "! the call does not carry the beginning of the page"},
		{"NEXT_CURSOR", "starting_after: string, ending_before: string, limit: integer", "call", "limit=$page.size starting_after=$page.cursor"},
		{"NEXT_CURSOR", "pageToken: string, maxResults: integer, cursor: integer", "call", "maxResults=$page.size pageToken=$page.cursor"},
		{"NEXT_CURSOR", "next: boolean, page_token: string, page_size: integer", "call", "page_size=$page.size page_token=$page.cursor"},
		{"NEXT_CURSOR", "after: string, pageToken: string, limit: integer", "call", "! write call(after: $args.after) or call(pageToken: $args.after)"},
		{"NEXT_CURSOR", "cursor: string, first: integer, last: integer", "call", "cursor=$page.cursor first=$page.size"},
	} {
		parameters := ""
		for p := range strings.SplitSeq(c.parameters, ", ") {
			name, schema, _ := strings.Cut(p, ":")
			kind, format, _ := strings.Cut(strings.TrimSpace(schema), " ")
			parameters += "{name: " + name + ", in: query"
			if kind != "" {
				parameters += ", schema: {type: " + kind
				if format != "" {
					parameters += ", format: " + format
				}
				parameters += "}"
			}
			parameters += "}, "
		}
		next := map[bool]string{true: `, nextCursor: "$.next"`}[c.kind == "NEXT_CURSOR"]
		g, err := compileWith(t, dir, oneOperation("/a", parameters, ""), `
			type Query { list(first: Int, after: String): Things @connect(source: "s", operation: "`+c.operation+`", pagination: {type: `+c.kind+next+`}) }
			type Things { nodes: [ID!]! }`)
		if want, isFault := strings.CutPrefix(c.want, "! "); isFault {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %s: got %v, want %q", c.kind, c.parameters, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s, %s: %v", c.kind, c.parameters, err)
			continue
		}
		if got := strings.ReplaceAll(callInWords(&g.Fields[0].Call), "query.", ""); got != c.want {
			t.Errorf("%s, %s: got %s, want %s", c.kind, c.parameters, got, c.want)
		}
	}
}

// Two operations with the same name are both refused.
func TestOperationNamedTwice(t *testing.T) {
	const twice = `
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /users: {get: {operationId: users, responses: {'200': {description: All, content: {application/json: {}}}}}}
  /users/all: {delete: {operationId: users, responses: {'204': {description: Done}}}}
`
	_, err := compileWith(t, t.TempDir(), twice, `
		type Query { users: [ID] @connect(source: "s", operation: "users") }`)
	if err == nil || !strings.Contains(err.Error(), `two operations are called "users"`) || !strings.Contains(err.Error(), "(GH029)") || strings.Count(err.Error(), "s.yaml:") != 2 {
		t.Errorf("got %v", err)
	}
}
