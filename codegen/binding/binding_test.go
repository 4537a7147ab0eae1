package binding

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

var update = flag.Bool("update", false, "write the golden files anew")

// preamble is what most fixtures begin with; it takes no line of theirs.
const goField = "directive @goField(forceResolver: Boolean) on FIELD_DEFINITION\n"

func compile(t testing.TB, name, text string) (*Graph, error) {
	t.Helper()
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Name: VocabularyFile, Input: Vocabulary + goField},
		&ast.Source{Name: name, Input: text})
	if err != nil {
		return nil, err
	}
	return Compile(schema)
}

// Each fixture holds mistakes; its golden file says what is reported, and where.
func TestFaults(t *testing.T) {
	fixtures, err := filepath.Glob("testdata/*.graphqls")
	if err != nil || len(fixtures) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, path := range fixtures {
		name := filepath.Base(path)
		t.Run(strings.TrimSuffix(name, ".graphqls"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = compile(t, name, string(text))
			if _, ok := errors.AsType[Faults](err); !ok {
				t.Fatalf("no faults but: %v", err)
			}
			golden := strings.TrimSuffix(path, ".graphqls") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err2 := os.ReadFile(golden)
			if err2 != nil {
				t.Fatal(err2)
			}
			if diff := cmp.Diff(string(want), err.Error()+"\n"); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

const valid = `
extend schema @source(name: "s")
type Query {
  a(id: ID!, in: In, ids: [ID!]): A
    @connect(source: "s", http: {
      POST: "/a/{$args.id}.json?x={$args.in.n}&each={$args.ids*}&who=me-{$claims.org.id}"
      headers: [{name: "X-Id", value: "{$args.id}"}]
      body: "$args.in"
      idempotent: true
    }, selection: "$.data.a")
}
input In { n: Int }
type A {
  id: ID!
  bs: [B!] @connect(source: "s", http: {GET: "/bs?a={$batch.id}"}, batch: {key: "aId", maxSize: 7})
  stock: Int @connect(source: "s", http: {GET: "/stock"}, batch: {key: "id"})
  own: B @connect(source: "s", http: {GET: "/own/{$this.id}"})
}
type B { aId: ID! @json(name: "a-id") }
`

func TestCompile(t *testing.T) {
	g, err := compile(t, "valid.graphqls", valid)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range g.Fields {
		got[f.Object.Name+"."+f.Definition.Name] = describe(f)
	}
	want := map[string]string{
		"Query.a": "s POST path[/a/ $args.id .json] x[$args.in.n] each*[$args.ids] who[me- $claims.org.id] X-Id:[$args.id] body $args.in idempotent root data.a",
		"A.bs":    "s GET path[/bs] a[$batch.id] batch id->aId by 7",
		"A.stock": "s GET path[/stock] batch id-> by 0",
		"A.own":   "s GET path[/own/ $this.id]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if g.WireName("B", "aId") != "a-id" || g.WireName("A", "id") != "id" {
		t.Error("@json(name:) is lost")
	}
}

func describe(f *Field) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s path%s", f.Source, f.Call.Method, parts(f.Call.Path))
	for _, q := range f.Call.Query {
		star := ""
		if q.Each {
			star = "*"
		}
		fmt.Fprintf(&b, " %s%s%s", q.Name, star, parts(q.Parts))
	}
	for _, h := range f.Call.Headers {
		fmt.Fprintf(&b, " %s:%s", h.Name, parts(h.Parts))
	}
	if v := f.Call.Body; v != nil {
		fmt.Fprintf(&b, " body %s", parts([]Part{{Value: v}})[1:len(parts([]Part{{Value: v}}))-1])
	}
	if f.Call.Idempotent {
		b.WriteString(" idempotent")
	}
	if f.Root != nil {
		b.WriteString(" root " + strings.Join(f.Root, "."))
	}
	if f.Batch != nil {
		fmt.Fprintf(&b, " batch %s->%s by %d", f.Batch.Parent.Name, f.Batch.Item, f.Batch.MaxSize)
	}
	return b.String()
}

func parts(parts []Part) string {
	var texts []string
	for _, p := range parts {
		if p.Value != nil {
			p.Literal = "$" + string(p.Value.Scope) + "." + strings.Join(p.Value.Path, ".")
		}
		texts = append(texts, p.Literal)
	}
	return "[" + strings.Join(texts, " ") + "]"
}

func TestGuardsSpread(t *testing.T) {
	schema, err := gqlparser.LoadSchema(
		&ast.Source{Name: VocabularyFile, Input: Vocabulary + goField},
		&ast.Source{Name: "s.graphqls", Input: `
			type Query { a: A any: I free: Int }
			interface I { id: ID! }
			type A implements I @requiresScopes(scopes: [["a"]]) { id: ID! secret: Int @authenticated }
		`})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compile(schema); err != nil {
		t.Fatal(err)
	}
	for field, guards := range map[string]int{"Query.a": 1, "Query.any": 0, "Query.free": 0, "A.id": 1, "A.secret": 2} {
		object, name, _ := strings.Cut(field, ".")
		if got := guardsOf(schema.Types[object].Fields.ForName(name).Directives); len(got) != guards {
			t.Errorf("%s has %d guards, want %d", field, len(got), guards)
		}
	}
}

// Whatever stands in a template is read as it was written, or refused.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"/users/{$args.id}", "/a?b={$args.c*}&d=e", "{", "}", "{}", "{$args}", "/{$this.a-b}", "{$args.a}{$args.b}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pieces, offset, err := parseTemplate(text)
		if err != nil {
			if offset < 0 || offset > len(text) {
				t.Fatalf("%q: a mistake at %d", text, offset)
			}
			return
		}
		var again strings.Builder
		for _, p := range pieces {
			again.WriteString(p.String())
		}
		if again.String() != text {
			t.Fatalf("%q reads as %q", text, again.String())
		}
	})
}
