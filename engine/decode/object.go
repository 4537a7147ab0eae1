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
	must   bits           // the required fields
	whole  bool           // some field is
}

// NewShape makes the shape of a type in the graph, by whose name Wanted knows it.
func NewShape(name string, fields ...Field) *Shape {
	s := &Shape{name: name, fields: fields, first: map[string]int{}, next: make([]int, len(fields)), must: newBits(len(fields))}
	for i := len(fields) - 1; i >= 0; i-- {
		f := &fields[i]
		s.next[i] = -1
		if f.Whole {
			s.whole = true
			continue
		}
		if f.Required {
			s.must.add(i)
		}
		if later, ok := s.first[f.wire()]; ok {
			s.next[i] = later
		}
		s.first[f.wire()] = i
	}
	return s
}

// fewFields is how many fields a shape may have without a list of its own for what was seen.
const fewFields = 128

// Object reads an object into v, the pointer to the Go value that stands for it. For each
// wanted field whose member is there it calls read with the decoder before the value. It
// tells whether there was an object: what fails inside belongs to the fields.
//
// Of a member that is there twice, the later one counts.
func (d *Decoder) Object(v any, shape *Shape, read func(field string)) bool {
	start, depth := d.pos, d.depth
	if !d.open('{', "an object") {
		return false
	}
	o := object{d: d, holder: pointer(v), sighting: d.sight(shape), read: read, noted: len(d.noted)}
	var few [fewFields / 64]uint64
	seen := bits(few[:])
	if len(shape.fields) > fewFields {
		seen = newBits(len(shape.fields))
	}
	for first := true; d.more('}', first); first = false {
		o.member(seen)
	}
	if d.err != nil {
		return false
	}
	o.missing(seen)
	if shape.whole {
		o.wholes(start, depth)
	}
	return d.err == nil
}

// object is one that is being read.
type object struct {
	sighting
	d       *Decoder
	holder  unsafe.Pointer
	read    func(field string)
	noted   int // where its faults begin
	members int // so far
}

// member reads one member into each field that wants it.
func (o *object) member(seen bits) {
	d := o.d
	name, i := o.next()
	if d.err != nil {
		return
	}
	d.enter(step{name: name})
	if i < 0 {
		d.Skip()
	}
	for from := d.pos; i >= 0 && d.err == nil; i = o.firstWanted(o.shape.next[i]) {
		if d.pos != from && !d.reread(d.pos-from) {
			return
		}
		d.pos = from
		if seen.has(i) {
			o.forget(o.shape.fields[i].Name)
		}
		seen.add(i)
		o.field(&o.shape.fields[i], true)
	}
	d.leave()
}

// field reads one field where the decoder stands. A soft failure ends here.
func (o *object) field(f *Field, consume bool) {
	d := o.d
	m, outer := d.mark(), d.at
	d.at = place{holder: o.holder, field: f.Name, base: len(d.path)}
	o.read(f.Name)
	if d.err != nil {
		if p := d.pass(m); p != nil {
			d.note(p, true)
		}
	} else if d.pos == m.pos && consume {
		d.Skip()
	}
	d.at = outer
}

// forget drops what an earlier member of the same name did to a field.
func (o *object) forget(field string) {
	d := o.d
	if len(d.noted) == o.noted || !d.tally(1) {
		return
	}
	mine := key{o.holder, field}
	d.noted = append(d.noted[:o.noted], slices.DeleteFunc(d.noted[o.noted:], func(e entry) bool { return e.key == mine })...)
}

// missing finds the wanted and required fields whose members are not there.
func (o *object) missing(seen bits) {
	for w, must := range o.shape.must {
		if must&^seen[w] == 0 {
			continue
		}
		for i := w * 64; i < min(w*64+64, len(o.shape.fields)); i++ {
			if o.shape.must.has(i) && !seen.has(i) && o.wanted.hasOrAll(i) && o.d.tally(1) {
				o.lacks(&o.shape.fields[i])
			}
		}
	}
}

// lacks notes that a field's member is not there.
func (o *object) lacks(f *Field) {
	d, outer := o.d, o.d.at
	d.at = place{holder: o.holder, field: f.Name, base: len(d.path)}
	d.wrong("%s lacks %q, which the graph says is never null", o.shape.name, f.wire())
	p := d.err
	d.err = nil
	d.note(p, true)
	d.at = outer
}

// wholes reads the fields that are made of the object itself.
func (o *object) wholes(start, depth int) {
	d := o.d
	end := d.pos
	for i := range o.shape.fields {
		f := &o.shape.fields[i]
		if !f.Whole || !o.wanted.hasOrAll(i) || !d.reread(end-start) {
			continue
		}
		d.pos, d.depth = start, depth
		o.field(f, false)
		if d.err == nil {
			d.pos, d.depth = end, depth
		}
	}
}

// In makes of a decoder one that reads in the member of an object. A missing member, and a
// null on the way, read as null.
func In[T any](name string, read func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T { return inside(d, name, read) }
}

func inside[T any](d *Decoder, name string, read func(*Decoder) T) T {
	var v, none T
	if d.err != nil {
		return none
	}
	if d.peekNull() {
		return read(d)
	}
	if !d.open('{', "an object") {
		return none
	}
	var failed *problem
	found, noted := false, len(d.noted)
	for first := true; d.more('}', first); first = false {
		if string(d.member()) != name {
			d.Skip()
			d.leave()
			continue
		}
		if d.err != nil {
			return none
		}
		d.noted = d.noted[:noted] // without what an earlier one of the same name left
		m := d.mark()
		v, found = value(d, read), true
		failed = d.pass(m)
		d.leave()
	}
	switch {
	case d.err != nil:
		return none
	case !found:
		return absent(d, name, read)
	case failed != nil:
		d.err = failed
		return none
	}
	return v
}

// absent reads null for a member that is not there.
func absent[T any](d *Decoder, name string, read func(*Decoder) T) T {
	d.enter(step{name: []byte(name)})
	v := readNull(d, read)
	d.leave()
	return v
}

// readNull reads a null that is not in the text.
func readNull[T any](d *Decoder, read func(*Decoder) T) T {
	text := d.scanner
	d.scanner = scanner{data: nullText, depth: text.depth}
	v := read(d)
	d.scanner = text
	return v
}
