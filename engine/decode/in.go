package decode

// Member makes of a decoder one that reads in the member of an object. A missing member, and a
// null on the way, read as null.
func Member[T any](name string, read func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T {
		var v, none T
		if !d.inside(name, func() { v = read(d) }) {
			return none
		}
		return v
	}
}

// inside reads the member of an object. It tells whether that went well. Here, as elsewhere
// in this package, what does not depend on the type of a value is not compiled for each.
func (d *Decoder) inside(name string, read func()) bool {
	if d.err != nil {
		return false
	}
	if d.peekNull() {
		read()
		return d.err == nil
	}
	if !d.open('{', "an object") {
		return false
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
			return false
		}
		d.noted = d.noted[:noted] // without what an earlier one of the same name left
		m := d.mark()
		read()
		d.unread(m.pos)
		found, failed = true, d.pass(m)
		d.leave()
	}
	switch {
	case d.err != nil:
		return false
	case !found:
		return d.absent(name, read)
	case failed != nil:
		d.err = failed
	}
	return d.err == nil
}

// absent reads null for a member that is not there.
func (d *Decoder) absent(name string, read func()) bool {
	d.enter(step{name: []byte(name)})
	d.readNull(read)
	d.leave()
	return d.err == nil
}

// readNull reads a null that is not in the text.
func (d *Decoder) readNull(read func()) {
	text := d.scanner
	d.scanner = scanner{data: nullText, depth: text.depth}
	read()
	d.scanner = text
}
