package decode

import "sync"

// Wanted says which fields of the graph's objects somebody asks for. All others are passed
// over: they keep Go's zero value, and nobody hears that they are missing or do not fit. A
// nil Wanted wants everything, as does one of the types that it does not name. It is safe
// for concurrent use.
type Wanted struct {
	types map[string]map[string]bool
	masks sync.Map // of shapes: the bits of their wanted fields
}

// NewWanted wants of each type, by its name in the graph, the fields that are true. It keeps
// the map, which must not change any more.
func NewWanted(types map[string]map[string]bool) *Wanted { return &Wanted{types: types} }

// of are the wanted fields of a shape, nil for all.
func (w *Wanted) of(s *Shape) bits {
	if w == nil {
		return nil
	}
	if known, ok := w.masks.Load(s); ok {
		return known.(bits)
	}
	var mask bits
	if fields, ok := w.types[s.name]; ok {
		mask = newBits(len(s.fields))
		for i := range s.fields {
			if fields[s.fields[i].Name] {
				mask.add(i)
			}
		}
	}
	w.masks.Store(s, mask)
	return mask
}

// bits is a set of small numbers.
type bits []uint64

// newBits has room for the numbers below n.
func newBits(n int) bits { return make(bits, (n+63)/64) }

func (b bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

func (b bits) add(i int) { b[i/64] |= 1 << (i % 64) }

// hasOrAll takes no set at all for that of everything.
func (b bits) hasOrAll(i int) bool { return b == nil || b.has(i) }
