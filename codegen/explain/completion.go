package explain

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// visitCompletion makes the visit that completes a field's objects of one type, nil when they come
// with all that the operation selects of them. The place is that of the objects; object is the
// one that has the field.
func (w *walker) visitCompletion(object *ast.Definition, at place, s *selected) *visit {
	c := w.completion(object, s).Of(at.object.Name)
	if c == nil || !w.needsCompletion(c, s) {
		return nil
	}
	needs := at.guards
	if c.Entity.Root != nil {
		needs = union(needs, binding.Guards(c.Entity.Root.Definition))
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

// completion says how the objects of a field are completed, nil when they come whole.
func (w *walker) completion(object *ast.Definition, s *selected) *binding.Completion {
	if b := w.bindings.fields[s.definition]; b != nil {
		return b.Completes
	}
	return w.bindings.graph.Completion(object.Name, s.definition.Name)
}

// needsCompletion reports whether the operation selects fields for which the objects must be whole.
func (w *walker) needsCompletion(c *binding.Completed, s *selected) bool {
	return slices.ContainsFunc(w.collect(c.Entity.Object, s.parts), func(f *selected) bool {
		return !slices.Contains(c.Enough, f.definition.Name)
	})
}
