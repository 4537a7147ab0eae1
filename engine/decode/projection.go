package decode

import "sync"

// Projection says which fields of the graph's objects somebody asks for. All others are passed
// over: they keep Go's zero value, and nobody hears that they are missing or do not fit. A
// nil Projection wants everything, as does one of the types that it does not name. It is safe
// for concurrent use.
type Projection struct {
	types  map[string]map[string]bool
	sets sync.Map // of shapes
}

// NewProjection wants of each type, by its name in the graph, the fields that are true. It keeps
// the map, which must not change any more.
func NewProjection(types map[string]map[string]bool) *Projection { return &Projection{types: types} }

// fieldSet is what is wanted of a shape.
type fieldSet struct {
	fields bits
	required   bits // those of them whose members must be there
}

// fieldsOf is what is wanted of a shape.
func (w *Projection) fieldsOf(s *Shape) *fieldSet {
	if w == nil {
		return s.all
	}
	if known, ok := w.sets.Load(s); ok {
		return known.(*fieldSet)
	}
	wish := s.all
	if fields, ok := w.types[s.name]; ok {
		wish = s.fieldSet(func(field string) bool { return fields[field] })
	}
	w.sets.Store(s, wish)
	return wish
}

// bits is a set of small numbers.
type bits []uint64

// newBits has room for the numbers below n.
func newBits(n int) bits { return make(bits, (n+63)/64) }

func (b bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

func (b bits) add(i int) { b[i/64] |= 1 << (i % 64) }
