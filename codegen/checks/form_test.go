package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// A form by http is written as the document's encoding says. What the binding describes itself has to agree
// with it, where that makes a difference.
func TestFormsFollowTheDocument(t *testing.T) {
	const document = `openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /a:
    post:
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: &schema
              type: object
              properties:
                deep: {type: object, properties: {s: {type: string}}}
                bare: {type: object, properties: {s: {type: string}}}
                list: {type: array, items: {type: string}}
                pipes: {type: array, items: {type: string}}
                text: {type: string}
            encoding:
              deep: {style: deepObject, explode: true}
              list: {style: form, explode: true}
              pipes: {style: pipeDelimited, explode: false}
              text: {style: form, explode: false}
          multipart/form-data:
            schema: *schema
            encoding:
              text: {contentType: text/csv, headers: {X-Kind: {required: true, schema: {type: string}}, X-Form: {required: true, schema: {const: csv}}, X-May: {schema: {type: string}}}}
              deep: {headers: {Content-Type: {required: true, schema: {type: string}}, X-Other: {required: true, schema: {type: string}}}}
      responses: {'204': {description: d}}
`
	for _, c := range []struct{ arguments, body, http, want, written string }{
		{"deep: Deep, pipes: [String!]", "deep: $args.deep pipes: $args.pipes", "encoding: FORM", "", "deep BRACKETS, pipes PIPES"},
		{"list: [String!]", "list: $args.list", "encoding: FORM", "", ""},
		{"bare: Deep", "bare: $args.bare", "encoding: FORM", "add fields: [{name: \"bare\", style: BRACKETS}]", ""},
		{"bare: Deep", "bare: $args.bare", `encoding: FORM, fields: [{name: "bare", style: SPREAD}]`, "", "bare SPREAD"},
		{"deep: Deep", "deep: $args.deep", `encoding: FORM, fields: [{name: "deep", style: INDICES}]`, "", "deep INDICES"},
		{"deep: Deep", "deep: $args.deep", `encoding: FORM, fields: [{name: "deep", style: JSON}]`, `takes the field "deep" in the style BRACKETS (s.yaml:18), not JSON; write style: BRACKETS, or leave it out of fields (GH104)`, ""},
		{"list: [String!]", "list: $args.list", `encoding: FORM, fields: [{name: "list", style: COMMAS}]`, `takes the field "list" in the style REPEATED (s.yaml:19), not COMMAS`, ""},
		{"pipes: [String!]", "pipes: $args.pipes", `encoding: FORM, fields: [{name: "pipes"}]`, `takes the field "pipes" in the style PIPES (s.yaml:20), not REPEATED`, ""},
		{"text: String", "text: $args.text", `encoding: FORM, fields: [{name: "text", style: COMMAS}]`, "", "text COMMAS"},
		{"text: String", "text: $args.text", `encoding: FORM, fields: [{name: "texts"}]`, `the body has no field "texts" to describe`, ""},
		{"text: String", "text: $args.text", "encoding: MULTIPART", `requires the header X-Kind of the part "text" (s.yaml:25), which has no value; write http with fields: [{name: "text", headers: [{name: "X-Kind", value: ...}]}] (GH106)`, ""},
		{"text: String", "text: $args.text", `encoding: MULTIPART, fields: [{name: "text", headers: [{name: "x-kind", value: "k"}]}]`, "requires the header X-Form", ""},
		{"text: String", "text: $args.text", `encoding: MULTIPART, fields: [{name: "text", headers: [{name: "x-kind", value: "k"}, {name: "X-Form", value: "csv"}]}]`, "", "text REPEATED"},
		{"input: Whole", "$args.input", "encoding: MULTIPART", `requires the header X-Other of the part "deep"`, ""},
		{"bare: Deep", "bare: $args.bare", "encoding: MULTIPART", "", ""},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf(`extend schema @source(name: "s", openapi: "s.yaml")
type Query { q: Int }
type Mutation { f(%s): Boolean @connect(source: "s", http: {POST: "/a", body: "%s", %s}) }
input Whole { deep: Deep }
input Deep { s: String }`, c.arguments, c.body, c.http)
		schema, err := binding.Load(&ast.Source{Name: filepath.Join(dir, "s.graphqls"), Input: text})
		if err != nil {
			t.Fatal(err)
		}
		graph, broken := binding.Compile(schema, binding.CompileOptions{})
		_, unfit := CompareDocuments(schema, graph)
		got := ""
		if err := binding.MergeFaults(broken, unfit); err != nil {
			lines := slices.DeleteFunc(strings.Split(err.Error(), "\n"), func(line string) bool { return strings.Contains(line, "GH082") })
			got = strings.ReplaceAll(strings.Join(lines, "\n"), dir+"/", "")
		}
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s %s: %q, want %q", c.body, c.http, got, c.want)
		}
		if got != "" {
			continue
		}
		var fields []string
		for _, f := range graph.Bindings()[0].Call.Fields {
			if isSent := strings.Contains(c.body, f.Name+":"); isSent && (f.Style != binding.Repeated || !f.Documented) {
				fields = append(fields, f.Name+" "+string(f.Style))
			}
		}
		if strings.Join(fields, ", ") != c.written {
			t.Errorf("%s %s: written %q, want %q", c.body, c.http, fields, c.written)
		}
	}
}
