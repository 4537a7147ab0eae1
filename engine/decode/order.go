package decode

import "bytes"

// Objects of one shape come in lists, and mostly with the same members in the same order.
// So a decoder remembers the order of the last one, and compares bytes where it would have
// to look a name up.

// What a decoder remembers of the shapes of an answer.
const (
	manyShapes  = 8
	manyMembers = 64 // of one object
)

// sighting is a shape that a decoder has met.
type sighting struct {
	shape  *Shape
	wanted bits
	order  *order // from the second object on
}

// order are the members of the last object of a shape.
type order struct{ members []expected }

// expected is a member's name with its quotes, and the first field that wants the member; -1
// when none does.
type expected struct {
	quoted []byte
	first  int
}

// sight gives what is known of a shape, and notes that it was met.
func (d *Decoder) sight(s *Shape) sighting {
	for i := range d.sighted {
		known := &d.sighted[i]
		switch known.shape {
		case s:
			if known.order == nil {
				known.order = &order{}
			}
			return *known
		case nil:
			known.shape, known.wanted = s, d.wanted.of(s)
			return *known
		}
	}
	return sighting{shape: s, wanted: d.wanted.of(s)}
}

// next eats a member's name with its colon. It gives the first field that wants the member.
func (o *object) next() (name []byte, first int) {
	d, n := o.d, o.members
	o.members++
	if d.space(); o.order != nil && n < len(o.order.members) {
		if e := &o.order.members[n]; bytes.HasPrefix(d.data[d.pos:], e.quoted) {
			d.pos += len(e.quoted)
			d.colon()
			return e.quoted[1 : len(e.quoted)-1], e.first
		}
	}
	from := d.pos
	name = d.quoted()
	quoted := d.data[from:d.pos]
	d.colon()
	first = o.lookUp(name)
	if o.order != nil && d.err == nil && len(quoted) == len(name)+2 { // without escapes
		o.order.note(n, expected{quoted, first})
	}
	return name, first
}

func (o *object) lookUp(name []byte) int {
	if i, known := o.shape.first[string(name)]; known {
		return o.firstWanted(i)
	}
	return -1
}

// firstWanted is the first wanted field from i on of those that read the same member.
func (o *object) firstWanted(i int) int {
	for i >= 0 && !o.wanted.hasOrAll(i) {
		i = o.shape.next[i]
	}
	return i
}

// note remembers the nth member of an object.
func (o *order) note(n int, e expected) {
	switch {
	case n < len(o.members):
		o.members[n] = e
	case n == len(o.members) && n < manyMembers:
		o.members = append(o.members, e)
	}
}
