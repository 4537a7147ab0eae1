package decode

import "bytes"

// Objects of one shape come in lists, and mostly with the same members in the same order,
// written with the same white space. So a decoder remembers what stood around the names of
// the last one, and compares bytes where it would have to look a name up.

// What a decoder remembers of the shapes of an answer.
const (
	manyShapes  = 8
	manyMembers = 64 // of one object
)

// sighting is a shape that a decoder has met.
type sighting struct {
	shape   *Shape
	wish    *wish
	met     bool       // before
	members []expected // of the last object, from the second one on
	size    int        // of the last object's text; 0 before the first one's end
	free    any        // the rest of the piece of memory that has the Go values, a *[]T
	values  int        // how many that piece had
}

// expected is a member of the last object.
type expected struct {
	text  []byte // from the end of the value before it to its own: the comma, the name and the colon
	name  []byte
	first int // the first field that wants it; -1 when none does
}

// sight gives what is known of a shape, and notes that it was met.
func (d *Decoder) sight(s *Shape) *sighting {
	for i := range d.sighted {
		known := &d.sighted[i]
		switch known.shape {
		case s:
			known.met = true
			return known
		case nil:
			known.shape, known.wish = s, d.wanted.of(s)
			return known
		}
	}
	return &sighting{shape: s, wish: d.wanted.of(s)}
}

// next goes on to the next member's value. It gives the first field that wants the member;
// ok is false when there is none any more.
func (o *Object) next() (first int, ok bool) {
	d, known, n := o.d, o.known, o.members
	o.members++
	if n < len(known.members) {
		if e := &known.members[n]; bytes.HasPrefix(d.data[d.pos:], e.text) {
			d.pos += len(e.text)
			if n == 0 {
				d.enter(step{name: e.name})
			} else {
				d.path[o.path].name = e.name
			}
			return e.first, true
		}
	}
	d.path = d.path[:o.path]
	from := d.pos
	if !d.more('}', n == 0) {
		return -1, false
	}
	name := d.member()
	if d.err != nil {
		return -1, false
	}
	d.space()
	first = known.lookUp(name)
	if known.met {
		known.note(n, expected{d.data[from:d.pos], name, first})
	}
	return first, true
}

func (s *sighting) lookUp(name []byte) int {
	if i, known := s.shape.first[string(name)]; known {
		return s.firstWanted(i)
	}
	return -1
}

// firstWanted is the first wanted field from i on of those that read the same member.
func (s *sighting) firstWanted(i int) int {
	for i >= 0 && !s.wish.fields.has(i) {
		i = s.shape.next[i]
	}
	return i
}

// note remembers the nth member of an object.
func (s *sighting) note(n int, e expected) {
	switch {
	case n < len(s.members):
		s.members[n] = e
	case n == len(s.members) && n < manyMembers:
		if s.members == nil {
			s.members = make([]expected, 0, min(len(s.shape.fields)+2, manyMembers))
		}
		s.members = append(s.members, e)
	}
}

// expected is how many objects of the shape may be in the rest of the text, this one
// among them.
func (o *Object) expected() int {
	if o.known.size == 0 {
		return 1
	}
	return 1 + (len(o.d.data)-o.start)/o.known.size
}
