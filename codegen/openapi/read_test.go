package openapi

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A name with a character that a reader would not see costs its own member.
func TestInvisibleNames(t *testing.T) {
	d, err := Parse("x.yaml", []byte(`openapi: 3.1.0
paths:
  "/a\n func init() { panic(1) } //":
    get: {operationId: a}
  /b:
    get:
      operationId: "b\u202ec"
      parameters: [{name: "q\u0000", in: query}, {name: ok, in: query}]
      responses: {'200': {description: "may have\nlines", content: {application/json: {example: {name: "may have\nlines"}, schema: {properties: {"x\e[2J": {}, y: {}}}}}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	b := d.Find("GET", "/b")
	if len(d.Operations) != 1 || b.ID != "" || len(b.Parameters) != 1 || !cmp.Equal(b.Success().JSON().Schema.PropertyNames(), []string{"y"}) {
		t.Errorf("%d operations, %+v", len(d.Operations), b)
	}
	text := strings.Join(warnings(d), "\n")
	for _, at := range []string{"x.yaml:3: the name", "x.yaml:7: the name", "x.yaml:8: the name", "x.yaml:9: the name"} {
		if !strings.Contains(text, at) {
			t.Errorf("%q lacks %q", text, at)
		}
	}
	if strings.ContainsAny(text, "\x00\x1b\u202e") {
		t.Errorf("the warnings have these characters: %q", text)
	}
}

// largeDocument returns a document of the size and the shape of the largest public ones: a
// thousand operations whose schemas have a hundred properties, with examples beside them.
func largeDocument(operations int) []byte {
	paths, schemas, examples := map[string]any{}, map[string]any{}, map[string]any{}
	for i := range operations {
		name := fmt.Sprintf("thing-%04d", i)
		ref := map[string]any{"$ref": "#/components/schemas/" + name}
		properties, example := map[string]any{}, map[string]any{}
		for p := range 60 {
			property := fmt.Sprintf("property_%d_url", p)
			properties[property] = map[string]any{"type": "string", "format": "uri", "example": "https://api.example.com/things/" + property}
			example[property] = "https://api.example.com/repos/octo/hello-world/" + name + "/" + property
		}
		properties["next"] = map[string]any{"$ref": fmt.Sprintf("#/components/schemas/thing-%04d", (i+1)%4+i/4*4)}
		schemas[name] = map[string]any{"title": name, "description": strings.Repeat("A thing: it's \"quoted\". ", 5), "type": "object", "properties": properties}
		examples[name] = map[string]any{"value": example}
		paths["/things/"+name+"/{id}"] = map[string]any{"get": map[string]any{
			"summary": "Get " + name, "description": strings.Repeat("Gets it. ", 40), "operationId": "things/get-" + name, "tags": []any{"things"},
			"parameters": []any{map[string]any{"name": "id", "in": "path", "required": true, "schema": map[string]any{"type": "string"}}},
			"responses": map[string]any{"200": map[string]any{"description": "Response", "content": map[string]any{"application/json": map[string]any{
				"schema": ref, "examples": map[string]any{"default": map[string]any{"$ref": "#/components/examples/" + name}},
			}}}},
		}}
	}
	text, _ := json.MarshalIndent(map[string]any{
		"openapi": "3.0.3", "info": map[string]any{"title": "Large", "version": "1"}, "paths": paths,
		"components": map[string]any{"schemas": schemas, "examples": examples},
	}, "", "  ")
	return text
}

// readFour reads four operations of a document with all that they refer to.
func readFour(t testing.TB, text []byte) {
	t.Helper()
	d, err := Parse("large.json", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 100, 200, 300} {
		o := d.Operation(fmt.Sprintf("things/get-thing-%04d", i))
		if o == nil || len(o.Success().JSON().Schema.Properties) != 61 || len(d.Warnings()) > 0 {
			t.Fatalf("%+v, %q", o, d.Warnings())
		}
	}
}

// What is read of a document costs by what is bound, not by the size of the document: less than five
// bytes of memory for each byte of text, where the tree of the whole has more than fifty.
func TestLargeDocument(t *testing.T) {
	text := largeDocument(400)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	readFour(t, text)
	runtime.ReadMemStats(&after)
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 5*uint64(len(text)) {
		t.Errorf("%d bytes were allocated for a text of %d", bytes, len(text))
	}
}

func BenchmarkLargeDocument(b *testing.B) {
	text := largeDocument(1000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		readFour(b, text)
	}
}
