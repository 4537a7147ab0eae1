package enginetest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// operationWriter writes random operations that are valid.
type operationWriter struct {
	*rand.Rand
	schema        *ast.Schema
	fragments     []string // the definitions of fragments
	fragmentTypes []string // their types
	fieldsLeft    int      // the number of fields that may still be selected
}

// operation returns an operation and its variables.
func (w *operationWriter) operation() (text string, variables map[string]any) {
	kind, root := "query", w.schema.Query
	if w.IntN(8) == 0 {
		kind, root = "mutation", w.schema.Mutation
	}
	w.fieldsLeft = 60
	if kind == "mutation" {
		w.fieldsLeft = 30
	}
	for range w.IntN(4) {
		w.fragment()
	}
	return w.declare(kind, w.addFragments(w.selectionSet(root, 4)))
}

// declare writes an operation with the variables that its body uses, and returns their values.
func (w *operationWriter) declare(kind, body string) (text string, variables map[string]any) {
	var params []string
	for _, p := range []string{"$p: Boolean!", "$q: Boolean = false", "$n: Int", "$f: Filter"} {
		if strings.Contains(body, p[:2]) {
			params = append(params, p)
		}
	}
	text = kind
	if len(params) > 0 {
		text += "(" + strings.Join(params, ", ") + ")"
	}
	variables = map[string]any{"p": w.IntN(2) == 0}
	if w.IntN(2) == 0 {
		variables["q"] = w.IntN(2) == 0
	}
	if w.IntN(2) == 0 {
		variables["n"] = w.IntN(5)
	}
	if w.IntN(2) == 0 {
		variables["f"] = map[string]any{"size": 3, "kinds": []string{"ODD"}}
	}
	return text + body, variables
}

// addFragments appends the definitions of the fragments that are used.
func (w *operationWriter) addFragments(body string) string {
	for i := len(w.fragments) - 1; i >= 0; i-- {
		if strings.Contains(body, fmt.Sprintf("...F%d ", i)) {
			body += w.fragments[i]
		}
	}
	return body
}

// fragment writes a named fragment, which may spread those before it.
func (w *operationWriter) fragment() {
	types := []string{"Place", "Person", "Node", "Named", "Any", "Spot", "Odd", "Thing", "Answer", "Item", "Query", "Writer", "Story", "Editor", "StoryNodes", "StoryEdge", "Media", "Titled", "Film"}
	t := types[w.IntN(len(types))]
	text := fmt.Sprintf(" fragment F%d on %s%s", len(w.fragments), t, w.selectionSet(w.schema.Types[t], 2))
	w.fragments, w.fragmentTypes = append(w.fragments, text), append(w.fragmentTypes, t)
}

// selectionSet writes a selection set of a type.
func (w *operationWriter) selectionSet(t *ast.Definition, deep int) string {
	var b strings.Builder
	b.WriteString("{ ")
	for range 1 + w.IntN(5) {
		switch w.IntN(8) {
		case 0:
			b.WriteString("__typename ")
		case 1:
			b.WriteString(w.inlineFragment(t, deep))
		case 2:
			b.WriteString(w.spread(t))
		default:
			b.WriteString(w.field(t, deep))
		}
	}
	if t.IsAbstractType() && deep > 0 {
		b.WriteString(w.inlineFragment(t, deep))
	}
	if strings.Count(b.String(), " ") == 1 || w.IntN(4) == 0 {
		b.WriteString("t: __typename ")
	}
	b.WriteString("} ")
	return b.String()
}

// inlineFragment writes an inline fragment on one of the types that a value may have, or without a
// type.
func (w *operationWriter) inlineFragment(t *ast.Definition, deep int) string {
	if deep <= 0 {
		return ""
	}
	on := []string{t.Name}
	for _, possible := range w.schema.GetPossibleTypes(t) {
		on = append(on, possible.Name)
		for _, above := range w.schema.GetImplements(possible) {
			on = append(on, above.Name)
		}
	}
	name := on[w.IntN(len(on))]
	condition := "on " + name
	if name == t.Name && w.IntN(2) == 0 {
		condition = ""
	}
	return "... " + condition + w.directive() + w.selectionSet(w.schema.Types[name], deep-1)
}

func (w *operationWriter) spread(t *ast.Definition) string {
	for i, name := range w.fragmentTypes {
		if w.IntN(2) == 0 && w.overlap(t, w.schema.Types[name]) {
			return fmt.Sprintf("...F%d %s", i, w.directive())
		}
	}
	return ""
}

func (w *operationWriter) overlap(a, b *ast.Definition) bool {
	for _, one := range w.schema.GetPossibleTypes(a) {
		for _, other := range w.schema.GetPossibleTypes(b) {
			if one == other {
				return true
			}
		}
	}
	return false
}

func (w *operationWriter) field(t *ast.Definition, deep int) string {
	if len(t.Fields) == 0 || w.fieldsLeft <= 0 {
		return ""
	}
	f := t.Fields[w.IntN(len(t.Fields))]
	value := w.schema.Types[f.Type.Name()]
	if strings.HasPrefix(f.Name, "__") || value.IsCompositeType() && deep <= 0 {
		return ""
	}
	w.fieldsLeft--
	text := w.arguments(f) + w.directive()
	if value.IsCompositeType() {
		text += w.selectionSet(value, deep-1)
	}
	return text + " "
}

// arguments writes a field with its arguments. Fields with the same name in the response must have
// the same arguments, so the alias contains them.
func (w *operationWriter) arguments(f *ast.FieldDefinition) string {
	choices := map[string][]string{
		"n":      {"n: 2", "n: $n", "n: null"},
		"id":     {"id: 1", "id: 7", "id: \"x\""},
		"kind":   {"kind: ODD"},
		"first":  {"first: 3", "first: $n", "first: 1", "first: 0", "first: -1"},
		"after":  {"after: null", "after: null", "after: \"no cursor\""},
		"email":  {"email: \"a@example.com\"", "email: \"b@example.com\""},
		"filter": {"filter: {size: 1}", "filter: {kinds: [LARGE], at: \"no time\"}", "filter: $f", "filter: {size: $n}"},
	}
	var alias string
	var args []string
	for _, a := range f.Arguments {
		if c := choices[a.Name]; a.Type.NonNull || w.IntN(2) == 0 {
			i := w.IntN(len(c))
			if a.Name == "id" && i == 2 {
				i = 0
			}
			alias += fmt.Sprintf("_%s%d", a.Name, i)
			args = append(args, c[i])
		}
	}
	switch {
	case len(args) > 0:
		return fmt.Sprintf("a%s_%s: %s(%s)", alias, f.Name, f.Name, strings.Join(args, ", "))
	case w.IntN(4) == 0:
		return fmt.Sprintf("b_%s: %s", f.Name, f.Name)
	}
	return f.Name
}

func (w *operationWriter) directive() string {
	switch w.IntN(24) {
	case 0:
		return " @include(if: $p) "
	case 1:
		return " @skip(if: $p) "
	case 2:
		return " @include(if: $q) "
	case 3:
		return " @skip(if: false) "
	case 4:
		return " @include(if: true) "
	case 5:
		return " @skip(if: true) "
	}
	return " "
}
