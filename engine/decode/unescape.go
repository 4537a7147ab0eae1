package decode

import (
	"bytes"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// appendUnescaped appends what the text of a string says, whose escapes are known to be good. A
// lone surrogate becomes U+FFFD, as in encoding/json and in the WHATWG's decoders.
func appendUnescaped(to, raw []byte) []byte {
	for {
		at := bytes.IndexByte(raw, '\\')
		if at < 0 {
			return append(to, raw...)
		}
		to = append(to, raw[:at]...)
		to, raw = appendEscape(to, raw[at:])
	}
}

// appendEscape appends what the escape at the beginning of raw says, and gives the rest.
func appendEscape(to, raw []byte) (longer, rest []byte) {
	if c := escapedBytes[raw[1]]; c != 0 {
		return append(to, c), raw[2:]
	}
	return appendRune(to, raw)
}

// escapedBytes are what the escapes of one letter say, by the letter.
var escapedBytes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func appendRune(to, raw []byte) (longer, rest []byte) {
	r, raw := hexRune(raw), raw[6:]
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(to, r), raw
	}
	if len(raw) > 1 && raw[0] == '\\' && raw[1] == 'u' {
		if pair := utf16.DecodeRune(r, hexRune(raw)); pair != unicode.ReplacementChar {
			return utf8.AppendRune(to, pair), raw[6:]
		}
	}
	return utf8.AppendRune(to, unicode.ReplacementChar), raw
}

// hexRune is the number in an escape with four digits.
func hexRune(escape []byte) (r rune) {
	for _, c := range escape[2:6] {
		digit := c - '0'
		if c > '9' {
			digit = c&^0x20 - 'A' + 10
		}
		r = r<<4 | rune(digit)
	}
	return r
}
