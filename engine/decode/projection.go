package decode

import "sync"

// Projection holds the fields of the graph's types that an operation selects. A decoder skips the
// members of all others: their fields keep Go's zero value, and no fault is recorded if they are
// missing or do not fit. A nil Projection holds all fields, and so does any other for the types
// that it does not name. It may be used by several goroutines at the same time.
type Projection struct {
	types map[string]map[string]bool
	sets  sync.Map // of *fieldSet by *Shape: compiled once, at the first object
}

// NewProjection returns the Projection that holds, for each type by its name in the graph, the
// fields whose value is true. The map must not change afterwards.
func NewProjection(types map[string]map[string]bool) *Projection { return &Projection{types: types} }

// fieldSet is a Projection for one shape.
type fieldSet struct {
	fields   bits // the fields to be read, by their index in the shape
	required bits // those of them whose member must be there
}

// fieldsOf returns the fields of a shape that the projection holds.
func (p *Projection) fieldsOf(s *Shape) *fieldSet {
	if p == nil {
		return s.all
	}
	if set, ok := p.sets.Load(s); ok {
		return set.(*fieldSet)
	}
	set := s.all
	if fields, ok := p.types[s.name]; ok {
		set = s.fieldSet(func(field string) bool { return fields[field] })
	}
	p.sets.Store(s, set)
	return set
}

// bits is a set of small numbers.
type bits []uint64

// newBits returns an empty set with room for the numbers below n.
func newBits(n int) bits { return make(bits, (n+63)/64) }

func (b bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

func (b bits) add(i int) { b[i/64] |= 1 << (i % 64) }
