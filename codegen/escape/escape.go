// Package escape escapes texts of schemas and services' documents, which are untrusted, so that
// neither a compiler nor a terminal takes them for more than text.
package escape

import (
	"strconv"
	"strings"
	"unicode"
)

// IsInvisible reports whether a reader cannot see a character or it changes how text is laid out: a
// control character, one that changes the direction of writing, a line separator, or a byte order
// mark, which Go accepts only at the start of a file.
func IsInvisible(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

// Line returns a text in one line, with invisible characters and invalid UTF-8 escaped as in a Go
// string.
func Line(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == unicode.ReplacementChar && !strings.HasPrefix(text[i:], string(r)): // an invalid byte, not U+FFFD itself
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[i]), 16))
		case IsInvisible(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
