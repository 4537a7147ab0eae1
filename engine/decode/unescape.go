package decode

import (
	"bytes"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// appendUnescaped appends a string's text with its escapes resolved. The escapes have been checked
// by rawString. A lone surrogate becomes U+FFFD, as in encoding/json and in the WHATWG's decoders.
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

// appendEscape appends the character of the escape with which raw begins, and returns the text
// after it.
func appendEscape(to, raw []byte) (longer, rest []byte) {
	if c := escapedBytes[raw[1]]; c != 0 {
		return append(to, c), raw[2:]
	}
	return appendRune(to, raw)
}

// escapedBytes has the characters of the escapes of one letter, by that letter; 0 for letters that
// are not escapes.
var escapedBytes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// appendRune appends the character of a \u escape. A high surrogate and the low one after it are
// one character (RFC 8259, section 7).
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

// hexRune returns the number in the four digits of a \u escape.
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
