package explain

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// visitCompletion returns the visit that completes the objects at a place, or nil if they come with
// everything that the operation selects. s is the field that returns them, and object the type that
// has this field.
func (w *walker) visitCompletion(object *ast.Definition, at place, s *selected) *visit {
	c := w.completion(object, s).Type(at.object.Name)
	if c == nil || !w.needsCompletion(c, s) {
		return nil
	}
	needs := at.guards
	if c.Entity.QueryField != nil {
		needs = union(needs, binding.GuardTexts(c.Entity.QueryField.Definition))
	}
	v := w.newVisit(at.after, object, s, needs)
	v.node.Completes = c.Entity.Object.Name
	v.node.Call = w.callOf(c.Entity, needs)
	v.demand = demand{
		keys: at.count, batchSize: 1, callKey: callKeyOf(c.Entity, nil),
		field: strings.Join(c.Entity.Keys(), " "), origin: origin{at.id, c.Entity.Object.Name},
	}
	if c.Entity.Batch != nil {
		v.demand.batchSize = c.Entity.Batch.MaxSize
	}
	return v
}

// completion returns how the objects of a field are completed, or nil if they come complete.
func (w *walker) completion(object *ast.Definition, s *selected) *binding.Completion {
	if b := w.bindings.fields[s.definition]; b != nil {
		return b.Completion
	}
	return w.bindings.graph.Completion(object.Name, s.definition.Name)
}

// needsCompletion reports whether the operation selects fields that partial objects lack.
func (w *walker) needsCompletion(c *binding.CompletedType, s *selected) bool {
	return slices.ContainsFunc(w.collect(c.Entity.Object, s.parts), func(f *selected) bool {
		return !slices.Contains(c.Sufficient, f.definition.Name)
	})
}
