package decode

import (
	"encoding/binary"
	"errors"
	"fmt"
	mathbits "math/bits"
	"unicode/utf8"
)

// maxDepth bounds how deep an answer may nest, so that a hostile service cannot
// exhaust the stack, which in Go ends the process.
const maxDepth = 512

// scanner walks over the text of one JSON value (RFC 8259).
type scanner struct {
	data  []byte
	pos   int
	depth int
}

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

// peek is the next byte that is no white space, 0 at the end.
func (s *scanner) peek() byte {
	s.skipSpace()
	if s.pos == len(s.data) {
		return 0
	}
	return s.data[s.pos]
}

func (s *scanner) atEnd() bool {
	s.skipSpace()
	return s.pos == len(s.data)
}

// acceptWord eats w if it comes next and nothing clings to it.
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

// kind names what comes next, for errors.
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
	return "no JSON"
}

// numberText eats a number and gives its text, nil when none comes next.
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

func (s *scanner) skipDigits(p int) int {
	for p < len(s.data) && s.data[p] >= '0' && s.data[p] <= '9' {
		p++
	}
	return p
}

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

// rawString eats a string and gives the bytes between its quotes. When escaped is
// set they hold escapes, which are good but not yet resolved.
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
				return nil, false, errUTF8
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

// indexSpecial finds the first byte of a string's text that is not plain: a quote, a
// backslash, a control character or none of ASCII.
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

// specialMask sets the highest bit of each byte that is not plain. Above the first such byte
// others may be set wrongly, since subtraction borrows: only the lowest counts.
func specialMask(w uint64) uint64 {
	return ((w ^ ones*'"' - ones) | (w ^ ones*'\\' - ones) | (w - ones*0x20) | w) & highs
}

// escapeLength tells how many bytes the escape at the beginning of text has, 0 when it
// is none.
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

// unescapedString eats a string and gives what it says. Without escapes these are the
// text's own bytes.
func (s *scanner) unescapedString() ([]byte, error) {
	raw, escaped, err := s.rawString()
	if err == nil && escaped {
		raw = appendUnescaped(nil, raw)
	}
	return raw, err
}

var (
	errTooDeep  = fmt.Errorf("nested deeper than %d", maxDepth)
	errMalformed = errors.New("the JSON is not well-formed")
)

// skip passes over one value, checking that it is well-formed.
func (s *scanner) skip() error {
	switch c := s.peek(); c {
	case '{', '[':
		return s.skipContainer(c)
	case '"':
		_, _, err := s.rawString()
		return err
	}
	if s.acceptWord("null") || s.acceptWord("true") || s.acceptWord("false") || s.numberText() != nil {
		return nil
	}
	return errMalformed
}

// skipContainer passes over an object or a list.
func (s *scanner) skipContainer(bracket byte) error {
	s.pos++
	if s.depth++; s.depth > maxDepth {
		return errTooDeep
	}
	for first := true; ; first = false {
		c := s.peek()
		if c == bracket+2 { // in ASCII the closing ones are two after { and [
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

// skipElement passes over an element of a list, or a member with its name.
func (s *scanner) skipElement(named bool) error {
	if !named {
		return s.skip()
	}
	if s.peek() != '"' {
		return errMalformed
	}
	if _, _, err := s.rawString(); err != nil {
		return err
	}
	if s.peek() != ':' {
		return errMalformed
	}
	s.pos++
	return s.skip()
}
