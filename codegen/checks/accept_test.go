package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A call is compared with the response that it asks for.
func TestResponsesByAccept(t *testing.T) {
	const document = `openapi: 3.1.0
info: {title: t, version: '1'}
paths: {/a: {get: {responses: {'200': {description: d, content: {
  application/json: {schema: {type: array, items: {type: object, properties: {n: {type: string}}}}},
  application/vnd.x.object: {schema: {type: object, properties: {n: {type: string}}}},
  application/vnd.x+json: {schema: {type: object, properties: {n: {type: string}}}}}}}}}}
`
	for _, c := range []struct {
		binding, source string // the values of Accept, "" for none
		list            bool   // the response is a list
	}{
		{"", "", true},
		{"application/json", "", true},
		{"application/vnd.x.object", "", false},
		{"Application/VND.x.Object; v=1", "", false},
		{"application/vnd.x+json, application/json", "", false},
		{"application/json, application/vnd.x+json", "", true},
		{"application/vnd.other+json", "", true},
		{"", "application/vnd.x+json", false},
		{"application/json", "application/vnd.x+json", true},
		{"{$env.ACCEPT}", "application/vnd.x+json", true},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		accept := func(value string) string {
			if value == "" {
				return ""
			}
			return fmt.Sprintf("headers: [{name: \"Accept\", value: %q}]", value)
		}
		for result, fits := range map[string]bool{"[N]": c.list, "N": !c.list} {
			source := ""
			if c.source != "" {
				source = ", http: {" + accept(c.source) + "}"
			}
			err := documents(t, filepath.Join(dir, "s.graphqls"), fmt.Sprintf(`extend schema @source(name: "s", openapi: "s.yaml"%s)
type Query { f: %s @connect(source: "s", http: {GET: "/a", %s}) }
type N { n: String }`, source, result, accept(c.binding)))
			if (err == nil) != fits {
				t.Errorf("%s by %q after %q: %v", result, c.binding, c.source, err)
			}
		}
	}
}
