package rest

import (
	"bytes"
	"net/textproto"
	"strings"
	"unicode"
)

// The escaping of each place. A value is untrusted: what it contains must neither end its
// place nor begin another one.
//
//	place                      escaped                      refused
//	path segment               all but unreserved           empty, controls, "." and ".."
//	query parameter, form      all but unreserved           -
//	text of a query's schema   what a query cannot hold, &  -
//	header                     -                            controls, white space at the ends
//	element of a header list   , = " % and spaces at ends   controls
//	cookie, style form         all but unreserved           -
//	cookie, style cookie       -                            what RFC 6265 (4.1.1) excludes
//
// "unreserved" are the letters, digits and "-._~" of RFC 3986 (2.3). Everything
// else is escaped, and not only what is special in a place, since servers and proxies do
// not agree on what is special.

const upperHex = "0123456789ABCDEF"

// appendEscaped appends s with everything percent-encoded except the unreserved characters
// of RFC 3986. url.PathEscape and url.QueryEscape each keep more characters, and the
// latter writes a space as "+", which is a plus sign in a path, and for some services in a
// query too.
func appendEscaped(b []byte, s string) []byte {
	for i := range len(s) {
		if isUnreserved(s[i]) {
			b = append(b, s[i])
		} else {
			b = appendHex(b, s[i])
		}
	}
	return b
}

// appendHeaderElement appends an element of a header that is a list. It escapes only what
// would end the element, white space that HTTP would remove from its ends, and the percent
// sign: many services do not decode headers.
func appendHeaderElement(b []byte, s string) []byte {
	for i := range len(s) {
		end := i == 0 || i == len(s)-1
		if strings.IndexByte(`,="%`, s[i]) < 0 && !(end && (s[i] == ' ' || s[i] == '\t')) {
			b = append(b, s[i])
		} else {
			b = appendHex(b, s[i])
		}
	}
	return b
}

// appendPlain appends s as it is. The unfit function of the style has checked it.
func appendPlain(b []byte, s string) []byte { return append(b, s...) }

// unfitSegment returns why s cannot be part of a path, or "" if it can. Dot segments are
// refused although their slashes are escaped, and so are those between backslashes: some
// proxies decode %2F and then resolve dots (RFC 3986, 5.2.4), and some servers take a
// backslash for a slash.
func unfitSegment(s string) (reason string) {
	switch {
	case s == "":
		return "a value in the path is empty"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "a value in the path has control characters"
	case hasDotSegment(s):
		return `a value in the path must not be or contain the segments "." and ".."`
	}
	return ""
}

func hasDotSegment(s string) bool {
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}

// unfitLabel is unfitSegment for places in which dots separate values. Escaping a dot would
// not help: it is an unreserved character, so that %2E means the same (RFC 3986, 6.2.2.2).
func unfitLabel(s string) (reason string) {
	if strings.Contains(s, ".") {
		return "a value in the path has a dot, which separates values for the service"
	}
	return unfitSegment(s)
}

// unfitCookie returns why s cannot be an element of a cookie without encoding, or "" if it
// can: RFC 6265 (4.1.1) does not allow it, or it has the comma that separates elements.
func unfitCookie(s string) (reason string) {
	for i := range len(s) {
		if ch := s[i]; ch <= ' ' || ch >= 0x7f || strings.IndexByte(`",;\`, ch) >= 0 {
			return "a value in a cookie has characters that no cookie can hold"
		}
	}
	return ""
}

// appendLiteral appends trusted text of a path. Separators and percent-encodings are kept,
// and characters that a path must not hold are escaped, so that the result is always a
// valid path.
func appendLiteral(b []byte, s string) []byte {
	for i := range len(s) {
		ch := s[i]
		isEscape := ch == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2])
		if isEscape || isUnreserved(ch) || strings.IndexByte("/!$&'()*+,;=:@", ch) >= 0 {
			b = append(b, ch)
		} else {
			b = appendHex(b, ch)
		}
	}
	return b
}

// appendQueryText appends trusted text of a query. What a query may hold (RFC 3986, 3.4) is kept,
// percent-encodings included, and all other characters are escaped. So is '&', which would begin
// another parameter.
func appendQueryText(b []byte, s string) []byte {
	for i := range len(s) {
		ch := s[i]
		isEscape := ch == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2])
		if isEscape || isUnreserved(ch) || strings.IndexByte("!$'()*+,;=:@/?", ch) >= 0 {
			b = append(b, ch)
		} else {
			b = appendHex(b, ch)
		}
	}
	return b
}

// appendQueryName is appendQueryText for the name of a parameter, which '=' would end.
func appendQueryName(b []byte, s string) []byte {
	start := len(b)
	b = appendQueryText(b, s)
	if bytes.IndexByte(b[start:], '=') < 0 {
		return b
	}
	return append(b[:start], bytes.ReplaceAll(b[start:], []byte("="), []byte("%3D"))...)
}

// EscapeQueryText returns trusted text of a query as QueryText writes it.
func EscapeQueryText(s string) string { return string(appendQueryText(nil, s)) }

func appendHex(b []byte, ch byte) []byte {
	return append(b, '%', upperHex[ch>>4], upperHex[ch&15])
}

func isUnreserved(ch byte) bool {
	return isAlphanumeric(ch) || ch == '-' || ch == '.' || ch == '_' || ch == '~'
}

func isAlphanumeric(ch byte) bool {
	return 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' || '0' <= ch && ch <= '9'
}

func isHex(ch byte) bool {
	return '0' <= ch && ch <= '9' || 'a' <= ch && ch <= 'f' || 'A' <= ch && ch <= 'F'
}

// ValidHeaderName reports whether name is a token (RFC 9110, 5.6.2).
func ValidHeaderName(name string) bool {
	for i := range len(name) {
		if !isAlphanumeric(name[i]) && strings.IndexByte("!#$%&'*+-.^_`|~", name[i]) < 0 {
			return false
		}
	}
	return name != ""
}

// isPadded reports whether value begins or ends with white space, which HTTP removes from
// the value of a header (RFC 9110, 5.5).
func isPadded(value string) bool { return value != strings.Trim(value, " \t") }

// ValidHeaderValue reports whether value stays within one header line: it has no control
// characters except tabs.
func ValidHeaderValue(value string) bool {
	for i := range len(value) {
		if ch := value[i]; ch < ' ' && ch != '\t' || ch == 0x7f {
			return false
		}
	}
	return true
}

// ReservedHeader reports whether a header concerns the connection or the framing of a message,
// which only the HTTP client may decide.
func ReservedHeader(name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Host", "Content-Length", "Transfer-Encoding", "Te", "Trailer", "Connection", "Keep-Alive",
		"Upgrade", "Expect", "Http2-Settings", "Accept-Encoding",
		"Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization":
		return true
	}
	return false
}
