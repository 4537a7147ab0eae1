package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
)

// maxDepth bounds how deeply JSON may nest, so that parsing it cannot exhaust the stack.
const maxDepth = 512

// Parse parses JSON (RFC 8259) into nil, bool, string, json.Number, []any and encode.Object.
// Members keep their order and numbers their digits. It returns an error for text that is not
// UTF-8, nests more than 512 levels deep, or continues after the value.
func Parse(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("the JSON is not UTF-8")
	}
	p := parser{text: text}
	v := p.value()
	if p.peek() != 0 || p.pos < len(p.text) {
		p.fail("the end")
	}
	if p.err != nil {
		return nil, p.err
	}
	return v, nil
}

// parser reads the text once. After an error every function returns at once, so that loops end.
type parser struct {
	text  []byte
	pos   int
	depth int
	err   error
}

// fail records that something else was expected here, unless there is an error already.
func (p *parser) fail(expected string) {
	if p.err == nil {
		p.err = fmt.Errorf("the JSON is broken at byte %d, where %s is expected", p.pos, expected)
	}
}

// peek returns the next byte that is not white space; 0 at the end, or after an error.
func (p *parser) peek() byte {
	for p.err == nil && p.pos < len(p.text) {
		switch c := p.text[p.pos]; c {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return c
		}
	}
	return 0
}

// accept consumes c if it comes next, and reports whether it did.
func (p *parser) accept(c byte) bool {
	if p.peek() != c || c == 0 {
		return false
	}
	p.pos++
	return true
}

func (p *parser) value() any {
	switch c := p.peek(); {
	case c == '{':
		return p.object()
	case c == '[':
		return p.list()
	case c == '"':
		return p.string()
	case c == '-' || isDigit(c):
		return p.number()
	case p.acceptWord("true"):
		return true
	case p.acceptWord("false"):
		return false
	case !p.acceptWord("null"):
		p.fail("a value")
	}
	return nil
}

func (p *parser) object() any {
	object := encode.Object{}
	p.sequence('}', func() {
		if p.peek() != '"' {
			p.fail("the name of a member")
			return
		}
		name := p.string()
		if !p.accept(':') {
			p.fail("a colon")
		}
		object = object.With(name, p.value())
	})
	return object
}

func (p *parser) list() any {
	list := []any{}
	p.sequence(']', func() { list = append(list, p.value()) })
	return list
}

// sequence consumes the elements between two brackets, with the brackets and commas.
func (p *parser) sequence(closing byte, element func()) {
	if p.depth++; p.depth > maxDepth {
		p.fail(fmt.Sprintf("no depth beyond %d", maxDepth))
	}
	p.pos++
	for first := true; p.err == nil && !p.accept(closing); first = false {
		if !first && !p.accept(',') {
			p.fail("a comma or a closing bracket")
		}
		element()
	}
	p.depth--
}

func (p *parser) acceptWord(w string) bool {
	to := p.pos + len(w)
	if p.err != nil || to > len(p.text) || string(p.text[p.pos:to]) != w {
		return false
	}
	p.pos = to
	return true
}

func (p *parser) string() string {
	from, escaped := p.pos, false
	for p.pos++; p.pos < len(p.text) && p.text[p.pos] != '"'; p.pos++ {
		switch c := p.text[p.pos]; {
		case c < ' ':
			p.fail("no raw control character")
			return ""
		case c == '\\':
			escaped = true
			p.pos++
		}
	}
	if p.pos >= len(p.text) {
		p.fail("the end of a string")
		return ""
	}
	p.pos++
	if !escaped {
		return string(p.text[from+1 : p.pos-1])
	}
	// Escapes are rare; encoding/json knows their rules.
	var s string
	if json.Unmarshal(p.text[from:p.pos], &s) != nil {
		p.fail("a string with other escapes")
	}
	return s
}

func (p *parser) number() any {
	from := p.pos
	p.accept('-')
	if p.pos < len(p.text) && p.text[p.pos] == '0' {
		p.pos++
	} else {
		p.skipDigits()
	}
	if p.acceptAny(".") {
		p.skipDigits()
	}
	if p.acceptAny("eE") {
		p.acceptAny("+-")
		p.skipDigits()
	}
	return json.Number(p.text[from:p.pos])
}

// acceptAny is accept for the first of several bytes, without white space before it.
func (p *parser) acceptAny(of string) bool {
	for i := range len(of) {
		if p.err == nil && p.pos < len(p.text) && p.text[p.pos] == of[i] {
			p.pos++
			return true
		}
	}
	return false
}

func (p *parser) skipDigits() {
	if p.pos >= len(p.text) || !isDigit(p.text[p.pos]) {
		p.fail("a digit")
	}
	for p.pos < len(p.text) && isDigit(p.text[p.pos]) {
		p.pos++
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
