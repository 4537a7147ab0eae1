// Package escape reads the escapes \uXXXX, which the strings of JSON and of GraphQL share.
package escape

import (
	"unicode/utf16"
	"unicode/utf8"
)

// unitLength is the length of an escape \uXXXX, in bytes.
const unitLength = 6

// Length returns the length of the escape at the beginning of text, which starts with a
// backslash: 2 unless it is of the form \uXXXX, 6 for such an escape, and 12 for a surrogate,
// whose other half has to follow as an escape of its own. It reports false for a surrogate
// without its other half (RFC 8259, section 8.2; GraphQL, section 2.9.4).
func Length[T string | []byte](text T) (n int, ok bool) {
	first, ok := codeUnit(text)
	if !ok {
		return 2, true
	}
	if !utf16.IsSurrogate(first) {
		return unitLength, true
	}
	second, ok := codeUnit(text[unitLength:])
	return 2 * unitLength, ok && utf16.DecodeRune(first, second) != utf8.RuneError
}

// codeUnit reads the UTF-16 code unit of an escape \uXXXX. It reports false if text does not
// begin with one.
func codeUnit[T string | []byte](text T) (unit rune, ok bool) {
	if len(text) < unitLength || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	for i := 2; i < unitLength; i++ {
		digit, ok := hexDigit(text[i])
		if !ok {
			return 0, false
		}
		unit = unit<<4 | digit
	}
	return unit, true
}

func hexDigit(c byte) (rune, bool) {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0'), true
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10, true
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}
