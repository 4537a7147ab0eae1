package http1

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// readResponse reads a response as an exchange does, and nothing after it.
func readResponse(r *bufio.Reader, method string) (*http.Response, []byte, error) {
	resp := new(http.Response)
	f, _, err := readHead(r, method, DefaultMaxHeader, nil, resp)
	if err != nil || f.length == 0 {
		return resp, nil, err
	}
	body := newBodyReader(r, f)
	all, err := io.ReadAll(readerFunc(body.read))
	return resp, all, err
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// readByNetHTTP reads a response as net/http does, and skips interim responses like its
// transport.
func readByNetHTTP(r *bufio.Reader, method string) (*http.Response, []byte, error) {
	for {
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return nil, nil, err
		}
		if resp.StatusCode < 100 || resp.StatusCode > 199 {
			all, err := io.ReadAll(resp.Body)
			return resp, all, err
		}
	}
}

// Every response that http1 accepts, net/http reads identically. What net/http accepts and
// http1 refuses is in the list of isStricter.
func FuzzResponse(f *testing.F) {
	for _, raw := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nX: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}",
		"HTTP/1.0 200\nConnection: keep-alive\ncontent-length: 1\ncontent-length: 1\n\n1",
		"HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\n1",
		"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nY : c\r\n: d\r\n\r\n",
	} {
		f.Add([]byte(raw), true)
		f.Add([]byte(raw), false)
	}
	f.Fuzz(func(t *testing.T, raw []byte, get bool) {
		method := http.MethodGet
		if !get {
			method = http.MethodHead
		}
		r, theirR := bufio.NewReader(bytes.NewReader(raw)), bufio.NewReader(bytes.NewReader(raw))
		ours, body, err := readResponse(r, method)
		theirs, theirBody, theirErr := readByNetHTTP(theirR, method)
		if err != nil {
			if theirErr == nil && !isStricter(string(raw)) {
				t.Fatalf("%q: we say %v, and net/http reads %q", raw, err, theirBody)
			}
			return
		}
		if theirErr != nil {
			t.Fatalf("%q: we read %q, and net/http says %v", raw, body, theirErr)
		}
		for _, resp := range []*http.Response{ours, theirs} {
			delete(resp.Header, "Trailer")       // we drop trailers
			delete(resp.Header, "Cache-Control") // which net/http derives from Pragma
			if len(resp.TransferEncoding) > 0 {
				delete(resp.Header, "Content-Length") // which net/http keeps where there is no body
			}
		}
		if ours.StatusCode != theirs.StatusCode || ours.Status != theirs.Status || !bytes.Equal(body, theirBody) ||
			ours.ContentLength != theirs.ContentLength && get ||
			!maps.EqualFunc(ours.Header, theirs.Header, slices.Equal[[]string]) {
			t.Fatalf("%q: we read\n%+v %q, and net/http\n%+v %q", raw, ours, body, theirs, theirBody)
		}
		if ours.Close {
			return
		}
		// The next response would begin here.
		left, _ := io.ReadAll(r)
		theirLeft, _ := io.ReadAll(theirR)
		if theirs.Close || !bytes.Equal(left, theirLeft) {
			t.Fatalf("%q: we leave %q, and net/http %q, closing: %t", raw, left, theirLeft, theirs.Close)
		}
	})
}

// isStricter reports whether raw may contain what http1 refuses and net/http accepts: headers of the
// framing that are folded or have spaces in their names, other names that are not tokens, statuses
// below 100, control characters in the status line, other versions, a change of protocols, transfer
// codings in HTTP/1.0, and a bare LF, or something folded, after the last chunk.
func isStricter(raw string) bool {
	head, before := raw, ""
	for {
		line, rest, ok := strings.Cut(head, "\n")
		name, _, colon := strings.Cut(line, ":")
		folded := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
		switch {
		case strings.HasPrefix(line, "HTTP/"):
			if !strings.HasPrefix(line, "HTTP/1.1 ") && !strings.HasPrefix(line, "HTTP/1.0 ") || !isFieldValue(strings.TrimSuffix(line, "\r")) {
				return true
			}
			if code := strings.TrimLeft(line[len("HTTP/1.1 "):], " ") + " "; !(code[0] >= '1' && code[0] <= '9') || strings.HasPrefix(code, "101") {
				return true
			}
			if strings.HasPrefix(line, "HTTP/1.0 ") && strings.Contains(strings.ToLower(raw), "transfer-encoding") {
				return true
			}
		case line == "" && strings.Contains(strings.ToLower(raw), "chunked"):
			return true
		case folded && isRequestField(strings.ReplaceAll(before, " ", "")):
			return true
		case !folded && colon && !isToken(name) && (!isSpacedToken(name) || isRequestField(strings.ReplaceAll(name, " ", ""))):
			return true
		}
		if !folded {
			before = name
		}
		if !ok {
			return len(raw) > 4096 // the limits count differently
		}
		head = rest
	}
}
