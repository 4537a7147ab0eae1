package bindingtest

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// fieldFinder collects the values that a response has at one field of one type. The query may select the
// field at several places, under aliases, in fragments, through interfaces and below lists.
type fieldFinder struct {
	schema        *ast.Schema
	object, field string
	places        int  // number of selections of the field in the query
	list          bool // whether one of them is below a list
	values        []any
}

func (t *test) finder(schema *ast.Schema) *fieldFinder {
	return &fieldFinder{schema: schema, object: t.connector[0], field: t.connector[1]}
}

// value returns the value of the field, nil if its parent is null. If the query may have several values
// it returns a list of them, in the order of the query and of the parents, also when there is one:
// the shape depends on the query alone, so that an expectation does not change with the data.
func (f *fieldFinder) value() any {
	switch {
	case f.places > 1 || f.list:
		return append([]any{}, f.values...)
	case len(f.values) == 1:
		return f.values[0]
	}
	return nil
}

// search walks a selection set with the objects that the response has at its place. list reports whether
// that place is below a list.
func (f *fieldFinder) search(set ast.SelectionSet, objects []any, list bool) {
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

// visit takes the values of a selected field, and searches below it.
func (f *fieldFinder) visit(s *ast.Field, objects []any, list bool) {
	var below []any
	for _, object := range objects {
		members, _ := object.(map[string]any)
		if value, ok := members[s.Alias]; ok {
			below = append(below, value)
		}
	}
	if f.matches(s) {
		f.places++
		f.list = f.list || list
		f.values = append(f.values, below...)
	}
	f.search(s.SelectionSet, flatten(below), list || s.Definition.Type.Elem != nil)
}

// matches reports whether a selected field is the one to find. It may be selected on an interface or a
// union to which the type of the field belongs.
func (f *fieldFinder) matches(s *ast.Field) bool {
	if s.Name != f.field || s.ObjectDefinition == nil {
		return false
	}
	possible := f.schema.GetPossibleTypes(s.ObjectDefinition)
	return slices.ContainsFunc(possible, func(d *ast.Definition) bool { return d.Name == f.object })
}

// flatten returns the values, with each list replaced by its elements, at any depth.
func flatten(values []any) []any {
	var all []any
	for _, v := range values {
		if items, ok := v.([]any); ok {
			all = append(all, flatten(items)...)
			continue
		}
		all = append(all, v)
	}
	return all
}
