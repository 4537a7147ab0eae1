// Package plain keeps the texts of schemas and of services' documents from being read as more
// than text, by a compiler or by a terminal.
package plain

import (
	"strconv"
	"strings"
	"unicode"
)

// Invisible reports whether a character is a control character, turns the direction of
// writing, ends a line, or is the mark of a byte order, which Go takes nowhere in a file.
func Invisible(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

// Line returns a text on one line, in which invisible characters are escaped as in Go.
func Line(text string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == unicode.ReplacementChar && !strings.HasPrefix(text[i:], string(r)): // no UTF-8
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[i]), 16))
		case Invisible(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
