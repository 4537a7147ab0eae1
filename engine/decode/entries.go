package decode

// Entries reads an object as a list: for each member element is given an object with the
// members "key", the name, and "value". A list is read as a list.
func Entries[T any](d *Decoder, element func(*Decoder) T) []T {
	if d.err != nil || d.peek() != '{' {
		return List(d, element)
	}
	d.open('{', "an object")
	top, noted := d.isTop(), len(d.faults)
	d.at.listDepth++
	list := []T{}
	for d.err == nil && d.more('}', len(list) == 0) {
		list = appendElement(d, list, entryReader(element))
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

// entryReader reads a member as an object of its own.
func entryReader[T any](element func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T {
		var none T
		entry := d.nextEntry()
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

// nextEntry eats a member and writes it as an object.
func (d *Decoder) nextEntry() []byte {
	d.skipSpace()
	name := d.pos
	d.enterMember()
	if d.err != nil {
		return nil
	}
	d.pop()
	named, from := d.pos, d.pos
	d.Skip()
	if d.err != nil || !d.spendReread(d.pos-from) {
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
