package binding

import (
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// The guards of a connection's nodes hold for every field that returns the connection, for its
// edges, and for its counts, whether the connection is bound or handwritten.
func TestGuardsOfConnections(t *testing.T) {
	schema, err := Load(&ast.Source{Name: "s.graphqls", Input: `
		extend schema @source(name: "s")
		type Query {
			pages(first: Int, after: String): Page @connect(source: "s", http: {GET: "/a?n={$args.first}&o={$args.after}"}, pagination: {type: OFFSET, items: "all", total: "total"})
			hand: AccountConnection
			edges: [AccountEdge]
			open: OpenConnection
			box: Box
		}
		type Mutation { make: AccountConnection }
		type Account @requiresScopes(scopes: [["a"]]) { id: ID! name: String friends: AccountConnection }
		type Page { nodes: [Account!]! totalCount: Int }
		type AccountConnection { edges: [AccountEdge] pageInfo: PageInfo! }
		type AccountEdge { node: Account cursor: String! }
		type OpenConnection { nodes: [Open!] pageInfo: PageInfo! }
		type Open { id: ID! }
		type PageInfo { hasNextPage: Boolean! }
		type Box { nodes: [Account] size: Int }
	`})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compile(schema, CompileOptions{}); err != nil {
		t.Fatal(err)
	}
	guarded := strings.Fields(`Query.pages Query.hand Query.edges Mutation.make Account.id Account.name Account.friends
		Page.nodes Page.totalCount AccountConnection.edges AccountConnection.pageInfo AccountEdge.node AccountEdge.cursor Box.nodes`)
	for _, def := range schema.Types {
		for _, f := range def.Fields {
			name := def.Name + "." + f.Name
			want := 0
			if slices.Contains(guarded, name) {
				want = 1
			}
			if got := GuardTexts(f); len(got) != want {
				t.Errorf("%s has the guards %v", name, got)
			}
		}
	}
}
