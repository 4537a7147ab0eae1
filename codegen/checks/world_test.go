package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// compare checks a schema against a document. It returns the findings, one in a line without the
// names of directories.
func compare(t testing.TB, document, schema string) (findings []string, report Report) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "api.yaml"), []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := binding.Load(&ast.Source{Name: filepath.Join(dir, "s.graphqls"), Input: schema})
	if err != nil {
		t.Fatal(err)
	}
	graph, broken := binding.Compile(loaded, binding.CompileOptions{})
	report, unfit := CompareDocuments(loaded, graph)
	if err := binding.MergeFaults(broken, unfit); err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			findings = append(findings, strings.ReplaceAll(line, dir+"/", ""))
		}
	}
	return findings, report
}

// answers returns a document whose only call answers with a schema.
func answers(version, schema, definitions string) string {
	if version == "2.0" {
		return fmt.Sprintf("swagger: '2.0'\npaths: {/x: {get: {responses: {200: {schema: %s}}}}}\ndefinitions:\n%s", schema, definitions)
	}
	return fmt.Sprintf("openapi: %s\npaths: {/x: {get: {responses: {200: {content: {application/json: {schema: %s}}}}}}}\ncomponents:\n schemas:\n%s", version, schema, definitions)
}

const source = `extend schema @source(name: "a", openapi: "api.yaml")` + "\n"

// Each row is a way in which documents tell the branches of a choice apart. The types are told apart
// by those values, and their fields are compared with the right branch: the field radius fits the
// circle alone.
func TestDiscriminators(t *testing.T) {
	const circle, square = "{type: object, required: [kind], properties: {kind: %s, radius: {type: integer}}}", "{type: object, required: [kind], properties: {kind: %s, side: {type: integer}}}"
	branch := func(text, kind string) string { return fmt.Sprintf(text, kind) }
	ref := func(name string) string { return "{$ref: '#/components/schemas/" + name + "'}" }
	refs := "oneOf: [" + ref("Circle") + ", " + ref("Square") + "]"
	two := func(a, b string) string {
		return "  Circle: " + branch(circle, a) + "\n  Square: " + branch(square, b) + "\n"
	}
	base := "  Shape: {type: object, required: [kind], properties: {kind: {type: string, enum: [circle, square]}}}\n"
	extends := "  Circle: {allOf: [" + ref("Shape") + ", {properties: {radius: {type: integer}}}]}\n  Square: {allOf: [" + ref("Shape") + ", {properties: {side: {type: integer}}}]}\n"
	const byKind = ", discriminator: {propertyName: kind}"
	for name, c := range map[string]struct{ schema, definitions, mapping string }{
		"own enum":                  {"{" + refs + byKind + "}", two("{type: string, enum: [circle]}", "{type: string, enum: [square]}"), `{circle: "Circle", square: "Square"}`},
		"own const":                 {"{" + refs + byKind + "}", two("{const: circle}", "{const: square}"), `{circle: "Circle", square: "Square"}`},
		"choice of consts":          {"{" + refs + byKind + "}", two("{oneOf: [{const: circle}, {const: round}]}", "{const: square}"), `{circle: "Circle", round: "Circle", square: "Square"}`},
		"several values":            {"{" + refs + byKind + "}", two("{enum: [circle, round]}", "{enum: [square]}"), `{circle: "Circle", round: "Circle", square: "Square"}`},
		"integers":                  {"{" + refs + byKind + "}", two("{const: 1}", "{const: 2}"), `[{value: "1", type: "Circle"}, {value: "2", type: "Square"}]`},
		"booleans":                  {"{" + refs + byKind + "}", two("{const: true}", "{enum: [false]}"), `[{value: "true", type: "Circle"}, {value: "false", type: "Square"}]`},
		"no values":                 {"{" + refs + byKind + "}", two("{type: string}", "{type: string}"), `{Circle: "Circle", Square: "Square"}`},
		"mapping":                   {"{oneOf: [" + ref("Circle") + ", " + ref("Square") + "], discriminator: {propertyName: kind, mapping: {c: Circle, s: '#/components/schemas/Square'}}}", two("{type: string}", "{type: string}"), `{c: "Circle", s: "Square"}`},
		"mapping against own enums": {"{oneOf: [" + ref("Circle") + ", " + ref("Square") + "], discriminator: {propertyName: kind, mapping: {C: Circle, square: Square}}}", two("{enum: [circle]}", "{enum: [square]}"), `{circle: "Circle", square: "Square"}`},
		"mapping by file":           {"{oneOf: [" + ref("Circle") + ", " + ref("Square") + "], discriminator: {propertyName: kind, mapping: {c: 'api.yaml#/components/schemas/Circle', s: './api.yaml#/components/schemas/Square'}}}", two("{type: string}", "{type: string}"), `{c: "Circle", s: "Square"}`},
		"inline branches":           {"{oneOf: [" + branch(circle, "{enum: [circle]}") + ", " + branch(square, "{enum: [square]}") + "]" + byKind + "}", "  X: {}", `{circle: "Circle", square: "Square"}`},
		"no discriminator":          {"{anyOf: [" + ref("Circle") + ", " + ref("Square") + "]}", two("{const: circle}", "{const: square}"), `{circle: "Circle", square: "Square"}`},
		"nothing, by names":         {"{anyOf: [" + ref("Circle") + ", " + ref("Square") + "]}", two("{type: string}", "{type: string}"), `{c: "Circle", s: "Square"}`},
		"nullable":                  {"{oneOf: [" + ref("Circle") + ", " + ref("Square") + ", {type: 'null'}]" + byKind + "}", two("{const: circle}", "{const: square}"), `{circle: "Circle", square: "Square"}`},
		"whole enum in the base":    {"{" + refs + byKind + "}", base + extends, `{circle: "Circle", square: "Square"}`},
		"inherited by allOf":        {"{" + refs + byKind + "}", "  K: {type: object, required: [kind], properties: {kind: {const: circle}}}\n  Circle: {allOf: [" + ref("K") + ", {properties: {radius: {type: integer}}}]}\n  Square: " + branch(square, "{const: square}") + "\n", `{circle: "Circle", square: "Square"}`},
		"nested":                    {"{oneOf: [" + ref("Round") + ", " + ref("Square") + "]" + byKind + "}", two("{const: circle}", "{const: square}") + "  Round: {oneOf: [" + ref("Circle") + ", " + branch(circle, "{const: ring}") + "]" + byKind + "}\n", `{circle: "Circle", ring: "Circle", square: "Square"}`},
		"beside the choice":         {"{type: object, required: [kind], properties: {kind: {type: string}}, " + refs + byKind + "}", "  Circle: {properties: {radius: {type: integer}}}\n  Square: {properties: {side: {type: integer}}}\n", `{Circle: "Circle", Square: "Square"}`},
		"subtypes":                  {ref("Shape"), "  Shape: {type: object, required: [kind], discriminator: {propertyName: kind}, properties: {kind: {type: string}}}\n" + extends, `{Circle: "Circle", Square: "Square"}`},
		"subtypes of subtypes":      {ref("Shape"), "  Shape: {type: object, required: [kind], discriminator: {propertyName: kind}, properties: {kind: {type: string}}}\n" + extends + "  Tile: {allOf: [" + ref("Square") + "]}\n", `{Circle: "Circle", Square: "Square", Tile: "Square"}`},
	} {
		t.Run(name, func(t *testing.T) {
			document := answers("3.1.0", c.schema, c.definitions)
			schema := func(mapping, circle string) string {
				return source + `type Query { shape: Shape @connect(source: "a", http: {GET: "/x"}) }
					union Shape @discriminator(field: "kind", mapping: ` + mapping + `) = Circle | Square
					type Circle { ` + circle + ` }
					type Square { side: Int }`
			}
			if findings, report := compare(t, document, schema(c.mapping, "radius: Int")); len(findings) > 0 || len(report.Warnings) > 0 {
				t.Errorf("a right schema has findings: %q, warnings %q", findings, report.Warnings)
			}
			if findings, _ := compare(t, document, schema(c.mapping, "side: Int")); len(findings) == 0 || strings.Count(strings.Join(findings, " "), "GH125") != len(findings) {
				t.Errorf("a field of another branch: %q", findings)
			}
			if name == "nothing, by names" {
				return
			}
			if findings, _ := compare(t, document, schema(`{x: "Circle", y: "Square"}`, "radius: Int")); len(findings) == 0 || !strings.Contains(findings[len(findings)-1]+findings[0], "GH153") {
				t.Errorf("other values: %q", findings)
			}
		})
	}
}

// The findings about a bound field whose document says one thing in many ways. In each group the
// ways mean the same.
func TestEqualMeanings(t *testing.T) {
	const pet = "  Pet: {type: object, required: [name], properties: {name: {type: string}}}\n"
	const old = "  Pet: {type: object, required: [name], properties: {name: {type: string}}}\n  Null: {type: 'null'}\n"
	ref := func(version string) string {
		if version == "2.0" {
			return "$ref: '#/definitions/Pet'"
		}
		return "$ref: '#/components/schemas/Pet'"
	}
	type way struct{ version, schema string }
	for name, group := range map[string]struct {
		field, want string
		ways        []way
	}{
		"null": {"Pet!", "GH122", []way{
			{"3.0.3", "{allOf: [{REF}, {nullable: true}]}"},
			{"3.0.3", "{allOf: [{REF}], nullable: true}"},
			{"3.0.3", "{REF, nullable: true}"},
			{"3.0.3", "{allOf: [{nullable: true}, {REF}]}"},
			{"3.0.3", "{allOf: [{REF}, {type: object, nullable: true}]}"},
			{"3.0.3", "{oneOf: [{REF}, {nullable: true}]}"},
			{"3.0.3", "{anyOf: [{REF}, {enum: [null]}]}"},
			{"3.0.3", "{anyOf: [{REF}], nullable: true}"},
			{"3.1.0", "{oneOf: [{REF}, {type: 'null'}]}"},
			{"3.1.0", "{anyOf: [{REF}, {type: 'null'}]}"},
			{"3.1.0", "{anyOf: [{type: [null]}, {REF}]}"},
			{"3.1.0", "{anyOf: [{REF}, {$ref: '#/components/schemas/Null'}]}"},
			{"3.1.0", "{allOf: [{REF}, {type: [object, 'null']}]}"},
			{"3.1.0", "{oneOf: [{REF}, {const: null}]}"},
			{"3.1.0", "{type: [object, 'null'], properties: {name: {type: string}}, required: [name]}"},
			{"2.0", "{allOf: [{REF}, {x-nullable: true}]}"},
			{"2.0", "{allOf: [{REF}], x-nullable: true}"},
			{"2.0", "{REF, x-nullable: true}"},
		}},
		"not null": {"Pet!", "", []way{
			{"3.0.3", "{REF}"},
			{"3.0.3", "{allOf: [{REF}]}"},
			{"3.0.3", "{allOf: [{REF}, {nullable: false}]}"},
			{"3.1.0", "{REF, description: it}"},
			{"3.1.0", "{oneOf: [{REF}]}"},
			{"3.1.0", "{allOf: [{REF}, {description: it}]}"},
			{"2.0", "{REF}"},
			{"2.0", "{allOf: [{REF}]}"},
			{"3.1.0", "{REF, anyOf: [{required: [name]}, {required: [id]}]}"},
			{"3.1.0", "{allOf: [{REF}, {oneOf: [{required: [name]}, {required: [id]}]}]}"},
		}},
		"a string": {"Pet", "GH124", []way{
			{"3.0.3", "{type: string}"},
			{"3.0.3", "{allOf: [{type: string}]}"},
			{"3.1.0", "{type: [string, 'null']}"},
			{"3.1.0", "{anyOf: [{type: string}, {type: 'null'}]}"},
			{"3.1.0", "{const: x}"},
			{"3.1.0", "{type: string, anyOf: [{pattern: a}, {pattern: b}]}"},
			{"2.0", "{type: string}"},
		}},
		"a list": {"Pet", "GH124", []way{{"3.0.3", "{type: array, items: {REF}}"}, {"3.1.0", "{items: {REF}}"}, {"2.0", "{type: array, items: {REF}}"}}},
	} {
		for _, w := range group.ways {
			definitions := pet
			if w.version == "3.1.0" {
				definitions = old
			}
			schema := strings.ReplaceAll(w.schema, "REF", ref(w.version))
			findings, report := compare(t, answers(w.version, schema, definitions), source+`type Query { pet: `+group.field+` @connect(source: "a", http: {GET: "/x"}) }
				type Pet { name: String! }`)
			if len(report.Warnings) > 0 || strings.Count(strings.Join(findings, " "), "(GH") > 1 || !strings.HasSuffix(strings.Join(findings, " "), suffix(group.want)) {
				t.Errorf("%s: %s %s: %q, warnings %q", name, w.version, schema, findings, report.Warnings)
			}
		}
	}
}

func suffix(code string) string {
	if code == "" {
		return ""
	}
	return "(" + code + ")"
}

func TestFindings(t *testing.T) {
	const list = "{type: object, properties: {items: {type: array, items: {$ref: '#/components/schemas/Pet'}}, total: {type: integer}}}"
	const pet = "  Pet: {type: object, required: [id, name], properties: {id: {type: number}, name: {type: string}}}\n"
	get := func(field, more string) string {
		return source + "type Query { pet: " + field + ` @connect(source: "a", http: {GET: "/x"}` + more + `) }
			type Pet { name: String }`
	}
	for name, c := range map[string]struct {
		document, schema string
		want             []string // parts of the findings
	}{
		"a list within an object":                  {answers("3.1.0", list, pet), get("[Pet]", ""), []string{`write selection: "$.items"`}},
		"the same, as advised":                     {answers("3.1.0", list, pet), get("[Pet]", `, selection: "$.items"`), nil},
		"an object within an object":               {answers("3.1.0", "{properties: {data: {$ref: '#/components/schemas/Pet'}}}", pet), strings.Replace(get("Pet", ""), "name: String", "name: String id: Float", 1), []string{`write selection: "$.data"`}},
		"two levels down":                          {answers("3.1.0", "{properties: {data: "+list+"}}", pet), get("[Pet]", `, selection: "$.data"`), []string{`write selection: "$.data.items"`}},
		"fields of a list":                         {answers("3.1.0", list, pet), get("[Pet]", `, selection: "$ { name }"`), []string{"its list is $.items"}},
		"text or an object":                        {answers("3.1.0", "{oneOf: [{type: string}, {type: object}]}", ""), strings.Replace(get("String", ""), "type Pet { name: String }", "", 1), []string{"string or object; write JSON"}},
		"text or a number":                         {answers("3.1.0", "{oneOf: [{type: string}, {type: integer}]}", ""), strings.Replace(get("Int", ""), "type Pet { name: String }", "", 1), []string{"string or integer; write"}},
		"a number that is an integer":              {answers("3.1.0", "{type: number, multipleOf: 1}", ""), strings.Replace(get("Int", ""), "type Pet { name: String }", "", 1), nil},
		"a type, before null":                      {answers("3.1.0", "{type: object, properties: {name: {type: [integer, 'null']}, b: {}}}", ""), strings.Replace(get("Pet", ""), "name: String", "name: String!", 1), []string{"write Int"}},
		"properties beside a choice":               {answers("3.1.0", "{type: object, properties: {name: {type: string}}, oneOf: [{properties: {a: {type: string}}}, {properties: {b: {type: string}}}]}", ""), get("Pet", ""), nil},
		"a verb that is a reference":               {"openapi: 3.1.0\npaths: {/x: {get: {$ref: '#/components/x-calls/get'}}}\ncomponents: {x-calls: {get: {responses: {200: {content: {application/json: {schema: {type: integer}}}}}}}}", get("Pet", ""), []string{"says integer"}},
		"a verb that leads nowhere":                {"openapi: 3.1.0\npaths: {/x: {get: {$ref: '#/components/x-calls/get'}}}", get("Pet", ""), []string{"has no GET /x"}},
		"a path that is a reference":               {"openapi: 3.1.0\npaths: {/x: {$ref: '#/components/pathItems/x'}}\ncomponents: {pathItems: {x: {get: {responses: {200: {content: {application/json: {schema: {type: integer}}}}}}}}}", get("Pet", ""), []string{"says integer"}},
		"an old list of two types, beside the pet": {answers("2.0", "{$ref: '#/definitions/Pet'}", "  Pet: {type: object, required: [name], properties: {name: {type: integer}, pair: {type: array, items: [{type: string}, {type: integer}]}}}\n"), get("Pet", ""), []string{"Pet.name is String"}},
		"one cause of three":                       {"openapi: [", source + `type Query { pet(id: ID!, name: String, first: Int): Int @connect(source: "a", operation: "getPet") dog: Int @connect(source: "a", operation: "getDog") }`, []string{"GH100"}},
		"a source that is not there":               {answers("3.1.0", "{type: integer}", ""), source + `type Query { x: Int @connect(source: "a", http: {GET: "/x"}) pet(id: ID!, name: String): Int @connect(source: "b", operation: "getPet") }`, []string{"GH010"}},
		"a mistake elsewhere in the document":      {answers("3.1.0", "{type: integer}", "  Other:\n    type: object\n    bad: \"\\q\"\n  More: {type: object}\n") + strings.Repeat("# more\n", 100), strings.Replace(get("Int", ""), "type Pet { name: String }", "", 1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			findings, _ := compare(t, c.document, c.schema)
			if len(findings) != len(c.want) {
				t.Fatalf("findings: %q", findings)
			}
			for i, part := range c.want {
				if !strings.Contains(findings[i], part) {
					t.Errorf("%q lacks %q", findings[i], part)
				}
			}
		})
	}
}

// A body that is a list is checked inside, as is a list within a parameter that is JSON.
func TestListsInRequests(t *testing.T) {
	const pets = "{type: array, items: {type: object, required: [name], properties: {name: {type: string}}}}"
	for name, c := range map[string]struct{ operation, call string }{
		"a body":             {"post: {requestBody: {required: true, content: {application/json: {schema: " + pets + "}}}, responses: {200: {content: {application/json: {schema: {type: integer}}}}}}", `POST: "/x" body: "$args.pets"`},
		"a body of a choice": {"post: {requestBody: {required: true, content: {application/json: {schema: {oneOf: [" + pets + ", {type: string}]}}}}, responses: {200: {content: {application/json: {schema: {type: integer}}}}}}", `POST: "/x" body: "$args.pets"`},
	} {
		t.Run(name, func(t *testing.T) {
			findings, _ := compare(t, "openapi: 3.1.0\npaths: {/x: {"+c.operation+"}}", source+`type Query { x: Int }
				type Mutation { add(pets: [NewPet!]!): Int @connect(source: "a", http: {`+c.call+`}) }
				input NewPet { name: Int! age: Int }`)
			text := strings.Join(findings, "\n")
			if len(findings) != 2 || !strings.Contains(text, "NewPet.name is Int!") || !strings.Contains(text, `no property "age"`) {
				t.Errorf("findings: %q", findings)
			}
		})
	}
}

func TestIgnore(t *testing.T) {
	document := answers("3.1.0", "{$ref: '#/components/schemas/Pet'}", "  Pet: {type: object, required: [id, age], properties: {id: {type: number}, age: {type: number}}}\n")
	schema := func(onSource, onField string) string {
		return `extend schema @source(name: "a", openapi: "api.yaml"` + onSource + `)
			type Query {
				pet: Pet @connect(source: "a", http: {GET: "/x"}` + onField + `)
				other: Pet @connect(source: "a", http: {GET: "/x"})
			}
			type Pet {
				id: ID!
				age: Int!
			}`
	}
	ignore := func(members string) string { return ", ignore: [{" + members + "}]" }
	both := []string{"Pet.id is ID!", "Pet.age is Int!"}
	for name, c := range map[string]struct {
		onSource, onField string
		findings, ignored []string
	}{
		"nothing":                  {"", "", both, nil},
		"by the source":            {ignore(`code: "GH124", because: "numbers are integers"`), "", nil, both},
		"by the source, one field": {ignore(`code: "GH124", because: "numbers are integers", at: "Pet.id"`), "", both[1:], both[:1]},
		"by one of two bindings":   {"", ignore(`code: "GH124", because: "numbers are integers"`), both, both},
		"another check":            {"", ignore(`code: "GH122", because: "never null"`), []string{"GH122 finds nothing here", both[0], both[1]}, nil},
		"no reason":                {"", ignore(`code: "GH124", because: " "`), []string{"the reason is empty", both[0], both[1]}, nil},
		"not a check of documents": {"", ignore(`code: "GH045", because: "why"`), []string{`"GH045" is not the code`, both[0], both[1]}, nil},
		"no such field":            {"", ignore(`code: "GH124", because: "why", at: "Pet.ID"`), []string{"there is no field", both[0], both[1]}, nil},
		"twice":                    {"", `, ignore: [{code: "GH124", because: "a"}, {code: "GH124", because: "b", at: "Pet.id"}]`, []string{"ignored already", both[0], both[1]}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			findings, report := compare(t, document, schema(c.onSource, c.onField))
			if len(findings) != len(c.findings) || len(report.Ignored) != len(c.ignored) {
				t.Fatalf("findings %q, ignored %v", findings, report.Ignored)
			}
			for i, part := range c.findings {
				if !strings.Contains(findings[i], part) {
					t.Errorf("%q lacks %q", findings[i], part)
				}
			}
			for i, part := range c.ignored {
				if text := report.Ignored[i].String(); !strings.Contains(text, part) || !strings.HasSuffix(text, "(GH124), because numbers are integers") {
					t.Errorf("%q lacks %q", text, part)
				}
			}
		})
	}
}

var (
	graphQLName     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
	selectionAdvice = regexp.MustCompile(`write selection: "([^"]*)"`)
)

// A selection that a finding advises leaves no finding about the response. The fields of a type come
// from the elements of lists in responses of real documents, and are bound to the whole response at first.
func TestSelectionAdviceConverges(t *testing.T) {
	documents, err := filepath.Glob("../openapi/testdata/*.*")
	shop, _ := filepath.Glob("../../schema/openapi/*.yaml")
	if err != nil || len(documents) == 0 || len(shop) == 0 {
		t.Fatal("no documents", err)
	}
	tried, followed := 0, 0
	for _, path := range append(documents, shop...) {
		if filepath.Ext(path) == ".md" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := openapi.Parse(path, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range doc.Operations {
			if doc.Load(o); o.Method != "GET" || o.Success() == nil {
				continue
			}
			root := o.Success().JSON().Schema
			inner := []*openapi.Schema{root}
			for _, name := range root.PropertyNames() {
				inner = append(inner, root.Property(name).Schema, root.Property(name).Schema.Items)
			}
			for _, s := range append(inner, root.Items) {
				var fields []string
				if s != nil {
					for _, name := range s.PropertyNames() {
						if graphQLName.MatchString(name) {
							fields = append(fields, name+": JSON")
						}
					}
				}
				if len(fields) < 2 {
					continue
				}
				for _, returned := range []string{"Thing", "[Thing]"} {
					tried++
					findings := responseFindings(t, string(text), o, returned, fields, "")
					advice := selectionAdvice.FindStringSubmatch(strings.Join(findings, "\n"))
					if advice == nil {
						continue
					}
					followed++
					if again := responseFindings(t, string(text), o, returned, fields, fmt.Sprintf(", selection: %q", advice[1])); len(again) > 0 {
						t.Errorf("%s %s as %s: %q, then %q", o.Method, o.Path, returned, findings, again)
					}
				}
			}
		}
	}
	t.Logf("%d bindings tried, %d advices followed", tried, followed)
	if followed < 10 {
		t.Error("hardly an advice was followed")
	}
}

// responseFindings binds a field to an operation and returns the findings about the response.
func responseFindings(t *testing.T, document string, o *openapi.Operation, returned string, fields []string, selection string) []string {
	t.Helper()
	schema := source + "scalar JSON\ntype Query { thing: " + returned + fmt.Sprintf(` @connect(source: "a", http: {GET: %q}%s) }`, pathParameters.ReplaceAllLiteralString(o.Path, "1"), selection) +
		"\ntype Thing { " + strings.Join(fields, " ") + " }"
	findings, _ := compare(t, document, schema)
	return slices.DeleteFunc(findings, func(f string) bool { return !strings.Contains(f, "(GH12") })
}
