package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The list of a page may be absent or null anywhere on its path, since it is an empty page then.
// Only null elements of the list concern the graph's types.
func TestPagesWhoseListIsOptional(t *testing.T) {
	tried := 0
	for _, list := range []struct{ required, null bool }{{true, false}, {false, false}, {true, true}, {false, true}} {
		for _, depth := range []int{0, 1, 2} {
			for _, selection := range []string{"", `selection: "{ id label: name }"`} {
				for _, connection := range []string{
					"nodes: [Thing!]!", "nodes: [Thing!]", "nodes: [Thing]!", "nodes: [Thing]",
					"edges: [Edge!]!", "edges: [Edge!]", "edges: [Edge!]! nodes: [Thing!]!",
				} {
					for _, nullElements := range []bool{false, true} {
						tried++
						name := fmt.Sprint(list, depth, selection, connection, nullElements)
						err := documents(t, filepath.Join(pageDocument(t, list.required, list.null, nullElements, depth), "schema.graphqls"), pageSchema(depth, selection, connection))
						strict := strings.Contains(connection, "[Thing!]") || strings.Contains(connection, "edges")
						if want := nullElements && strict; want != (err != nil) || want && !strings.Contains(err.Error(), "GH122") {
							t.Errorf("%s: %v", name, err)
						}
					}
				}
			}
		}
	}
	t.Logf("tried %d forms", tried)
}

// pageDocument writes a document of a service that pages, and returns its folder.
func pageDocument(t *testing.T, required, null, nullElements bool, depth int) string {
	typeOf := func(name string, null bool) string {
		if null {
			return "[" + name + ", 'null']"
		}
		return name
	}
	list := fmt.Sprintf("{type: %s, items: {type: %s, required: [id, name], properties: {id: {type: string}, name: {type: string}}}}",
		typeOf("array", null), typeOf("object", nullElements))
	for i := range depth {
		need := ""
		if required {
			need = fmt.Sprintf("required: [m%d], ", i)
		}
		list = fmt.Sprintf("{type: %s, %sproperties: {m%d: %s, total: {type: integer}}}", typeOf("object", null && i < depth-1), need, i, list)
	}
	dir := t.TempDir()
	text := `openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /things:
    get:
      parameters: [{name: offset, in: query, schema: {type: integer}}, {name: limit, in: query, schema: {type: integer}}]
      responses: {'200': {description: ok, content: {application/json: {schema: ` + list + `}}}}
`
	if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func pageSchema(depth int, selection, connection string) string {
	items := "$"
	for i := range depth {
		items = strings.Replace(items, "$", fmt.Sprintf("$.m%d", i), 1)
	}
	field := "name: String!"
	if selection != "" {
		field = "label: String!"
	}
	edge := ""
	if strings.Contains(connection, "Edge") {
		edge = "type Edge { node: Thing! cursor: String! }"
	}
	return fmt.Sprintf(`extend schema @source(name: "s", openapi: "s.yaml")
type Query {
  things(first: Int, after: String): Things!
    @connect(source: "s", http: {GET: "/things?offset={$args.after}&limit={$args.first}"} %s pagination: {type: OFFSET, items: %q})
}
type Things { %s pageInfo: PageInfo! }
%s
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type Thing { id: ID! %s }
`, selection, items, connection, edge, field)
}

// A total is read from what services send: integers of any size, numbers, and texts of digits.
func TestTypesOfTotals(t *testing.T) {
	for schema, fits := range map[string]bool{
		"{type: integer}": true, "{type: integer, format: int64}": true, "{type: integer, format: int32}": true,
		"{type: integer, maximum: 9007199254740991, minimum: 0}": true, "{type: number}": true, "{type: string}": true,
		"{type: [integer, 'null']}": true, "{type: [integer, string]}": true, "{}": true,
		"{type: boolean}": false, "{type: object}": false, "{type: array, items: {type: integer}}": false, "{type: string, format: date-time}": false,
	} {
		for _, total := range []string{"Int", "Int64"} {
			dir := t.TempDir()
			text := `openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /things:
    get:
      parameters: [{name: offset, in: query, schema: {type: integer}}, {name: limit, in: query, schema: {type: integer}}]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {data: {type: array, items: {type: object, properties: {id: {type: string}}}}, total: ` + schema + `}}}}}}
`
			if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			err := documents(t, filepath.Join(dir, "schema.graphqls"), `extend schema @source(name: "s", openapi: "s.yaml") @source(name: "other")
scalar Int64
type Query {
  things(first: Int, after: String): Things!
    @connect(source: "s", http: {GET: "/things?offset={$args.after}&limit={$args.first}"} pagination: {type: OFFSET, items: "data", total: "total"})
  big: Int64 @connect(source: "other", http: {GET: "/other"})
}
type Things { nodes: [Thing!]! pageInfo: PageInfo! totalCount: `+total+` }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type Thing { id: ID }
`)
			if fits != (err == nil) {
				t.Errorf("%s as %s: %v", schema, total, err)
			}
		}
	}
}
