package bindingtest

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// finder finds what an answer has at a field.
type finder struct {
	schema        *ast.Schema
	object, field string
	places        int  // where the query asks for it
	list          bool // one of them is below a list, so that there may be many values
	values        []any
}

func (t *test) finder(schema *ast.Schema) *finder {
	return &finder{schema: schema, object: t.connector[0], field: t.connector[1]}
}

// value is the field's. Where there may be several it is the list of them: in the order
// of the query, and of the parents.
func (f *finder) value() any {
	switch {
	case f.places > 1 || f.list:
		return append([]any{}, f.values...)
	case len(f.values) == 1:
		return f.values[0]
	}
	return nil
}

// search goes through a selection with the objects that the answer has for it.
func (f *finder) search(set ast.SelectionSet, objects []any, list bool) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.InlineFragment:
			f.search(s.SelectionSet, objects, list)
		case *ast.FragmentSpread:
			f.search(s.Definition.SelectionSet, objects, list)
		case *ast.Field:
			f.visit(s, objects, list)
		}
	}
}

func (f *finder) visit(s *ast.Field, objects []any, list bool) {
	var below []any
	for _, object := range objects {
		members, _ := object.(map[string]any)
		if value, ok := members[s.Alias]; ok {
			below = append(below, value)
		}
	}
	if f.meant(s) {
		f.places++
		f.list = f.list || list
		f.values = append(f.values, below...)
	}
	f.search(s.SelectionSet, flat(below), list || s.Definition.Type.Elem != nil)
}

// meant tells whether a selected field is the one to find, perhaps by an interface.
func (f *finder) meant(s *ast.Field) bool {
	if s.Name != f.field || s.ObjectDefinition == nil {
		return false
	}
	possible := f.schema.GetPossibleTypes(s.ObjectDefinition)
	return slices.ContainsFunc(possible, func(d *ast.Definition) bool { return d.Name == f.object })
}

// flat takes the items out of lists.
func flat(values []any) []any {
	var all []any
	for _, v := range values {
		if items, ok := v.([]any); ok {
			all = append(all, flat(items)...)
			continue
		}
		all = append(all, v)
	}
	return all
}
