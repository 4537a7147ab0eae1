package explain

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// completes makes the visit that completes a field's objects of one type, nil when they come
// with all that the operation selects of them. The place is that of the objects; object is the
// one that has the field.
func (w *walker) completes(object *ast.Definition, at place, s *selected) *visit {
	c := w.completion(object, s).Of(at.object.Name)
	if c == nil || !w.selectsMore(c, s) {
		return nil
	}
	needs := at.needs
	if c.Entity.Root != nil {
		needs = union(needs, binding.Guards(c.Entity.Root.Definition))
	}
	v := w.behind(at.after, object, s, needs)
	v.node.Completes = c.Entity.Object.Name
	v.node.Call = w.callOf(c.Entity, needs)
	v.asks = asks{
		keys: at.count, one: 1, shares: shares(c.Entity, nil),
		field: strings.Join(c.Entity.Keys(), " "), origin: origin{at.id, c.Entity.Object.Name},
	}
	if c.Entity.Batch != nil {
		v.asks.one = c.Entity.Batch.MaxSize
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

// selectsMore reports whether the operation selects fields for which the objects must be whole.
func (w *walker) selectsMore(c *binding.Completed, s *selected) bool {
	return slices.ContainsFunc(w.collect(c.Entity.Object, s.parts), func(f *selected) bool {
		return !slices.Contains(c.Enough, f.definition.Name)
	})
}
