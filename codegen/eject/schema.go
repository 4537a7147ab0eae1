package eject

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"
)

// forced says that a field is answered by hand.
const forced = "forceResolver: true"

// Unbind takes the @connect of a field out of the text of its schema file. A field below
// the root gets @goField(forceResolver: true) instead; those of the root are answered by
// hand when nothing is said. Every other byte of the text stays.
func Unbind(text string, field *ast.FieldDefinition, root bool) (string, error) {
	connect, err := spanOf(text, field.Directives.ForName("connect"))
	if err != nil {
		return "", err
	}
	known := field.Directives.ForName("goField")
	edits := []edit{{connect, "@goField(" + forced + ")"}}
	if root || known != nil {
		edits[0] = edit{withSpace(text, connect), ""}
	}
	if !root && known != nil {
		at, err := spanOf(text, known)
		if err != nil {
			return "", err
		}
		edits = append(edits, force(text, at))
	}
	return apply(text, edits), nil
}

// span is a piece of a text, from one byte to before another.
type span struct{ from, to int }

// edit puts a text in the place of a span.
type edit struct {
	span
	text string
}

// apply makes edits that do not overlap.
func apply(text string, edits []edit) string {
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(b.from, a.from) })
	for _, e := range edits {
		text = text[:e.from] + e.text + text[e.to:]
	}
	return text
}

// force says it in the @goField that is there.
func force(text string, at span) edit {
	before, arguments, found := strings.Cut(text[at.from:at.to], "(")
	if !found {
		return edit{span{at.to, at.to}, "(" + forced + ")"}
	}
	begin := at.from + len(before) + 1
	separator := ", "
	if strings.TrimSpace(strings.TrimSuffix(arguments, ")")) == "" {
		separator = ""
	}
	return edit{span{begin, begin}, forced + separator}
}

// spanOf finds a directive with its arguments. gqlparser knows where its name begins, in
// characters, and in a text whose lines end with \n alone.
func spanOf(text string, d *ast.Directive) (span, error) {
	var at span
	var last lexer.Token
	depth := 0
	for l := lexer.New(d.Position.Src); ; {
		token, err := l.ReadToken()
		if err != nil || token.Kind == lexer.EOF {
			return at, fmt.Errorf("%s: the end of @%s cannot be found, which is a bug of gatehouse", d.Position.Src.Name, d.Name)
		}
		switch {
		case token.Pos.Start < d.Position.Start:
			last = token
			continue
		case token.Pos.Start == d.Position.Start:
			at = span{last.Pos.Start, token.Pos.End}
			if len(d.Arguments) == 0 {
				return at.in(text), nil
			}
		case token.Kind == lexer.ParenL:
			depth++
		case token.Kind == lexer.ParenR:
			depth--
		}
		if at.to = token.Pos.End; token.Kind == lexer.ParenR && depth == 0 {
			return at.in(text), nil
		}
	}
}

// in makes bytes of characters.
func (s span) in(text string) span { return span{offset(text, s.from), offset(text, s.to)} }

// offset is where so many characters of a text end. An end of line is one of them,
// however the file writes it.
func offset(text string, characters int) int {
	at := 0
	for ; characters > 0; characters-- {
		if strings.HasPrefix(text[at:], "\r\n") {
			at += 2
			continue
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// withSpace takes in the space before a span, and the line's beginning with it where
// nothing follows on the line: behind a comment, what follows would become one.
func withSpace(text string, at span) span {
	before := strings.TrimRight(text[:at.from], " \t")
	rest := strings.TrimLeft(text[at.to:], " \t")
	if rest == "" || rest[0] == '\n' || rest[0] == '\r' {
		before = strings.TrimSuffix(strings.TrimSuffix(before, "\n"), "\r")
		return span{len(before), at.to}
	}
	if strings.HasSuffix(before, "\n") { // the next directive takes its place
		return span{at.from, len(text) - len(rest)}
	}
	return span{len(before), at.to}
}
