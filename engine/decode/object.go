package decode

import (
	"slices"
	"unsafe"
)

// Field says where in a service's object a field of the graph lies.
type Field struct {
	// Name is the field's name in the graph.
	Name string
	// Wire is the name of the member that holds it. Default Name. Several fields may read the
	// same member.
	Wire string
	// Required is set for a field that is never null: its member must be there.
	Required bool
	// Self is set for a field that is read from the object itself instead of a member. Such
	// fields are read last, each from the object's beginning. Wire and Required are ignored.
	Self bool
}

func (f *Field) wire() string {
	if f.Wire != "" {
		return f.Wire
	}
	return f.Name
}

// Shape describes the objects of a type as its service sends them. It is immutable.
type Shape struct {
	name     string
	fields   []Field
	first    map[string]int // by the member's name: the first field that reads it
	nextSame []int          // by the field: the next one that reads the same member; -1 for none
	all      *fieldSet      // with every field
	hasSelf  bool           // whether a field is read from the object itself
}

// NewShape returns the shape of the type that has that name in the graph. Object.Field returns the
// index of a field in fields.
func NewShape(name string, fields ...Field) *Shape {
	s := &Shape{name: name, fields: fields, first: map[string]int{}, nextSame: make([]int, len(fields))}
	for i := len(fields) - 1; i >= 0; i-- {
		f := &fields[i]
		s.nextSame[i] = -1
		if f.Self {
			s.hasSelf = true
			continue
		}
		if later, ok := s.first[f.wire()]; ok {
			s.nextSame[i] = later
		}
		s.first[f.wire()] = i
	}
	s.all = s.fieldSet(func(string) bool { return true })
	return s
}

// fieldSet returns the set of the fields for which selected reports true.
func (s *Shape) fieldSet(selected func(field string) bool) *fieldSet {
	w := &fieldSet{fields: newBits(len(s.fields)), required: newBits(len(s.fields))}
	for i := range s.fields {
		f := &s.fields[i]
		if !selected(f.Name) {
			continue
		}
		w.fields.add(i)
		if f.Required && !f.Self {
			w.required.add(i)
		}
	}
	return w
}

// Object is an object that is being read. Generated code is told which field comes next, and reads
// its value with the decoder:
//
//	o := d.Object(shapePost)
//	v := decode.New[model.Post](&o)
//	for o.Next() {
//		switch o.Field() {
//		case 0: // id
//			v.ID = d.ID()
//		}
//	}
//	if !o.OK() {
//		return nil
//	}
//	return v
//
// A field that does not fit is null for itself: Next recovers from the failure and records the
// fault. Only a hard failure, or a value that is not an object, fails the object.
type Object struct {
	d          *Decoder
	state      *shapeState
	outer      place // around the object; restored when it ends
	start      int   // where its text begins
	end        int   // where its text ends; 0 while members are read
	depth      int   // of nesting, around it
	pathLen    int   // around it
	faultsFrom int   // the first of Decoder.faults that lies in the object
	members    int   // that were read so far
	selfField  int   // the next field to look at for one that is read from the object itself
	seen       uint64
	seenMany   bits // used instead of seen for shapes of more than 64 fields

	field           int // the field that is being read, -1 for none
	valueStart      int // where its value begins
	fieldFaultsFrom int // the first of Decoder.faults that lies in its value
}

// Object begins to read an object. From here on, a failure belongs to the field that is being
// read.
func (d *Decoder) Object(shape *Shape) Object {
	o := Object{d: d, field: -1, start: d.pos, depth: d.depth, pathLen: len(d.path), outer: d.at, faultsFrom: len(d.faults)}
	if !d.open('{', "an object") {
		return o
	}
	o.state = d.stateOf(shape)
	d.at = place{shape: shape}
	if len(shape.fields) > 64 {
		o.seenMany = newBits(len(shape.fields))
	}
	return o
}

// New returns a new struct for the object's fields and makes it the holder of their faults. It
// returns nil when there is no object. The struct shares a chunk of memory with those of other
// objects; see arena.go.
func New[T any](o *Object) *T {
	d := o.d
	if d.err != nil {
		return nil
	}
	var v *T
	if unused, ok := o.state.unused.(*[]T); ok && len(*unused) > 0 {
		v, *unused = &(*unused)[0], (*unused)[1:]
	} else if n := o.state.nextChunkLen(unsafe.Sizeof(*v), o.objectsAhead()); n == 1 {
		v = new(T)
	} else {
		chunk := make([]T, n)
		v, chunk = &chunk[0], chunk[1:]
		o.state.unused = &chunk
	}
	d.at.holder = unsafe.Pointer(v)
	return v
}

// Next moves to the next field that is to be read and reports whether there is one. The decoder
// then stands before the field's value. Fields of members that the object lacks are left out;
// checkRequired has recorded those that must not be missing. Of two members with the same name the
// later one counts.
func (o *Object) Next() bool {
	d := o.d
	if o.field >= 0 && o.endField() {
		return true
	}
	for o.end == 0 && d.err == nil {
		if !o.enterNext() {
			o.close()
			break
		}
		if o.field >= 0 {
			return true
		}
	}
	if d.err == nil && o.state.shape.hasSelf && o.nextSelf() {
		return true
	}
	d.at = o.outer
	return false
}

// Field returns the index of the field to be read in the shape.
func (o *Object) Field() int { return o.field }

// OK reports, after Next has returned false, whether there was an object.
func (o *Object) OK() bool { return o.d.err == nil }

// endField ends the field that is being read, recovering from its failure. If another field reads
// the same member, it returns to the member's value, begins that field and returns true.
func (o *Object) endField() bool {
	d, i := o.d, o.field
	isSelf := o.end > 0
	o.field = -1
	if d.err != nil {
		if p := d.recoverTo(mark{pos: o.valueStart, depth: o.valueDepth(), path: d.at.pathLen, faults: o.fieldFaultsFrom}); p != nil {
			d.addFault(p, true)
		}
	} else if d.pos == o.valueStart && !isSelf {
		d.Skip()
	}
	switch {
	case d.err != nil:
		return false
	case isSelf: // it has read the whole object again, up to o.end
		d.pos, d.depth = o.end, o.depth
		return false
	}
	if i = o.state.firstSelected(o.state.shape.nextSame[i]); i < 0 || !d.spendReread(d.pos-o.valueStart) {
		return false
	}
	d.pos = o.valueStart
	o.beginField(i)
	return true
}

// valueDepth returns the depth of nesting at which the field's value is read: that around the
// object for a field that is read from the object itself.
func (o *Object) valueDepth() int {
	if o.end > 0 {
		return o.depth
	}
	return o.depth + 1
}

// beginField makes i the field that is being read. The decoder stands before its value.
func (o *Object) beginField(i int) {
	d := o.d
	d.at.field, d.at.pathLen, d.at.listDepth = i, len(d.path), 0
	if o.end == 0 && o.markSeen(i) {
		o.dropFaults()
	}
	o.field, o.valueStart, o.fieldFaultsFrom = i, d.pos, len(d.faults)
}

// markSeen records that a field is read and reports whether it was read before, from an earlier
// member of the same name.
func (o *Object) markSeen(i int) bool {
	if o.seenMany != nil {
		seen := o.seenMany.has(i)
		o.seenMany.add(i)
		return seen
	}
	seen := o.seen&(1<<i) != 0
	o.seen |= 1 << i
	return seen
}

// enterNext moves to the next member and begins the first field that reads it, or skips its value
// if there is none. It returns false at the end of the object.
func (o *Object) enterNext() bool {
	d := o.d
	i, ok := o.advance()
	switch {
	case !ok:
		return false
	case i >= 0:
		o.beginField(i)
	default:
		d.Skip()
	}
	return d.err == nil
}

// close ends the object when its last member was read.
func (o *Object) close() {
	d := o.d
	if d.err != nil {
		return
	}
	o.end = d.pos
	o.state.textSize = o.end - o.start
	o.checkRequired()
}

// dropFaults drops the faults of the current field that an earlier member of the same name has
// left. Each time counts as a failure, since a service that repeats one name a million times would
// otherwise cost a search through all faults each time.
func (o *Object) dropFaults() {
	d := o.d
	if len(d.faults) == o.faultsFrom || !d.countFailures(1) {
		return
	}
	mine := d.at.faultKey()
	d.faults = append(d.faults[:o.faultsFrom], slices.DeleteFunc(d.faults[o.faultsFrom:], func(e tableEntry) bool { return e.key == mine })...)
}

// checkRequired records a fault for each required field whose member is missing. It compares 64
// fields at a time, since nearly always none is.
func (o *Object) checkRequired() {
	seen := bits{o.seen}
	if o.seenMany != nil {
		seen = o.seenMany
	}
	for w, required := range o.state.fields.required {
		if required&^seen[w] == 0 {
			continue
		}
		for i := w * 64; i < min(w*64+64, len(o.state.shape.fields)); i++ {
			if o.state.fields.required.has(i) && !seen.has(i) && o.d.countFailures(1) {
				o.addMissing(i)
			}
		}
	}
}

// addMissing records that the member of a field is missing.
func (o *Object) addMissing(i int) {
	d := o.d
	d.at.field, d.at.pathLen, d.at.listDepth = i, len(d.path), 0
	d.mismatch("%s lacks %q, which the graph says is never null", o.state.shape.name, o.state.shape.fields[i].wire())
	p := d.err
	d.err = nil
	d.addFault(p, true)
}

// nextSelf begins the next field that is read from the object itself, at the object's beginning.
// It returns false when there is none left.
func (o *Object) nextSelf() bool {
	d, shape := o.d, o.state.shape
	for o.selfField < len(shape.fields) {
		i := o.selfField
		o.selfField++
		if shape.fields[i].Self && o.state.fields.fields.has(i) && d.spendReread(o.end-o.start) {
			d.pos, d.depth = o.start, o.depth
			o.beginField(i)
			return true
		}
	}
	return false
}
