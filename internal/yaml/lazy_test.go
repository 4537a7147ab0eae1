package yaml

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// describe returns a tree as text, a line for each value.
func describe(n *Node, indent string, b *strings.Builder) {
	n.Expand()
	fmt.Fprintf(b, "%s%d:%d %d %q invalid=%v\n", indent, n.Line, n.Column, n.Kind, n.Value, n.Invalid)
	for _, m := range n.Members {
		fmt.Fprintf(b, "%s%d:%d %s:\n", indent, m.Key.Line, m.Key.Column, m.Key.Value)
		describe(m.Value, indent+"  ", b)
	}
	for _, item := range n.Items {
		describe(item, indent+"- ", b)
	}
}

// compareTrees compares the lazy tree of a text with the one that is read at once. It reports
// whether there is a lazy tree.
func compareTrees(t *testing.T, text []byte, small int) bool {
	t.Helper()
	lazy := parseLazy(text, Options{Lenient: true}, small)
	eager := Parse(text, Options{Lenient: true})
	if lazy == nil || len(eager.Errors) > 0 || eager.Root == nil {
		return false // a lazy tree of a broken text has what can be read
	}
	var want, got strings.Builder
	describe(eager.Root, "", &want)
	describe(lazy.Root, "", &got)
	if len(lazy.Errors) > 0 {
		t.Errorf("errors: %v", lazy.Errors)
	}
	if diff := cmp.Diff(strings.Split(want.String(), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("-want +got\n%.3000s", diff)
	}
	return true
}

// What YAML and JSON can look like does not change the tree.
func TestLazyTrees(t *testing.T) {
	for _, text := range []string{
		"a: 'x\n  y'\nb:\n- c: |\n    d: e\n  f: [1,\n 2]\ng:\n  - - h: >-\n        i\n      j: k # l\n  # m: n\n  - \"o: p\"\n",
		"a: b\n  c is text\nd:\n  more\n  'text\n  # over\ne: f\n",
		"a: {b: {c: [d, {e: f}], \"g\": 'h'},\ni: j}\nk:\n",
		"# first\n---\na: 1\nb:\n\n  # c\n  d: 2\n  'e f': 3\n  \"g\\n\": 4\n  200: 5\n...\nh: 6\n",
		"---\na:\n    b: |2\n        c\n    d: >+\n      e\n\n    f: g\n",
		"a:\r\n  b: c\r\n  d: 'e\r\n    f'\r\n",
		`{"a": {"b": [1, "}", {"c": null}]}, "e": {}, "f": -1.5e3, "ü": {"ü": "ü", "g": true}, "d\\": "\/\ud83d\ude00"}`,
		"{\n  \"a\": {\n    \"b\": \"c\"\n  },\n  \"d\": [\n    1\n  ]\n}\n",
		"a: it's\nb: c#d\ne: f # g\nh: http://i:80/\nj: -k\nl: - m\n",
		"ü: {ö: 'ä', b: c}\nlong: " + strings.Repeat("word ", 40) + "\n",
		"a:\n- b\n-\n  c: d\n- - e\n  - f\ng: []\n",
		"\ufeffa: b\nc: {d: e}\n",
	} {
		if !compareTrees(t, []byte(text), 4) && !strings.Contains(text, "l: - m") {
			t.Errorf("%q is not read lazily", text)
		}
	}
}

// Anchors, aliases, merges, tags, and what the outliner does not know are read at once.
func TestNotLazy(t *testing.T) {
	for _, text := range []string{
		"a: &x {b: c}\nd: *x\n", "a:\n  <<: {b: c}\n", "a: !!str 5\n", "? a\n: b\n", "a:\n\tb: c\n", "- a\n- b\n", "text\n", "a: \"\u2028\"\n", "{a: b} c", "a: [b\n", "a: 'b\n",
	} {
		if doc := parseLazy([]byte(text), Options{Lenient: true}, 1); doc != nil && doc.Root.Members[0].Value.deferred != nil {
			doc.Root.Members[0].Value.Expand()
			if len(doc.Root.Members) < 1 || len(doc.Errors) == 0 {
				t.Errorf("%q is read lazily", text)
			}
		}
	}
}

// A mistake costs its own value, and has its place in the whole text.
func TestLazyMistakes(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"a: ok\nb:\n  c: [1, }]\n  d: fine\ne: ok\n", ""},
		{"a: ok\nb:\n  c: \"\\q\"\n  d: fine\ne: ok\n", "3:7"},
		{`{"a": "ok",` + "\n" + `  "b": {"c": "\q", "d": "fine"}, "e": "ok"}`, "2:15"},
	} {
		doc := parseLazy([]byte(test.text), Options{Lenient: true}, 8)
		if test.want == "" {
			if doc != nil {
				t.Errorf("%q: brackets that do not close are those of the whole text", test.text)
			}
			continue
		}
		var tree strings.Builder
		describe(doc.Root, "", &tree)
		if len(doc.Errors) != 1 || !strings.HasPrefix(doc.Errors[0].Error(), test.want) || strings.Count(tree.String(), "fine") != 1 || strings.Count(tree.String(), "ok") != 2 {
			t.Errorf("%q: %v\n%s", test.text, doc.Errors, tree.String())
		}
	}
}

// Thousands of mappings within mappings take no quadratic time.
func TestLazyNestingEnds(t *testing.T) {
	const depth = 9000
	text := strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)
	doc := Parse([]byte(text), Options{Lenient: true, Lazy: true})
	n, levels := doc.Root, 0
	for ; n != nil && n.Kind == Mapping; levels++ {
		n = n.Get("a")
		n.Expand()
	}
	if levels < 100 || levels == depth || !n.Invalid || len(doc.Errors) != 1 {
		t.Errorf("%d levels, %+v, %v", levels, n, doc.Errors)
	}
}

func FuzzLazy(f *testing.F) {
	f.Add([]byte("a: 'x\n  y'\nb:\n- c: |\n    d: e\n  f: [1,\n 2]\ng:\n  - - h: >-\n      i\n    j: k # l\n"))
	f.Add([]byte("# x\na: {\"b\": [c, 'd'], e: f}\nx: b\n  c: d\n"))
	f.Add([]byte(`{"a": {"b": [1, "}", {"c": null}], "d": "e"}}`))
	f.Fuzz(func(t *testing.T, text []byte) { compareTrees(t, text, 4) })
}
