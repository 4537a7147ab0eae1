package binding

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// jsonTemplate is a value of JSON with variables in it: {"where": {"id": "{$args.id}"}}. It is the
// whole value of a query parameter or of a header. Variables stand for values, which are then of
// their own type, or within texts. Names of members are fixed: a client that chose one could
// override another member.
type jsonTemplate struct {
	offset  int // in bytes of the text
	kind    jsonKind
	literal string       // of a number, true, false or null, as JSON
	parts   template     // of a text; a variable, if that is the value
	items   []jsonMember // of a list, without names, or of an object
}

type jsonMember struct {
	name  string
	value *jsonTemplate
}

type jsonKind int

const (
	jsonLiteral jsonKind = iota
	jsonText
	jsonVariable
	jsonList
	jsonObject
)

// beginsJSON reports whether a value that begins at a byte offset of a template may be JSON: it is the
// whole value of a query parameter, or the whole text, and it begins with a brace or a bracket that
// does not belong to a variable.
func beginsJSON(text string, at int) bool {
	if at > 0 && (text[at-1] != '=' || !strings.Contains(text[:at], "?")) {
		return false
	}
	switch text[at] {
	case '[':
		return true
	case '{':
		next := strings.TrimLeft(text[at+1:], jsonSpace)
		return next != "" && next[0] == '"' // {} more likely lacks its variable
	}
	return false
}

const jsonSpace = " \t\r\n"

// parseJSONTemplate parses JSON that begins at a byte offset of a text. It returns the offset of what
// follows. With an error, that is the offset of the mistake. A list that is not JSON is text, unless
// it has quotes; then the result is nil without an error.
func parseJSONTemplate(text string, from int) (*jsonTemplate, int, error) {
	whole, _, _ := strings.Cut(text[from:], "&")
	if whole[0] == '[' && !strings.ContainsAny(whole, `"{`) {
		return nil, from, nil // such as [1,2], whose commas stay as they are
	}
	p := &jsonParser{text: text, pos: from}
	value, err := p.value(0)
	if err != nil && whole[0] == '[' && !strings.Contains(whole, `"`) {
		return nil, from, nil // such as [{$args.from} TO {$args.to}]
	}
	return value, p.pos, err
}

type jsonParser struct {
	text string
	pos  int
}

// maxJSONDepth bounds how deep a template may be nested.
const maxJSONDepth = 100

// peek skips white space and returns the next byte, 0 at the end.
func (p *jsonParser) peek() byte {
	for p.pos < len(p.text) && strings.IndexByte(jsonSpace, p.text[p.pos]) >= 0 {
		p.pos++
	}
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

func (p *jsonParser) value(depth int) (*jsonTemplate, error) {
	ch := p.peek()
	at := p.pos
	switch {
	case depth > maxJSONDepth:
		return nil, errors.New("the JSON is nested too deeply")
	case ch == 0:
		return nil, errors.New("the JSON ends too early")
	case strings.HasPrefix(p.text[p.pos:], "{$"):
		piece, err := p.variable()
		return &jsonTemplate{offset: at, kind: jsonVariable, parts: template{piece}}, err
	case ch == '{':
		return p.object(depth)
	case ch == '[':
		return p.list(depth)
	case ch == '"':
		parts, err := p.quoted()
		return &jsonTemplate{offset: at, kind: jsonText, parts: parts}, err
	}
	return p.scalar()
}

func (p *jsonParser) object(depth int) (*jsonTemplate, error) {
	o := &jsonTemplate{offset: p.pos, kind: jsonObject}
	seen := map[string]bool{}
	for {
		p.pos++ // the brace, or a comma
		if p.peek() == '}' && len(o.items) == 0 {
			break
		}
		at := p.pos
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		if seen[name] {
			p.pos = at
			return nil, fmt.Errorf("the JSON has the member %q twice", name)
		}
		seen[name] = true
		if p.peek() != ':' {
			return nil, fmt.Errorf("JSON has a : after the member %q", name)
		}
		p.pos++
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o.items = append(o.items, jsonMember{name, value})
		if next := p.peek(); next == '}' {
			break
		} else if next != ',' {
			return nil, errors.New("the JSON lacks a , or a }")
		}
	}
	p.pos++
	return o, nil
}

// name parses the name of a member.
func (p *jsonParser) name() (string, error) {
	if p.peek() != '"' {
		return "", errors.New("a member of JSON has a name in double quotes")
	}
	at := p.pos
	parts, err := p.quoted()
	switch {
	case err != nil:
		return "", err
	case len(parts) == 0:
		return "", nil
	case len(parts) > 1 || parts[0].expr != nil:
		p.pos = at
		return "", errors.New("a member of JSON has a fixed name: a variable in it could override another member")
	}
	return parts[0].literal, nil
}

func (p *jsonParser) list(depth int) (*jsonTemplate, error) {
	l := &jsonTemplate{offset: p.pos, kind: jsonList}
	for {
		p.pos++ // the bracket, or a comma
		if p.peek() == ']' && len(l.items) == 0 {
			break
		}
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		l.items = append(l.items, jsonMember{value: value})
		if next := p.peek(); next == ']' {
			break
		} else if next != ',' {
			return nil, errors.New("the JSON lacks a , or a ]")
		}
	}
	p.pos++
	return l, nil
}

// scalar parses a number, true, false or null.
func (p *jsonParser) scalar() (*jsonTemplate, error) {
	at := p.pos
	length := strings.IndexAny(p.text[at:], jsonSpace+",]}:\"{[&")
	if length < 0 {
		length = len(p.text) - at
	}
	word := p.text[at : at+length]
	if !json.Valid([]byte(word)) {
		return nil, fmt.Errorf("%q is not JSON; a text has double quotes, and a variable is written {$args.name}", word)
	}
	p.pos += length
	return &jsonTemplate{offset: at, kind: jsonLiteral, literal: word}, nil
}

// variable parses {$scope.name}.
func (p *jsonParser) variable() (piece, error) {
	length := strings.IndexByte(p.text[p.pos:], '}')
	if length < 0 {
		return piece{}, errors.New("a { without its }")
	}
	v, err := parsePiece(p.text[:p.pos+length], p.pos+1)
	if err == nil && v.explode {
		err = errors.New("JSON has nothing to repeat; leave out the *")
	}
	if err == nil {
		p.pos += length + 1
	}
	return v, err
}

// quoted parses a text, which may have variables in it. Its literal parts have no escapes any more.
func (p *jsonParser) quoted() (template, error) {
	p.pos++
	var t template
	at := p.pos
	flush := func() error {
		if at == p.pos {
			return nil
		}
		var text string
		if err := json.Unmarshal([]byte(`"`+p.text[at:p.pos]+`"`), &text); err != nil {
			p.pos = at
			return errors.New("a text of the JSON has an escape or a character that JSON does not have")
		}
		t = append(t, piece{literal: text, offset: at})
		return nil
	}
	for p.pos < len(p.text) {
		switch rest := p.text[p.pos:]; {
		case rest[0] == '"':
			err := flush()
			p.pos++
			return t, err
		case rest[0] == '\\':
			p.pos += min(2, len(rest))
		case strings.HasPrefix(rest, "{$"):
			if err := flush(); err != nil {
				return nil, err
			}
			v, err := p.variable()
			if err != nil {
				return nil, err
			}
			t, at = append(t, v), p.pos
		default:
			p.pos++
		}
	}
	return nil, errors.New("a text of the JSON has no closing quote")
}

// compileJSON compiles JSON in a template. It returns nil after a fault.
func (b *bindingCompiler) compileJSON(v *ast.Value, j *jsonTemplate) *Value {
	value := &Value{Text: v, Offset: j.offset}
	switch j.kind {
	case jsonLiteral:
		value.Literal = j.literal
	case jsonVariable:
		return b.compileValue(v, j.parts[0].expr)
	case jsonText:
		return b.compileJSONText(v, value, j.parts)
	case jsonList:
		value.Items = []*Value{}
		for _, item := range j.items {
			inner := b.compileJSON(v, item.value)
			if inner == nil {
				return nil
			}
			value.Items = append(value.Items, inner)
		}
	case jsonObject:
		made := Transform{Op: Object}
		for _, item := range j.items {
			inner := b.compileJSON(v, item.value)
			if inner == nil {
				return nil
			}
			made.Fields = append(made.Fields, ValueField{item.name, inner})
		}
		value.Scope, value.Transforms = Current, []Transform{made}
	}
	return value
}

// compileJSONText compiles a text of JSON, whose variables have to be scalars.
func (b *bindingCompiler) compileJSONText(v *ast.Value, value *Value, t template) *Value {
	if len(t) == 0 || len(t) == 1 && t[0].expr == nil {
		text := ""
		for _, p := range t {
			text += p.literal
		}
		quoted, _ := json.Marshal(text) // a string always has JSON
		value.Literal = string(quoted)
		return value
	}
	parts := b.compileParts(v, t)
	for i, part := range parts {
		switch {
		case t[i].expr != nil && part.Value == nil:
			return nil
		case part.Value == nil || part.Value.Type == nil:
		case isList(part.Value.Type) || part.Value.Scope == Keys:
			b.faultAt(MisplacedList, v, t[i], "%s is a list, which a text cannot hold; write it without the quotes around it", t[i].source)
			return nil
		default:
			before := len(b.faults)
			if b.checkScalar(v, t[i], part.Value); len(b.faults) > before {
				return nil
			}
		}
	}
	value.Concat, value.Type = parts, ast.NamedType("String", nil)
	return value
}
