package decode

import (
	"slices"
	"unsafe"
)

// Field says where in a service's object a field of the graph lies.
type Field struct {
	// Name is the field's name in the graph.
	Name string
	// Wire is the member that holds it. Default Name. Several fields may read the same.
	Wire string
	// Required is set for a field that is never null: the member must be there.
	Required bool
	// Whole is set for a field that is made of the object itself: it is read last, from
	// the object's beginning. Wire and Required mean nothing then.
	Whole bool
}

func (f *Field) wire() string {
	if f.Wire != "" {
		return f.Wire
	}
	return f.Name
}

// Shape is what a type's objects look like at their service. It is safe for concurrent
// use.
type Shape struct {
	name   string
	fields []Field
	first  map[string]int // the first field of a member
	nextSame   []int          // the next field of the same member, -1 after the last
	all    *fieldSet          // for everything
	hasSelf  bool           // some field is
}

// NewShape makes the shape of a type in the graph, by whose name Wanted knows it.
func NewShape(name string, fields ...Field) *Shape {
	s := &Shape{name: name, fields: fields, first: map[string]int{}, nextSame: make([]int, len(fields))}
	for i := len(fields) - 1; i >= 0; i-- {
		f := &fields[i]
		s.nextSame[i] = -1
		if f.Whole {
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

// fieldSet is which of a shape's fields are wanted.
func (s *Shape) fieldSet(wanted func(field string) bool) *fieldSet {
	w := &fieldSet{fields: newBits(len(s.fields)), required: newBits(len(s.fields))}
	for i := range s.fields {
		f := &s.fields[i]
		if !wanted(f.Name) {
			continue
		}
		w.fields.add(i)
		if f.Required && !f.Whole {
			w.required.add(i)
		}
	}
	return w
}

// Object is one that is being read. Generated code asks it for one field after another,
// and reads each with the decoder:
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
type Object struct {
	d       *Decoder
	state   *shapeState
	outer   place
	start   int // where the text begins
	end     int // and ends, once that is known
	depth   int // of nesting, around it
	pathLen    int // how long it is, around it
	faultsFrom   int // where its faults begin
	members int // so far
	selfField   int // the next field that may be made of the object itself
	seen    uint64
	seenMany    bits // instead of seen for shapes of more fields

	field int // the one that is read, -1 for none
	valueStart  int // where its value begins
	fieldFaultsFrom int // where its faults begin
}

// Object begins to read an object: what fails inside belongs to the fields.
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

// New makes the Go value that stands for o, nil when there is no object. The values of
// an answer lie side by side in pieces of memory of some kilobytes, each of which lives as
// long as one of its values does.
func New[T any](o *Object) *T {
	d := o.d
	if d.err != nil {
		return nil
	}
	var v *T
	if free, ok := o.state.unused.(*[]T); ok && len(*free) > 0 {
		v, *free = &(*free)[0], (*free)[1:]
	} else if n := o.state.nextChunkLen(unsafe.Sizeof(*v), o.objectsAhead()); n == 1 {
		v = new(T)
	} else {
		piece := make([]T, n)
		v, piece = &piece[0], piece[1:]
		o.state.unused = &piece
	}
	d.at.holder = unsafe.Pointer(v)
	return v
}

// Next finds the next field that is wanted and has a member; the decoder stands before its
// value. Of a member that is there twice, the later one counts.
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

// Field is the number of the field to be read, as the shape has them.
func (o *Object) Field() int { return o.field }

// OK tells, after the last field, whether there was an object.
func (o *Object) OK() bool { return o.d.err == nil }

// endField ends a field, and begins the next one that reads the same member.
func (o *Object) endField() bool {
	d, i := o.d, o.field
	whole := o.end > 0
	o.field = -1
	if d.err != nil {
		if p := d.recoverTo(mark{pos: o.valueStart, depth: o.valueDepth(), path: d.at.pathLen, faults: o.fieldFaultsFrom}); p != nil {
			d.addFault(p, true)
		}
	} else if d.pos == o.valueStart && !whole {
		d.Skip()
	}
	switch {
	case d.err != nil:
		return false
	case whole:
		d.pos, d.depth = o.end, o.depth
		return false
	}
	if i = o.state.firstWanted(o.state.shape.nextSame[i]); i < 0 || !d.spendReread(d.pos-o.valueStart) {
		return false
	}
	d.pos = o.valueStart
	o.beginField(i)
	return true
}

// valueDepth is the depth of nesting where the field's value is read.
func (o *Object) valueDepth() int {
	if o.end > 0 {
		return o.depth
	}
	return o.depth + 1
}

// beginField makes a field the one that is read, where the decoder stands.
func (o *Object) beginField(i int) {
	d := o.d
	d.at.field, d.at.pathLen, d.at.listDepth = i, len(d.path), 0
	if o.end == 0 && o.markSeen(i) {
		o.dropFaults()
	}
	o.field, o.valueStart, o.fieldFaultsFrom = i, d.pos, len(d.faults)
}

// markSeen tells whether a field was read before, and notes that it is.
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

// enterNext steps into the next member, to the first field that wants it, or over it. It is
// false when there is none.
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

// close ends the object.
func (o *Object) close() {
	d := o.d
	if d.err != nil {
		return
	}
	o.end = d.pos
	o.state.textSize = o.end - o.start
	o.checkRequired()
}

// dropFaults drops what an earlier member of the same name did to the field.
func (o *Object) dropFaults() {
	d := o.d
	if len(d.faults) == o.faultsFrom || !d.countFailures(1) {
		return
	}
	mine := d.at.faultKey()
	d.faults = append(d.faults[:o.faultsFrom], slices.DeleteFunc(d.faults[o.faultsFrom:], func(e tableEntry) bool { return e.key == mine })...)
}

// checkRequired finds the wanted and required fields whose members are not there.
func (o *Object) checkRequired() {
	seen := bits{o.seen}
	if o.seenMany != nil {
		seen = o.seenMany
	}
	for w, must := range o.state.fields.required {
		if must&^seen[w] == 0 {
			continue
		}
		for i := w * 64; i < min(w*64+64, len(o.state.shape.fields)); i++ {
			if o.state.fields.required.has(i) && !seen.has(i) && o.d.countFailures(1) {
				o.addMissing(i)
			}
		}
	}
}

// addMissing notes that a field's member is not there.
func (o *Object) addMissing(i int) {
	d := o.d
	d.at.field, d.at.pathLen, d.at.listDepth = i, len(d.path), 0
	d.mismatch("%s lacks %q, which the graph says is never null", o.state.shape.name, o.state.shape.fields[i].wire())
	p := d.err
	d.err = nil
	d.addFault(p, true)
}

// nextSelf begins the next field that is made of the object itself.
func (o *Object) nextSelf() bool {
	d, shape := o.d, o.state.shape
	for o.selfField < len(shape.fields) {
		i := o.selfField
		o.selfField++
		if shape.fields[i].Whole && o.state.fields.fields.has(i) && d.spendReread(o.end-o.start) {
			d.pos, d.depth = o.start, o.depth
			o.beginField(i)
			return true
		}
	}
	return false
}
