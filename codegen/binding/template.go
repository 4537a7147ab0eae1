package binding

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/codegen/selection"
)

// template is a text with values in braces: /users/{$args.id}?limit={$args.limit}.
type template []piece

// piece is a literal text or one value.
type piece struct {
	literal string
	expr    *selection.Expr // nil for literal text and JSON
	json    *jsonTemplate   // nil for literal text and values
	source  string          // the expression as the schema writes it, without its star
	explode bool            // {$args.x*}: repeat the parameter for each element
	offset  int             // in bytes of the template
}

// parseTemplate splits a text into pieces. With an error it returns the byte offset of the mistake.
func parseTemplate(text string) (template, int, error) {
	var t template
	from := 0 // the beginning of literal text
	for at := 0; at < len(text); {
		open := strings.IndexAny(text[at:], "{}[")
		if open < 0 {
			break
		}
		at += open
		if beginsJSON(text, at) {
			value, end, err := parseJSONTemplate(text, at)
			switch {
			case err != nil:
				return nil, end, err
			case value != nil && end < len(text) && text[end] != '&':
				return nil, end, errors.New("JSON has to be the whole value")
			case value != nil:
				t = append(t.withText(text, from, at), piece{json: value, source: text[at:end], offset: at})
				at, from = end, end
				continue
			}
		}
		if text[at] == '[' {
			at++
			continue
		}
		t = t.withText(text, from, at)
		if text[at] == '}' {
			return nil, at, errors.New("a } without its {; in JSON, which is the whole value of a parameter, names and texts have double quotes")
		}
		length := strings.IndexByte(text[at:], '}')
		if length < 0 {
			return nil, at, errors.New("a { without its }")
		}
		p, err := parsePiece(text[:at+length], at+1)
		if err != nil {
			return nil, at, err
		}
		t = append(t, p)
		at += length + 1
		from = at
	}
	return t.withText(text, from, len(text)), 0, nil
}

// withText returns t with the literal text between two byte offsets, if there is any.
func (t template) withText(text string, from, to int) template {
	if from == to {
		return t
	}
	return append(t, piece{literal: text[from:to], offset: from})
}

// isJSON reports whether t is JSON, which is always a whole value.
func (t template) isJSON() bool { return len(t) == 1 && t[0].json != nil }

// isLiteral reports whether the piece is literal text.
func (p piece) isLiteral() bool { return p.expr == nil && p.json == nil }

// parsePiece parses the variable at the end of a text, from a byte offset on: $scope.name.name,
// with an optional star.
func parsePiece(text string, from int) (piece, error) {
	written, each := strings.CutSuffix(text, "*")
	e, err := selection.ParsePart(written, from)
	if err != nil || e.Root != selection.Variable || len(e.Steps) == 0 && e.Name != "status" || e.HasBraces {
		advice := "write $args.name, $this.field, $batch.field or $claims.name"
		if strings.Contains(text[from:], ":") {
			advice += `; JSON is a whole value and has double quotes, {"name": {$args.name}}`
		}
		return piece{}, fmt.Errorf("%q is not a variable; %s", text[from:], advice)
	}
	return piece{expr: e, source: written[from:], explode: each, offset: from}, nil
}

// String returns the piece as the schema writes it.
func (p piece) String() string {
	switch {
	case p.json != nil:
		return p.source
	case p.expr == nil:
		return p.literal
	}
	star := ""
	if p.explode {
		star = "*"
	}
	return "{" + p.source + star + "}"
}

// split splits t at every literal separator.
func (t template) split(separator string) []template {
	parts := []template{nil}
	for _, p := range t {
		if !p.isLiteral() {
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

// splitFirst splits t at the first literal separator.
func (t template) splitFirst(separator string) (before, after template, found bool) {
	for i, p := range t {
		at := strings.Index(p.literal, separator)
		if !p.isLiteral() || at < 0 {
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
