package decode

// Member makes of a decoder one that reads in the member of an object. A missing member, and a
// null on the way, read as null.
func Member[T any](name string, read func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T {
		var v, none T
		if !d.readMember(name, func() { v = read(d) }) {
			return none
		}
		return v
	}
}

// readMember reads the member of an object. It tells whether that went well. Here, as elsewhere
// in this package, what does not depend on the type of a value is not compiled for each.
func (d *Decoder) readMember(name string, read func()) bool {
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
	var failed *failure
	found, noted := false, len(d.faults)
	for first := true; d.more('}', first); first = false {
		if string(d.enterMember()) != name {
			d.Skip()
			d.pop()
			continue
		}
		if d.err != nil {
			return false
		}
		d.faults = d.faults[:noted] // without what an earlier one of the same name left
		m := d.mark()
		read()
		d.skipUnread(m.pos)
		found, failed = true, d.recoverTo(m)
		d.pop()
	}
	switch {
	case d.err != nil:
		return false
	case !found:
		return d.readAbsent(name, read)
	case failed != nil:
		d.err = failed
	}
	return d.err == nil
}

// readAbsent reads null for a member that is not there.
func (d *Decoder) readAbsent(name string, read func()) bool {
	d.push(step{name: []byte(name)})
	d.readNull(read)
	d.pop()
	return d.err == nil
}

// readNull reads a null that is not in the text.
func (d *Decoder) readNull(read func()) {
	text := d.scanner
	d.scanner = scanner{data: nullText, depth: text.depth}
	read()
	d.scanner = text
}
