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
	expr    *selection.Expr // nil for literal text
	source  string          // the expression as the schema writes it, without its star
	explode bool            // {$args.x*}: repeat the parameter for each element
	offset  int             // in bytes of the template
}

// parseTemplate splits a text into pieces. With an error it returns the byte offset of the mistake.
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
			return nil, at, errors.New("a } without its {")
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
	}
	return t, 0, nil
}

// parsePiece parses the variable at the end of a text, from a byte offset on: $scope.name.name,
// with an optional star.
func parsePiece(text string, from int) (piece, error) {
	written, each := strings.CutSuffix(text, "*")
	e, err := selection.ParsePart(written, from)
	if err != nil || e.Root != selection.Variable || len(e.Steps) == 0 && e.Name != "status" || e.HasBraces {
		return piece{}, fmt.Errorf("%q is not a variable; write $args.name, $this.field, $batch.field or $claims.name", text[from:])
	}
	return piece{expr: e, source: written[from:], explode: each, offset: from}, nil
}

// String returns the piece as the schema writes it.
func (p piece) String() string {
	if p.expr == nil {
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
		if p.expr != nil {
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
		if p.expr != nil || at < 0 {
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
