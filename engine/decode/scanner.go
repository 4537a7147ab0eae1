package decode

import (
	"encoding/json"
	"errors"
	"fmt"
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

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// next is the next byte that is no white space, 0 at the end.
func (s *scanner) next() byte {
	s.space()
	if s.pos == len(s.data) {
		return 0
	}
	return s.data[s.pos]
}

func (s *scanner) end() bool {
	s.space()
	return s.pos == len(s.data)
}

// word eats w if it comes next and nothing clings to it.
func (s *scanner) word(w string) bool {
	s.space()
	to := s.pos + len(w)
	if to > len(s.data) || string(s.data[s.pos:to]) != w {
		return false
	}
	if to < len(s.data) && wordByte(s.data[to]) {
		return false
	}
	s.pos = to
	return true
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// kind names what comes next, for errors.
func (s *scanner) kind() string {
	switch c := s.next(); {
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

// numberText eats a number and gives its digits, "" when none comes next.
func (s *scanner) numberText() string {
	s.space()
	from := s.pos
	p := s.pos
	if p < len(s.data) && s.data[p] == '-' {
		p++
	}
	whole := s.digits(p)
	if whole == p || whole > p+1 && s.data[p] == '0' {
		return ""
	}
	p = whole
	if p < len(s.data) && s.data[p] == '.' {
		fraction := s.digits(p + 1)
		if fraction == p+1 {
			return ""
		}
		p = fraction
	}
	if p < len(s.data) && (s.data[p] == 'e' || s.data[p] == 'E') {
		if p = s.exponent(p + 1); p < 0 {
			return ""
		}
	}
	if p < len(s.data) && wordByte(s.data[p]) {
		return ""
	}
	s.pos = p
	return string(s.data[from:p])
}

func (s *scanner) digits(p int) int {
	for p < len(s.data) && s.data[p] >= '0' && s.data[p] <= '9' {
		p++
	}
	return p
}

func (s *scanner) exponent(p int) int {
	if p < len(s.data) && (s.data[p] == '+' || s.data[p] == '-') {
		p++
	}
	to := s.digits(p)
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

// stringSpan eats a string and gives its bounds, quotes included.
func (s *scanner) stringSpan() (from, to int, escaped bool, err error) {
	from = s.pos
	for p := s.pos + 1; p < len(s.data); p++ {
		switch c := s.data[p]; {
		case c == '"':
			s.pos = p + 1
			return from, p + 1, escaped, nil
		case c == '\\':
			escaped = true
			p++
		case c < 0x20:
			return 0, 0, false, errControl
		}
	}
	return 0, 0, false, errUnclosed
}

// stringText eats a string and gives what it says.
func (s *scanner) stringText() (string, error) {
	from, to, escaped, err := s.stringSpan()
	if err != nil {
		return "", err
	}
	raw := s.data[from+1 : to-1]
	if !utf8.Valid(raw) {
		return "", errUTF8
	}
	if !escaped {
		return string(raw), nil
	}
	// Escapes are rare; encoding/json knows their rules. It turns a lone surrogate
	// into U+FFFD, as the WHATWG's decoders do.
	var text string
	if json.Unmarshal(s.data[from:to], &text) != nil {
		return "", errEscape
	}
	return text, nil
}

var (
	errDeep  = fmt.Errorf("nested deeper than %d", maxDepth)
	errValue = errors.New("the JSON is not well-formed")
)

// skip passes over one value, checking that it is well-formed.
func (s *scanner) skip() error {
	switch c := s.next(); c {
	case '{':
		return s.skipAll('}', s.skipMember)
	case '[':
		return s.skipAll(']', s.skip)
	case '"':
		_, err := s.stringText()
		return err
	}
	if s.word("null") || s.word("true") || s.word("false") || s.numberText() != "" {
		return nil
	}
	return errValue
}

// skipAll passes over the elements up to the closing bracket.
func (s *scanner) skipAll(bracket byte, element func() error) error {
	s.pos++
	if s.depth++; s.depth > maxDepth {
		return errDeep
	}
	for first := true; ; first = false {
		c := s.next()
		if c == bracket {
			s.pos++
			s.depth--
			return nil
		}
		if !first {
			if c != ',' {
				return errValue
			}
			s.pos++
		}
		if err := element(); err != nil {
			return err
		}
	}
}

func (s *scanner) skipMember() error {
	if s.next() != '"' {
		return errValue
	}
	if _, err := s.stringText(); err != nil {
		return err
	}
	if s.next() != ':' {
		return errValue
	}
	s.pos++
	return s.skip()
}
