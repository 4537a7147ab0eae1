package yaml

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Lines splits a text where the scanner counts lines, which is not only at "\n": line n of an
// Error is element n-1. The lines have no line breaks.
func Lines(text string) []string {
	text = strings.TrimPrefix(text, "\uFEFF")
	return strings.Split(lineBreaks.Replace(text), "\n")
}

// lineBreaks are those of YAML 1.1, which the library keeps to.
var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// cursor remembers the byte offset of a column, so that finding the columns of a long line in
// their order costs one walk over the line.
type cursor struct{ line, column, offset int }

// behind returns the text of the line from a position on, or "" beyond the end.
func (b *builder) behind(line, column int) string {
	if line < 1 || line > len(b.lines) {
		return ""
	}
	text := b.lines[line-1]
	if b.cursor.line != line || b.cursor.column > column {
		b.cursor = cursor{line: line, column: 1}
	}
	for b.cursor.column < column && b.cursor.offset < len(text) {
		_, width := utf8.DecodeRuneInString(text[b.cursor.offset:])
		b.cursor.offset += width
		b.cursor.column++
	}
	return text[b.cursor.offset:]
}

var anchor = regexp.MustCompile(`^&[^\s,\[\]{}]*[ \t]+`)

// locate moves n from its anchor, where the library says that it begins, to its value. A lenient
// tree has no use for that. A tag stays in front: it makes the value invalid as a whole.
func (b *builder) locate(n *Node, raw *yaml.Node) {
	if b.options.Lenient || raw.Anchor == "" || raw.Style&yaml.TaggedStyle != 0 {
		return
	}
	n.Column += utf8.RuneCountInString(anchor.FindString(b.behind(n.Line, n.Column)))
}

// source returns a scalar as its first line has it. It returns the rest of that line for a scalar
// with a tag and for one that goes on in the next line, so that hiding it hides too much rather than too little.
func (b *builder) source(n *Node, raw *yaml.Node) string {
	rest := b.behind(n.Line, n.Column)
	switch {
	case raw.Style&yaml.TaggedStyle != 0:
		return strings.TrimRight(rest, " \t")
	case raw.Style&yaml.DoubleQuotedStyle != 0:
		return quoted(rest, '"')
	case raw.Style&yaml.SingleQuotedStyle != 0:
		return quoted(rest, '\'')
	case raw.Value != "" && raw.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 && strings.HasPrefix(rest, raw.Value):
		return raw.Value
	case raw.Value == "":
		return ""
	}
	return strings.TrimRight(rest, " \t")
}

// quoted returns the scalar in quotes with which text begins, or text if it ends in another line.
// A backslash escapes in double quotes; two single quotes stand for one.
func quoted(text string, quote byte) string {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] == quote && quote == '\'' && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return text[:i+1]
		}
	}
	return strings.TrimRight(text, " \t")
}
