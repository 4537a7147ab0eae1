package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// A document says which fields come with the objects of an interface or a union: by the branches of
// a oneOf, or for all alike. If it does not tell the branches apart, an object is assumed to come
// with its key alone. The missing fields are not a mistake in the document.
func TestEntitiesOfAbstractTypes(t *testing.T) {
	const film, book = `{type: object, required: [kind, id, title], properties: {kind: {type: string%s}, id: {type: string}, title: {type: string}}}`,
		`{type: object, required: [kind, id], properties: {kind: {type: string%s}, id: {type: string}}}`
	either := func(film, book, more string) string { return "{oneOf: [" + film + ", " + book + "]" + more + "}" }
	enums := either(fmt.Sprintf(film, ", enum: [film]"), fmt.Sprintf(book, ", const: book"), "")
	for name, c := range map[string]struct{ schema, want string }{
		"no document says":    {"{}", "Book: id; Film: id"},
		"a stub":              {`{type: object, properties: {kind: {type: string}, id: {type: string}}}`, "Book: id; Film: id"},
		"enums of branches":   {enums, "Book: id; Film: id title"},
		"a choice":            {either("{$ref: '#/components/schemas/F'}", "{$ref: '#/components/schemas/B'}", ", discriminator: {propertyName: kind, mapping: {film: '#/components/schemas/F', book: '#/components/schemas/B'}}"), "Book: id; Film: id title"},
		"branches alike":      {either(fmt.Sprintf(film, ""), fmt.Sprintf(book, ""), ""), "Book: id; Film: id"},
		"all of one":          {`{type: object, properties: {kind: {type: string}, id: {type: string}, title: {type: string}, pages: {type: integer}}}`, "Film: id title"},
		"members of any kind": {`{type: object, additionalProperties: true}`, "Book: id; Film: id"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "schema.graphqls")
			document := fmt.Sprintf(mediaDocument, c.schema, c.schema, fmt.Sprintf(film, ""), fmt.Sprintf(book, ""))
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), "media.yaml"), []byte(document), 0o644); err != nil {
				t.Fatal(err)
			}
			schema, err := binding.Load(&ast.Source{Name: path, Input: mediaSchema})
			if err != nil {
				t.Fatal(err)
			}
			graph, err := binding.Compile(schema, binding.CompileOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if report, err := CompareDocuments(schema, graph); err != nil || len(report.Warnings) > 0 {
				t.Errorf("%v, warnings %v", err, report.Warnings)
			}
			for _, c := range []struct {
				place string
				got   *binding.Completion
				want  string
			}{{"Query.top", graph.Fields[0].Completion, c.want}, {"Shelf.all", graph.Completion("Shelf", "all"), c.want}} {
				if got := completed(c.got); got != c.want {
					t.Errorf("%s completes %q, not %q", c.place, got, c.want)
				}
			}
		})
	}
}

func completed(c *binding.Completion) string {
	var types []string
	if c != nil {
		for _, t := range c.Types {
			types = append(types, t.Entity.Object.Name+": "+strings.Join(t.Sent, " "))
		}
	}
	return strings.Join(types, "; ")
}

const mediaSchema = `
extend schema @source(name: "media", openapi: "media.yaml") @source(name: "keys")
type Query {
  top: Media @connect(source: "media", http: {GET: "/top"})
  shelf: Shelf @connect(source: "media", http: {GET: "/shelf"})
}
type Shelf { all: [Media] }
union Media @discriminator(field: "kind", mapping: {film: "Film", book: "Book"}) = Film | Book
type Film @connect(source: "keys", http: {GET: "/films/{$this.id}"}) { id: ID! title: String length: Int }
type Book @connect(source: "keys", http: {GET: "/books/{$this.id}"}) { id: ID! title: String pages: Int }
`

const mediaDocument = `
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /top: {get: {responses: {"200": {description: d, content: {application/json: {schema: %s}}}}}}
  /shelf: {get: {responses: {"200": {description: d, content: {application/json: {schema: {type: object, properties: {all: {type: array, items: %s}}}}}}}}}
components:
  schemas:
    F: %s
    B: %s
`
