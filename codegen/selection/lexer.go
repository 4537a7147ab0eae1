package selection

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// skipSpace passes over white space and comments.
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

// peek is the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

// describeNext names what comes next, for messages.
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

// isNamePart includes the dash of names such as created-by, unless it begins an arrow.
func (p *parser) isNamePart() bool {
	c := p.peek()
	if c == '-' {
		return !strings.HasPrefix(p.text[p.pos:], "->")
	}
	return isNameStart(c) || c >= '0' && c <= '9'
}

func (p *parser) name() string {
	from := p.pos
	if !isNameStart(p.peek()) {
		p.fail("a name is expected here, not %s", p.describeNext())
	}
	for p.isNamePart() {
		p.pos++
	}
	return p.text[from:p.pos]
}

// key reads the name of a member: bare, or quoted when it is no name.
func (p *parser) key() string {
	if c := p.peek(); c == '"' || c == '\'' {
		return p.quoted()
	}
	return p.name()
}

// quoted reads a string in double or single quotes, with JSON's escapes.
func (p *parser) quoted() string {
	from, quote := p.pos, p.peek()
	var text []byte
	for rest := p.text[p.pos+1:]; ; {
		switch {
		case rest == "" || rest[0] == '\n':
			p.failAt(from, "the string has no end")
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

// number reads a number as JSON writes it.
func (p *parser) number() json.Number {
	from := p.pos
	for c := p.peek(); c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E' || c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	text := p.text[from:p.pos]
	if !json.Valid([]byte(text)) {
		p.failAt(from, "%q is no number", text)
	}
	return json.Number(text)
}
