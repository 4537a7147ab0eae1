package codegen_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

var (
	islands    = flag.Int("islands", 5, "number of random graphs with guards")
	guardsSeed = flag.Uint64("guards-seed", 1, "seed of the random graphs")
)

// Random graphs have guards in random places: on types, on interfaces, on fields, and on the root
// fields whose calls complete entities. The test generates a project of them, whose own test
// queries every path as callers with different scopes.
func TestGuardsEverywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it compiles a project")
	}
	root, dir := repository(t), t.TempDir()
	writeModule(t, root, dir)
	copyTree(t, filepath.Join("testdata", "guards"), dir)
	for _, name := range []string{"gqlgen.yml", "resolvers/resolver.go"} {
		writeFile(t, filepath.Join(dir, name), string(read(t, filepath.Join("testdata", "project", name))))
	}
	schema, resolvers := guardedIslands(rand.New(rand.NewPCG(*guardsSeed, 0)), *islands)
	writeFile(t, filepath.Join(dir, "schema", "all.graphqls"), schema)
	writeFile(t, filepath.Join(dir, "resolvers", "hand.go"), resolvers)
	t.Chdir(dir)
	generate(t)
	run(t, buildTest(t), "-test.v")
	if t.Failed() {
		t.Log(schema)
	}
}

// guardedIslands returns a schema of n graphs that are independent of each other, and the
// handwritten resolvers of their fields.
func guardedIslands(chance *rand.Rand, n int) (schema, resolvers string) {
	var types, query, mutation, hand strings.Builder
	for i := range n {
		g := &island{Rand: chance, n: i}
		types.WriteString(g.types())
		query.WriteString(g.query())
		mutation.WriteString(g.fill("  make#: T# %g @connect(source: \"all\", http: {POST: \"/one/#\"})\n"))
		hand.WriteString(g.fill(handResolver))
	}
	schema = "extend schema @source(name: \"all\")\ntype PageInfo { hasNextPage: Boolean! endCursor: String }\n" + types.String() +
		"type Query {\n" + query.String() + "}\ntype Mutation {\n" + mutation.String() + "}\n"
	return schema, "package resolvers\n\nimport (\n\t\"context\"\n\n\t\"example.com/everything/graph/model\"\n)\n" + hand.String()
}

// island is one graph. In its texts # stands for its number, and %g for a random guard or none.
type island struct {
	*rand.Rand
	n      int
	entity int // how objects of T are completed: 0 not at all, 1 and 2 by the binding of the type, 3 by a field of Query
}

func (g *island) fill(text string) string {
	var b strings.Builder
	for i, part := range strings.Split(strings.ReplaceAll(text, "#", fmt.Sprint(g.n)), "%g") {
		if i > 0 {
			b.WriteString(g.guard(9))
		}
		b.WriteString(part)
	}
	return b.String()
}

// guard returns one of the guards or, with a weight of none against that of the guards, no guard.
func (g *island) guard(none int) string {
	guards := []string{"@authenticated", `@requiresScopes(scopes: [["a"]])`, `@requiresScopes(scopes: [["b"]])`}
	if i := g.IntN(none + len(guards)); i < len(guards) {
		return guards[i]
	}
	return ""
}

func (g *island) types() string {
	both := "" // a guard of the interface, which both its types repeat
	if g.IntN(4) == 0 {
		both = g.guard(0)
	}
	own := g.guard(1)
	if own == both {
		own = ""
	}
	g.entity = g.IntN(4)
	entity := []string{
		"", `@connect(source: "all", http: {GET: "/byID/#?ids={$batch.id}"}, batch: {maxSize: 10})`,
		`@connect(source: "all", http: {GET: "/one/#/{$this.id}"})`, "",
	}[g.entity]
	return g.fill("type T# implements I# " + both + " " + own + " " + entity + guardedType + "interface I# " + both + guardedInterface + "type O# implements I# " + both + guardedOpen)
}

const guardedType = ` {
  id: ID!
  name: String %g
  extra: String %g
  o: O# %g
}
type H# {
  id: ID!
  t: T# %g
  ts: [T#!] %g
  u: U# %g
  us: [U#] %g
  n: I# %g
}
union U# @discriminator(field: "kind", mapping: {t: "T#", o: "O#"}) = T# | O#
type T#Connection { edges: [T#Edge!]! nodes: [T#!]! pageInfo: PageInfo! }
type T#Edge { node: T#! cursor: String! }
`

const guardedInterface = ` @discriminator(field: "kind", mapping: {t: "T#", o: "O#"}) { name: String }
`

const guardedOpen = ` {
  id: ID!
  name: String
  t: T# %g @connect(source: "all", http: {GET: "/one/#/{$this.id}"})
  ts: [T#!] %g @connect(source: "all", http: {GET: "/map/#?ids={$batch.id}"}, batch: {maxSize: 5})
}
`

// query returns the fields of Query.
func (g *island) query() string {
	text := guardedQuery
	if g.entity > 0 {
		text += `  stub#: T# %g @connect(source: "all", http: {GET: "/one/#/stub"}, selection: "{ id }")` + "\n"
	}
	if g.entity == 3 {
		text += "  root#(id: ID!): T# " + g.guard(1) + ` @connect(source: "all", http: {GET: "/one/#/{$args.id}"}, entity: true)` + "\n"
	}
	return g.fill(text)
}

const guardedQuery = `
  one#: T# %g @connect(source: "all", http: {GET: "/one/#"})
  list#: [T#] %g @connect(source: "all", http: {GET: "/list/#"})
  grid#: [[T#]] %g @connect(source: "all", http: {GET: "/grid/#"})
  h#: H# %g @connect(source: "all", http: {GET: "/holder/#"})
  u#: U# %g @connect(source: "all", http: {GET: "/one/#/u"})
  us#: [U#] %g @connect(source: "all", http: {GET: "/mixed/#"})
  n#: I# %g @connect(source: "all", http: {GET: "/one/#/n"})
  o#: O# %g @connect(source: "all", http: {GET: "/open/#"})
  page#(first: Int, after: String): T#Connection %g
    @connect(source: "all", http: {GET: "/list/#?at={$args.after}&n={$args.first}"}, pagination: {type: OFFSET})
  hand#: T# %g
`

const handResolver = `
func (r queryResolver) Hand#(context.Context) (*model.T#, error) {
	return &model.T#{ID: "1", Name: new("secret name"), Extra: new("secret extra"), O: &model.O#{ID: "1", Name: new("open name")}}, nil
}
`
