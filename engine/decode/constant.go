package decode

import "encoding/json"

// Constant makes of a decoder one that reads a literal, whatever the answer has.
func Constant[T any](literal string, read func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T {
		d.Skip()
		return readInstead(d, literal, read)
	}
}

// readInstead reads another text in the place of the next value.
func readInstead[T any](d *Decoder, text string, read func(*Decoder) T) T {
	var none T
	if d.err != nil {
		return none
	}
	answer := d.scanner
	d.scanner = scanner{data: []byte(text), depth: answer.depth}
	v := value(d, read)
	d.scanner = answer
	return v
}

// Case is a literal that a value may be, and another that it then stands for. Without When
// it is any value; without Then it stands for itself.
type Case struct{ When, Then string }

// Match makes of a decoder one that reads what the first of the cases says that the value
// stands for, and null when none does.
func Match[T any](read func(*Decoder) T, cases ...Case) func(*Decoder) T {
	return func(d *Decoder) T {
		for _, c := range cases {
			if c.When != "" && !d.Is(c.When) {
				continue
			}
			if c.Then == "" {
				return read(d)
			}
			return Constant(c.Then, read)(d)
		}
		return Constant("null", read)(d)
	}
}

// Equal makes a decoder that tells whether a value is a literal.
func Equal(literal string) func(*Decoder) bool {
	return func(d *Decoder) bool {
		same := d.Is(literal)
		d.Skip()
		return same
	}
}

// FromRequest makes of a decoder one that reads a value of the request, in the form in which it
// is sent to services, whatever the answer has.
func FromRequest[T any](v any, read func(*Decoder) T) func(*Decoder) T {
	text, err := json.Marshal(v)
	if err != nil {
		text = nullText
	}
	return Constant(string(text), read)
}
