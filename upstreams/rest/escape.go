package rest

import (
	"net/textproto"
	"strings"
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

// appendName begins a parameter in a query or a form.
func appendName(b []byte, name string) []byte {
	if len(b) > 0 {
		b = append(b, '&')
	}
	return append(appendEscaped(b, name), '=')
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
