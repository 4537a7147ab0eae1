package document

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
)

// worst are documents within the default limits that are dear to validate.
func worst() map[string]string {
	wrap := func(levels int, open, inner string) string {
		return strings.Repeat(open, levels) + inner + strings.Repeat("}", levels)
	}
	list := func(count int, format string) string {
		var b strings.Builder
		for i := range count {
			b.WriteString(strings.NewReplacer("#", fmt.Sprint(i), "@", fmt.Sprint(i+1)).Replace(format))
		}
		return b.String()
	}
	return map[string]string{
		"one field often":              "{" + strings.Repeat("n ", 1990) + "}",
		"inline fragments around it":   "{" + wrap(200, "...{", strings.Repeat("n ", 1300)) + "}",
		"inline fragments beside it":   "{" + strings.Repeat("...{n} ", 490) + "}",
		"conflicting arguments":        "{" + list(220, "pets(first:#){name} ") + "}",
		"conflicts in inline ones":     "{" + list(160, "...{pets(first:#){name}} ") + "}",
		"sub-selections merged":        "{" + strings.Repeat("a{a{a{n}}} ", 195) + "}",
		"halves that meet":             "{" + halves(8) + "}",
		"types apart under one":        "{pet{" + list(55, "...on Dog{friend{owner{name}}} ...on Cat{friend{owner{name}}} friend{owner{name}} ") + "}}",
		"types apart, level by level":  "{pet{" + apart(5) + "}}",
		"a chain of fragments":         "{...f0}" + list(199, " fragment f# on Query{n ...f@}") + " fragment f199 on Query{n}",
		"many operations":              list(160, "query A#{...f} ") + " fragment f on Query{" + strings.Repeat("n ", 60) + "}",
		"variables":                    "query(" + list(240, "$a#:Int ") + "){" + list(90, "pets(first:$a#){name} ") + "}",
		"introspection fan-out":        "{__schema{types{...f0}}}" + list(10, " fragment f# on __Type{x:ofType{...f@} y:ofType{...f@}}") + " fragment f10 on __Type{name}",
		"unknown fields, long names":   "{" + list(30, strings.Repeat("x", 200)+"# ") + "a{" + list(1900, strings.Repeat("x", 200)+"# ") + "}}",
		"unknown types, long names":    "{" + list(330, "...on "+strings.Repeat("X", 200)+"#{n} ") + "}",
		"unknown arguments":            "{pets(" + list(660, strings.Repeat("x", 200)+"#:1 ") + "){name}}",
		"an object with many members":  "{pets(filter:{" + list(640, "x#:1 ") + "}){name}}",
		"arguments compared, many":     "{" + strings.Repeat("pets("+list(30, "x#:1 ")+"){name} ", 19) + "}",
		"fragments, each in all later": fragmentsInLater(12),
	}
}

func halves(depth int) string {
	if depth == 0 {
		return "n"
	}
	return "a{" + halves(depth-1) + "} a{" + halves(depth-1) + "}"
}

func apart(depth int) string {
	if depth == 0 {
		return "name"
	}
	return "...on Dog{friend{" + apart(depth-1) + "}} ...on Cat{friend{" + apart(depth-1) + "}} owner{pets{name}}"
}

func fragmentsInLater(count int) string {
	var b strings.Builder
	b.WriteString("{a{...f0}}")
	for i := range count {
		fmt.Fprintf(&b, " fragment f%d on Query{", i)
		for j := i + 1; j < count; j++ {
			fmt.Fprintf(&b, "...f%d ", j)
		}
		b.WriteString("n}")
	}
	return b.String()
}

// The rule for overlapping fields counts its steps, so its bound can be shown without a clock.
func TestWorstDocumentsTakeFewSteps(t *testing.T) {
	for name, query := range worst() {
		t.Run(name, func(t *testing.T) {
			doc, err := limit.Parse(query, limit.Options{})
			if err != nil {
				t.Fatal(err)
			}
			validator.Walk(schema, doc.AST, &validator.Events{}) // notes what each field is
			if steps := steps(doc.AST); steps > 60_000 {
				t.Errorf("%d steps", steps)
			}
		})
	}
}

func steps(doc *ast.QueryDocument) int {
	m := merger{schema: schema, report: func(...validator.ErrorOption) {}}
	for _, op := range doc.Operations {
		m.sameFields([]ast.SelectionSet{op.SelectionSet})
		m.sameShapes([]ast.SelectionSet{op.SelectionSet})
	}
	return m.steps
}

func TestTooManyStepsAreRefused(t *testing.T) {
	store := NewStore(schema, Options{})
	store.limits.Selections, store.limits.Tokens = -1, -1
	store.limits.Depth = -1
	var b strings.Builder
	b.WriteString("{...f0}")
	for i := range 24 {
		fmt.Fprintf(&b, " fragment f%d on Query{a{...f%d} b{...f%d}}", i, i+1, i+1)
	}
	b.WriteString(" fragment f24 on Query{n}")
	_, errs := store.Get(t.Context(), b.String())
	if len(errs) != 1 || !strings.Contains(errs[0].Message, "too many overlapping fields") {
		t.Errorf("got %v", errs)
	}
}

func BenchmarkWorst(b *testing.B) {
	for name, query := range worst() {
		b.Run(name, func(b *testing.B) {
			store := NewStore(schema, Options{Size: -1, Suggestions: true})
			for b.Loop() {
				store.Get(b.Context(), query)
			}
		})
	}
}
