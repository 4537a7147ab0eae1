package binding

import (
	"fmt"
	"strings"
	"testing"
)

// How a form writes lists and objects is described, or the message says what to write.
func TestFormFields(t *testing.T) {
	for _, test := range []struct{ encoding, fields, want string }{
		{"FORM", `{name: "o", style: BRACKETS}, {name: "os", style: INDICES}, {name: "ll", style: JSON}, {name: "j", style: JSON}`, ""},
		{"FORM", `{name: "o", style: SPREAD}, {name: "os", style: BRACKETS}, {name: "ll", style: BRACKETS}, {name: "j", style: BRACKETS}, {name: "l", style: PIPES}`, ""},
		{"MULTIPART", ``, ""},
		{"MULTIPART", `{name: "o", contentType: "application/json"}, {name: "s", contentType: "text/csv", headers: [{name: "X-A", value: "{$args.in.s}"}]}`, ""},

		{"FORM", `{name: "os", style: JSON}, {name: "ll", style: JSON}, {name: "j", style: JSON}`, `a form has flat fields, but In.o is O; add fields: [{name: "o", style: BRACKETS}], or another style, or use encoding: JSON or MULTIPART (GH037)`},
		{"FORM", `{name: "o", style: COMMAS}, {name: "os", style: JSON}, {name: "ll", style: JSON}, {name: "j", style: JSON}`, `the style COMMAS writes a list of scalars, but In.o is O; use style: BRACKETS or JSON (GH037)`},
		{"FORM", `{name: "o", style: JSON}, {name: "os", style: SPREAD}, {name: "ll", style: JSON}, {name: "j", style: JSON}`, `the style SPREAD writes a list of scalars, but In.os is [O!]; use style`},
		{"FORM", `{name: "o", style: JSON}, {name: "os", style: PIPES}, {name: "ll", style: JSON}, {name: "j", style: JSON}`, `the style PIPES writes a list of scalars, but In.os is [O!]`},
		{"FORM", `{name: "o", style: BRACKETS}, {name: "os", style: BRACKETS}, {name: "ll", style: JSON}, {name: "j", style: JSON}, {name: "gone"}`, `the body has no field "gone" to describe; there are s, l, o, os, ll, j (GH036)`},
		{"FORM", `{name: "o", style: BRACKETS}, {name: "o", style: JSON}, {name: "os", style: BRACKETS}, {name: "ll", style: JSON}, {name: "j", style: JSON}`, `the field "o" is described twice; keep one (GH036)`},
		{"FORM", `{name: "o", contentType: "application/json"}, {name: "os", style: BRACKETS}, {name: "ll", style: JSON}, {name: "j", style: JSON}`, `contentType and headers are of the parts of a MULTIPART body`},
		{"MULTIPART", `{name: "s", contentType: "text/csv\n"}`, `is not a media type (GH036)`},
		{"MULTIPART", `{name: "s", headers: [{name: "Content Language", value: "en"}]}`, `not a valid name of a header (GH030)`},
		{"JSON", `{name: "s"}`, `fields describe a form, but the body is JSON; add encoding: FORM or MULTIPART, or remove fields (GH036)`},
	} {
		_, err := compile(t, "s.graphqls", fmt.Sprintf(`scalar JSON
extend schema @source(name: "s")
type Query { a: ID @goField(forceResolver: true) }
type Mutation { f(in: In!): Boolean @connect(source: "s", http: {POST: "/a", body: "$args.in", encoding: %s, fields: [%s]}) }
input In { s: String l: [String!] o: O os: [O!] ll: [[Int!]!] j: JSON }
input O { a: Int b: [Int!] }`, test.encoding, test.fields))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if test.want == "" && got != "" || !strings.Contains(got, test.want) || strings.Count(got, "\n") > 0 {
			t.Errorf("%s, %s: %q, want %q", test.encoding, test.fields, got, test.want)
		}
	}
}

// A form of an operation is written as the document says (OpenAPI 3.2.0, Encoding Object).
func TestDocumentedForms(t *testing.T) {
	const properties = "{s: {type: string}, l: {type: array, items: {type: string}}, o: {type: object, properties: {a: {type: integer}}}, os: {type: array, items: {type: object, properties: {a: {type: integer}}}}}"
	for _, test := range []struct{ media, encoding, want string }{
		{"application/x-www-form-urlencoded", "", "o JSON, os JSON"},
		{"application/x-www-form-urlencoded", "o: {style: deepObject, explode: true}, os: {style: deepObject}, l: {style: form, explode: false}", "l COMMAS, o BRACKETS, os BRACKETS"},
		{"application/x-www-form-urlencoded", "o: {style: form}, l: {style: pipeDelimited}, os: {contentType: application/json}", "l PIPES, o SPREAD, os JSON"},
		{"application/x-www-form-urlencoded", "l: {style: spaceDelimited}, o: {explode: true}", "l SPACES, o SPREAD, os JSON"},
		{"application/x-www-form-urlencoded", "l: {contentType: application/json}", "l JSON, o JSON, os JSON"},
		{"application/x-www-form-urlencoded", "o: {style: form, explode: false}", "the style COMMAS writes a list of scalars, but In.o is O"},
		{"multipart/form-data", "", ""},
		{"multipart/form-data", "s: {contentType: 'text/csv, text/plain'}, o: {contentType: application/vnd.a+json}", "s REPEATED text/csv, o JSON application/vnd.a+json"},
		{"multipart/form-data", "s: {contentType: 'image/*'}, o: {style: deepObject}, l: {headers: {X-A: {schema: {enum: [one]}}, X-B: {schema: {type: string}}}}", "l REPEATED X-A: one, o BRACKETS"},
	} {
		document := "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {/a: {post: {operationId: call, requestBody: {content: {'" + test.media +
			"': {schema: {type: object, properties: " + properties + "}, encoding: {" + test.encoding + "}}}}, responses: {'204': {description: d}}}}}\n"
		graph, err := compileWith(t, t.TempDir(), document, `type Query { a: ID @goField(forceResolver: true) }
type Mutation { f(in: In!): Boolean @connect(source: "s", operation: "call") }
input In { s: String l: [String!] o: O os: [O!] }
input O { a: Int }`)
		if err != nil {
			if !strings.Contains(err.Error(), test.want) || test.want == "" {
				t.Errorf("%s, %s: %v, want %s", test.media, test.encoding, err, test.want)
			}
			continue
		}
		var all []string
		for _, f := range graph.Fields[0].Call.Fields {
			text := strings.TrimSpace(f.Name + " " + string(f.Style) + " " + f.ContentType)
			for _, h := range f.Headers {
				text += " " + h.Name + ": " + h.Parts[0].Literal
			}
			all = append(all, text)
		}
		if got := strings.Join(all, ", "); got != test.want {
			t.Errorf("%s, %s: %s, want %s", test.media, test.encoding, got, test.want)
		}
	}
}
