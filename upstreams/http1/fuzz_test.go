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

// readAnswer is how an exchange reads one. It leaves what comes behind.
func readAnswer(r *bufio.Reader, method string) (*http.Response, []byte, error) {
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

// readTheirs is net/http's reading, with the interim answers passed over as its transport
// does.
func readTheirs(r *bufio.Reader, method string) (*http.Response, []byte, error) {
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

// What we read, net/http reads alike. What it reads and we do not is among the few things in
// which we are stricter.
func FuzzAnswer(f *testing.F) {
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
		ours, body, err := readAnswer(r, method)
		theirs, theirBody, theirErr := readTheirs(theirR, method)
		if err != nil {
			if theirErr == nil && !strict(string(raw)) {
				t.Fatalf("%q: we say %v, and net/http reads %q", raw, err, theirBody)
			}
			return
		}
		if theirErr != nil {
			t.Fatalf("%q: we read %q, and net/http says %v", raw, body, theirErr)
		}
		for _, resp := range []*http.Response{ours, theirs} {
			delete(resp.Header, "Trailer")       // we drop trailers
			delete(resp.Header, "Cache-Control") // which net/http makes of Pragma
			if len(resp.TransferEncoding) > 0 {
				delete(resp.Header, "Content-Length") // which net/http leaves where there is no body
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
		// The next answer would begin here.
		left, _ := io.ReadAll(r)
		theirLeft, _ := io.ReadAll(theirR)
		if theirs.Close || !bytes.Equal(left, theirLeft) {
			t.Fatalf("%q: we leave %q, and net/http %q, closing: %t", raw, left, theirLeft, theirs.Close)
		}
	})
}

// strict tells whether raw may have what we refuse and net/http reads: lines that are folded,
// names with spaces or without letters, statuses below 100, control characters in the status
// line, other versions, protocols that change, codings in HTTP/1.0, and a bare LF after the
// last chunk.
func strict(raw string) bool {
	head := raw
	for {
		line, rest, ok := strings.Cut(head, "\n")
		name, _, colon := strings.Cut(line, ":")
		switch {
		case strings.HasPrefix(line, "HTTP/"):
			if !strings.HasPrefix(line, "HTTP/1.1 ") && !strings.HasPrefix(line, "HTTP/1.0 ") || !isFieldValue(strings.TrimSuffix(line, "\r")) {
				return true
			}
			if code := line[len("HTTP/1.1 "):]; !(code[0] >= '1' && code[0] <= '9') || strings.HasPrefix(code, "101") {
				return true
			}
			if strings.HasPrefix(line, "HTTP/1.0 ") && strings.Contains(strings.ToLower(raw), "transfer-encoding") {
				return true
			}
		case line == "" && strings.Contains(strings.ToLower(raw), "chunked"):
			return true
		case strings.HasPrefix(line, " "), strings.HasPrefix(line, "\t"), colon && !isToken(name):
			return true
		}
		if !ok {
			return len(raw) > 4096 // limits are counted in another way
		}
		head = rest
	}
}
