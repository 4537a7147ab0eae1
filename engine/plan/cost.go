package plan

import "github.com/gatehouse-graphql/gatehouse/engine/cost"

// countCosts counts what the encoded objects cost: their types, and their fields, each of which was
// resolved once for each object. Fields of the kind Fallback were counted when they were resolved.
func (x *Run) countCosts() {
	if x.objects != nil {
		x.plan.root.countCosts(x.costs, x.objects)
	}
}

// countCosts counts what the objects of a selection cost, and those of all selections below.
func (s *Selection) countCosts(c *cost.Counter, objects []int64) {
	n := objects[s.id]
	if n == 0 { // then there is none below either
		return
	}
	c.AddValues(s.typeName, n)
	for i := range s.Fields {
		f := &s.Fields[i]
		if f.Kind == Fallback {
			continue
		}
		c.AddField(s.typeName, f.Field, n)
		if f.selections == nil && f.lists == 0 {
			c.AddValues(f.Definition.Type.NamedType, n)
		}
		for _, below := range f.selections {
			if below != nil {
				below.countCosts(c, objects)
			}
		}
	}
}

// SpendLeaves is SpendValues for the n elements of a list of leaves.
func (x *Run) SpendLeaves(f *Field, n int) {
	x.SpendValues(n)
	if x.costs != nil {
		x.costs.AddValues(f.Definition.Type.Name(), int64(n))
	}
}
