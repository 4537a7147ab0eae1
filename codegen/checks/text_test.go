package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The text of a query has to be a value that the document allows.
func TestTextsOfQueries(t *testing.T) {
	for _, c := range []struct{ parameter, text, want string }{
		{"schema: {type: integer}", "1", ""},
		{"schema: {type: integer}", "-1", ""},
		{"schema: {type: integer}", "one", `p=one: "one" is String, but s.yaml:3 says integer; write Int (GH105)`},
		{"schema: {type: integer}", "1.5", `"1.5" is Float`},
		{"schema: {type: number}", "1.5", ""},
		{"schema: {type: number}", "1", ""},
		{"schema: {type: boolean}", "true", ""},
		{"schema: {type: boolean}", "1", `"1" is Int`},
		{"schema: {type: string}", "1", ""},
		{"schema: {type: string}", "true", ""},
		{"schema: {type: string}", "1.5", ""},
		{"schema: {type: string, format: date}", "2020-01-01", ""},
		{"schema: {type: string, enum: [a, 'b c']}", "a", ""},
		{"schema: {type: string, enum: [a, 'b c']}", "b%20c", ""},
		{"schema: {type: string, enum: [a, 'b c']}", "b", `does not take its value "b"`},
		{"schema: {type: array, items: {type: string, enum: [a, b]}}", "a", ""},
		{"schema: {type: array, items: {type: string, enum: [a, b]}}", "c", `"c"`},
		{"explode: false, schema: {type: array, items: {type: integer}}", "1,2", ""},
		{"explode: false, schema: {type: array, items: {type: integer}}", "1,x", `"x" is String`},
		{"schema: {oneOf: [{type: integer}, {type: string}]}", "x", ""},
		{"schema: {}", "x", ""},
		{"style: deepObject, schema: {type: object}", "x", ""},
		{"content: {application/json: {schema: {type: integer}}}", "x", ""},
	} {
		dir := t.TempDir()
		document := "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {/a: {get: {parameters: [{name: p, in: query, " + c.parameter + "}], responses: {'200': {description: d, content: {application/json: {schema: {type: string}}}}}}}}\n"
		if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := documents(t, filepath.Join(dir, "s.graphqls"), fmt.Sprintf(`extend schema @source(name: "s", openapi: "s.yaml") type Query { f: String @connect(source: "s", http: {GET: "/a?p=%s"}) }`, c.text)); err != nil {
			got = strings.ReplaceAll(err.Error(), dir+"/", "")
		}
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s with p=%s: %q, want %q", c.parameter, c.text, got, c.want)
		}
	}
}
