package decode

import (
	"strings"
	"unsafe"
)

// List reads a list whose elements are read by element. An element that may be null
// (Maybe, MaybeNil) is nil when it does not fit; any other fails the list.
func List[T any](d *Decoder, element func(*Decoder) T) []T {
	if !d.open('[', "a list") {
		return nil
	}
	top, noted := d.top(), len(d.noted)
	d.at.lists++
	from, list := d.pos, []T{}
	for d.more(']', len(list) == 0) {
		if n := len(list); n == cap(list) && n > 0 {
			room := n // for as many again
			if top {
				room = d.expected(from, n)
			}
			list = append(make([]T, 0, n+room), list...)
		}
		list = listed(d, list, element)
	}
	d.at.lists--
	if d.err != nil {
		return nil
	}
	if top {
		adopt(d.noted[noted:], list)
	}
	return list
}

// expected is room for how many more elements may follow n that began at from, in a list
// that has all the rest of the answer. One that lies in another, or in an object, does not:
// there are many of these, and each would have room for all that follow.
func (d *Decoder) expected(from, n int) int {
	const most = 8 // times as many as there are
	size := (d.pos-from)/n + 1
	return max(n, min((len(d.data)-d.pos)/size+1, most*n))
}

// Item is an element that has its fault with it, since it will lie elsewhere than in the
// list that it came in.
type Item[T any] struct {
	Value T
	Fault *Fault // instead of a value; nil for one that fits
}

// Items makes of a decoder of elements one of lists in which only those elements fail that
// do not fit, whether or not they may be null.
func Items[T any](element func(*Decoder) T) func(*Decoder) []Item[T] {
	return func(d *Decoder) []Item[T] {
		if !d.open('[', "a list") {
			return nil
		}
		outer := d.at
		list := []Item[T]{}
		for d.more(']', len(list) == 0) {
			d.enter(step{index: len(list)})
			d.at = place{base: len(d.path)}
			v, bad := attempt(d, element)
			d.leave()
			list = append(list, Item[T]{v, bad})
		}
		d.at = outer
		return list
	}
}

// listed reads the next element of a list in the graph.
func listed[T any](d *Decoder, list []T, element func(*Decoder) T) []T {
	d.enter(step{index: len(list), shown: true})
	v := value(d, element)
	d.leave()
	if d.err != nil {
		return list
	}
	if list == nil || cap(list) == 0 {
		list = make([]T, 0, 4)
	}
	return append(list, v)
}

// top tells that no object holds what is read now.
func (d *Decoder) top() bool { return d.at.holder == nil && d.at.lists == 0 }

// adopt makes a list that is in no object the holder of its elements' faults.
func adopt[T any](noted []entry, list []T) {
	for i := range noted {
		if noted[i].key.holder == nil {
			noted[i].key.holder = unsafe.Pointer(unsafe.SliceData(list))
		}
	}
}

// ListOf makes of a decoder of elements one of lists.
func ListOf[T any](element func(*Decoder) T) func(*Decoder) []T {
	return func(d *Decoder) []T { return List(d, element) }
}

// Ptr reads null as nil, and anything else by element. In a list it is also nil for
// an element that does not fit.
func Ptr[T any](d *Decoder, element func(*Decoder) T) *T {
	if d.err != nil || d.null() {
		return nil
	}
	m := d.mark()
	v := element(d)
	if d.err != nil {
		d.excuse(m)
		return nil
	}
	return &v
}

// Null reads null as T's zero value, for types whose zero value is null. In a list it
// gives that also for an element that does not fit.
func Null[T any](d *Decoder, element func(*Decoder) T) T {
	var none T
	if d.err != nil || d.null() {
		return none
	}
	m := d.mark()
	v := element(d)
	if d.err != nil {
		d.excuse(m)
		return none
	}
	return v
}

// excuse ends a soft failure of an element that may be null. Elsewhere it is for the
// field, or the batch's member, or the answer, to be null.
func (d *Decoder) excuse(m mark) {
	if d.at.lists == 0 {
		return
	}
	if p := d.pass(m); p != nil {
		d.note(p, false)
	}
}

// PtrOf makes of a decoder one that reads null as nil.
func PtrOf[T any](element func(*Decoder) T) func(*Decoder) *T {
	return func(d *Decoder) *T { return Ptr(d, element) }
}

// NullOf makes of a decoder one that reads null as T's zero value.
func NullOf[T any](element func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T { return Null(d, element) }
}

// Pointer returns a decoder of pointers to what read gives of any value, null included.
// Maybe reads null as nil.
func Pointer[T any](read func(*Decoder) T) func(*Decoder) *T {
	return func(d *Decoder) *T {
		v := read(d)
		return &v
	}
}

// Excused returns a decoder of a list's elements whose value is nil for an element that does
// not fit. Null is read by read, whereas MaybeNil reads it as nil.
func Excused[T any](read func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T {
		var none T
		if d.err != nil {
			return none
		}
		m := d.mark()
		v := read(d)
		if d.err != nil {
			d.excuse(m)
			return none
		}
		return v
	}
}

// First makes of a decoder of elements one of the first element of a list. An empty list
// reads as null, and so does null.
func First[T any](element func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T { return pick(d, element, false) }
}

// Last makes of a decoder of elements one of the last element of a list. An empty list
// reads as null, and so does null.
func Last[T any](element func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T { return pick(d, element, true) }
}

// pick looks for the element's place first: it is read once the list is known to end well.
func pick[T any](d *Decoder, element func(*Decoder) T, last bool) T {
	var none T
	if d.err != nil {
		return none
	}
	if d.peekNull() {
		return element(d)
	}
	from, index := d.choose(last)
	if d.err != nil {
		return none
	}
	if index < 0 {
		var v T
		d.readNull(func() { v = element(d) })
		return v
	}
	end := d.pos
	if !d.reread(end - from) {
		return none
	}
	d.pos = from
	d.enter(step{index: index})
	v := element(d)
	d.leave()
	if d.err == nil {
		d.pos = end
	}
	return v
}

// choose passes over a list and tells where its first or last element begins, and which
// that is; -1 for an empty list.
func (d *Decoder) choose(last bool) (from, index int) {
	index = -1
	if !d.open('[', "a list") {
		return 0, -1
	}
	for i := 0; d.more(']', i == 0); i++ {
		if last || i == 0 {
			from, index = d.pos, i
		}
		d.enter(step{index: i})
		d.Skip()
		d.leave()
	}
	return from, index
}

// Entries reads an object as a list: for each member element is given an object with the
// members "key", the name, and "value". A list is read as a list.
func Entries[T any](d *Decoder, element func(*Decoder) T) []T {
	if d.err != nil || d.next() != '{' {
		return List(d, element)
	}
	d.open('{', "an object")
	top, noted := d.top(), len(d.noted)
	d.at.lists++
	list := []T{}
	for d.err == nil && d.more('}', len(list) == 0) {
		list = listed(d, list, entryOf(element))
	}
	d.at.lists--
	if d.err != nil {
		return nil
	}
	if top {
		adopt(d.noted[noted:], list)
	}
	return list
}

// entryOf reads a member as an object of its own.
func entryOf[T any](element func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T {
		var none T
		entry := d.entry()
		if d.err != nil {
			return none
		}
		text := d.scanner
		d.scanner = scanner{data: entry, depth: text.depth}
		v := value(d, element)
		d.scanner = text
		return v
	}
}

// entry eats a member and writes it as an object.
func (d *Decoder) entry() []byte {
	d.space()
	name := d.pos
	d.member()
	if d.err != nil {
		return nil
	}
	d.leave()
	named, from := d.pos, d.pos
	d.Skip()
	if d.err != nil || !d.reread(d.pos-from) {
		return nil
	}
	text := make([]byte, 0, d.pos-name+len(`{"key":,"value":}`))
	text = append(text, `{"key":`...)
	text = append(text, d.data[name:named-1]...) // up to the colon
	text = append(text, `,"value":`...)
	text = append(text, d.data[from:d.pos]...)
	return append(text, '}')
}

// EntriesOf makes of a decoder of entries one of objects that are read as lists of them.
func EntriesOf[T any](element func(*Decoder) T) func(*Decoder) []T {
	return func(d *Decoder) []T { return Entries(d, element) }
}

// JoinNotNull makes a decoder of lists of scalars that gives their texts, with sep between
// them. Nulls are left out.
func JoinNotNull(sep string) func(*Decoder) string {
	return func(d *Decoder) string {
		if !d.open('[', "a list") {
			return ""
		}
		var texts []string
		for i := 0; d.more(']', i == 0); i++ {
			d.enter(step{index: i})
			if !d.null() {
				texts = append(texts, d.ScalarText())
			}
			d.leave()
		}
		if d.err != nil {
			return ""
		}
		return strings.Join(texts, sep)
	}
}

// ScalarText reads a string, a number or a boolean as text.
func (d *Decoder) ScalarText() string {
	switch c := d.next(); {
	case c == '"':
		return d.text()
	case c == 't' || c == 'f':
		if d.Boolean() {
			return "true"
		}
		return "false"
	}
	return string(d.number("a scalar"))
}
