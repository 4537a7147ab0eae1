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
	next   []int          // the next field of the same member, -1 after the last
	all    *wish          // for everything
	whole  bool           // some field is
}

// NewShape makes the shape of a type in the graph, by whose name Wanted knows it.
func NewShape(name string, fields ...Field) *Shape {
	s := &Shape{name: name, fields: fields, first: map[string]int{}, next: make([]int, len(fields))}
	for i := len(fields) - 1; i >= 0; i-- {
		f := &fields[i]
		s.next[i] = -1
		if f.Whole {
			s.whole = true
			continue
		}
		if later, ok := s.first[f.wire()]; ok {
			s.next[i] = later
		}
		s.first[f.wire()] = i
	}
	s.all = s.wish(func(string) bool { return true })
	return s
}

// wish is which of a shape's fields are wanted.
func (s *Shape) wish(wanted func(field string) bool) *wish {
	w := &wish{fields: newBits(len(s.fields)), must: newBits(len(s.fields))}
	for i := range s.fields {
		f := &s.fields[i]
		if !wanted(f.Name) {
			continue
		}
		w.fields.add(i)
		if f.Required && !f.Whole {
			w.must.add(i)
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
	known   *sighting
	outer   place
	start   int // where the text begins
	end     int // and ends, once that is known
	depth   int // of nesting, around it
	path    int // how long it is, around it
	noted   int // where its faults begin
	members int // so far
	whole   int // the next field that may be made of the object itself
	seen    uint64
	more    bits // instead of seen for shapes of more fields

	field int // the one that is read, -1 for none
	from  int // where its value begins
	notes int // where its faults begin
}

// Object begins to read an object: what fails inside belongs to the fields.
func (d *Decoder) Object(shape *Shape) Object {
	o := Object{d: d, field: -1, start: d.pos, depth: d.depth, path: len(d.path), outer: d.at, noted: len(d.noted)}
	if !d.open('{', "an object") {
		return o
	}
	o.known = d.sight(shape)
	d.at = place{shape: shape}
	if len(shape.fields) > 64 {
		o.more = newBits(len(shape.fields))
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
	if free, ok := o.known.free.(*[]T); ok && len(*free) > 0 {
		v, *free = &(*free)[0], (*free)[1:]
	} else if n := o.known.piece(unsafe.Sizeof(*v), o.expected()); n == 1 {
		v = new(T)
	} else {
		piece := make([]T, n)
		v, piece = &piece[0], piece[1:]
		o.known.free = &piece
	}
	d.at.holder = unsafe.Pointer(v)
	return v
}

// Next finds the next field that is wanted and has a member; the decoder stands before its
// value. Of a member that is there twice, the later one counts.
func (o *Object) Next() bool {
	d := o.d
	if o.field >= 0 && o.again() {
		return true
	}
	for o.end == 0 && d.err == nil {
		if !o.member() {
			o.close()
			break
		}
		if o.field >= 0 {
			return true
		}
	}
	if d.err == nil && o.known.shape.whole && o.wholes() {
		return true
	}
	d.at = o.outer
	return false
}

// Field is the number of the field to be read, as the shape has them.
func (o *Object) Field() int { return o.field }

// OK tells, after the last field, whether there was an object.
func (o *Object) OK() bool { return o.d.err == nil }

// again ends a field, and begins the next one that reads the same member.
func (o *Object) again() bool {
	d, i := o.d, o.field
	whole := o.end > 0
	o.field = -1
	if d.err != nil {
		if p := d.pass(mark{pos: o.from, depth: o.inside(), path: d.at.base, noted: o.notes}); p != nil {
			d.note(p, true)
		}
	} else if d.pos == o.from && !whole {
		d.Skip()
	}
	switch {
	case d.err != nil:
		return false
	case whole:
		d.pos, d.depth = o.end, o.depth
		return false
	}
	if i = o.known.firstWanted(o.known.shape.next[i]); i < 0 || !d.reread(d.pos-o.from) {
		return false
	}
	d.pos = o.from
	o.begin(i)
	return true
}

// inside is the depth of nesting where the field's value is read.
func (o *Object) inside() int {
	if o.end > 0 {
		return o.depth
	}
	return o.depth + 1
}

// begin makes a field the one that is read, where the decoder stands.
func (o *Object) begin(i int) {
	d := o.d
	d.at.field, d.at.base, d.at.lists = i, len(d.path), 0
	if o.end == 0 && o.saw(i) {
		o.forget()
	}
	o.field, o.from, o.notes = i, d.pos, len(d.noted)
}

// saw tells whether a field was read before, and notes that it is.
func (o *Object) saw(i int) bool {
	if o.more != nil {
		seen := o.more.has(i)
		o.more.add(i)
		return seen
	}
	seen := o.seen&(1<<i) != 0
	o.seen |= 1 << i
	return seen
}

// member steps into the next member, to the first field that wants it, or over it. It is
// false when there is none.
func (o *Object) member() bool {
	d := o.d
	i, ok := o.next()
	switch {
	case !ok:
		return false
	case i >= 0:
		o.begin(i)
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
	o.known.size = o.end - o.start
	o.missing()
}

// forget drops what an earlier member of the same name did to the field.
func (o *Object) forget() {
	d := o.d
	if len(d.noted) == o.noted || !d.tally(1) {
		return
	}
	mine := d.at.key()
	d.noted = append(d.noted[:o.noted], slices.DeleteFunc(d.noted[o.noted:], func(e entry) bool { return e.key == mine })...)
}

// missing finds the wanted and required fields whose members are not there.
func (o *Object) missing() {
	seen := bits{o.seen}
	if o.more != nil {
		seen = o.more
	}
	for w, must := range o.known.wish.must {
		if must&^seen[w] == 0 {
			continue
		}
		for i := w * 64; i < min(w*64+64, len(o.known.shape.fields)); i++ {
			if o.known.wish.must.has(i) && !seen.has(i) && o.d.tally(1) {
				o.lacks(i)
			}
		}
	}
}

// lacks notes that a field's member is not there.
func (o *Object) lacks(i int) {
	d := o.d
	d.at.field, d.at.base, d.at.lists = i, len(d.path), 0
	d.wrong("%s lacks %q, which the graph says is never null", o.known.shape.name, o.known.shape.fields[i].wire())
	p := d.err
	d.err = nil
	d.note(p, true)
}

// wholes begins the next field that is made of the object itself.
func (o *Object) wholes() bool {
	d, shape := o.d, o.known.shape
	for o.whole < len(shape.fields) {
		i := o.whole
		o.whole++
		if shape.fields[i].Whole && o.known.wish.fields.has(i) && d.reread(o.end-o.start) {
			d.pos, d.depth = o.start, o.depth
			o.begin(i)
			return true
		}
	}
	return false
}
