package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a style cannot write is a mistake of the schema, and not of each call. A template follows the
// document, or the message says what to write.
func TestStylesThatFit(t *testing.T) {
	const (
		list    = "{type: array, items: {type: string}}"
		object  = "{type: object, properties: {s: {type: string}, l: {type: array, items: {type: string}}, o: {type: object, properties: {s: {type: string}}}}}"
		objects = "{type: array, items: " + object + "}"
		open    = "{type: object, additionalProperties: true}"
	)
	for _, test := range []struct{ style, schema, argument, template, want string }{
		{"style: form, explode: true", list, "[String!]", "p={$args.p*}", ""},
		{"style: form, explode: true", list, "[String!]", "p={$args.p}", "takes p once for each element (s.yaml:6); write p={$args.p*} (GH104)"},
		{"style: form, explode: false", list, "[String!]", "p={$args.p*}", "takes p as one list with commas (s.yaml:6); write p={$args.p} (GH104)"},
		{"style: pipeDelimited, explode: false", list, "[String!]", "p={$args.p}", ""},
		{"style: pipeDelimited, explode: false", list, "[String!]", "p={$args.p*}", "takes p as one list with | (s.yaml:6); write p={$args.p} (GH104)"},
		{"style: pipeDelimited, explode: true", list, "[String!]", "p={$args.p}", "write p={$args.p*} (GH104)"},
		{"style: pipeDelimited", list, "[String!]", "p={$args.p}", ""},
		{"style: spaceDelimited, explode: false", list, "[String!]", "p={$args.p}", ""},
		{"style: spaceDelimited, explode: false", list, "[String!]", "p={$args.p*}", "one list with spaces"},
		{"style: deepObject, explode: true", list, "[String!]", "p={$args.p}", ""},
		{"style: deepObject", list, "String", "p={$args.p}", ""},
		{"style: deepObject", object, "Flat", "p={$args.p}", ""},
		{"style: deepObject", object, "Deep", "p={$args.p}", ""},
		{"style: deepObject", objects, "[Deep!]", "p={$args.p}", ""},
		{"style: form, explode: true", object, "Flat", "p={$args.p*}", ""},
		{"style: form, explode: true", object, "Lists", "p={$args.p*}", ""},
		{"style: form, explode: true", object, "Flat", "p={$args.p}", "$args.p is an object (Flat); name one of its fields, such as $args.p.s, or write JSON, such as {\"name\": {$args.p}}, or {$args.p*} in a query"},
		{"style: form, explode: false", object, "Flat", "p={$args.p}", ""},
		{"style: form, explode: false", object, "Lists", "p={$args.p}", "$args.p is Lists, whose field l is [String!], but the style form (s.yaml:6) has no place for that"},
		{"style: form, explode: true", object, "Deep", "p={$args.p*}", "whose field o is Flat, but the style form with explode (s.yaml:6) has no place for that"},
		{"style: form, explode: true", objects, "[Flat!]", "p={$args.p*}", "GH04"},
		{"style: pipeDelimited", objects, "[Flat!]", "p={$args.p}", "$args.p is [Flat!], but the style pipeDelimited (s.yaml:6) has no place for such elements"},
		{"style: form, explode: true", open, "JSON", "p={$args.p*}", "nothing to repeat"},
		{"content: {application/json: {}}", "", "Deep", "p={$args.p}", ""},
		{"content: {application/json: {}}", "", "[Deep!]", "p={$args.p}", ""},
		{"style: form", "{type: string}", "Deep", `p={\"a\":{$args.p}}`, ""},
		{"style: deepObject", list, "[String!]", "p[]={$args.p*}", ""},
		{"style: deepObject", list, "String", "p[]={$args.p}", ""},
		{"style: deepObject", list, "String", "p[0]={$args.p}", ""},
		{"style: deepObject", object, "Int", "p[s]={$args.p}", ""},
		{"style: deepObject", object, "[String!]", "p[l][]={$args.p*}", ""},
		{"style: deepObject", object, "String", "p[o][s]={$args.p}", ""},
		{"style: deepObject", objects, "String", "p[0][o][s]={$args.p}", ""},
		{"style: deepObject", object, "String", "p[o][x]={$args.p}", `o has no member "x"`},
		{"style: deepObject", object, "String", "p[s][x]={$args.p}", `s has no member "x"`},
		{"style: deepObject", object, "String", "p[1]={$args.p}", `p has no member "1"`},
		{"style: deepObject", object, "Flat", `p={\"s\":{$args.p}}`, "in the style deepObject (s.yaml:6), not as JSON"},
		{"style: form", list, "String", `p=[\"{$args.p}\"]`, "in the style form (s.yaml:6), not as JSON"},
		{"style: form, explode: true", "{type: string}", "Spread", "all={$args.p*}", ""},
		{"style: form, explode: true", "{type: integer}", "Spread", "all={$args.p*}", "Spread.p is String, but"},
		{"style: form, explode: true", "{type: string}", "Flat", "all={$args.p*}", `takes no query parameter "s" (s.yaml:5), which Flat.s would be`},
		{"style: form, explode: true", "{type: string}", "[String!]", "p={$args.p}", "says string; write String, or join"},
		{"style: form, explode: true", object, "String", "s={$args.p}", ""},
		{"style: form, explode: true", object, "[String!]", "l={$args.p*}", ""},
		{"style: form, explode: true", object, "[String!]", "l={$args.p}", "write l={$args.p*} (GH104)"},
		{"style: form, explode: true", object, "[String!]", "s={$args.p*}", "says string; write String"},
		{"style: form, explode: true", object, "String", "x={$args.p}", `takes no query parameter "x"`},
		{"style: form, explode: false", object, "String", "s={$args.p}", `takes no query parameter "s"`},
		{"style: form, explode: true", object, "Flat", "all={$args.p*}", ""},
		{"content: {application/json: {schema: " + object + "}}", "", "String", `p={\"s\":{$args.p}}`, ""},
		{"content: {application/json: {schema: " + object + "}}", "", "[String!]", `p={\"l\":{$args.p}}`, ""},
		{"content: {application/json: {schema: " + object + "}}", "", "String", `p={\"o\":{\"s\":\"a{$args.p}\"}}`, ""},
		{"content: {application/json: {schema: " + object + "}}", "", "String", `p={\"o\":{\"t\":{$args.p}}}`, `the parameter p's "t": s.yaml:6 has no such property`},
		{"content: {application/json: {schema: " + object + "}}", "", "Int", `p={\"s\":{$args.p}}`, `the parameter p's "s" is Int, but s.yaml:6 says string; write String`},
		{"content: {application/json: {schema: " + objects + "}}", "", "String", `p=[{\"x\":\"{$args.p}\"}]`, `the parameter p's "x"`},
		{"content: {application/json: {schema: {type: object, required: [a], properties: {a: {type: string}, b: {type: string}}}}}", "", "String", `p={\"b\":{$args.p}}`, `the parameter p lacks "a", which s.yaml:6 requires`},
	} {
		schema := test.schema
		if schema != "" {
			schema = ", schema: " + schema
		}
		document := "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /a:\n    get:\n" +
			"      parameters: [{name: p, in: query, " + test.style + schema + "}]\n      operationId: get\n" +
			"      responses: {'200': {description: d, content: {application/json: {schema: {type: string}}}}}\n"
		calls := map[string]bool{`http: {GET: "/a?` + test.template + `"}`: true, `operation: "get"`: false}
		for call, byHTTP := range calls {
			want := test.want
			switch {
			case byHTTP:
			case strings.Contains(want, "GH104"), strings.Contains(want, "is an object"), !strings.HasPrefix(test.template, "p="), strings.Contains(test.template, `\"`),
				strings.Contains(want, "nothing to repeat"), strings.Contains(want, "one list with"):
				continue // which is about the template alone
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(document), 0o600); err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf(`scalar JSON
extend schema @source(name: "s", openapi: "s.yaml")
type Query { f(p: %s): String @connect(source: "s", %s) }
input Flat { s: String }
input Lists { s: String l: [String!] }
input Deep { s: String l: [String!] o: Flat }
input Spread { p: String }`, test.argument, call)
			got := ""
			if err := documents(t, filepath.Join(dir, "s.graphqls"), text); err != nil {
				for line := range strings.SplitSeq(err.Error(), "\n") {
					if !strings.Contains(line, "GH082") { // an input that this case does not use
						got += strings.ReplaceAll(line, dir+"/", "")
					}
				}
			}
			if want == "" && got != "" || !strings.Contains(got, want) {
				t.Errorf("%s of %s by %s: %q, want %q", test.style, test.argument, call, got, want)
			}
		}
	}
}
