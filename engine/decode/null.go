package decode

// Ptr and Null read values that may be null, for Go types that say null by a nil pointer and for
// those whose zero value is null, such as slices and pointers to structs. In a list such an
// element is a place that can be null, so the two recover from its failure.

// Ptr reads null as nil, and any other value with element. In a list an element that does not fit
// is nil as well, and its fault is recorded.
func Ptr[T any](d *Decoder, element func(*Decoder) T) *T {
	if d.err != nil || d.acceptNull() {
		return nil
	}
	m := d.mark()
	v := element(d)
	if d.err != nil {
		d.recoverElement(m)
		return nil
	}
	return &v
}

// Null reads null as T's zero value, and any other value with element. In a list it returns the
// zero value also for an element that does not fit, and records its fault.
func Null[T any](d *Decoder, element func(*Decoder) T) T {
	var none T
	if d.err != nil || d.acceptNull() {
		return none
	}
	m := d.mark()
	v := element(d)
	if d.err != nil {
		d.recoverElement(m)
		return none
	}
	return v
}

// recoverElement recovers from a soft failure of an element. Outside lists it does nothing: the
// field, the member of the batch or the response is null then, and recovers itself.
func (d *Decoder) recoverElement(m mark) {
	if d.at.listDepth == 0 {
		return
	}
	if p := d.recoverTo(m); p != nil {
		d.addFault(p, false)
	}
}

// PtrOf returns a reader that reads null as nil; see Ptr.
func PtrOf[T any](element func(*Decoder) T) func(*Decoder) *T {
	return func(d *Decoder) *T { return Ptr(d, element) }
}

// NullOf returns a reader that reads null as T's zero value; see Null.
func NullOf[T any](element func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T { return Null(d, element) }
}

// NonNilPtr returns a reader of pointers to what read returns, also for null, which Ptr would read
// as nil.
func NonNilPtr[T any](read func(*Decoder) T) func(*Decoder) *T {
	return func(d *Decoder) *T {
		v := read(d)
		return &v
	}
}

// NullOnFault returns a reader of list elements that returns the zero value for an element that does
// not fit, as Null does. Unlike Null it leaves null to read.
func NullOnFault[T any](read func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T {
		var none T
		if d.err != nil {
			return none
		}
		m := d.mark()
		v := read(d)
		if d.err != nil {
			d.recoverElement(m)
			return none
		}
		return v
	}
}
