package http1

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// appendHead writes what req says before its body. Whatever could end a line or a word
// early is an error.
func appendHead(b []byte, req *http.Request, unpack bool) ([]byte, error) {
	method, target, host := req.Method, req.URL.RequestURI(), req.Host
	if method == "" {
		method = http.MethodGet
	}
	if host == "" {
		host = req.URL.Host
	}
	if !isToken(method) {
		return b, errors.New("http1: the method is no token")
	}
	if !isTarget(target) {
		return b, errors.New("http1: the URL has spaces or control characters")
	}
	b = append(append(append(append(b, method...), ' '), target...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, host...), "\r\n"...)
	for name, values := range req.Header {
		if inFields(name) {
			continue
		}
		if !isToken(name) {
			return b, fmt.Errorf("http1: the header %q is no token", name)
		}
		for _, value := range values {
			if !isValue(value) {
				return b, fmt.Errorf("http1: the value of the header %s has control characters", name)
			}
			b = append(append(b, name...), ": "...)
			b = append(append(b, trimSpace(value)...), "\r\n"...)
		}
	}
	if unpack {
		b = append(b, "Accept-Encoding: gzip\r\n"...)
	}
	return append(appendLength(b, req, method), "\r\n"...), nil
}

// inFields tells whether fields of the request say what a header of that name would.
// net/http knows these by their canonical names alone, and sends on what is written otherwise.
func inFields(name string) bool {
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

func appendLength(b []byte, req *http.Request, method string) []byte {
	switch n := length(req); {
	case n < 0:
		return append(b, "Transfer-Encoding: chunked\r\n"...)
	case n > 0 || method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch:
		return append(strconv.AppendInt(append(b, "Content-Length: "...), n, 10), "\r\n"...)
	}
	return b
}

// length is that of the body; -1 is unknown.
func length(req *http.Request) int64 {
	switch {
	case !hasBody(req):
		return 0
	case req.ContentLength > 0:
		return req.ContentLength
	}
	return -1
}

// wantsGzip tells whether the transport asks for an encoding that it undoes itself.
func wantsGzip(req *http.Request) bool {
	return req.Method != http.MethodHead && len(req.Header["Accept-Encoding"]) == 0 && len(req.Header["Range"]) == 0
}

func isToken(s string) bool {
	for i := range len(s) {
		if !tokenBytes[s[i]] {
			return false
		}
	}
	return s != ""
}

// tokenBytes are what RFC 9110 (5.6.2) has names made of.
var tokenBytes = func() (is [256]bool) {
	for ch := range is {
		is[ch] = '0' <= ch && ch <= '9' || 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' ||
			ch < 0x80 && strings.IndexByte("!#$%&'*+-.^_`|~", byte(ch)) >= 0
	}
	return is
}()

// isValue tells whether s has no control characters but tabs.
func isValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// isTarget tells whether s has neither spaces nor control characters.
func isTarget(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

func trimSpace(s string) string { return strings.Trim(s, " \t") }
