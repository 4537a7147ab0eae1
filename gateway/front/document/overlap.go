package document

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
)

// maxSteps bounds the work of overlappingFields for one document. Within the default limits, only
// a document that is made to be expensive comes near to it.
const maxSteps = 500_000

// overlappingFields is the rule "Field Selection Merging" (GraphQL, section 5.3.2). Fields with
// one response name must be the same field with the same arguments, or belong to different object
// types; in either case their types must have the same shape.
//
// gqlparser compares each pair of fields with one response name, and again for each inline
// fragment around them: a document of 2,000 tokens can take a minute of CPU. "The same field" and
// "the same shape" are equivalence relations, so that comparing each field with the first one of
// its group finds a conflict whenever comparing all pairs does, in linear time.
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

	steps     int // selections that were visited and fields that were compared
	conflicts int // that were reported
}

// sameShapes checks that fields with one response name have types of one shape, whatever object
// they belong to, and then the same for the sub-fields of all of them together.
func (m *merger) sameShapes(sets []ast.SelectionSet) {
	for _, fields := range m.collect(sets) {
		first := fields[0]
		ok := true
		for _, field := range fields[1:] {
			if !m.sameShape(first.Definition.Type, field.Definition.Type) {
				ok = false
				m.conflict(first, field, fmt.Sprintf("they return conflicting types %q and %q",
					first.Definition.Type, field.Definition.Type))
			}
		}
		if ok {
			m.sameShapes(selectionsOf(fields))
		}
	}
}

// sameFields checks that fields with one response name in one object are the same field.
func (m *merger) sameFields(sets []ast.SelectionSet) {
	for _, fields := range m.collect(sets) {
		for _, group := range groupByObject(fields) {
			if m.sameField(group) {
				m.sameFields(selectionsOf(group))
			}
		}
	}
}

// sameField reports whether all fields are the same one with the same arguments, and reports a
// conflict for each that is not.
func (m *merger) sameField(fields []*ast.Field) bool {
	first, ok := fields[0], true
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
		ok = false
	}
	return ok
}

// groupByObject splits fields with one response name into groups of fields that one object may
// have. A field of an interface is in each group, since each object may have it.
func groupByObject(fields []*ast.Field) [][]*ast.Field {
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

// selectionsOf returns the selection sets of all fields.
func selectionsOf(fields []*ast.Field) []ast.SelectionSet {
	var sets []ast.SelectionSet
	for _, field := range fields {
		if len(field.SelectionSet) > 0 {
			sets = append(sets, field.SelectionSet)
		}
	}
	return sets
}

// collect groups the fields of the sets by response name, in the order of the document, with the
// fields of fragments in the place of the fragments. Each named fragment is visited once, since
// a second visit would find the same fields. Fields that the schema does not have are left to
// another rule.
func (m *merger) collect(sets []ast.SelectionSet) [][]*ast.Field {
	var groups [][]*ast.Field
	index := map[string]int{} // of a group, by response name
	seen := map[*ast.FragmentDefinition]bool{}
	var walk func(set ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, selection := range set {
			if m.steps++; m.steps > maxSteps {
				m.stop()
			}
			switch s := selection.(type) {
			case *ast.InlineFragment:
				walk(s.SelectionSet)
			case *ast.FragmentSpread:
				if s.Definition != nil && !seen[s.Definition] {
					seen[s.Definition] = true
					walk(s.Definition.SelectionSet)
				}
			case *ast.Field:
				if s.Definition == nil || s.ObjectDefinition == nil {
					continue
				}
				i, ok := index[s.Alias]
				if !ok {
					i = len(groups)
					index[s.Alias] = i
					groups = append(groups, nil)
				}
				groups[i] = append(groups[i], s)
			}
		}
	}
	for _, set := range sets {
		walk(set)
	}
	return groups
}

// sameShape is SameResponseShape of the specification, for two types.
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

// conflict reports two fields that cannot be merged.
func (m *merger) conflict(first, second *ast.Field, reason string) {
	m.conflicts++
	m.report(
		validator.Message("Fields %q conflict because %s. "+
			"Use different aliases on the fields to fetch both if this was intentional.", first.Alias, reason),
		withLocation(first.Position), withLocation(second.Position),
	)
}

// stop ends the validation of a document that is too expensive.
func (m *merger) stop() {
	m.report(validator.Message("The document has too many overlapping fields to compare."))
	panic(errTooMany)
}

func withLocation(position *ast.Position) validator.ErrorOption {
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
	for _, argument := range a {
		other := b.ForName(argument.Name)
		if other == nil || !sameValue(argument.Value, other.Value) {
			return false
		}
	}
	return true
}

// sameValue reports whether two values are equal; the members of objects may be in any order.
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
