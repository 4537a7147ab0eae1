package binding

import (
	"fmt"
	"regexp"
	"strings"
)

// template is a text with values in it: /users/{$args.id}?limit={$args.limit}.
type template []piece

// piece is literal text, or one value.
type piece struct {
	literal string
	scope   string   // args, this, batch or claims; "" for literal text
	path    []string // the names behind the scope
	each    bool     // {$args.x*}: repeat the parameter for each element
	offset  int      // where it stands in the text
}

var expression = regexp.MustCompile(`^\$([A-Za-z]+)((?:\.[A-Za-z_][A-Za-z0-9_-]*)+)(\*?)$`)

// parseTemplate cuts a text into pieces. On a mistake it says where in the text.
func parseTemplate(text string) (template, int, error) {
	var t template
	for at := 0; at < len(text); {
		open := strings.IndexAny(text[at:], "{}")
		if open < 0 {
			return append(t, piece{literal: text[at:], offset: at}), 0, nil
		}
		if open > 0 {
			t = append(t, piece{literal: text[at : at+open], offset: at})
			at += open
		}
		if text[at] == '}' {
			return nil, at, fmt.Errorf("a } without its {")
		}
		length := strings.IndexByte(text[at:], '}')
		if length < 0 {
			return nil, at, fmt.Errorf("a { without its }")
		}
		p, err := parseExpression(text[at+1 : at+length])
		if err != nil {
			return nil, at, err
		}
		p.offset = at + 1
		t = append(t, p)
		at += length + 1
	}
	return t, 0, nil
}

// parseExpression reads $scope.name.name, with an optional star.
func parseExpression(text string) (piece, error) {
	m := expression.FindStringSubmatch(text)
	if m == nil {
		return piece{}, fmt.Errorf("%q is no variable; write $args.name, $this.field, $batch.field or $claims.name", text)
	}
	return piece{scope: m[1], path: strings.Split(m[2][1:], "."), each: m[3] != ""}, nil
}

// String writes the piece as it stood.
func (p piece) String() string {
	if p.scope == "" {
		return p.literal
	}
	star := ""
	if p.each {
		star = "*"
	}
	return "{" + p.variable() + star + "}"
}

func (p piece) variable() string { return "$" + p.scope + "." + strings.Join(p.path, ".") }

// cut splits t at each literal separator.
func (t template) cut(separator string) []template {
	parts := []template{nil}
	for _, p := range t {
		if p.scope != "" {
			parts[len(parts)-1] = append(parts[len(parts)-1], p)
			continue
		}
		offset := p.offset
		for i, text := range strings.Split(p.literal, separator) {
			if i > 0 {
				parts = append(parts, nil)
			}
			if text != "" {
				parts[len(parts)-1] = append(parts[len(parts)-1], piece{literal: text, offset: offset})
			}
			offset += len(text) + len(separator)
		}
	}
	return parts
}

// cutFirst splits t at the first literal separator.
func (t template) cutFirst(separator string) (before, after template, found bool) {
	for i, p := range t {
		at := strings.Index(p.literal, separator)
		if p.scope != "" || at < 0 {
			continue
		}
		before = append(before, t[:i]...)
		if at > 0 {
			before = append(before, piece{literal: p.literal[:at], offset: p.offset})
		}
		if rest := p.literal[at+len(separator):]; rest != "" {
			after = append(after, piece{literal: rest, offset: p.offset + at + len(separator)})
		}
		return before, append(after, t[i+1:]...), true
	}
	return t, nil, false
}
