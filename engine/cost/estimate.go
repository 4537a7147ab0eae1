package cost

import (
	"fmt"
	"strings"
)

// SlicingError is the error of an operation that does not give exactly one of the slicing arguments of a
// field whose @listSize demands that (requireOneSlicingArgument, section 8.4).
type SlicingError struct {
	Field     string   // such as Query.users
	Arguments []string // the slicing arguments
	Given     int      // how many the operation gives
}

// Error implements error.
func (e *SlicingError) Error() string {
	if len(e.Arguments) == 1 {
		return fmt.Sprintf("%s needs its argument %s, which says how long its list is", e.Field, e.Arguments[0])
	}
	return fmt.Sprintf("%s has %d of its arguments %s; give exactly one, which says how long its list is", e.Field, e.Given, strings.Join(e.Arguments, ", "))
}

// Estimate returns what the operation costs at the worst with these variables, coerced by the types of
// the operation. An event of a subscription costs that much. The error is a *SlicingError; the total
// is that of the operation all the same.
func (p *Program) Estimate(variables map[string]any) (Total, error) {
	total := Total{Type: p.root.weight}
	if p.set.isConstant() {
		return total.plus(p.set.constant.fixed), nil
	}
	e := evaluation{Model: p.model, variables: variables}
	if p.fragments > 0 {
		e.fragments = make([]fragmentCost, p.fragments)
	}
	total = total.plus(e.set(p.set).fixed)
	return total, e.err
}

// evaluation evaluates a program with the variables of one request.
type evaluation struct {
	*Model
	variables map[string]any
	fragments []fragmentCost
	err       error // the first one
}

// fragmentCost is what a shared set costs, once that is known.
type fragmentCost struct {
	linear
	known bool
}

func (e *evaluation) set(s *set) linear {
	if s.isConstant() {
		return s.constant
	}
	if s.fragment >= 0 {
		if e.fragments[s.fragment].known {
			return e.fragments[s.fragment].linear
		}
		e.fragments[s.fragment].known = true // so that a cycle, which no valid document has, ends
	}
	sum := s.constant
	for _, f := range s.fields {
		if e.includes(f.conditions) {
			sum = sum.plus(e.field(f))
		}
	}
	sum = sum.plus(e.nested(s.nested))
	if len(s.choices) > 0 {
		sum = sum.plus(e.choice(s))
	}
	if s.fragment >= 0 {
		e.fragments[s.fragment] = fragmentCost{sum, true}
	}
	return sum
}

func (e *evaluation) nested(all []nested) linear {
	var sum linear
	for i := range all {
		if e.includes(all[i].conditions) {
			sum = sum.plus(e.set(all[i].set))
		}
	}
	return sum
}

// choice returns what the groups of a set cost for the possible type for which they cost most.
func (e *evaluation) choice(s *set) linear {
	var room [8]linear
	costs := room[:0]
	for i := range s.groups {
		costs = append(costs, s.groups[i].constant.plus(e.nested(s.groups[i].nested)))
	}
	var most linear
	for _, groups := range s.choices {
		var sum linear
		for _, i := range groups {
			sum = sum.plus(costs[i])
		}
		most = greatestLinear(most, sum)
	}
	return most
}

func (e *evaluation) includes(conditions []condition) bool {
	for _, c := range conditions {
		if value, ok := e.variables[c.variable].(bool); ok && value != c.want {
			return false
		}
	}
	return true
}

// field returns what a field costs for each object that has it, with its value.
func (e *evaluation) field(f *field) linear {
	run := Total{Field: e.weight(f)}
	size, below := e.sizes(f)
	value := Total{Type: f.model.value.weight}
	if f.set != nil {
		inner := e.set(f.set)
		value = value.plus(inner.fixed).plus(inner.perElement.times(below))
	}
	for range f.model.lists - 1 { // @listSize does not limit lists within lists
		value = value.times(e.listSize)
	}
	if f.isSized {
		return linear{fixed: run, perElement: value}
	}
	return linear{fixed: run.plus(value.times(size))}
}

// weight returns the field cost of a field alone (section 5.3.2.2), which is not negative.
func (e *evaluation) weight(f *field) Cost {
	c := f.model.weight
	for _, p := range f.model.arguments {
		c = c.plus(p.cost(argumentOf(f.node.Arguments, p.name), e.variables, 0))
	}
	for _, d := range f.directives {
		for _, p := range d.places {
			c = c.plus(p.cost(argumentOf(d.arguments, p.name), e.variables, 0))
		}
	}
	return max(c, 0)
}

// sizes returns the number of elements of a field's list, 1 if it is none, and that of the lists in its
// value that its @listSize limits.
func (e *evaluation) sizes(f *field) (own, below int64) {
	own = 1
	if f.model.lists > 0 {
		own = 0
	}
	for _, s := range f.model.sizes {
		n, arguments := e.size(s, f.node.Arguments, e.variables)
		if s != nil && s.RequireOne && len(s.Arguments) > 0 && arguments != 1 && (arguments > 1 || s.Assumed == nil) && e.err == nil {
			e.err = &SlicingError{f.model.coordinate, s.Arguments, arguments}
		}
		if s != nil && len(s.Fields) > 0 {
			below = max(below, n)
			n = e.listSize
		}
		if f.model.lists > 0 {
			own = max(own, n)
		}
	}
	return own, below
}
