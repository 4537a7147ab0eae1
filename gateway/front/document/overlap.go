package document

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
)

// maxSteps bounds the work of overlappingFields for one document. Nothing within the
// default limits comes near, unless made to.
const maxSteps = 500_000

// overlappingFields is the specification's rule "Field Selection Merging": fields that
// answer under one name must be the same field with the same arguments, or belong to
// different types; and in any case have types of one shape.
//
// gqlparser compares every two fields of a name, again for each inline fragment around
// them: 2,000 tokens can keep a core for a minute. Both relations asked for are
// equivalences, so comparing each field with the first of its group finds the same.
var overlappingFields = validator.Rule{
	Name: "OverlappingFieldsCanBeMerged",
	RuleFunc: func(events *validator.Events, report validator.AddErrFunc) {
		m := merger{report: report}
		events.OnOperation(func(w *validator.Walker, op *ast.OperationDefinition) {
			m.schema = w.Schema
			before := m.conflicts
			m.sameFields([]ast.SelectionSet{op.SelectionSet})
			if m.conflicts == before { // different fields have different shapes: one error is enough
				m.sameShapes([]ast.SelectionSet{op.SelectionSet})
			}
		})
	},
}

// merger checks one document.
type merger struct {
	schema *ast.Schema
	report validator.AddErrFunc

	steps     int
	conflicts int
}

// sameShapes checks that what answers under one name has types of one shape, whatever
// it belongs to; then the same for all their sub-fields together.
func (m *merger) sameShapes(sets []ast.SelectionSet) {
	for _, fields := range m.collect(sets) {
		first := fields[0]
		agree := true
		for _, field := range fields[1:] {
			if !m.sameShape(first.Definition.Type, field.Definition.Type) {
				agree = false
				m.conflict(first, field, fmt.Sprintf("they return conflicting types %q and %q",
					first.Definition.Type, field.Definition.Type))
			}
		}
		if agree {
			m.sameShapes(below(fields))
		}
	}
}

// sameFields checks that what answers under one name in one object is one field.
func (m *merger) sameFields(sets []ast.SelectionSet) {
	for _, fields := range m.collect(sets) {
		for _, together := range meeting(fields) {
			if m.agree(together) {
				m.sameFields(below(together))
			}
		}
	}
}

func (m *merger) agree(fields []*ast.Field) bool {
	first, agree := fields[0], true
	for _, field := range fields[1:] {
		m.steps++
		switch {
		case field.Name != first.Name:
			m.conflict(first, field, fmt.Sprintf("%q and %q are different fields", first.Name, field.Name))
		case !sameArguments(first.Arguments, field.Arguments):
			m.conflict(first, field, "they have differing arguments")
		default:
			continue
		}
		agree = false
	}
	return agree
}

// meeting splits fields of one response name into groups that one object can have
// together. A field of an interface or union is in each group.
func meeting(fields []*ast.Field) [][]*ast.Field {
	var shared []*ast.Field
	var types []string
	own := map[string][]*ast.Field{}
	for _, field := range fields {
		parent := field.ObjectDefinition
		if parent.Kind != ast.Object {
			shared = append(shared, field)
			continue
		}
		if own[parent.Name] == nil {
			types = append(types, parent.Name)
		}
		own[parent.Name] = append(own[parent.Name], field)
	}
	if len(types) == 0 {
		return [][]*ast.Field{shared}
	}
	var groups [][]*ast.Field
	for _, name := range types {
		groups = append(groups, append(shared[:len(shared):len(shared)], own[name]...))
	}
	return groups
}

// below gives the selections of all fields.
func below(fields []*ast.Field) []ast.SelectionSet {
	var sets []ast.SelectionSet
	for _, field := range fields {
		if len(field.SelectionSet) > 0 {
			sets = append(sets, field.SelectionSet)
		}
	}
	return sets
}

// collect groups the fields of sets by the name they answer under, in the order of the
// text, with fragments put in their places; each fragment once, as twice adds nothing.
// Fields that the schema does not know are another rule's.
func (m *merger) collect(sets []ast.SelectionSet) [][]*ast.Field {
	var groups [][]*ast.Field
	place := map[string]int{}
	seen := map[*ast.FragmentDefinition]bool{}
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, selection := range set {
			if m.steps++; m.steps > maxSteps {
				m.tooMuch()
			}
			switch it := selection.(type) {
			case *ast.InlineFragment:
				walk(it.SelectionSet)
			case *ast.FragmentSpread:
				if it.Definition != nil && !seen[it.Definition] {
					seen[it.Definition] = true
					walk(it.Definition.SelectionSet)
				}
			case *ast.Field:
				if it.Definition == nil || it.ObjectDefinition == nil {
					continue
				}
				at, ok := place[it.Alias]
				if !ok {
					at = len(groups)
					place[it.Alias] = at
					groups = append(groups, nil)
				}
				groups[at] = append(groups[at], it)
			}
		}
	}
	for _, set := range sets {
		walk(set)
	}
	return groups
}

// sameShape is the specification's SameResponseShape for two types.
func (m *merger) sameShape(a, b *ast.Type) bool {
	switch {
	case a.NonNull != b.NonNull, (a.Elem == nil) != (b.Elem == nil):
		return false
	case a.Elem != nil:
		return m.sameShape(a.Elem, b.Elem)
	case m.isLeaf(a) || m.isLeaf(b):
		return a.NamedType == b.NamedType
	}
	return true
}

func (m *merger) isLeaf(t *ast.Type) bool {
	definition := m.schema.Types[t.NamedType]
	return definition != nil && definition.IsLeafType()
}

func (m *merger) conflict(first, second *ast.Field, reason string) {
	m.conflicts++
	m.report(
		validator.Message("Fields %q conflict because %s. "+
			"Use different aliases on the fields to fetch both if this was intentional.", first.Alias, reason),
		at(first.Position), at(second.Position),
	)
}

// tooMuch ends the validation of a document made to be expensive.
func (m *merger) tooMuch() {
	m.report(validator.Message("The document has too many overlapping fields to compare."))
	panic(errEnough)
}

func at(position *ast.Position) validator.ErrorOption {
	return func(err *gqlerror.Error) {
		if position != nil {
			err.Locations = append(err.Locations, gqlerror.Location{Line: position.Line, Column: position.Column})
		}
	}
}

func sameArguments(a, b ast.ArgumentList) bool {
	if len(a) != len(b) {
		return false
	}
	for _, one := range a {
		other := b.ForName(one.Name)
		if other == nil || !sameValue(one.Value, other.Value) {
			return false
		}
	}
	return true
}

// sameValue compares as the specification does: members of an object in any order.
func sameValue(a, b *ast.Value) bool {
	if a.Kind != b.Kind || a.Raw != b.Raw || len(a.Children) != len(b.Children) {
		return false
	}
	for i, child := range a.Children {
		other := b.Children[i].Value
		if a.Kind == ast.ObjectValue {
			other = b.Children.ForName(child.Name)
		}
		if other == nil || !sameValue(child.Value, other) {
			return false
		}
	}
	return true
}
