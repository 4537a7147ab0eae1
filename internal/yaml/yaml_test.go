package yaml

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outline returns a tree on one line: kinds, values and, of mappings, keys.
func outline(n *Node) string {
	switch {
	case n == nil:
		return "nothing"
	case n.Invalid:
		return "invalid"
	case n.Kind == List:
		items := make([]string, len(n.Items))
		for i, item := range n.Items {
			items[i] = outline(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case n.Kind == Mapping:
		members := make([]string, len(n.Members))
		for i, m := range n.Members {
			members[i] = m.Key.Value + ": " + outline(m.Value)
		}
		return "{" + strings.Join(members, ", ") + "}"
	}
	return [...]string{"null", "bool", "int", "float", "string"}[n.Kind] + "(" + n.Value + ")"
}

func errorsOf(doc *Document) []string {
	var all []string
	for _, err := range doc.Errors {
		text := err.Error()
		if len(err.Path) > 0 {
			text += " (" + err.Path.String() + ")"
		}
		all = append(all, text)
	}
	return all
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "nothing"},
		{"comments alone", "# nothing here\n", "nothing"},
		{"an empty document", "---\n", "nothing"},
		{"an empty document behind", "a: 1\n---\n", "{a: int(1)}"},
		{"null", "~", "null(~)"},
		{
			"scalars", "[a, 'b', \"c\", 1, 1.5, 0x1F, true, yes, null, 2024-01-01, 'true', \"1\"]",
			"[string(a), string(b), string(c), int(1), float(1.5), int(0x1F), bool(true), string(yes), null(null), string(2024-01-01), string(true), string(1)]",
		},
		{"a block", "a:\n  b: |\n    text\n  c: >-\n    two\n    lines\n", "{a: {b: string(text\n), c: string(two lines)}}"},
		{"ports within braces", "{urls: [http://localhost:9101, http://localhost:9102]}", "{urls: [string(http://localhost:9101), string(http://localhost:9102)]}"},
		{"JSON", `{"a": [1, {"b": null}], "c": "\ud83d\ude00 \/ \\ud83d\\ude00"}`, `{a: [int(1), {b: null(null)}], c: string(😀 / \ud83d\ude00)}`},
		{"aliases", "a: &x {b: 1}\nc: *x\nd: [*x]\n", "{a: {b: int(1)}, c: {b: int(1)}, d: [{b: int(1)}]}"},
		{"an alias as a key", "&k a: 1\nb: {*k : 2}\n", "{a: int(1), b: {a: int(2)}}"},
		{
			"merges", "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], z: 3}\nd: {<<: *a, x: 4}\n",
			"{a: {x: int(1), y: int(1)}, b: {y: int(2), z: int(2)}, c: {z: int(3), x: int(1), y: int(1)}, d: {x: int(4), y: int(1)}}",
		},
		{"a merge of a merge", "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}\n", "{a: {x: int(1)}, b: {y: int(2), x: int(1)}, c: {y: int(2), x: int(1)}}"},
		{"a quoted merge is a key", "{\"<<\": 1}", "{<<: int(1)}"},
		{"a byte order mark", "\uFEFFa: 1", "{a: int(1)}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := Parse([]byte(c.text), Options{})
			if got := outline(doc.Root); got != c.want || len(doc.Errors) > 0 {
				t.Errorf("%s, %q\nwant %s", got, errorsOf(doc), c.want)
			}
			if got := outline(Parse([]byte(c.text), Options{Lenient: true}).Root); got != c.want {
				t.Errorf("lenient: %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		errors           []string
	}{
		{"not UTF-8", "a: \xff", "nothing", []string{"1:1: the text is not UTF-8"}},
		{"wrong indentation", "a:\n  b: 1\n c: 2\n", "nothing", []string{"3:2: a key must stand here, in the same column as the others of its block"}},
		{"a wrong colon", "a: b\n   c: 1\n", "nothing", []string{"2:5: a colon cannot stand here; indent the line like its neighbours, or put the text in quotes"}},
		{"an open quote", "a: \"b\n", "nothing", []string{"1:4: the closing quote is missing"}},
		{"an open bracket", "a:\n  b: [1, 2\n", "nothing", []string{`2:6: a "]" or a comma is missing in this list`}},
		{"an alias without an anchor", "a: *x", "nothing", []string{`1:4: an alias has no anchor before it; put a text that begins with "*" in quotes`}},
		{"a second document", "a: 1\n---\nb: 2\n", "{a: int(1)}", []string{"3:1: the file has a second document; put everything into the first one and remove the \"---\""}},
		{"a duplicate key", "a: {b: 1, b: 2, c: 3}", "{a: {b: int(1), c: int(3)}}", []string{"1:11: is set twice; remove one of them (a.b)"}},
		{"a key that is a list", "a: {? [b] : 1, c: 2}", "{a: {c: int(2)}}", []string{"1:7: a key must be a plain name (a)"}},
		{"a tag", "a: [!!binary x, 1]", "{a: [invalid, int(1)]}", []string{"1:5: YAML's tags are not understood here; write the plain value (a[0])"}},
		{"an alias of a tagged value", "a: &x !!binary x\nb: *x\n", "{a: invalid, b: invalid}", []string{"1:4: YAML's tags are not understood here; write the plain value (a)"}},
		{"a merge of a scalar", "a: {<<: 5, b: 1}", "{a: {b: int(1)}}", []string{"1:9: \"<<\" merges a mapping, not a single value (a)"}},
		{"a cycle", "a: &x [1, *x]", "{a: [int(1), invalid]}", []string{"1:11: the alias stands within the value that it names; write that value out (a[1])"}},
		{"a cyclic merge", "a: &x {<<: *x, b: 1}", "{a: {b: int(1)}}", []string{"1:12: the alias stands within the value that it names; write that value out (a)"}},
		{
			"two mistakes", "a: !x 1\nb: 1\nb: 2\n", "{a: invalid, b: int(1)}",
			[]string{"1:4: YAML's tags are not understood here; write the plain value (a)", "3:1: is set twice; remove one of them (b)"},
		},
		{"too deep", strings.Repeat("[", 20_000), "nothing", []string{"1:10001: exceeded max depth of 10000 while increasing flow level"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := Parse([]byte(c.text), Options{})
			if got := outline(doc.Root); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			if diff := cmp.Diff(c.errors, errorsOf(doc)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMaxValues(t *testing.T) {
	for _, c := range []struct {
		name, text string
		max        int
		errors     []string
	}{
		{"as many as there are", "[1, 2, 3]", 4, nil},
		{"one more", "[1, 2, 3]", 3, []string{"1:8: the file has more than 3 values"}},
		{"an alias counts for what it names", "a: &x [1, 2]\nb: *x\n", 7, nil},
		{"an alias beyond", "a: &x [1, 2]\nb: *x\n", 6, []string{"2:4: the file has more than 6 values"}},
		{"only the first one is told", "a: &x [1, 2]\nb: *x\nc: *x\nd: &y [*x, 1]\ne: *y\n", 6, []string{"2:4: the file has more than 6 values"}},
		{
			"aliases of aliases", "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n",
			5000,
			[]string{"4:14: the file has more than 5000 values"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.errors, errorsOf(Parse([]byte(c.text), Options{MaxValues: c.max}))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLenient(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"duplicate keys stay", "a: 1\na: 2\n", "{a: int(1), a: int(2)}"},
		{"tags are accepted", "a: !!str 12\nb: !x c\n", "{a: string(12), b: string(c)}"},
		{"keys that are lists are left out", "? [a]\n: 1\nb: 2\n", "{b: int(2)}"},
		{"the first document counts", "a: 1\n---\n[", "{a: int(1)}"},
		{"a merge of a scalar brings nothing", "{<<: 5, b: 1}", "{b: int(1)}"},
		{"a mapping that merges itself", "a: &x {<<: *x, b: 1}", "{a: {b: int(1)}}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := Parse([]byte(c.text), Options{Lenient: true})
			if got := outline(doc.Root); got != c.want || len(doc.Errors) > 0 {
				t.Errorf("%s, %q\nwant %s", got, errorsOf(doc), c.want)
			}
		})
	}
	cycle := Parse([]byte("a: &x [*x]"), Options{Lenient: true}).Root.Get("a")
	if cycle.Items[0] != cycle {
		t.Error("an alias leads to the value that contains it")
	}
}

// What merges copy into a lenient tree is bounded, although nothing else in it is.
func TestManyMerges(t *testing.T) {
	var text strings.Builder
	text.WriteString("base: &b {")
	for i := range 2000 {
		fmt.Fprintf(&text, "k%d: 1, ", i)
	}
	text.WriteString("}\nall: [" + strings.Repeat("{<<: *b}, ", 1000) + "]\n")
	doc := Parse([]byte(text.String()), Options{Lenient: true})
	if len(doc.Errors) != 1 || doc.Errors[0].Problem != TooManyValues {
		t.Errorf("%q", errorsOf(doc))
	}
}

// Each value is where the text has it, and Source is what stands there.
func TestPositions(t *testing.T) {
	doc := Parse([]byte("é: \"é \\\" x\" # y\n"+
		"a: &q 'it''s'\n"+
		"b: &r\n  d: |\n    x\n  e: [ö, *q, z]\n"+
		"f: { g: plain text, h: \"open\n  end\" }\n"+
		"i: &s {j: 1}\n"), Options{})
	if len(doc.Errors) > 0 {
		t.Fatal(errorsOf(doc))
	}
	var got []string
	var walk func(n *Node)
	walk = func(n *Node) {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%d:%d %s", n.Line, n.Column, n.Source)))
		for _, m := range n.Members {
			got = append(got, fmt.Sprintf("%d:%d %s", m.Key.Line, m.Key.Column, m.Key.Source))
			walk(m.Value)
		}
		for _, item := range n.Items {
			walk(item)
		}
	}
	walk(doc.Root)
	want := []string{
		"1:1", "1:1 é", `1:4 "é \" x"`, "2:1 a", "2:7 'it''s'", "3:1 b", "4:3", "4:3 d", "4:6 |", "6:3 e", "6:6", "6:7 ö", "2:7 'it''s'", "6:14 z",
		"7:1 f", "7:4", "7:6 g", "7:9 plain text", "7:21 h", `7:24 "open`, "9:1 i", "9:7", "9:8 j", "9:11 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A value that does not get into the tree is known nevertheless, so that it can be hidden.
func TestDiscarded(t *testing.T) {
	doc := Parse([]byte("a: 1\na: duplicate\nb: !x tagged\nc: {<<: {d: merged, e: 2}, d: 3}\n"), Options{})
	var got []string
	for _, n := range doc.Discarded {
		got = append(got, n.Source)
	}
	if diff := cmp.Diff([]string{"duplicate", "!x tagged", "merged"}, got); diff != "" {
		t.Error(diff)
	}
}

// No text crashes the reader, and every scalar is found at its position.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"a: &x {b: [1, 'c', \"d\\n\"]}\ne: *x\nf: {<<: *x}\n", "a: |\n  x\r\nb: \u2028 c", "{\"a\": \"\\ud83d\\ude00\"}", "- &a !!str b\n- *a\n", "a: 1\n---\na: 2", "\uFEFFé: 'ü'", "a: &x [*x]", "? [a]\n: b",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		Parse([]byte(text), Options{Lenient: true})
		doc := Parse([]byte(text), Options{MaxValues: 1000})
		lines := Lines(text)
		for _, err := range doc.Errors {
			if err.Line < 1 || err.Column < 1 || err.Line > len(lines)+1 {
				t.Errorf("%s is outside of %q", err, text)
			}
		}
		if doc.Root != nil && !strings.Contains(text, `\`) {
			found(t, lines, doc.Root)
		}
	})
}

func found(t *testing.T, lines []string, n *Node) {
	t.Helper()
	if n.Source != "" {
		line := []rune(lines[n.Line-1])
		if rest := string(line[n.Column-1:]); !strings.HasPrefix(rest, n.Source) {
			t.Errorf("%d:%d has %q, not %q", n.Line, n.Column, rest, n.Source)
		}
	}
	for _, m := range n.Members {
		found(t, lines, m.Key)
		found(t, lines, m.Value)
	}
	for _, item := range n.Items {
		found(t, lines, item)
	}
}
