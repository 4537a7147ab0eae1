package decode

import "unsafe"

// List reads a list whose elements element reads. An element that does not fit fails the list,
// unless element recovers from that as those of Ptr and Null do.
func List[T any](d *Decoder, element func(*Decoder) T) []T {
	if !d.open('[', "a list") {
		return nil
	}
	isTop, before := d.isTop(), len(d.faults)
	d.at.listDepth++
	from, list := d.pos, []T{}
	for d.more(']', len(list) == 0) {
		if n := len(list); n == cap(list) && n > 0 {
			room := n // doubles it
			if isTop {
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
	if isTop {
		adoptFaults(d.faults[before:], list)
	}
	return list
}

// elementsAhead returns for how many more elements to make room, after n that began at from, in
// the list that makes up the rest of the response. Lists inside objects or other lists grow by
// doubling instead: many of them lie in one response, and each would have room for all the text
// after it.
func (d *Decoder) elementsAhead(from, n int) int {
	const maxGrowth = 8 // times the elements so far, which may be shorter than those to come
	size := (d.pos-from)/n + 1
	return max(n, min((len(d.data)-d.pos)/size+1, maxGrowth*n))
}

// Item is an element together with its fault. A caller that moves elements to another list, as
// pages do, needs the fault beside the value, since Faults would look for it under the list that
// was read.
type Item[T any] struct {
	Value T
	Fault *Fault // nil for an element that fits; else Value is the zero value
}

// ItemsOf returns a reader of lists whose elements fail one by one, whether or not they may be null.
// null reads as an empty list: many services leave out the list of a page without items.
func ItemsOf[T any](element func(*Decoder) T) func(*Decoder) []Item[T] {
	return func(d *Decoder) []Item[T] {
		if d.err == nil && d.acceptNull() {
			return []Item[T]{}
		}
		if !d.open('[', "a list") {
			return nil
		}
		outer := d.at
		list := []Item[T]{}
		for d.more(']', len(list) == 0) {
			d.push(step{index: len(list)})
			d.at = place{pathLen: len(d.path)}
			v, fault := tryRead(d, element)
			d.pop()
			list = append(list, Item[T]{v, fault})
		}
		d.at = outer
		return list
	}
}

// appendElement reads the next element of a list that is one in the graph, too, and appends it.
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

// isTop reports whether the value that is read lies in no object and in no list: it is the
// response's value, or one of a batch.
func (d *Decoder) isTop() bool { return d.at.holder == nil && d.at.listDepth == 0 }

// adoptFaults makes a list that is in no object the holder of its elements' faults.
func adoptFaults[T any](faults []tableEntry, list []T) {
	for i := range faults {
		if faults[i].key.holder == nil {
			faults[i].key.holder = unsafe.Pointer(unsafe.SliceData(list))
		}
	}
}

// ListOf returns a reader of lists whose elements element reads; see List.
func ListOf[T any](element func(*Decoder) T) func(*Decoder) []T {
	return func(d *Decoder) []T { return List(d, element) }
}

// First returns a reader of the first element of a list. null and an empty list read as null.
func First[T any](element func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T { return readFirstOrLast(d, element, false) }
}

// Last returns a reader of the last element of a list. null and an empty list read as null.
func Last[T any](element func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T { return readFirstOrLast(d, element, true) }
}

// readFirstOrLast skips the whole list before it reads the element, so that a failure of the
// element is soft only if the rest of the list is well-formed.
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

// findElement skips a list and returns where its first or last element begins, with its index; -1
// for an empty list.
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
