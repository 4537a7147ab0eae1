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

// forceResolver is the argument of @goField that has gqlgen call a resolver for a field.
const forceResolver = "forceResolver: true"

// Unbind returns the text of a schema file without the @connect of a field. A field below the root
// gets @goField(forceResolver: true) in its place; isRoot is for fields of Query and Mutation, which
// have resolvers anyway. Every other byte of the text stays as it is, comments and layout included:
// therefore Unbind edits the text, where printing the syntax tree would lose both.
func Unbind(text string, field *ast.FieldDefinition, isRoot bool) (string, error) {
	connect, err := directiveSpan(text, field.Directives.ForName("connect"))
	if err != nil {
		return "", err
	}
	goField := field.Directives.ForName("goField")
	if !isRoot && goField == nil {
		return replace(text, edit{connect, "@goField(" + forceResolver + ")"}), nil
	}
	edits := []edit{{withSpace(text, connect), ""}}
	if !isRoot {
		span, err := directiveSpan(text, goField)
		if err != nil {
			return "", err
		}
		edits = append(edits, addForceResolver(text, span, goField))
	}
	return replace(text, edits...), nil
}

// span is a part of a text, from an offset to before another. directiveSpan counts characters at
// first, everything else bytes.
type span struct{ from, to int }

// edit replaces a span by a text.
type edit struct {
	span
	text string
}

// replace applies edits that do not overlap, the last one first, so that the offsets of the others
// stay right.
func replace(text string, edits ...edit) string {
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(b.from, a.from) })
	for _, e := range edits {
		text = text[:e.from] + e.text + text[e.to:]
	}
	return text
}

// addForceResolver adds the argument to a @goField that the field has already, as the first one. If
// the directive has the argument, which is false then, addForceResolver makes it true.
func addForceResolver(text string, goField span, d *ast.Directive) edit {
	if argument := d.Arguments.ForName("forceResolver"); argument != nil {
		at := span{argument.Value.Position.Start, argument.Value.Position.End}
		return edit{at.inBytes(text), "true"}
	}
	name, arguments, found := strings.Cut(text[goField.from:goField.to], "(")
	if !found {
		return edit{span{goField.to, goField.to}, "(" + forceResolver + ")"}
	}
	start := goField.from + len(name) + len("(")
	separator := ", "
	if strings.TrimSpace(strings.TrimSuffix(arguments, ")")) == "" {
		separator = ""
	}
	return edit{span{start, start}, forceResolver + separator}
}

// directiveSpan returns where a directive stands, from its @ to its last parenthesis.
//
// gqlparser gives the position of a directive's name only, so directiveSpan reads the tokens of the
// source again: the @ is the token before the name, and the end is the parenthesis that closes the
// first one behind the name. A parenthesis in a string or a comment is not a token of that kind.
// The lexer counts characters, in a source whose lines all end with \n; text is the file as it is on
// disk, and the result counts its bytes.
func directiveSpan(text string, d *ast.Directive) (span, error) {
	var s span
	var previous lexer.Token
	depth := 0
	for l := lexer.New(d.Position.Src); ; {
		token, err := l.ReadToken()
		if err != nil || token.Kind == lexer.EOF {
			return s, fmt.Errorf("%s: the end of @%s cannot be found, which is a bug of gatehouse", d.Position.Src.Name, d.Name)
		}
		switch {
		case token.Pos.Start < d.Position.Start:
			previous = token
			continue
		case token.Pos.Start == d.Position.Start:
			s = span{previous.Pos.Start, token.Pos.End}
			if len(d.Arguments) == 0 {
				return s.inBytes(text), nil
			}
		case token.Kind == lexer.ParenL:
			depth++
		case token.Kind == lexer.ParenR:
			depth--
		}
		if s.to = token.Pos.End; token.Kind == lexer.ParenR && depth == 0 {
			return s.inBytes(text), nil
		}
	}
}

// inBytes converts offsets in characters to offsets in bytes.
func (s span) inBytes(text string) span {
	return span{byteOffset(text, s.from), byteOffset(text, s.to)}
}

// byteOffset returns the offset in bytes behind the first characters of a text. The end of a line is
// one character, also where the text has \r\n.
func byteOffset(text string, characters int) int {
	offset := 0
	for ; characters > 0; characters-- {
		if strings.HasPrefix(text[offset:], "\r\n") {
			offset += len("\r\n")
			continue
		}
		_, size := utf8.DecodeRuneInString(text[offset:])
		offset += size
	}
	return offset
}

// withSpace extends the span of a directive over the space that would be left behind by removing it.
//
//   - If nothing follows on the line, that is all space before the directive, including the line
//     break if the directive has the line to itself. Space behind the directive stays.
//   - If something follows and the directive begins its line, it is the space behind the directive,
//     so that the next token takes its place. The line break has to stay: the line before may end
//     with a comment, which would swallow what follows.
//   - Otherwise it is the space before the directive on its line.
func withSpace(text string, s span) span {
	before := strings.TrimRight(text[:s.from], " \t")
	rest := strings.TrimLeft(text[s.to:], " \t")
	if rest == "" || rest[0] == '\n' || rest[0] == '\r' {
		before = strings.TrimSuffix(strings.TrimSuffix(before, "\n"), "\r")
		return span{len(before), s.to}
	}
	if strings.HasSuffix(before, "\n") {
		return span{s.from, len(text) - len(rest)}
	}
	return span{len(before), s.to}
}
