package selection

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// skipSpace skips white space and comments.
func (p *parser) skipSpace() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		case '#':
			for p.pos < len(p.text) && p.text[p.pos] != '\n' {
				p.pos++
			}
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end of the text.
func (p *parser) peek() byte {
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

// describeNext returns the next character for messages.
func (p *parser) describeNext() string {
	if p.pos == len(p.text) {
		return "the end"
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return fmt.Sprintf("%q", string(r))
}

func isNameStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isNamePart reports whether the next byte continues a name. A dash does, as in created-by, unless
// it starts an arrow.
func (p *parser) isNamePart() bool {
	c := p.peek()
	if c == '-' {
		return !strings.HasPrefix(p.text[p.pos:], "->")
	}
	return isNameStart(c) || c >= '0' && c <= '9'
}

func (p *parser) name() string {
	start := p.pos
	if !isNameStart(p.peek()) {
		p.fail("a name is expected here, not %s", p.describeNext())
	}
	for p.isNamePart() {
		p.pos++
	}
	return p.text[start:p.pos]
}

// key parses the name of a member, which may be quoted.
func (p *parser) key() string {
	if c := p.peek(); c == '"' || c == '\'' {
		return p.quoted()
	}
	return p.name()
}

// quoted parses a string in double or single quotes with the escapes of JSON.
func (p *parser) quoted() string {
	start, quote := p.pos, p.peek()
	var text []byte
	for rest := p.text[p.pos+1:]; ; {
		switch {
		case rest == "" || rest[0] == '\n':
			p.failAt(start, "the string has no end")
		case rest[0] == quote:
			p.pos = len(p.text) - len(rest) + 1
			return string(text)
		case strings.HasPrefix(rest, `\/`):
			text, rest = append(text, '/'), rest[2:]
		default:
			r, _, after, err := strconv.UnquoteChar(rest, quote)
			if err != nil {
				p.failAt(len(p.text)-len(rest), "the string has an escape that JSON does not know")
			}
			text, rest = utf8.AppendRune(text, r), after
		}
	}
}

// number parses a JSON number.
func (p *parser) number() json.Number {
	start := p.pos
	for c := p.peek(); c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E' || c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	text := p.text[start:p.pos]
	if !json.Valid([]byte(text)) {
		p.failAt(start, "%q is not a number", text)
	}
	return json.Number(text)
}
