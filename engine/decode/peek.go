package decode

import (
	"bytes"
	"encoding/json"
)

// Lookahead reads the value that comes next and leaves it there, to be read once more.
func Lookahead[T any](d *Decoder, read func(*Decoder) T) T {
	text := d.scanner
	v := read(d)
	if d.err == nil && d.spendReread(d.pos-text.pos) {
		d.scanner = text
	}
	return v
}

// Raw is the text of the value that comes next, which stays there. Its bytes are the
// answer's own. It is nil after a failure.
func (d *Decoder) Raw() []byte {
	if d.err != nil {
		return nil
	}
	d.skipSpace()
	from, depth := d.pos, d.depth
	d.Skip()
	if d.err != nil || !d.spendReread(d.pos-from) {
		return nil
	}
	text := d.data[from:d.pos]
	d.pos, d.depth = from, depth
	return text
}

// Is tells whether the value that comes next is the same as a literal of JSON: strings by
// their text, numbers exactly, objects whatever the order of their members. The value
// stays there.
func (d *Decoder) Is(literal string) bool {
	raw := d.Raw()
	return raw != nil && equalJSON(raw, bytes.TrimSpace([]byte(literal)))
}

// equalJSON compares two texts of which both are JSON.
func equalJSON(a, b []byte) bool {
	if len(b) == 0 || kindOf(a[0]) != kindOf(b[0]) {
		return false
	}
	switch kindOf(a[0]) {
	case '"':
		x, errX := (&scanner{data: a}).unescapedString()
		y, errY := (&scanner{data: b}).unescapedString()
		return errX == nil && errY == nil && bytes.Equal(x, y)
	case '0':
		return equalNumbers(a, b)
	case '[':
		return equalLists(a, b)
	case '{':
		return equalObjects(a, b)
	}
	return bytes.Equal(a, b)
}

// kindOf is the same for all that begins a value of one kind.
func kindOf(c byte) byte {
	if c == '-' || c >= '0' && c <= '9' {
		return '0'
	}
	return c
}

func equalLists(a, b []byte) bool {
	var x, y []json.RawMessage
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil || len(x) != len(y) {
		return false
	}
	for i := range x {
		if !equalJSON(x[i], y[i]) {
			return false
		}
	}
	return true
}

func equalObjects(a, b []byte) bool {
	var x, y map[string]json.RawMessage
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil || len(x) != len(y) {
		return false
	}
	for name, value := range x {
		if other, ok := y[name]; !ok || !equalJSON(value, other) {
			return false
		}
	}
	return true
}

// Peek gives the text of a member of the object that comes next, if that is there and a
// string, a number or a boolean. The object stays there. Of a member that is there twice,
// the later one counts.
func Peek(d *Decoder, name string) (text string, ok bool) {
	if d.err != nil || d.peek() != '{' {
		return "", false
	}
	start, depth, path := d.pos, d.depth, len(d.path)
	from := -1
	d.open('{', "an object")
	for first := true; d.more('}', first); first = false {
		if string(d.enterMember()) == name {
			from = d.pos
		}
		d.Skip()
		d.pop()
	}
	if d.err != nil || !d.spendReread(d.pos-start) {
		return "", false
	}
	if from >= 0 {
		d.pos = from
		text, ok = d.scalarText()
	}
	d.pos, d.depth, d.path = start, depth, d.path[:path]
	return text, ok
}

// scalarText is the text of a scalar that is well-formed.
func (d *Decoder) scalarText() (string, bool) {
	switch d.peek() {
	case '"', 't', 'f':
		return d.ScalarText(), true
	case '{', '[', 'n':
		return "", false
	}
	return string(d.numberText()), true
}
