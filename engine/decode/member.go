package decode

// Member returns a reader of objects that reads the member of that name. A missing member reads as
// null, and so does null instead of an object.
func Member[T any](name string, read func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T {
		var v, none T
		if !d.readMember(name, func() { v = read(d) }) {
			return none
		}
		return v
	}
}

// readMember consumes an object and calls read at the member of that name. It reports whether the
// value can be used. Of two members with the same name the later one counts; faults of the earlier
// one are dropped.
//
// It is not generic, as most of this package is not: read captures the typed value, so that Go
// compiles this code once and not for each type.
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
	found, before := false, len(d.faults)
	for first := true; d.more('}', first); first = false {
		if string(d.enterMember()) != name {
			d.Skip()
			d.pop()
			continue
		}
		if d.err != nil {
			return false
		}
		d.faults = d.faults[:before] // those of an earlier member of the same name
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

// readAbsent reads null in the place of a member that is not there, with the member in the path of
// errors.
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
