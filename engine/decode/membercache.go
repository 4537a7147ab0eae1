package decode

import "bytes"

// Objects of one shape come in lists, and mostly with the same members in the same order,
// written with the same white space. So a decoder remembers what stood around the names of
// the last one, and compares bytes where it would have to look a name up.

// What a decoder remembers of the shapes of an answer.
const (
	maxShapes  = 8
	maxCachedMembers = 64 // of one object
)

// shapeState is a shape that a decoder has met.
type shapeState struct {
	shape   *Shape
	fields    *fieldSet
	seenBefore     bool       // before
	cache []cachedMember // of the last object, from the second one on
	textSize    int        // of the last object's text; 0 before the first one's end
	unused    any        // the rest of the piece of memory that has the Go values, a *[]T
	chunkLen  int        // how many that piece had
}

// cachedMember is a member of the last object.
type cachedMember struct {
	prefix  []byte // from the end of the value before it to its own: the comma, the name and the colon
	name  []byte
	field int // the first field that wants it; -1 when none does
}

// stateOf gives what is known of a shape, and notes that it was met.
func (d *Decoder) stateOf(s *Shape) *shapeState {
	for i := range d.shapes {
		known := &d.shapes[i]
		switch known.shape {
		case s:
			known.seenBefore = true
			return known
		case nil:
			known.shape, known.fields = s, d.projection.fieldsOf(s)
			return known
		}
	}
	return &shapeState{shape: s, fields: d.projection.fieldsOf(s)}
}

// advance goes on to the next member's value. It gives the first field that wants the member;
// ok is false when there is none any more.
func (o *Object) advance() (first int, ok bool) {
	d, known, n := o.d, o.state, o.members
	o.members++
	if n < len(known.cache) {
		if e := &known.cache[n]; bytes.HasPrefix(d.data[d.pos:], e.prefix) {
			d.pos += len(e.prefix)
			if n == 0 {
				d.push(step{name: e.name})
			} else {
				d.path[o.pathLen].name = e.name
			}
			return e.field, true
		}
	}
	d.path = d.path[:o.pathLen]
	from := d.pos
	if !d.more('}', n == 0) {
		return -1, false
	}
	name := d.enterMember()
	if d.err != nil {
		return -1, false
	}
	d.skipSpace()
	first = known.fieldNamed(name)
	if known.seenBefore {
		known.cacheMember(n, cachedMember{d.data[from:d.pos], name, first})
	}
	return first, true
}

func (s *shapeState) fieldNamed(name []byte) int {
	if i, known := s.shape.first[string(name)]; known {
		return s.firstWanted(i)
	}
	return -1
}

// firstWanted is the first wanted field from i on of those that read the same member.
func (s *shapeState) firstWanted(i int) int {
	for i >= 0 && !s.fields.fields.has(i) {
		i = s.shape.nextSame[i]
	}
	return i
}

// cacheMember remembers the nth member of an object.
func (s *shapeState) cacheMember(n int, e cachedMember) {
	switch {
	case n < len(s.cache):
		s.cache[n] = e
	case n == len(s.cache) && n < maxCachedMembers:
		if s.cache == nil {
			s.cache = make([]cachedMember, 0, min(len(s.shape.fields)+2, maxCachedMembers))
		}
		s.cache = append(s.cache, e)
	}
}

// objectsAhead is how many objects of the shape may be in the rest of the text, this one
// among them.
func (o *Object) objectsAhead() int {
	if o.state.textSize == 0 {
		return 1
	}
	return 1 + (len(o.d.data)-o.start)/o.state.textSize
}
