package rest

import (
	"net/textproto"
	"strings"
	"unicode"
)

const upperHex = "0123456789ABCDEF"

// appendEscaped adds s with everything escaped but RFC 3986's unreserved characters.
// url.PathEscape and url.QueryEscape each leave more, and the latter writes a space
// as "+", which means a plus sign in a path and to some services in a query too.
func appendEscaped(b []byte, s string) []byte {
	for i := range len(s) {
		if unreserved(s[i]) {
			b = append(b, s[i])
		} else {
			b = appendHex(b, s[i])
		}
	}
	return b
}

// appendHeaderElement adds an element of a header that is a list. Only what would end
// it is escaped, white space that would be cut off its ends, and the escape itself: many
// services decode nothing in headers.
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

// appendPlain is for what needs no escape, as it has been looked at.
func appendPlain(b []byte, s string) []byte { return append(b, s...) }

// unfitSegment says why a text cannot stand in a path; "" when it can.
func unfitSegment(s string) (why string) {
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

// unfitLabel is unfitSegment where dots separate. They need no escape in a URL, so
// that an escaped one means the same.
func unfitLabel(s string) (why string) {
	if strings.Contains(s, ".") {
		return "a value in the path has a dot, which separates values for the service"
	}
	return unfitSegment(s)
}

// unfitCookie says why a text cannot be an element of a cookie as it is: RFC 6265 has
// no place for it, or it is the comma of a list.
func unfitCookie(s string) (why string) {
	for i := range len(s) {
		if ch := s[i]; ch <= ' ' || ch >= 0x7f || strings.IndexByte(`",;\`, ch) >= 0 {
			return "a value in a cookie has characters that no cookie can hold"
		}
	}
	return ""
}

// appendLiteral adds trusted text of a path: separators and escapes stay, while what
// no path may hold is escaped, so that the result is always a valid one.
func appendLiteral(b []byte, s string) []byte {
	for i := range len(s) {
		ch := s[i]
		escape := ch == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2])
		if escape || unreserved(ch) || strings.IndexByte("/!$&'()*+,;=:@", ch) >= 0 {
			b = append(b, ch)
		} else {
			b = appendHex(b, ch)
		}
	}
	return b
}

func appendHex(b []byte, ch byte) []byte {
	return append(b, '%', upperHex[ch>>4], upperHex[ch&15])
}

func unreserved(ch byte) bool {
	return isAlphanumeric(ch) || ch == '-' || ch == '.' || ch == '_' || ch == '~'
}

func isAlphanumeric(ch byte) bool {
	return 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' || '0' <= ch && ch <= '9'
}

func isHex(ch byte) bool {
	return '0' <= ch && ch <= '9' || 'a' <= ch && ch <= 'f' || 'A' <= ch && ch <= 'F'
}

// ValidHeaderName tells whether name is a token of RFC 9110.
func ValidHeaderName(name string) bool {
	for i := range len(name) {
		if !isAlphanumeric(name[i]) && strings.IndexByte("!#$%&'*+-.^_`|~", name[i]) < 0 {
			return false
		}
	}
	return name != ""
}

// padded tells whether a header's value begins or ends with white space, which belongs to
// no value: HTTP cuts it off.
func padded(value string) bool { return value != strings.Trim(value, " \t") }

// ValidHeaderValue tells whether value stays within one header line: it has no
// control characters but tabs.
func ValidHeaderValue(value string) bool {
	for i := range len(value) {
		if ch := value[i]; ch < ' ' && ch != '\t' || ch == 0x7f {
			return false
		}
	}
	return true
}

// Reserved tells whether a header belongs to the connection or to the way a message
// is framed, which only the HTTP client may decide.
func Reserved(name string) bool {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Host", "Content-Length", "Transfer-Encoding", "Te", "Trailer", "Connection", "Keep-Alive",
		"Upgrade", "Expect", "Http2-Settings", "Accept-Encoding",
		"Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization":
		return true
	}
	return false
}
