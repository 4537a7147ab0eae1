package decode

import "sync"

// Projection says which fields of the graph's objects somebody asks for. All others are passed
// over: they keep Go's zero value, and nobody hears that they are missing or do not fit. A
// nil Projection wants everything, as does one of the types that it does not name. It is safe
// for concurrent use.
type Projection struct {
	types  map[string]map[string]bool
	wishes sync.Map // of shapes
}

// NewProjection wants of each type, by its name in the graph, the fields that are true. It keeps
// the map, which must not change any more.
func NewProjection(types map[string]map[string]bool) *Projection { return &Projection{types: types} }

// wish is what is wanted of a shape.
type wish struct {
	fields bits
	must   bits // those of them whose members must be there
}

// of is what is wanted of a shape.
func (w *Projection) of(s *Shape) *wish {
	if w == nil {
		return s.all
	}
	if known, ok := w.wishes.Load(s); ok {
		return known.(*wish)
	}
	wish := s.all
	if fields, ok := w.types[s.name]; ok {
		wish = s.wish(func(field string) bool { return fields[field] })
	}
	w.wishes.Store(s, wish)
	return wish
}

// bits is a set of small numbers.
type bits []uint64

// newBits has room for the numbers below n.
func newBits(n int) bits { return make(bits, (n+63)/64) }

func (b bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

func (b bits) add(i int) { b[i/64] |= 1 << (i % 64) }
