package decode

import "bytes"

// Objects of one type come in lists, mostly with the same members in the same order and with the
// same white space between them. A decoder therefore keeps, for each member of the last object,
// the bytes from the end of the value before it to the beginning of its own value. If the next
// object continues with the same bytes, the member is the same one, and neither its name is
// scanned nor its field looked up.
//
// Comparing bytes is enough, since the decoder stands at the same token both times, behind a value
// or behind the opening brace: equal bytes from there on are equal tokens. A wrong prediction costs
// one comparison. The member is then read in the usual way and replaces the prediction.

const (
	maxShapes        = 8  // for which a decoder keeps predictions; found by linear search
	maxCachedMembers = 64 // of one object
)

// shapeState is what a decoder knows of the objects of one shape.
type shapeState struct {
	shape      *Shape
	fields     *fieldSet      // the fields to be read
	seenBefore bool           // false for the first object, which fills no cache: it may be the only one
	cache      []cachedMember // the members of the last object, in their order
	textSize   int            // in bytes, of the last object's text; 0 before the first one ends
	unused     any            // a *[]T with the structs of the current chunk that are not used yet
	chunkLen   int            // number of structs in the current chunk
}

// cachedMember predicts one member.
type cachedMember struct {
	prefix []byte // comma, name, colon, and the white space around them
	name   []byte
	field  int // the first field that reads the member; -1 if none does
}

// stateOf returns the state of a shape. For more than maxShapes shapes it returns a new state each
// time, so that objects of the others are read without predictions.
func (d *Decoder) stateOf(s *Shape) *shapeState {
	for i := range d.shapes {
		state := &d.shapes[i]
		switch state.shape {
		case s:
			state.seenBefore = true
			return state
		case nil:
			state.shape, state.fields = s, d.projection.fieldsOf(s)
			return state
		}
	}
	return &shapeState{shape: s, fields: d.projection.fieldsOf(s)}
}

// advance moves to the value of the next member and returns the first field that reads it, -1 if
// none does. ok is false at the end of the object and after a failure.
//
// While members are read, Decoder.path is one step longer than around the object. A predicted
// member replaces that step instead of removing and adding one. The step is removed in the usual
// way, through which every object ends, since no prediction matches its closing brace.
func (o *Object) advance() (field int, ok bool) {
	d, state, n := o.d, o.state, o.members
	o.members++
	if n < len(state.cache) {
		if e := &state.cache[n]; bytes.HasPrefix(d.data[d.pos:], e.prefix) {
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
	field = state.fieldNamed(name)
	if state.seenBefore {
		state.cacheMember(n, cachedMember{d.data[from:d.pos], name, field})
	}
	return field, true
}

// fieldNamed returns the first field to be read from a member, -1 if there is none.
func (s *shapeState) fieldNamed(name []byte) int {
	if i, ok := s.shape.first[string(name)]; ok {
		return s.firstSelected(i)
	}
	return -1
}

// firstSelected returns field i, or the next one that reads the same member and is to be read; -1
// if there is none.
func (s *shapeState) firstSelected(i int) int {
	for i >= 0 && !s.fields.fields.has(i) {
		i = s.shape.nextSame[i]
	}
	return i
}

// cacheMember keeps the nth member of an object as the prediction for the next one.
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

// objectsAhead returns how many objects of the shape may still come, including o, if all the text
// after it consists of objects as long as the last one. It only sizes chunks.
func (o *Object) objectsAhead() int {
	if o.state.textSize == 0 {
		return 1
	}
	return 1 + (len(o.d.data)-o.start)/o.state.textSize
}
