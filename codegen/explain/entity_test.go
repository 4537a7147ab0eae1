package explain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/explain"
)

// Calls that complete objects behind a union are counted for each type, only where the operation
// selects more than their keys, and with the guards of the field whose call it is.
func TestEntitiesOfUnions(t *testing.T) {
	schema := []*ast.Source{{Name: "s.graphqls", Input: `
extend schema @source(name: "s")
type Query {
  medias: [Media] @listSize(assumedSize: 10) @connect(source: "s", http: {GET: "/medias"})
  book(id: ID!): Book @authenticated @connect(source: "s", http: {GET: "/books/{$args.id}"}, entity: true)
}
union Media @discriminator(field: "kind", mapping: {film: "Film", book: "Book"}) = Film | Book
type Film @connect(source: "s", http: {GET: "/films?ids={$batch.id}"}, batch: {maxSize: 5}) { id: ID! title: String next: Film @connect(source: "s", http: {GET: "/next/{$this.id}"}) }
type Book { id: ID! title: String }`}}
	for query, want := range map[string][]string{
		`{medias {__typename ... on Film {id} ... on Book {id}}}`:           {"Query.medias  GET /medias 1 []"},
		`{medias {... on Film {title}}}`:                                    {"Query.medias  GET /medias 1 []", "Query.medias Film GET /films?ids={$batch.id} 2 []"},
		`{medias {... on Film {title} ...B}} fragment B on Book {t: title}`: {"Query.medias  GET /medias 1 []", "Query.medias Book GET /books/{$args.id} 10 [@authenticated]", "Query.medias Film GET /films?ids={$batch.id} 2 []"},
		`{medias {... on Film {next {title}}}}`:                             {"Film.next  GET /next/{$this.id} 10 []", "Query.medias  GET /medias 1 []"},
	} {
		plans, err := plans(t, schema, &ast.Source{Input: query}, explain.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range plans[0].Nodes {
			got = append(got, fmt.Sprint(n.Field, " ", n.Completes, " ", n.Call.Method, " ", n.Call.Path, " ", n.Call.Calls, " ", n.Needs))
		}
		slices.Sort(got)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s\n got %q\nwant %q", query, got, want)
		}
	}
}
