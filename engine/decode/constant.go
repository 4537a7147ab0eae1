package decode

import (
	"encoding/json"
	"fmt"
)

// Literal returns the value of a literal of JSON. It panics if the literal does not fit, since generated
// code has literals that were checked.
func Literal[T any](literal string, read func(*Decoder) T) T {
	v, err := Read("", []byte(literal), nil, read)
	if err != nil {
		panic(fmt.Errorf("the literal %s does not fit: %w", literal, err))
	}
	return v
}

// Constant returns a reader that reads a literal of JSON instead of the value in the response,
// which it skips.
func Constant[T any](literal string, read func(*Decoder) T) func(*Decoder) T {
	return func(d *Decoder) T {
		d.Skip()
		return readInstead(d, literal, read)
	}
}

// readInstead reads another text in the place of the next value. The depth of nesting goes on, so
// that the text cannot exceed maxDepth together with the response around it.
func readInstead[T any](d *Decoder, text string, read func(*Decoder) T) T {
	var none T
	if d.err != nil {
		return none
	}
	response := d.scanner
	d.scanner = scanner{data: []byte(text), depth: response.depth}
	v := value(d, read)
	d.scanner = response
	return v
}

// Case maps a literal of JSON to another one. An empty When matches any value; an empty Then
// stands for the value itself.
type Case struct{ When, Then string }

// Match returns a reader that compares the value with the cases, in their order, and reads what
// the first matching one maps it to. It reads null when none matches.
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

// Equal returns a reader that reports whether the value equals a literal of JSON; see Is.
func Equal(literal string) func(*Decoder) bool {
	return func(d *Decoder) bool {
		same := d.Is(literal)
		d.Skip()
		return same
	}
}

// FromRequest returns a reader that reads a value of the request instead of one of the response. v
// is a wire value, as package encode has them.
func FromRequest[T any](v any, read func(*Decoder) T) func(*Decoder) T {
	text, err := json.Marshal(v)
	if err != nil {
		text = nullText
	}
	return Constant(string(text), read)
}
