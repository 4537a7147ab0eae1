package decode

// Ptr reads null as nil, and anything else by element. In a list it is also nil for
// an element that does not fit.
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

// Null reads null as T's zero value, for types whose zero value is null. In a list it
// gives that also for an element that does not fit.
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

// recoverElement ends a soft failure of an element that may be null. Elsewhere it is for the
// field, or the batch's member, or the answer, to be null.
func (d *Decoder) recoverElement(m mark) {
	if d.at.listDepth == 0 {
		return
	}
	if p := d.recoverTo(m); p != nil {
		d.addFault(p, false)
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
			d.recoverElement(m)
			return none
		}
		return v
	}
}
