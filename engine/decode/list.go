package decode

import "unsafe"

// List reads a list whose elements are read by element. An element that may be null
// (Maybe, MaybeNil) is nil when it does not fit; any other fails the list.
func List[T any](d *Decoder, element func(*Decoder) T) []T {
	if !d.open('[', "a list") {
		return nil
	}
	top, noted := d.isTop(), len(d.faults)
	d.at.listDepth++
	from, list := d.pos, []T{}
	for d.more(']', len(list) == 0) {
		if n := len(list); n == cap(list) && n > 0 {
			room := n // for as many again
			if top {
				room = d.elementsAhead(from, n)
			}
			list = append(make([]T, 0, n+room), list...)
		}
		list = appendElement(d, list, element)
	}
	d.at.listDepth--
	if d.err != nil {
		return nil
	}
	if top {
		adoptFaults(d.faults[noted:], list)
	}
	return list
}

// elementsAhead is room for how many more elements may follow n that began at from, in a list
// that has all the rest of the answer. One that lies in another, or in an object, does not:
// there are many of these, and each would have room for all that follow.
func (d *Decoder) elementsAhead(from, n int) int {
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
			d.push(step{index: len(list)})
			d.at = place{pathLen: len(d.path)}
			v, bad := tryRead(d, element)
			d.pop()
			list = append(list, Item[T]{v, bad})
		}
		d.at = outer
		return list
	}
}

// appendElement reads the next element of a list in the graph.
func appendElement[T any](d *Decoder, list []T, element func(*Decoder) T) []T {
	d.push(step{index: len(list), inGraph: true})
	v := value(d, element)
	d.pop()
	if d.err != nil {
		return list
	}
	if list == nil || cap(list) == 0 {
		list = make([]T, 0, 4)
	}
	return append(list, v)
}

// isTop tells that no object holds what is read now.
func (d *Decoder) isTop() bool { return d.at.holder == nil && d.at.listDepth == 0 }

// adoptFaults makes a list that is in no object the holder of its elements' faults.
func adoptFaults[T any](noted []tableEntry, list []T) {
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

// First makes of a decoder of elements one of the first element of a list. An empty list
// reads as null, and so does null.
func First[T any](element func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T { return readFirstOrLast(d, element, false) }
}

// Last makes of a decoder of elements one of the last element of a list. An empty list
// reads as null, and so does null.
func Last[T any](element func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T { return readFirstOrLast(d, element, true) }
}

// readFirstOrLast looks for the element's place first: it is read once the list is known to end well.
func readFirstOrLast[T any](d *Decoder, element func(*Decoder) T, last bool) T {
	var none T
	if d.err != nil {
		return none
	}
	if d.peekNull() {
		return element(d)
	}
	from, index := d.findElement(last)
	if d.err != nil {
		return none
	}
	if index < 0 {
		var v T
		d.readNull(func() { v = element(d) })
		return v
	}
	end := d.pos
	if !d.spendReread(end - from) {
		return none
	}
	d.pos = from
	d.push(step{index: index})
	v := element(d)
	d.pop()
	if d.err == nil {
		d.pos = end
	}
	return v
}

// findElement passes over a list and tells where its first or last element begins, and which
// that is; -1 for an empty list.
func (d *Decoder) findElement(last bool) (from, index int) {
	index = -1
	if !d.open('[', "a list") {
		return 0, -1
	}
	for i := 0; d.more(']', i == 0); i++ {
		if last || i == 0 {
			from, index = d.pos, i
		}
		d.push(step{index: i})
		d.Skip()
		d.pop()
	}
	return from, index
}
