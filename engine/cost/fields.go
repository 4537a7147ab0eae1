package cost

import "github.com/vektah/gqlparser/v2/ast"

// FieldCost is what a field at one place of an operation costs at the worst.
type FieldCost struct {
	Path  string // of response keys, such as users.orders, with <Type> where a fragment demands a type
	Field string // such as User.orders
	// Runs is how many objects have the field, and Values how many values it has for all of them.
	Runs, Values int64
	// Cost is that of the field for all of its objects, with its values, without what is selected below.
	Cost Total
}

// Fields returns the fields of an operation that cost something, those of a selection set before those of the
// fragments in it, and the estimate of the whole operation, as Program.Estimate returns it. Of an interface
// or a union all types are listed, although only the most expensive one counts. Fragments are expanded:
// unlike Estimate, Fields takes time that is linear in the selections, not in the document.
func (m *Model) Fields(op *ast.OperationDefinition, variables map[string]any) ([]FieldCost, Total, error) {
	total, err := m.Compile(op).Estimate(variables)
	p := m.compile(op, true)
	l := &lister{evaluation: evaluation{Model: m, variables: variables, fragments: make([]fragmentCost, p.fragments)}, paths: map[string]int{}}
	l.set(p.set, "", 1, 0)
	return l.fields, total, err
}

// lister lists the fields of a program.
type lister struct {
	evaluation
	fields []FieldCost
	paths  map[string]int // indexes in fields by path and coordinate
}

// set lists the fields of a selection set for n objects. sized is the size of their lists that the
// @listSize of the field around them limits.
func (l *lister) set(s *set, path string, n, sized int64) {
	for _, f := range s.fields {
		if l.includes(f.conditions) {
			l.field(f, path, n, sized)
		}
	}
	l.nested(s.nested, path, n, sized)
	for _, g := range s.groups {
		l.nested(g.nested, path+"<"+g.condition+">", n, sized)
	}
}

func (l *lister) nested(all []nested, path string, n, sized int64) {
	for _, inner := range all {
		if l.includes(inner.conditions) {
			l.set(inner.set, path, n, sized)
		}
	}
}

func (l *lister) field(f *field, path string, n, sized int64) {
	if path != "" {
		path += "."
	}
	path += f.node.Alias
	size, below := l.sizes(f)
	if f.isSized {
		size = sized
	}
	values := Cost(n).times(size) // saturates
	for range f.model.lists - 1 {
		values = values.times(l.listSize)
	}
	cost := Total{Field: l.weight(f).times(n), Type: f.model.value.weight.times(int64(values))}
	if cost != (Total{}) {
		l.add(FieldCost{Path: path, Field: f.model.coordinate, Runs: n, Values: int64(values), Cost: cost})
	}
	if f.set != nil {
		l.set(f.set, path, int64(values), below)
	}
}

// add adds the cost of a field, which several fragments may select at one place.
func (l *lister) add(c FieldCost) {
	key := c.Path + " " + c.Field
	i, ok := l.paths[key]
	if !ok {
		l.paths[key] = len(l.fields)
		l.fields = append(l.fields, c)
		return
	}
	known := &l.fields[i]
	known.Runs, known.Values, known.Cost = known.Runs+c.Runs, known.Values+c.Values, known.Cost.plus(c.Cost)
}
