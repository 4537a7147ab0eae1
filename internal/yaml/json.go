package yaml

import (
	"bytes"
	"regexp"
	"strconv"
	"unicode/utf16"
)

// escape is a backslash in a JSON string with what belongs to it: a pair of surrogates as a whole.
var escape = regexp.MustCompile(`\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\.`)

// isJSON reports whether a text looks like JSON.
func isJSON(text []byte) bool {
	trimmed := bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\uFEFF")))
	return len(trimmed) > 0 && trimmed[0] == '{'
}

// escapes writes the escapes of JSON that YAML does not have in YAML's way: a slash is not
// escaped there, and a character beyond the basic plane is one escape of eight digits, not two of
// four. Other texts than JSON are returned as they are. Columns behind such an escape are those of the new text.
func (b *builder) escapes(text []byte) []byte {
	if !b.isJSON || !bytes.Contains(text, []byte(`\`)) {
		return text
	}
	return escape.ReplaceAllFunc(text, func(e []byte) []byte {
		switch {
		case string(e) == `\/`:
			return e[1:]
		case len(e) < 12:
			return e
		}
		high, errHigh := strconv.ParseUint(string(e[2:6]), 16, 16)
		low, errLow := strconv.ParseUint(string(e[8:12]), 16, 16)
		if errHigh != nil || errLow != nil {
			return e
		}
		return []byte(`\U` + hex8(utf16.DecodeRune(rune(high), rune(low))))
	})
}

// hex8 returns a character's number in eight hexadecimal digits.
func hex8(r rune) string {
	digits := strconv.FormatInt(int64(r), 16)
	return "00000000"[len(digits):] + digits
}
