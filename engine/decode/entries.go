package decode

// Entries reads an object as the list of its members: element reads each as an object {"key":
// name, "value": value}. A list is read as List reads it.
func Entries[T any](d *Decoder, element func(*Decoder) T) []T {
	if d.err != nil || d.peek() != '{' {
		return List(d, element)
	}
	d.open('{', "an object")
	isTop, before := d.isTop(), len(d.faults)
	d.at.listDepth++
	list := []T{}
	for d.err == nil && d.more('}', len(list) == 0) {
		list = appendElement(d, list, entryReader(element))
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

// entryReader returns a reader that consumes one member of an object and reads it with element as
// an object of its own.
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

// nextEntry consumes a member and returns the text of the object that stands for it.
func (d *Decoder) nextEntry() []byte {
	d.skipSpace()
	name := d.pos
	d.enterMember()
	if d.err != nil {
		return nil
	}
	d.pop()
	afterColon, from := d.pos, d.pos
	d.Skip()
	if d.err != nil || !d.spendReread(d.pos-from) {
		return nil
	}
	text := make([]byte, 0, d.pos-name+len(`{"key":,"value":}`))
	text = append(text, `{"key":`...)
	text = append(text, d.data[name:afterColon-1]...)
	text = append(text, `,"value":`...)
	text = append(text, d.data[from:d.pos]...)
	return append(text, '}')
}

// EntriesOf returns a reader of objects as lists of their members; see Entries.
func EntriesOf[T any](element func(*Decoder) T) func(*Decoder) []T {
	return func(d *Decoder) []T { return Entries(d, element) }
}
