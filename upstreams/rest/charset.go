package rest

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// errCharset is the cause of a body in characters other than UTF-8 that cannot be converted.
var errCharset = errors.New("the response is in characters that cannot be read")

var (
	utf8Mark = []byte("\xef\xbb\xbf") // byte order marks
	beMark   = []byte("\xfe\xff")
	leMark   = []byte("\xff\xfe")
)

// toUTF8 returns a body in UTF-8 without a byte order mark. JSON is UTF-8 between systems (RFC 8259,
// 8.1), and most clients read it so whatever the Content-Type says. So UTF-8 goes before a
// charset parameter that says something else, as it often does by mistake; a byte order mark goes
// before both, as in the WHATWG's encoding standard. Of other charsets, UTF-16, Latin-1 and
// windows-1252 are converted, and the rest is an error. The result is body itself when there is
// nothing to change.
func toUTF8(body []byte, contentType string) ([]byte, error) {
	if len(body) >= 2 && body[0] >= 0xef { // only marks begin so, and no JSON does
		switch {
		case bytes.HasPrefix(body, utf8Mark):
			return body[len(utf8Mark):], nil
		case bytes.HasPrefix(body, beMark):
			return fromUTF16(body[2:], 1)
		case bytes.HasPrefix(body, leMark):
			return fromUTF16(body[2:], 0)
		}
	}
	charset := charsetOf(contentType)
	switch charset {
	case "", "utf-8", "utf8", "us-ascii":
		return body, nil
	case "utf-16", "utf-16be":
		return fromUTF16(body, 1)
	case "utf-16le":
		return fromUTF16(body, 0)
	}
	if utf8.Valid(body) {
		return body, nil
	}
	switch charset {
	case "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "windows-1252", "cp1252":
		// Servers that say ISO-8859-1 mean windows-1252, which has printable characters where that
		// has control characters.
		return charmap.Windows1252.NewDecoder().Bytes(body)
	}
	return nil, fmt.Errorf("%w: charset %q", errCharset, charset[:min(len(charset), 40)])
}

// charsetOf returns the charset parameter of a media type in lower case, "" if there is none.
func charsetOf(contentType string) string {
	const usual = "utf-8"
	if i := strings.IndexByte(contentType, ';'); i < 0 {
		return ""
	} else if n := len(contentType) - len(usual); n > i && strings.EqualFold(contentType[n:], usual) {
		return usual // without the cost of parsing
	}
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return strings.ToLower(params["charset"])
}

// fromUTF16 converts text of two bytes for each unit, of which the higher is the first one if
// bigEndian is 1, and the second one if it is 0. Half a surrogate pair becomes U+FFFD.
func fromUTF16(body []byte, bigEndian int) ([]byte, error) {
	if len(body)%2 != 0 {
		return nil, fmt.Errorf("%w: UTF-16 of %d bytes, which is half a character too many", errCharset, len(body))
	}
	units := make([]uint16, len(body)/2)
	for i := range units {
		units[i] = uint16(body[2*i+1-bigEndian])<<8 | uint16(body[2*i+bigEndian])
	}
	return []byte(string(utf16.Decode(units))), nil
}
