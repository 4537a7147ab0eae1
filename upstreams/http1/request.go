package http1

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// appendHead appends the request line and the headers of req. Whatever could end a line or
// a word early is an error, since a server would read what follows as another header or
// another request (request smuggling, RFC 9112, 11.2).
func appendHead(b []byte, req *http.Request, decompress bool) ([]byte, error) {
	method, target, host := req.Method, req.URL.RequestURI(), req.Host
	if method == "" {
		method = http.MethodGet
	}
	if host == "" {
		host = req.URL.Host
	}
	if !isToken(method) {
		return b, errors.New("http1: the method is not a token")
	}
	if !isTarget(target) {
		return b, errors.New("http1: the URL has spaces or control characters")
	}
	b = append(append(append(append(b, method...), ' '), target...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, host...), "\r\n"...)
	for name, values := range req.Header {
		if isRequestField(name) {
			continue
		}
		if !isToken(name) {
			return b, fmt.Errorf("http1: the header %q is not a token", name)
		}
		if name == userAgent {
			values = onlyUserAgent(values)
		}
		for _, value := range values {
			if !isFieldValue(value) {
				return b, fmt.Errorf("http1: the value of the header %s has control characters", name)
			}
			b = append(append(b, name...), ": "...)
			b = append(append(b, trimSpace(value)...), "\r\n"...)
		}
	}
	if decompress {
		b = append(b, "Accept-Encoding: gzip\r\n"...)
	}
	return append(appendFraming(b, req, method), "\r\n"...), nil
}

const userAgent = "User-Agent"

// onlyUserAgent returns the values of User-Agent that are sent: as by net/http the first alone, and
// none if that is empty.
func onlyUserAgent(values []string) []string {
	if len(values) == 0 || values[0] == "" {
		return nil
	}
	return values[:1]
}

// isRequestField reports whether fields of http.Request determine the header called name,
// in any case. They say which host is meant and where the body ends; a second header with
// another statement would be request smuggling. net/http skips these headers by their
// canonical names alone, and sends those that are spelled differently.
func isRequestField(name string) bool {
	switch len(name) {
	case len("Host"):
		return strings.EqualFold(name, "Host")
	case len("Trailer"):
		return strings.EqualFold(name, "Trailer")
	case len("Content-Length"):
		return strings.EqualFold(name, "Content-Length")
	case len("Transfer-Encoding"):
		return strings.EqualFold(name, "Transfer-Encoding")
	}
	return false
}

// appendFraming appends the one header that says where the body ends (RFC 9112, 6). POST,
// PUT and PATCH without a body have "Content-Length: 0" (RFC 9110, 8.6).
func appendFraming(b []byte, req *http.Request, method string) []byte {
	switch n := bodyLength(req); {
	case n < 0:
		return append(b, "Transfer-Encoding: chunked\r\n"...)
	case n > 0 || method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch:
		return append(strconv.AppendInt(append(b, "Content-Length: "...), n, 10), "\r\n"...)
	}
	return b
}

// bodyLength returns the length of the body in bytes, -1 when it is unknown.
func bodyLength(req *http.Request) int64 {
	switch {
	case !hasBody(req):
		return 0
	case req.ContentLength > 0:
		return req.ContentLength
	}
	return -1
}

// asksForGzip reports whether the transport adds an Accept-Encoding of its own, whose
// encoding it then removes.
func asksForGzip(req *http.Request) bool {
	return req.Method != http.MethodHead && len(req.Header["Accept-Encoding"]) == 0 && len(req.Header["Range"]) == 0
}

// isToken reports whether s is a token (RFC 9110, 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		if !tokenBytes[s[i]] {
			return false
		}
	}
	return s != ""
}

var tokenBytes = func() (is [256]bool) {
	for ch := range is {
		is[ch] = '0' <= ch && ch <= '9' || 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' ||
			ch < 0x80 && strings.IndexByte("!#$%&'*+-.^_`|~", byte(ch)) >= 0
	}
	return is
}()

// isFieldValue reports whether s has no control characters other than tabs (RFC 9110, 5.5).
func isFieldValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// isTarget reports whether s has neither spaces nor control characters, so that it is one
// word of a request line.
func isTarget(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

func trimSpace(s string) string { return strings.Trim(s, " \t") }
