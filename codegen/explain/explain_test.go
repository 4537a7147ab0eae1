package explain_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/explain"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shop returns the schema of the sample shop.
func shop(t testing.TB) []*ast.Source {
	t.Helper()
	files, err := filepath.Glob("../../schema/*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatal("no schema", err)
	}
	var sources []*ast.Source
	for _, file := range files {
		sources = append(sources, &ast.Source{Name: file, Input: parseDocument(t, file)})
	}
	return sources
}

func parseDocument(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func plans(t testing.TB, schema []*ast.Source, document *ast.Source, o explain.Options) ([]*explain.Plan, error) {
	t.Helper()
	loaded, err := binding.Load(schema...)
	if err != nil {
		t.Fatal(err)
	}
	graph, err := binding.Compile(loaded, binding.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return explain.Operations(loaded, graph, document, o)
}

func wantGolden(t testing.TB, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(parseDocument(t, path), got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// The plans of the shop's operations are those of the golden files.
func TestShop(t *testing.T) {
	for name, o := range map[string]explain.Options{
		"orders":     {},
		"operations": {},
		"variables":  {ListSize: 10, Variables: map[string]any{"yes": true, "no": true, "size": json.Number("7"), "first": json.Number("3")}},
	} {
		t.Run(name, func(t *testing.T) {
			document := name
			if name == "variables" {
				document = "operations"
			}
			all, err := plans(t, shop(t), &ast.Source{Name: name, Input: parseDocument(t, "testdata/"+document+".graphql")}, o)
			if err != nil {
				t.Fatal(err)
			}
			var text, list bytes.Buffer
			if err := explain.Text(&text, all); err != nil {
				t.Fatal(err)
			}
			wantGolden(t, "testdata/"+name+".txt", text.String())
			encoder := json.NewEncoder(&list)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			if err := encoder.Encode(all); err != nil {
				t.Fatal(err)
			}
			if name == "orders" {
				wantGolden(t, "testdata/"+name+".json", list.String())
			}
		})
	}
}

// tiny is a schema with what the shop lacks.
const tiny = `
	extend schema @source(name: "s")
	type Query {
		pets(ids: [ID!], page: Page, first: Int, last: Int): [Pet!]
			@listSize(slicingArguments: ["ids", "page.first", "first", "last"], assumedSize: 30)
		list: [Pet!] @listSize(assumedSize: 30)
		mine: [Dog!] @connect(source: "s", http: { GET: "/mine/{$claims.sub}" })
		sought(text: JSON): [Dog!] @connect(source: "s", http: { POST: "/search", body: "$args.text" })
		ids(ids: [ID!]): [Dog!] @listSize(slicingArguments: ["ids"]) @connect(source: "s", http: { GET: "/pets?ids={$args.ids}" })
		paged(page: Page): Dogs @listSize(slicingArguments: ["page.first"], sizedFields: ["edges"]) @connect(source: "s", http: { GET: "/dogs?n={$args.page.first}" })
		friend: Dog @authenticated @connect(source: "s", http: { GET: "/friend" })
		rows: [[Dog!]!] @connect(source: "s", http: { GET: "/rows" })
		dog: Dog @connect(source: "s", http: { GET: "/dog" })
	}
	scalar JSON
	type Subscription { barked: Dog }
	type Dogs { edges: [DogEdge!] }
	type DogEdge { node: Dog }
	interface Pet { id: ID!  friends: [Dog!] @listSize(assumedSize: 2)  mates: [Pet!] }
	type Dog implements Pet {
		id: ID!
		ownerId: ID
		vetId: ID
		tagIds: [ID!]
		friends: [Dog!]
		mates: [Pet!] @goField(forceResolver: true)
		owner: Person @connect(source: "s", http: { GET: "/people?ids={$batch.ownerId}" }, batch: { key: "id", maxSize: 20 })
		vet: Person @connect(source: "s", http: { GET: "/people?ids={$batch.vetId}" }, batch: { key: "id", maxSize: 20 })
		tags: [Tag!] @connect(source: "s", http: { GET: "/tags?ids={$batch.tagIds}" }, batch: { key: "id" })
		walk: Walk @connect(source: "s", http: { GET: "/walks/{$this.id}" })
		news: [Walk!] @connect(source: "s", http: { GET: "/news" })
	}
	type Cat implements Pet {
		id: ID!
		slaveId: ID
		friends: [Dog!]
		mates: [Pet!] @goField(forceResolver: true)
		slave: Person @connect(source: "s", http: { GET: "/people?ids={$batch.slaveId}" }, batch: { key: "id", maxSize: 20 })
		walk: Walk @connect(source: "s", http: { GET: "/walks/{$this.id}" })
	}
	type Person { id: ID!  dogs: [Dog!] @listSize(assumedSize: 3) @connect(source: "s", http: { GET: "/people/{$this.id}/dogs" }) }
	type Tag { id: ID!  name: String }
	type Walk { miles: Int }
	input Page { first: Int }
`

// Each operation makes the given number of calls at most.
func TestCounts(t *testing.T) {
	for _, c := range []struct {
		query         string
		calls, rounds int
	}{
		{`{ dog { id } }`, 1, 1},
		{`{ a: dog { id } b: dog { id } }`, 1, 1}, // equal calls are made once
		{`{ list { id } }`, 0, 1},
		// a call for each parent
		{`{ list { ... on Dog { walk { miles } } } }`, 30, 2},
		{`{ list { ... on Dog { a: walk { miles } b: walk { miles } } } }`, 30, 2},
		// an object is of one type: as many calls as pets, whatever they are
		{`{ list { ... on Dog { walk { miles } } ... on Cat { walk { miles } } } }`, 30, 2},
		// one call for all, also where it is wanted again
		{`{ list { ... on Dog { news { miles } } friends { news { miles } } } dog { news { miles } } }`, 2, 2},
		// 30 keys, 20 at a time; the same calls for owner and vet
		{`{ list { ... on Dog { owner { id } } } }`, 2, 2},
		{`{ list { ... on Dog { owner { id } vet { id } } } }`, 3, 2},
		{`{ list { ... on Dog { owner { id } } ... on Cat { slave { id } } } }`, 2, 2},
		{`{ list { ... on Dog { owner { id } vet { id } } ... on Cat { slave { id } } } }`, 3, 2},
		// owners' dogs: 30 calls, and the owners of 90 dogs
		{`{ list { ... on Dog { owner { dogs { owner { id } } } } } }`, 2 + 30 + 5, 4},
		// the interface says how many friends there are: 60 dogs, of cats or of dogs
		{`{ list { friends { owner { id } } } }`, 3, 2},
		// a list of keys in each, all in one call
		{`{ list { ... on Dog { tags { name } } } }`, 1, 2},
		// lists in lists
		{`{ rows { owner { id } } }`, 1 + 10_000/20, 2},
		// slicing arguments: the largest, a list's length, a path, else what is assumed
		{`{ pets(first: 1, last: 5) { ... on Dog { walk { miles } } } }`, 5, 2},
		{`{ pets(ids: ["a", "b"]) { ... on Dog { walk { miles } } } }`, 2, 2},
		{`{ pets(page: {first: 4}) { ... on Dog { walk { miles } } } }`, 4, 2},
		{`{ pets { ... on Dog { walk { miles } } } }`, 30, 2},
		{`query($n: Int) { pets(first: $n, last: 2) { ... on Dog { walk { miles } } } }`, 30, 2},
		{`query($n: Int = 3) { pets(first: $n) { ... on Dog { walk { miles } } } }`, 3, 2},
		{`query($p: Page) { ids(ids: []) { ... on Dog { walk { miles } } } paged(page: $p) { edges { node { id } } } }`, 2, 1},
		{`{ ids { ... on Dog { walk { miles } } } }`, 101, 2},
		{`{ pets(first: -1) { ... on Dog { walk { miles } } } }`, 30, 2},
		{`{ paged(page: {first: 7}) { edges { node { walk { miles } } } } }`, 8, 2},
		{`{ paged { edges { node { walk { miles } } } } }`, 101, 2},
		// what is left out for certain
		{`{ dog @skip(if: true) { id } a: dog @include(if: false) { id } ...f @skip(if: true) ... @include(if: false) { dog { id } } } fragment f on Query { dog { id } }`, 0, 0},
		{`query($v: Boolean!) { a: dog @skip(if: $v) { id } b: dog @include(if: $v) { id } }`, 1, 1},
		// fragments that say the same twice
		{`{ list { ...d ...d ... on Pet { ...d } } } fragment d on Dog { walk { miles } walk { miles } }`, 30, 2},
		// as deep as the text, and no number is too large
		{`{ mine {` + strings.Repeat("owner { dogs { ", 30) + "id" + strings.Repeat(" } }", 30) + ` } }`, 1_000_000_000_000, 61},
		{`subscription { barked { owner { id } } }`, 1, 2},
	} {
		t.Run(c.query, func(t *testing.T) {
			all, err := plans(t, []*ast.Source{{Name: "tiny", Input: tiny}}, &ast.Source{Name: "q", Input: c.query}, explain.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if p := all[0]; p.Calls != explain.Count(c.calls) || p.Rounds != c.rounds {
				var text strings.Builder
				_ = explain.Text(&text, all)
				t.Errorf("%d calls in %d rounds, want %d in %d\n%s", p.Calls, p.Rounds, c.calls, c.rounds, text.String())
			}
		})
	}
}

// A response that depends on the caller can be cached for the caller only, and one of a call with
// an effect not at all.
func TestCache(t *testing.T) {
	for query, want := range map[string]explain.Cache{
		`{ dog { id } }`:    explain.CacheShared,
		`{ mine { id } }`:   explain.CachePerCaller,
		`{ friend { id } }`: explain.CachePerCaller,
		`{ sought { id } }`: explain.CacheNever,
	} {
		all, err := plans(t, []*ast.Source{{Name: "tiny", Input: tiny}}, &ast.Source{Name: "q", Input: query}, explain.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := all[0].Nodes[0].Call.Cache; got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// An operation without exactly one slicing argument gets a note.
func TestNotes(t *testing.T) {
	for query, noted := range map[string]bool{
		`{ pets(first: 1) { id } }`:          false,
		`{ pets(first: 1, last: 1) { id } }`: true,
		`{ pets { id } }`:                    true,
	} {
		all, err := plans(t, []*ast.Source{{Name: "tiny", Input: tiny}}, &ast.Source{Name: "q", Input: query}, explain.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(all[0].Notes) > 0; got != noted {
			t.Errorf("%s: notes %q", query, all[0].Notes)
		}
	}
}

// A binding's own timeout is shown, and calls with other timeouts are not shared.
func TestTimeouts(t *testing.T) {
	const schema = `
		extend schema @source(name: "s")
		type Query {
			quick: Int @connect(source: "s", http: { GET: "/n" }, selection: "$.n", timeout: "1500ms")
			alike: Int @connect(source: "s", http: { GET: "/n" }, selection: "$.n", timeout: "1.5s")
			plain: Int @connect(source: "s", http: { GET: "/n" }, selection: "$.n")
		}`
	all, err := plans(t, []*ast.Source{{Name: "s", Input: schema}}, &ast.Source{Name: "q", Input: "{ quick alike plain }"}, explain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := explain.Text(&text, all); err != nil {
		t.Fatal(err)
	}
	want := `query: at most 2 calls in 1 round
  round 1
    Query.quick  GET s /n  1 call                       timeout 1.5s  cache: may be shared
    Query.alike  GET s /n  by the calls of Query.quick                cache: may be shared
    Query.plain  GET s /n  1 call                                     cache: may be shared
  cost at most 1: 0 for fields, 1 for values
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if encoded, _ := json.Marshal(all[0].Nodes[0].Call); !strings.Contains(string(encoded), `"timeout":"1.5s"`) {
		t.Errorf("%s", encoded)
	}
}

// Handwritten code may resolve fields that have no binding.
func TestHandwritten(t *testing.T) {
	all, err := plans(t, []*ast.Source{{Name: "tiny", Input: tiny}}, &ast.Source{Name: "q", Input: `{ dog { id friends { id } } }`},
		explain.Options{IsHandwritten: func(object, field string) bool { return object == "Dog" && field == "friends" }})
	if err != nil {
		t.Fatal(err)
	}
	if p := all[0]; p.Handwritten != 1 || p.Nodes[1].Call != nil || p.Nodes[1].After != 1 {
		t.Errorf("got %+v", p)
	}
}

// doubling returns a short text that expands to millions of fields.
func doubling() string {
	var b strings.Builder
	b.WriteString("{ dog { ...f0 } }")
	for i := range 30 {
		fmt.Fprintf(&b, " fragment f%d on Dog { x: friends { ...f%d } y: friends { ...f%d } }", i, i+1, i+1)
	}
	b.WriteString(" fragment f30 on Dog { id }")
	return b.String()
}

// An operation that cannot be planned is rejected at once, with its place.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		query, want string
		variables   map[string]any
	}{
		"syntax":           {query: "{ dog {\n id ", want: "q:2:5: "},
		"validation":       {query: "{ dog {\n nme } cat }", want: "q:2:2: Cannot query field \"nme\" on type \"Dog\"."},
		"all of them":      {query: "{ dog {\n nme } cat }", want: "q:2:8: Cannot query field \"cat\""},
		"no operation":     {query: "fragment f on Dog { id }", want: "q: there is no operation in it"},
		"a cycle":          {query: "{ ...a ...b } fragment a on Query { dog { id } ...b } fragment b on Query { dog { id } ...a }", want: `within itself.`},
		"a cycle of one":   {query: "{ ...a } fragment a on Query { ...a }", want: `q:1:35: Cannot spread fragment "a" within itself.`},
		"too many fields":  {query: doubling(), want: "q:1:1: the operation asks for more than 50,000 fields"},
		"too many types":   {query: "{ list {" + strings.Repeat("mates {", 20) + "id" + strings.Repeat("}", 20) + "} }", want: "query: too many types meet in it"},
		"other variables":  {query: "query($a: Int) { pets(first: $a) { id } }", variables: map[string]any{"b": 1}, want: "no operation declares the variable $b"},
		"wrong variables":  {query: "query Q($a: Int) { pets(first: $a) { id } }", variables: map[string]any{"a": "x"}, want: "query Q: the variables do not fit"},
		"a variable alone": {query: "query Q($a: Int!) { pets(first: $a) { id } }", want: ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := plans(t, []*ast.Source{{Name: "tiny", Input: tiny}}, &ast.Source{Name: "q", Input: c.query}, explain.Options{Variables: c.variables})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
