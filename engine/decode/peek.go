package decode

import (
	"bytes"
	"encoding/json"
)

// Lookahead reads the next value and leaves it in place, to be read again.
func Lookahead[T any](d *Decoder, read func(*Decoder) T) T {
	text := d.scanner
	v := read(d)
	if d.err == nil && d.spendReread(d.pos-text.pos) {
		d.scanner = text
	}
	return v
}

// Raw returns the text of the next value, which stays in place. The bytes belong to the response
// and must not be kept. It returns nil after a failure.
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

// Is reports whether the next value equals a literal of JSON: strings by their characters, numbers
// by their exact value, objects without regard to the order of members. The value stays in place.
func (d *Decoder) Is(literal string) bool {
	raw := d.Raw()
	return raw != nil && equalJSON(raw, bytes.TrimSpace([]byte(literal)))
}

// equalJSON compares two values of well-formed JSON.
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

// kindOf returns a byte that identifies the type of a value, from the first byte of its text. All
// numbers have the same, and so have no two other types.
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

// Peek returns the text of a member of the next object if the member is there and is a string, a
// number or a boolean. The object stays in place. Of two members with the same name the later one
// counts.
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

// scalarText returns the text of the next value if it is a scalar other than null. The value has
// been checked to be well-formed.
func (d *Decoder) scalarText() (string, bool) {
	switch d.peek() {
	case '"', 't', 'f':
		return d.ScalarText(), true
	case '{', '[', 'n':
		return "", false
	}
	return string(d.numberText()), true
}
