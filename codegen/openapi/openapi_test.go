package openapi

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParameters(t *testing.T) {
	d := mustParse(t, "3.2.0", `paths:
  /things/{id}:
    parameters:
      - {name: id, in: path, schema: {type: string}}
      - {name: v, in: query, schema: {type: string}}
    query:
      operationId: find
      parameters:
        - {name: v, in: query, required: true, explode: false, schema: {type: integer}}
        - {name: m, in: path, style: matrix, explode: true}
        - {name: s, in: query, style: spaceDelimited, schema: {type: array}}
        - {name: d, in: query, style: deepObject, schema: {type: object}}
        - {name: X-A, in: header, allowReserved: true}
        - {name: Accept, in: header}
        - {name: c, in: cookie}
        - {name: k, in: cookie, style: cookie}
        - {name: j, in: query, content: {application/json: {schema: {type: object}}}}
        - {name: q, in: querystring, content: {application/x-www-form-urlencoded: {schema: {type: object}}}}
        - {in: query}
        - {$ref: '#/components/parameters/Gone'}
    additionalOperations:
      COPY: {operationId: copy}
`)
	var got []string
	for _, p := range d.Operation("find").Parameters {
		got = append(got, fmt.Sprintf("%d %s %s %q explode=%v required=%v media=%q", p.Line, p.In, p.Name, p.Style, p.Explode, p.Required, p.Media))
	}
	want := []string{
		`6 path id "simple" explode=false required=true media=""`,
		`11 query v "form" explode=false required=true media=""`,
		`12 path m "matrix" explode=true required=true media=""`,
		`13 query s "spaceDelimited" explode=false required=false media=""`,
		`14 query d "deepObject" explode=false required=false media=""`,
		`15 header X-A "simple" explode=false required=false media=""`,
		`17 cookie c "form" explode=true required=false media=""`,
		`18 cookie k "cookie" explode=true required=false media=""`,
		`19 query j "" explode=false required=false media="application/json"`,
		`20 querystring q "" explode=false required=false media="application/x-www-form-urlencoded"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if d.Operation("find").Parameter("header", "x-a") == nil {
		t.Error("names of headers have no case")
	}
	if d.Operation("find").Method != "QUERY" || d.Operation("copy").Method != "COPY" || len(d.Operation("copy").Parameters) != 2 {
		t.Error("the methods of 3.2 are read")
	}
	wantWarnings := []string{
		"api.yaml:21: a parameter needs name and in",
		"api.yaml:22: there is no #/components/parameters/Gone; correct the reference, or add what it names",
	}
	if diff := cmp.Diff(wantWarnings, warnings(d)); diff != "" {
		t.Error(diff)
	}
}

// schemaOf parses one schema with some definitions beside it.
func schemaOf(t testing.TB, version, schema, definitions string) (*Schema, *Document) {
	t.Helper()
	d := mustParse(t, version, `paths:
  /x:
    get: {operationId: x, responses: {'200': {content: {application/json: {schema: `+schema+`}}}}}
components:
  schemas:
    Pet: {type: object, required: [name], properties: {name: {type: string}, kind: {type: string}}}
    NullablePet: {type: [object, 'null'], properties: {name: {type: string}}}
    Old: {type: object, nullable: true, properties: {name: {type: string}}}
`+definitions)
	return d.Operation("x").Success().JSON().Schema, d
}

func TestNull(t *testing.T) {
	for _, test := range []struct {
		schema string
		want   bool
	}{
		{"{type: string}", false},
		{"{type: string, nullable: true}", true},
		{"{type: string, nullable: false}", false},
		{"{type: string, x-nullable: true}", true},
		{"{type: [string, 'null']}", true},
		{"{type: [string, null]}", true},
		{"{type: 'null'}", true},
		{"{}", false},
		{"{enum: [a, null]}", true},
		{"{type: string, enum: [a, null]}", false},
		{"{const: null}", true},
		{"{anyOf: [{type: string}, {type: 'null'}]}", true},
		{"{oneOf: [{$ref: '#/components/schemas/Pet'}, {type: 'null'}]}", true},
		{"{oneOf: [{type: string}, {type: integer}, {type: 'null'}]}", true},
		{"{oneOf: [{type: string}, {const: null}]}", true},
		{"{oneOf: [{type: string}, {enum: [null]}]}", true},
		{"{oneOf: [{type: string}, {type: [integer, 'null']}]}", true},
		{"{oneOf: [{type: string}, {type: integer}]}", false},
		{"{oneOf: [{type: string}, {oneOf: [{type: integer}, {type: boolean, nullable: true}]}]}", true},
		{"{$ref: '#/components/schemas/Pet'}", false},
		{"{$ref: '#/components/schemas/NullablePet'}", true},
		{"{$ref: '#/components/schemas/Old'}", true},
		{"{$ref: '#/components/schemas/Pet', nullable: true}", true},
		{"{$ref: '#/components/schemas/NullablePet', type: object}", false},
		{"{allOf: [{$ref: '#/components/schemas/Pet'}], nullable: true}", true},
		{"{allOf: [{$ref: '#/components/schemas/Old'}]}", true},
		{"{allOf: [{$ref: '#/components/schemas/Old'}, {$ref: '#/components/schemas/Pet'}]}", false},
		{"{allOf: [{$ref: '#/components/schemas/Old'}, {description: a remark}]}", true},
	} {
		s, d := schemaOf(t, "3.1.0", test.schema, "")
		if s.Nullable != test.want || len(warnings(d)) > 0 {
			t.Errorf("%s: nullable is %v, warnings %q", test.schema, s.Nullable, warnings(d))
		}
		if s.Nullable != (s.NullAt.Line > 0) {
			t.Errorf("%s: null is said at %s", test.schema, s.NullAt)
		}
	}
}

func TestSchemaWords(t *testing.T) {
	for _, test := range []struct{ schema, want string }{
		{"true", "anything"},
		{"{type: integer, format: int64}", "integer (int64)"},
		{"{type: [string, integer]}", "string or integer"},
		{"{type: [number, integer]}", "number"},
		{"{properties: {a: {}}}", "object"},
		{"{items: {}}", "array"},
		{"{enum: [a, 1]}", "string or integer"},
		{"{const: yes please}", "string"},
		{"{type: string, minimum: nonsense, enum: 5, maxLength: x, required: 4, properties: [1]}", "string"},
		{"{type: 7}", "anything"},
		{"{oneOf: [{type: string}, {type: integer}]}", "one of several"},
		{"{$ref: '#/components/schemas/Nope'}", "anything"},
		{"{additionalProperties: {type: string}}", "object"},
		{"{allOf: [{type: number}, {type: integer, format: int32}]}", "integer (int32)"},
		{"{allOf: [{type: integer}, {type: number}]}", "integer"},
		{"{allOf: [{type: [string, integer]}, {type: [boolean, string]}]}", "string"},
		{"{allOf: [{type: string}, {type: boolean}]}", "boolean"},
	} {
		if s, _ := schemaOf(t, "3.1.0", test.schema, ""); s.String() != test.want {
			t.Errorf("%s is %q, want %q", test.schema, s, test.want)
		}
	}
}

func TestMerge(t *testing.T) {
	s, d := schemaOf(t, "3.1.0", "{$ref: '#/components/schemas/Dog'}", `
    Dog:
      description: a dog
      allOf:
        - $ref: '#/components/schemas/Pet'
        - {type: object, required: [barks, kind], properties: {barks: {type: boolean}, kind: {const: dog}}}
      properties: {owner: {$ref: '#/components/schemas/Owner', readOnly: true}}
    Owner: {type: object, properties: {dogs: {type: array, items: {$ref: '#/components/schemas/Dog'}}}}
`)
	var got []string
	for _, p := range s.Properties {
		got = append(got, describe(p))
	}
	want := []string{
		"api.yaml:8 required string",
		"api.yaml:16 required string [dog]",
		"api.yaml:16 required boolean",
		"api.yaml:17 object Owner readOnly",
	}
	if diff := cmp.Diff(want, got); diff != "" || len(warnings(d)) > 0 {
		t.Error(diff, warnings(d))
	}
	if s.Name != "Dog" || s.Line != 13 {
		t.Errorf("%q at %s", s.Name, s.Place)
	}
	if dogs := s.Property("owner").Schema.Property("dogs"); dogs.Schema.Items != s {
		t.Error("the owner's dogs are not Dog itself")
	}
	pet, _ := schemaOf(t, "3.1.0", "{$ref: '#/components/schemas/Pet'}", "")
	if pet.Property("kind").Required {
		t.Error("merging changed a part")
	}
}

// A schema is complete whichever reference reaches it first.
func TestMergeInACircle(t *testing.T) {
	definitions := `
    A: {allOf: [{$ref: '#/components/schemas/B'}, {properties: {a: {type: string}}}]}
    B: {type: object, properties: {b: {type: string}, child: {$ref: '#/components/schemas/A'}}}
`
	for _, start := range []string{"A", "B"} {
		s, d := schemaOf(t, "3.1.0", "{$ref: '#/components/schemas/"+start+"'}", definitions)
		child := s.Property("child").Schema
		if child.Property("a") == nil || child.Property("b") == nil || child.Property("child").Schema != child || len(warnings(d)) > 0 {
			t.Errorf("from %s: %v, %q", start, child.PropertyNames(), warnings(d))
		}
	}
}

func TestSubtypesOfAChoice(t *testing.T) {
	s, d := schemaOf(t, "3.0.3", "{$ref: '#/components/schemas/Base'}", `
    Base:
      type: object
      oneOf: [{$ref: '#/components/schemas/One'}, {$ref: '#/components/schemas/Two'}]
      discriminator: {propertyName: t, mapping: {uno: One, due: '#/components/schemas/Two', tre: '#/components/schemas/Lost'}}
      properties: {t: {type: string}}
    One: {allOf: [{$ref: '#/components/schemas/Base'}, {properties: {one: {type: string}}}]}
    Two: {allOf: [{$ref: '#/components/schemas/Base'}, {properties: {two: {type: string}}}]}
`)
	if len(s.OneOf) != 2 || len(s.OneOf[0].OneOf) != 0 || s.OneOf[0].Property("t") == nil || s.OneOf[0].Property("one") == nil {
		t.Errorf("Base: %+v", s)
	}
	if c := s.Discriminator.Choices; len(c) != 2 || c[0].Value != "uno" || c[0].Schema.Name != "One" || c[1].Line != 15 {
		t.Errorf("choices: %+v", c)
	}
	if len(warnings(d)) != 1 || !strings.HasPrefix(warnings(d)[0], "api.yaml:15: there is no #/components/schemas/Lost") {
		t.Errorf("warnings: %q", warnings(d))
	}
}

func TestEndlessDocumentsEnd(t *testing.T) {
	for _, definitions := range []string{
		"    X: {$ref: '#/components/schemas/X'}",
		"    X: {$ref: '#/components/schemas/Y'}\n    Y: {$ref: '#/components/schemas/X'}",
		"    X: {allOf: [{$ref: '#/components/schemas/X'}], properties: {a: {type: string}}}",
		"    X: {oneOf: [{$ref: '#/components/schemas/X'}, {type: 'null'}]}",
		"    X: {$ref: '#/components/schemas/X', nullable: true}",
	} {
		s, d := schemaOf(t, "3.1.0", "{$ref: '#/components/schemas/X'}", definitions)
		if len(warnings(d)) != 1 || !strings.Contains(warnings(d)[0], "itself") {
			t.Errorf("%s: %q", definitions, warnings(d))
		}
		s.Property("nothing")
		s.Leaves()
	}
	s, _ := schemaOf(t, "3.1.0", "{$ref: '#/components/schemas/X'}", "    X: {oneOf: [{$ref: '#/components/schemas/X'}, {type: string}]}")
	if s.Property("nothing") != nil || len(s.Leaves()) != 1 {
		t.Error("a choice among itself and a string is a string")
	}
}

// Thousands of schemas within schemas neither hang the reader nor overflow the stack.
func TestDeepNestingEnds(t *testing.T) {
	const depth = 2000
	text := strings.Repeat("{allOf: [", depth) + "{type: string}" + strings.Repeat("]}", depth)
	if s, _ := schemaOf(t, "3.1.0", text, ""); !s.AllowsType("string") {
		t.Errorf("it is %s", s)
	}
}

func TestYAMLAliasesAndMerges(t *testing.T) {
	d := mustParse(t, "3.1.0", `x-common: &common {type: object, properties: {a: &text {type: string}, b: *text}}
paths:
  /x: &item
    get: {operationId: x, responses: {200: {content: {application/json: {schema: {<<: *common, required: [b], description: merged}}}}}}
  /y:
    <<: *item
    post: {operationId: y}
`)
	s := d.Find("GET", "/x").Success().JSON().Schema
	if !s.Property("b").Required || s.Property("a").Schema != s.Property("b").Schema {
		t.Errorf("%+v", s)
	}
	if d.Find("GET", "/y") == nil || d.Find("POST", "/y") == nil {
		t.Error("an item that merges another has its operations")
	}
}

func TestManyFiles(t *testing.T) {
	d := mustRead(t, "testdata/multi/api.yaml")
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, operationIDs(d)); diff != "" {
		t.Error(diff)
	}
	a, b := d.Operation("a"), d.Operation("b")
	if a.Parameters[0].Schema != b.Parameters[0].Schema || *a.Parameters[0].Schema.Maximum != 10 {
		t.Error("both have the same limit")
	}
	thing := a.Success().JSON().Schema
	if thing != b.Success().JSON().Schema || thing.Property("next").Schema != thing || thing.Name != "Thing" {
		t.Errorf("both answer with the same Thing: %+v", thing)
	}
	if want := (Place{filepath.FromSlash("testdata/multi/sub/common.yaml"), 6, 3}); thing.Properties[0].Line != want.Line && thing.File != want.File {
		t.Errorf("Thing is at %s", thing.Place)
	}
	if d.Operation("c").Success() == nil || !d.Operation("c").Success().JSON().Schema.AllowsAny() {
		t.Error("what a missing file describes may be anything")
	}
	if len(warnings(d)) != 2 || !strings.Contains(warnings(d)[0], "api.yaml:18: there is no #/components/responses/Missing") || !strings.Contains(warnings(d)[1], "api.yaml:23: ./nowhere.yaml#/X cannot be read") {
		t.Errorf("warnings: %q", warnings(d))
	}
	text, err := os.ReadFile("testdata/multi/api.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if alone, err := Parse("testdata/multi/api.yaml", text); err != nil || len(warnings(alone)) != 5 || alone.Operation("b") == nil {
		t.Errorf("a text alone reads no other file: %v, %q", err, warnings(alone))
	}
}

func TestWholeFilesAndOddPointers(t *testing.T) {
	answer := mustRead(t, "testdata/multi/api.yaml").Operation("d").Responses[0]
	whole := answer.JSON().Schema
	if whole.Name != "Whole" || !whole.Closed || filepath.Base(whole.File) != "Whole.yaml" {
		t.Errorf("%q of %s, closed: %v", whole.Name, whole.Place, whole.Closed)
	}
	for name, want := range map[string]string{"a": "string", "b": "number", "c": "object"} {
		if got := whole.Property(name).Schema.String(); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if name := whole.Property("b").Schema.Name; name != "odd name" {
		t.Errorf("b is named %q", name)
	}
	if m := whole.Property("c").Schema.MemberSchema(); m == nil || !m.AllowsType("boolean") {
		t.Error("c is a map of booleans")
	}
	if h := answer.Headers; len(h) != 2 || *h[0].Schema.Maximum != 9 || !h[1].Schema.AllowsType("integer") {
		t.Errorf("headers: %+v", h)
	}
}

func TestWarnings(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"paths: [1]", "api.yaml:3: paths should be a mapping from paths such as /users to operations"},
		{"paths: {/a: {get: 5}}", "api.yaml:3: get of /a should be a mapping"},
		{"paths: {/a: {get: {operationId: x}, put: {operationId: x}}}", `api.yaml:3: the operationId "x" is taken by api.yaml:3; give each operation its own`},
		{"paths: {/a: {$ref: 'https://example.com/a.yaml'}}", "api.yaml:3: https://example.com/a.yaml is not fetched; save it as a file and refer to that"},
		{"paths: {/a: {get: {parameters: [{$ref: '#/a b'}]}}}", "api.yaml:3: there is no #/a b; correct the reference, or add what it names"},
	} {
		if d := mustParse(t, "3.1.0", test.text); len(warnings(d)) != 1 || warnings(d)[0] != test.want {
			t.Errorf("%s: %q", test.text, warnings(d))
		}
	}
}

func TestRefused(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "x.yaml:1: the file is empty; it should hold an OpenAPI document"},
		{" \n", "x.yaml:1: the file is empty; it should hold an OpenAPI document"},
		{"text", "x.yaml:1: the file is no OpenAPI document; it should begin with openapi: 3.1.0, or swagger: \"2.0\""},
		{"\n- a", "x.yaml:2: the file is no OpenAPI document; it should begin with openapi: 3.1.0, or swagger: \"2.0\""},
		{"paths: {}", "x.yaml:1: the file does not say its version; add openapi: 3.1.0, or name another file"},
		{"info: {}\nopenapi: 4.0.0", "x.yaml:2: openapi \"4.0.0\" cannot be read; known are 3.0, 3.1, 3.2, and Swagger 2.0"},
		{"swagger: '1.2'", "x.yaml:1: swagger \"1.2\" cannot be read; known are 3.0, 3.1, 3.2, and Swagger 2.0"},
		{"openapi: 3.1.0\npaths: a: b", "x.yaml:2: the file is neither YAML nor JSON: "},
	} {
		_, err := Parse("x.yaml", []byte(test.text))
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q: %v", test.text, err)
		}
	}
	if _, err := Read("testdata/none.yaml"); err == nil || !strings.Contains(err.Error(), "testdata/none.yaml") {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Read("testdata"); err == nil || !strings.Contains(err.Error(), "testdata is not a file") {
		t.Errorf("a folder: %v", err)
	}
}

func TestJSONEscapes(t *testing.T) {
	d, err := Parse("x.json", []byte(`{"openapi":"3.0.0","info":{"title":"\ud83d\ude00 a\/b"},"paths":{"\/a":{"get":{"operationId":"x"}}}}`))
	if err != nil || d.Find("get", "/a") == nil {
		t.Errorf("%v", err)
	}
}

func TestSuccess(t *testing.T) {
	for _, test := range []struct{ responses, want string }{
		{"{}", ""},
		{"{'204': {description: none}}", ""},
		{"{'404': {content: {application/json: {}}}}", ""},
		{"{'200': {content: {text/html: {}}}}", ""},
		{"{default: {content: {application/json: {}}}}", "default"},
		{"{default: {content: {application/json: {}}}, 2XX: {content: {application/json: {}}}}", "2XX"},
		{"{2XX: {content: {application/json: {}}}, 201: {content: {application/vnd.api+json: {}}}}", "201"},
		{"{'201': {content: {application/json: {}}}, '200': {content: {'application/json; charset=utf-8': {}}}}", "200"},
		{"{'200': {content: {text/csv: {}, '*/*': {}}}}", "200"},
		{"{'200': {content: {application/jsonl: {}}}, '202': {content: {text/json: {}}}}", "202"},
	} {
		d := mustParse(t, "3.1.0", "paths: {/a: {get: {operationId: a, responses: "+test.responses+"}}}")
		got := ""
		if r := d.Operation("a").Success(); r != nil {
			got = r.Status
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.responses, got, test.want)
		}
	}
}

func TestFind(t *testing.T) {
	d := mustParse(t, "3.1.0", `paths:
  /users: {get: {}}
  /users/{id}: {get: {}, patch: {}}
  /users/me: {get: {}}
  /{any}/me: {get: {}}
  /files/{name}.json: {get: {}}
  /files/{from}-{to}: {get: {}}
  /users/{id}/orders/{n}: {get: {}}
`)
	for _, test := range []struct{ method, path, want string }{
		{"GET", "/users", "/users"},
		{"get", "/users/{}", "/users/{id}"},
		{"GET", "/users/{$args.id}", "/users/{id}"},
		{"GET", "/users/u1", "/users/{id}"},
		{"GET", "/users/me", "/users/me"},
		{"GET", "/shops/me", "/{any}/me"},
		{"GET", "/users/", ""},
		{"GET", "/users/{}/", ""},
		{"PUT", "/users/{}", ""},
		{"PATCH", "/users/{}", "/users/{id}"},
		{"GET", "/files/{}.json", "/files/{name}.json"},
		{"GET", "/files/{}.xml", ""},
		{"GET", "/files/{}-{}", "/files/{from}-{to}"},
		{"GET", "/users/{}/orders/{}", "/users/{id}/orders/{n}"},
		{"GET", "/{}", ""},
	} {
		got := ""
		if o := d.Find(test.method, test.path); o != nil {
			got = o.Path
		}
		if got != test.want {
			t.Errorf("%s %s: %q, want %q", test.method, test.path, got, test.want)
		}
	}
	if d.Operation("") != nil {
		t.Error("an operation without an id is not found by none")
	}
}

func FuzzParse(f *testing.F) {
	for _, doc := range documents[:3] {
		text, err := os.ReadFile(doc.file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, seed := range []string{
		"openapi: 3.1.0\npaths: {/a: &x {get: {parameters: [*x], responses: {200: {content: {application/json: {schema: &s {allOf: [*s], properties: {a: *s}}}}}}}}}",
		"swagger: '2.0'\npaths: {/a: {post: {parameters: [{in: body, name: b, schema: {$ref: '#/definitions/D'}}], responses: {200: {schema: {type: array}}}}}}\ndefinitions: {D: {discriminator: k, properties: {k: {}}}}",
		"openapi: 3.0.0\nx: &x {<<: [*x, *x]}\npaths: {<<: *x}",
		"swagger: '2.0'\npaths: {/a: &x {get: {x-y: *x}}}",
		`{"swagger":"2.0","paths":{"\/a":null}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse("x.yaml", text)
		if err != nil {
			return
		}
		for _, o := range allOperations(d) {
			if r := o.Success(); r != nil {
				visit(r.JSON().Schema, 20)
			}
			d.Find(o.Method, o.Path)
		}
	})
}

// visit calls every method of a schema.
func visit(s *Schema, depth int) {
	if s == nil || depth == 0 {
		return
	}
	Type{Name: "Int", NonNull: true}.ReadMismatch(s)
	Type{Name: "Int"}.WriteMismatch(s)
	for _, name := range s.PropertyNames() {
		if p := s.Property(name); p == nil || p.Schema == nil {
			panic("a listed property is not found")
		}
	}
	visit(s.Items, depth-1)
	visit(s.Additional, depth-1)
}

func BenchmarkRead(b *testing.B) {
	for _, doc := range documents {
		b.Run(filepath.Base(doc.file), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustRead(b, doc.file)
			}
		})
	}
}

// operationIDs returns the operationIds in the order of the document.
func operationIDs(d *Document) []string {
	var ids []string
	for _, o := range d.Operations {
		if o.ID != "" {
			ids = append(ids, o.ID)
		}
	}
	return ids
}
