package decode

import (
	"encoding/binary"
	"errors"
	"fmt"
	mathbits "math/bits"
	"unicode/utf8"
)

// maxDepth bounds how deeply a response may nest. Decoders and skipContainer recurse, and a stack
// that exceeds Go's limit ends the process.
const maxDepth = 512

// scanner reads the tokens of one JSON value (RFC 8259), strictly: it takes no comments and no
// trailing commas. Strings that are not UTF-8 are for its callers to refuse.
type scanner struct {
	data  []byte
	pos   int
	depth int
}

// skipSpace consumes white space.
func (s *scanner) skipSpace() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek consumes white space and returns the byte after it without consuming that; 0 at the end.
func (s *scanner) peek() byte {
	s.skipSpace()
	if s.pos == len(s.data) {
		return 0
	}
	return s.data[s.pos]
}

// atEnd consumes white space and reports whether the text ends there.
func (s *scanner) atEnd() bool {
	s.skipSpace()
	return s.pos == len(s.data)
}

// acceptWord consumes w if it comes next and no letter or digit follows, and reports whether it
// did.
func (s *scanner) acceptWord(w string) bool {
	s.skipSpace()
	to := s.pos + len(w)
	if to > len(s.data) || string(s.data[s.pos:to]) != w {
		return false
	}
	if to < len(s.data) && isWordByte(s.data[to]) {
		return false
	}
	s.pos = to
	return true
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// kind returns the type of the next value, for errors.
func (s *scanner) kind() string {
	switch c := s.peek(); {
	case c == 0:
		return "the end"
	case c == '"':
		return "a string"
	case c == '{':
		return "an object"
	case c == '[':
		return "a list"
	case c == 'n':
		return "null"
	case c == 't' || c == 'f':
		return "a boolean"
	case c == '-' || c >= '0' && c <= '9':
		return "a number"
	}
	return "malformed JSON"
}

// numberText consumes a number and returns its text. It returns nil, and consumes nothing, if no
// well-formed number comes next: no leading zeros, no plus sign, digits on both sides of a point.
func (s *scanner) numberText() []byte {
	s.skipSpace()
	from := s.pos
	p := s.pos
	if p < len(s.data) && s.data[p] == '-' {
		p++
	}
	whole := s.skipDigits(p)
	if whole == p || whole > p+1 && s.data[p] == '0' {
		return nil
	}
	p = whole
	if p < len(s.data) && s.data[p] == '.' {
		fraction := s.skipDigits(p + 1)
		if fraction == p+1 {
			return nil
		}
		p = fraction
	}
	if p < len(s.data) && (s.data[p] == 'e' || s.data[p] == 'E') {
		if p = s.skipExponent(p + 1); p < 0 {
			return nil
		}
	}
	if p < len(s.data) && isWordByte(s.data[p]) {
		return nil
	}
	s.pos = p
	return s.data[from:p]
}

// skipDigits returns the index after the digits from p on.
func (s *scanner) skipDigits(p int) int {
	for p < len(s.data) && s.data[p] >= '0' && s.data[p] <= '9' {
		p++
	}
	return p
}

// skipExponent returns the index after the exponent whose sign or digits begin at p, -1 if it has
// no digits.
func (s *scanner) skipExponent(p int) int {
	if p < len(s.data) && (s.data[p] == '+' || s.data[p] == '-') {
		p++
	}
	to := s.skipDigits(p)
	if to == p {
		return -1
	}
	return to
}

var (
	errUnclosed = errors.New("a string is not closed")
	errControl  = errors.New("a string holds a raw control character")
	errUTF8     = errors.New("a string is not UTF-8")
	errEscape   = errors.New("a string holds a bad escape")
)

// rawString consumes a string and returns the bytes between its quotes. The error errUTF8 comes with
// them, since the JSON around such a string can be read all the same. escaped is whether they
// contain escapes, which are well-formed but not resolved. UTF-8 is checked only in strings with
// bytes outside ASCII.
func (s *scanner) rawString() (raw []byte, escaped bool, err error) {
	from, ascii := s.pos+1, true
	for p := from; ; p++ {
		if p = indexSpecial(s.data, p); p == len(s.data) {
			return nil, false, errUnclosed
		}
		switch c := s.data[p]; {
		case c == '"':
			s.pos = p + 1
			if raw = s.data[from:p]; !ascii && !utf8.Valid(raw) {
				return raw, escaped, errUTF8
			}
			return raw, escaped, nil
		case c == '\\':
			escaped = true
			length := escapeLength(s.data[p:])
			if length == 0 {
				return nil, false, errEscape
			}
			p += length - 1
		case c < 0x20:
			return nil, false, errControl
		default:
			ascii = false
		}
	}
}

// Eight bytes at a time: a one, and the highest bit, in each.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// indexSpecial returns the index of the first byte of text from p on that needs attention inside a
// string: a quote, a backslash, a control character or a byte outside ASCII. It returns len(text)
// if there is none.
func indexSpecial(text []byte, p int) int {
	for ; p+8 <= len(text); p += 8 {
		w := binary.LittleEndian.Uint64(text[p:])
		if at := specialMask(w); at != 0 {
			return p + mathbits.TrailingZeros64(at)/8
		}
	}
	for p < len(text) && text[p] >= 0x20 && text[p] < utf8.RuneSelf && text[p] != '"' && text[p] != '\\' {
		p++
	}
	return p
}

// specialMask returns a word with the highest bit set in the byte that indexSpecial looks for,
// eight bytes at a time. x-ones borrows into the highest bit where a byte of x is zero, as the
// byte of a quote is after w is xored with quotes, and w-0x20 does where a byte is a control
// character. A borrow can reach the bytes above, so bits above the lowest one that is set may be
// wrong; callers use the lowest only.
func specialMask(w uint64) uint64 {
	return ((w ^ ones*'"' - ones) | (w ^ ones*'\\' - ones) | (w - ones*0x20) | w) & highs
}

// escapeLength returns the length in bytes of the escape with which text begins, 0 if it is
// malformed.
func escapeLength(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	if escapedBytes[text[1]] != 0 {
		return 2
	}
	if text[1] != 'u' || len(text) < 6 {
		return 0
	}
	for _, c := range text[2:6] {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return 0
		}
	}
	return 6
}

// unescapedString consumes a string and returns its characters. Without escapes they are the
// response's own bytes.
func (s *scanner) unescapedString() ([]byte, error) {
	raw, escaped, err := s.rawString()
	if escaped {
		raw = appendUnescaped(nil, raw)
	}
	return raw, err
}

var (
	errTooDeep   = fmt.Errorf("nested deeper than %d", maxDepth)
	errMalformed = errors.New("the JSON is not well-formed")
)

// skip consumes one value and returns an error if it is not well-formed.
func (s *scanner) skip() error {
	switch c := s.peek(); c {
	case '{', '[':
		return s.skipContainer(c)
	case '"':
		return s.skipString()
	}
	if s.acceptWord("null") || s.acceptWord("true") || s.acceptWord("false") || s.numberText() != nil {
		return nil
	}
	return errMalformed
}

// skipString consumes a string. One that is not UTF-8 is no error, because nothing reads it.
func (s *scanner) skipString() error {
	if _, _, err := s.rawString(); err != errUTF8 {
		return err
	}
	return nil
}

// skipContainer consumes an object or a list, which begins with bracket.
func (s *scanner) skipContainer(bracket byte) error {
	s.pos++
	if s.depth++; s.depth > maxDepth {
		return errTooDeep
	}
	for first := true; ; first = false {
		c := s.peek()
		if c == bracket+2 { // in ASCII, } and ] come two after { and [
			s.pos++
			s.depth--
			return nil
		}
		if !first {
			if c != ',' {
				return errMalformed
			}
			s.pos++
		}
		if err := s.skipElement(bracket == '{'); err != nil {
			return err
		}
	}
}

// skipElement consumes an element of a list, or a member if named is set.
func (s *scanner) skipElement(named bool) error {
	if !named {
		return s.skip()
	}
	if s.peek() != '"' {
		return errMalformed
	}
	if err := s.skipString(); err != nil {
		return err
	}
	if s.peek() != ':' {
		return errMalformed
	}
	s.pos++
	return s.skip()
}
