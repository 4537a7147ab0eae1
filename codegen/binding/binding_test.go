package binding

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
)

var update = flag.Bool("update", false, "write the golden files anew")

func compile(t testing.TB, name, text string) (*Graph, error) {
	t.Helper()
	schema, err := Load(&ast.Source{Name: name, Input: text})
	if err != nil {
		return nil, err
	}
	return Compile(schema, CompileOptions{})
}

// Each fixture holds mistakes, and its golden file has the report.
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

// A fault is reported at the mark.
func TestPlaces(t *testing.T) {
	const mark = "‸"
	for _, text := range []string{
		`"ünï" a: Int @connect(source: ‸"x", http: {GET: "/a"})`,
		`a: Int @connect(source: ‸"x\"é", http: {GET: "/a"})`,
		`a: Int @connect(source: ‸"""x""", http: {GET: "/a"})`,
		"a: Int @connect(source: ‸\"\"\"\n x\n\"\"\", http: {GET: \"/a\"})",
		`a: Int @connect(source: "s", http: {GET: "/é/ö/{‸$args.x}"})`,
		`a: Int @connect(source: "s", http: {GET: "/\u00e9\"\/\\{‸$args.x}"})`,
		`a: Int @connect(source: "s", http: {GET: """/é"/{‸$args.x}"""})`,
		"a: Int @connect(source: \"s\", http: {GET: \"\"\"\n\n   \t\n  /é{‸$args.x}\n \n\"\"\"})",
		"a: Int @connect(source: \"s\", http: {GET: \"\"\"/a?x=é\n  &y={‸$args.x}\"\"\"})",
		"a: Int @connect(source: \"s\", http: {GET: \"\"\"\n  /a?x=é\n      &y={‸$args.x}\n\"\"\"})",
		"\"\"\"\nTwo\nlines\n\"\"\" a: Int @connect(source: \"s\", http: {GET: \"/é/‸{\"})",
		`a: Int @connect(source: "s", http: {GET: "/a"}, selection: "‸x")`,
	} {
		before, _, _ := strings.Cut("extend schema @source(name: \"s\") type Query {\n"+text+"\n}", mark)
		_, err := compile(t, "x.graphqls", "extend schema @source(name: \"s\") type Query {\n"+strings.Replace(text, mark, "", 1)+"\n}")
		faults, ok := errors.AsType[Faults](err)
		if !ok || len(faults) == 0 {
			t.Errorf("%s: %v", text, err)
			continue
		}
		line, column := 1+strings.Count(before, "\n"), 1+utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
		if !slices.ContainsFunc(faults, func(f Fault) bool { return f.Line == line && f.Column == column }) {
			t.Errorf("%s: want %d:%d\n%v", text, line, column, err)
		}
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
		"Query.a": "s POST path[/a/ $args.id .json] x[$args.in.n] each*[$args.ids] who[me- $claims.org.id] X-Id:[$args.id] body $args.in idempotent reads .data .a A",
		"A.bs":    "s GET path[/bs] a[$batch.id] reads [B!]! batch id->aId by 7",
		"A.stock": "s GET path[/stock] reads keyed(Int) batch id-> by 0",
		"A.own":   "s GET path[/own/ $this.id] reads B",
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
		if q.Explode {
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
	if f.Extraction != nil {
		b.WriteString(" reads " + f.Extraction.String())
	}
	if f.Batch != nil {
		fmt.Fprintf(&b, " batch %s->%s by %d", f.Batch.ParentKey.Name, f.Batch.ItemKey, f.Batch.MaxSize)
	}
	return b.String()
}

func parts(parts []Part) string {
	var texts []string
	for _, p := range parts {
		if p.Value != nil {
			p.Literal = p.Value.String()
		}
		texts = append(texts, p.Literal)
	}
	return "[" + strings.Join(texts, " ") + "]"
}

func TestGuardsSpread(t *testing.T) {
	schema, err := Load(&ast.Source{Name: "s.graphqls", Input: `
		type Query { a: A any: I free: Int }
		interface I { id: ID! }
		type A implements I @requiresScopes(scopes: [["a"]]) { id: ID! secret: Int @authenticated }
	`})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compile(schema, CompileOptions{}); err != nil {
		t.Fatal(err)
	}
	for field, guards := range map[string]int{"Query.a": 1, "Query.any": 0, "Query.free": 0, "A.id": 1, "A.secret": 2} {
		object, name, _ := strings.Cut(field, ".")
		if got := guardsOf(schema.Types[object].Fields.ForName(name).Directives); len(got) != guards {
			t.Errorf("%s has %d guards, want %d", field, len(got), guards)
		}
	}
}

// Any text of a template is read as it is written, or refused.
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

// Any schema is compiled or refused, and the places of faults are within its text.
func FuzzCompile(f *testing.F) {
	fixtures, err := filepath.Glob("testdata/*.graphqls")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range fixtures {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(valid)
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "\r", "\n") // codegen does so too
		_, err := compile(t, "fuzz.graphqls", text)
		faults, _ := errors.AsType[Faults](err)
		lines := strings.Split(text, "\n")
		for _, fault := range faults {
			if DeclaredIn(fault.File) != nil {
				continue
			}
			if fault.Line < 1 || fault.Line > len(lines) || fault.Column < 1 || fault.Column > utf8.RuneCountInString(lines[fault.Line-1])+1 {
				t.Fatalf("%q: %v", text, fault)
			}
		}
	})
}
