package plugin

import (
	"testing"

	"github.com/99designs/gqlgen/codegen"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// Two bindings form a group if their requests may be the same for some values.
func TestMayBeEqual(t *testing.T) {
	schema, err := binding.Load(&ast.Source{Name: "s", Input: `
extend schema @source(name: "s") @source(name: "o")
type Query {
  me: T @connect(source: "s", http: {GET: "/users/{$claims.sub}"})
  user(id: ID!): T @connect(source: "s", http: {GET: "/users/{$args.id}"})
  first: T @connect(source: "s", http: {GET: "/users/1"})
  second: T @connect(source: "s", http: {GET: "/users/2"})
  elsewhere: T @connect(source: "o", http: {GET: "/users/1"})
  orders(id: ID!): T @connect(source: "s", http: {GET: "/users/{$args.id}/orders"})
  named(id: ID!): T @connect(source: "s", http: {GET: "/users/u-{$args.id}"})
  list: [T] @connect(source: "s", http: {GET: "/list"})
  byKind(kind: String!): [T] @connect(source: "s", http: {GET: "/list?kind={$args.kind}"})
  byKinds(kinds: [String!]!): [T] @connect(source: "s", http: {GET: "/list?kind={$args.kinds*}"})
  maybe(kind: String): [T] @connect(source: "s", http: {GET: "/list?kind={$args.kind}"})
  odd: [T] @connect(source: "s", http: {GET: "/list?kind=odd"})
  even: [T] @connect(source: "s", http: {GET: "/list?kind=even"})
  other(q: String): [T] @connect(source: "s", http: {GET: "/list?q={$args.q}"})
}
type T {
  id: ID!
  joined: T @connect(source: "s", http: {GET: "/list?ids={$batch.id}"}, batch: {key: "id"})
  parent: T @connect(source: "s", http: {GET: "/users/{$this.id}"})
}`})
	if err != nil {
		t.Fatal(err)
	}
	graph, err := binding.Compile(schema, binding.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	g := &generator{graph: graph, data: &codegen.Data{Schema: schema}}
	byName := map[string]*binding.Field{}
	for _, b := range graph.Fields {
		byName[b.Definition.Name] = b
	}
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"me", "user", true},
		{"me", "parent", true},
		{"user", "first", true},
		{"user", "user", true},
		{"user", "named", true},
		{"first", "second", false},
		{"first", "elsewhere", false},
		{"user", "orders", false},
		{"user", "list", false},
		{"list", "byKind", false},
		{"list", "byKinds", true},
		{"list", "maybe", true},
		{"byKind", "maybe", true},
		{"list", "other", true},
		{"odd", "even", false},
		{"odd", "maybe", true},
		{"odd", "list", false},
		{"odd", "byKinds", true},
		{"byKind", "other", false},
		{"list", "joined", false},
		{"joined", "other", false},
		{"joined", "joined", true},
	} {
		for range 2 {
			if got := g.mayBeEqual(byName[test.a], byName[test.b]); got != test.want {
				t.Errorf("%s and %s may be equal: %t", test.a, test.b, got)
			}
			test.a, test.b = test.b, test.a
		}
	}
}
