package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
)

// maxDepth bounds how deep JSON may nest, so that nobody's can exhaust the stack.
const maxDepth = 512

// Parse reads JSON (RFC 8259) into nil, bool, string, json.Number, []any and
// encode.Object. Members keep their order, and numbers their digits. Text that is not
// UTF-8, that nests deeper than 512, or that goes on after the value is an error.
func Parse(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("the JSON is not UTF-8")
	}
	p := parser{text: text}
	v := p.value()
	if p.next() != 0 || p.at < len(p.text) {
		p.fail("the end")
	}
	if p.err != nil {
		return nil, p.err
	}
	return v, nil
}

// parser walks over the text. Its error sticks, and ends every loop.
type parser struct {
	text  []byte
	at    int
	depth int
	err   error
}

func (p *parser) fail(expected string) {
	if p.err == nil {
		p.err = fmt.Errorf("the JSON is broken at byte %d, where %s is expected", p.at, expected)
	}
}

// next is the next byte that is no white space; 0 at the end, or after an error.
func (p *parser) next() byte {
	for p.err == nil && p.at < len(p.text) {
		switch c := p.text[p.at]; c {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return c
		}
	}
	return 0
}

// eat passes over c if it comes next.
func (p *parser) eat(c byte) bool {
	if p.next() != c || c == 0 {
		return false
	}
	p.at++
	return true
}

func (p *parser) value() any {
	switch c := p.next(); {
	case c == '{':
		return p.object()
	case c == '[':
		return p.list()
	case c == '"':
		return p.string()
	case c == '-' || digit(c):
		return p.number()
	case p.word("true"):
		return true
	case p.word("false"):
		return false
	case !p.word("null"):
		p.fail("a value")
	}
	return nil
}

func (p *parser) object() any {
	object := encode.Object{}
	p.sequence('}', func() {
		if p.next() != '"' {
			p.fail("the name of a member")
			return
		}
		name := p.string()
		if !p.eat(':') {
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

// sequence passes over a bracket, elements with commas between them, and the bracket
// that closes.
func (p *parser) sequence(closing byte, element func()) {
	if p.depth++; p.depth > maxDepth {
		p.fail(fmt.Sprintf("no depth beyond %d", maxDepth))
	}
	p.at++
	for first := true; p.err == nil && !p.eat(closing); first = false {
		if !first && !p.eat(',') {
			p.fail("a comma or a closing bracket")
		}
		element()
	}
	p.depth--
}

func (p *parser) word(w string) bool {
	to := p.at + len(w)
	if p.err != nil || to > len(p.text) || string(p.text[p.at:to]) != w {
		return false
	}
	p.at = to
	return true
}

func (p *parser) string() string {
	from, escaped := p.at, false
	for p.at++; p.at < len(p.text) && p.text[p.at] != '"'; p.at++ {
		switch c := p.text[p.at]; {
		case c < ' ':
			p.fail("no raw control character")
			return ""
		case c == '\\':
			escaped = true
			p.at++
		}
	}
	if p.at >= len(p.text) {
		p.fail("the end of a string")
		return ""
	}
	p.at++
	if !escaped {
		return string(p.text[from+1 : p.at-1])
	}
	// Escapes are rare; encoding/json knows their rules.
	var s string
	if json.Unmarshal(p.text[from:p.at], &s) != nil {
		p.fail("a string with other escapes")
	}
	return s
}

func (p *parser) number() any {
	from := p.at
	p.eat('-')
	if p.at < len(p.text) && p.text[p.at] == '0' {
		p.at++
	} else {
		p.digits()
	}
	if p.eatAny(".") {
		p.digits()
	}
	if p.eatAny("eE") {
		p.eatAny("+-")
		p.digits()
	}
	return json.Number(p.text[from:p.at])
}

// eatAny is eat without white space before it.
func (p *parser) eatAny(of string) bool {
	for i := range len(of) {
		if p.err == nil && p.at < len(p.text) && p.text[p.at] == of[i] {
			p.at++
			return true
		}
	}
	return false
}

func (p *parser) digits() {
	if p.at >= len(p.text) || !digit(p.text[p.at]) {
		p.fail("a digit")
	}
	for p.at < len(p.text) && digit(p.text[p.at]) {
		p.at++
	}
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
