package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Keys of a batch fill a parameter that the document calls a string, with commas between them,
// unless the document excludes commas.
func TestKeysInTexts(t *testing.T) {
	for _, test := range []struct{ parameter, key, template, operation, want string }{
		{"{type: string}", "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", ""},
		{"{type: string}", "Int", "ids={$batch.keys}", "get(ids: $batch.keys)", ""},
		{"{type: [string, 'null']}", "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", ""},
		{"{type: string, format: csv}", "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", ""},
		{`{type: string, pattern: '^\d+(,\d+)*$'}`, "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", ""},
		{`{type: string, pattern: '^[^;]*$'}`, "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", ""},
		{`{type: string, pattern: '^.{1,400}$'}`, "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", ""},
		{`{type: string, pattern: '\d+'}`, "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", ""},
		{`{type: string, pattern: '^(?!x)\d+$'}`, "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", ""},
		{"{oneOf: [{type: string}, {type: integer}]}", "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", ""},
		{"{oneOf: [{type: string}, {type: array, items: {type: string}}]}", "ID", "ids={$batch.keys*}", "get(ids: $batch.keys)", ""},

		{"{type: string}", "ID", "ids={$batch.keys*}", "", "takes ids as one text (s.yaml:7); write ids={$batch.keys}, which sends the keys with commas (GH104)"},
		{"{type: integer}", "ID", "ids={$batch.keys*}", "get(ids: $batch.keys)", "(GH105)"},
		{"{type: boolean}", "ID", "ids={$batch.keys*}", "get(ids: $batch.keys)", "(GH105)"},
		{"{type: string, enum: [a, b]}", "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", "takes one of a, b; write $this and leave out batch, or call an operation that takes many keys (GH105)"},
		{"{type: string, format: uuid}", "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", "takes one value (uuid); write $this"},
		{"{type: string, format: email}", "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", "takes one value (email)"},
		{`{type: string, pattern: '^\d+$'}`, "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", `has a pattern without a comma, ^\d+$; write $this`},
		{`{type: string, pattern: '^(a|b+)$'}`, "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", `has a pattern without a comma`},
		{`{type: string, pattern: '^[0-9a-f]{8}$'}`, "ID", "ids={$batch.keys}", "get(ids: $batch.keys)", `has a pattern without a comma`},
	} {
		document := "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /things:\n    get:\n" +
			"      operationId: get\n      parameters: [{name: ids, in: query, schema: " + test.parameter + "}, {name: X-Ids, in: header, schema: " + test.parameter + "}]\n" +
			"      responses: {'200': {description: d, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: string}}, required: [id]}}}}}}\n" +
			"  /parents:\n    get: {responses: {'200': {description: d, content: {application/json: {}}}}}\n"
		for call, want := range map[string]string{
			`http: {GET: "/things?` + test.template + `"}`:                               test.want,
			`operation: "` + test.operation + `"`:                                        test.want,
			`http: {GET: "/things", headers: [{name: "X-Ids", value: "{$batch.keys}"}]}`: test.want,
		} {
			if strings.Contains(call, `""`) || strings.HasPrefix(call, `operation: ""`) || strings.Contains(call, "X-Ids") && strings.Contains(want, "GH104") {
				continue
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(document), 0o600); err != nil {
				t.Fatal(err)
			}
			schema := fmt.Sprintf(`extend schema @source(name: "s", openapi: "s.yaml")
type Query { parents: [Parent!] @connect(source: "s", http: {GET: "/parents"}) }
type Parent { keys: %s children: Thing @connect(source: "s", %s, batch: {key: "id"}) }
type Thing { id: ID! }`, test.key, call)
			got := ""
			if err := documents(t, filepath.Join(dir, "s.graphqls"), schema); err != nil {
				got = strings.ReplaceAll(err.Error(), dir+"/", "")
			}
			if want == "" && got != "" || !strings.Contains(got, want) || strings.Count(got, "\n") > 0 {
				t.Errorf("%s by %s: %q, want %q", test.parameter, call, got, want)
			}
		}
	}
}
