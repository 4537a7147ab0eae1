package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"strconv"
	"strings"
)

var (
	errHead    = errors.New("http1: the head of the answer is larger than allowed")
	errStatus  = errors.New("http1: malformed status line")
	errHeader  = errors.New("http1: malformed header line")
	errLength  = errors.New("http1: Content-Length is no number, or there are several")
	errCoding  = errors.New("http1: a transfer encoding other than chunked")
	errSwitch  = errors.New("http1: the server changed protocols without being asked")
	errTrailer = errors.New("http1: what follows the last chunk")
)

// framing says where a body ends and what becomes of its connection.
type framing struct {
	length  int64 // -1: until the connection is closed, unless chunked
	chunked bool
	last    bool // the connection serves no further call
}

// readHead reads the head of the answer to a request by method, and passes over interim
// ones. All of them may have limit bytes. The scratch is used for reading, and returned to
// be used again; nothing of resp is in it.
func readHead(r *bufio.Reader, method string, limit int, scratch []byte, resp *http.Response) (framing, []byte, error) {
	for first := true; ; first = false {
		var err error
		scratch, err = readBlock(r, scratch[:0], limit)
		if err != nil && first && len(scratch) == 0 {
			err = &failure{err: fmt.Errorf("http1: no answer: %w", err)}
		}
		if err != nil {
			return framing{}, scratch, err
		}
		limit -= len(scratch)
		f, err := parseHead(string(scratch), method, resp)
		if err != nil || resp.StatusCode >= 200 {
			return f, scratch, err
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			return f, scratch, errSwitch
		}
	}
}

// readBlock appends lines up to and with an empty one. Before the first byte its error is
// the reader's own.
func readBlock(r *bufio.Reader, b []byte, limit int) ([]byte, error) {
	for start := 0; ; {
		piece, err := r.ReadSlice('\n')
		b = append(b, piece...)
		if len(b) > limit {
			return b, errHead
		}
		if err == nil {
			if line := b[start:]; len(line) == 1 || len(line) == 2 && line[0] == '\r' {
				return b, nil
			}
			start = len(b)
		} else if !errors.Is(err, bufio.ErrBufferFull) {
			if len(b) > 0 && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return b, err
		}
	}
}

// parseHead reads a head that ends with an empty line, and fills in resp.
func parseHead(head, method string, resp *http.Response) (framing, error) {
	line, rest := cutLine(head)
	if err := parseStatus(line, resp); err != nil {
		return framing{}, err
	}
	header, err := parseHeader(rest)
	if err != nil {
		return framing{}, err
	}
	resp.Header = header
	return frame(method, resp)
}

// cutLine gives the first line, which ends with LF or CRLF, without its end.
func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// parseStatus reads "HTTP/1.1 200 OK". The text may be missing, with its space.
func parseStatus(line string, resp *http.Response) error {
	const start = "HTTP/1.1 200"
	if len(line) < len(start) || line[:7] != start[:7] || line[7] < '0' || line[7] > '9' || line[8] != ' ' || !isValue(line) {
		return errStatus
	}
	if len(line) > len(start) && line[len(start)] != ' ' {
		return errStatus
	}
	status := 0
	for _, ch := range []byte(line[9:12]) {
		if ch < '0' || ch > '9' {
			return errStatus
		}
		status = 10*status + int(ch-'0')
	}
	if status < 100 {
		return errStatus
	}
	resp.StatusCode, resp.Status = status, line[9:]
	resp.Proto, resp.ProtoMajor, resp.ProtoMinor = line[:8], 1, int(line[7]-'0')
	return nil
}

// maxExpected is for how many headers there is room before they have been read.
const maxExpected = 64

// parseHeader reads lines up to the empty one.
func parseHeader(lines string) (http.Header, error) {
	n := min(strings.Count(lines, "\n")-1, maxExpected)
	header, values := make(http.Header, n), make([]string, n)
	for {
		var line string
		if line, lines = cutLine(lines); line == "" {
			return header, nil
		}
		name, value, ok := strings.Cut(line, ":")
		value = trimSpace(value)
		// A line that continues the one before begins with a space, which is in no token.
		if !ok || !isToken(name) || !isValue(value) {
			return nil, errHeader
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		if more, ok := header[name]; ok {
			header[name] = append(more, value)
			continue
		}
		if len(values) == 0 {
			values = make([]string, maxExpected)
		}
		values[0] = value
		header[name], values = values[:1:1], values[1:]
	}
}

// frame finds out where the body ends, by RFC 9112 (6.3). It takes from the header what
// describes the transfer alone.
func frame(method string, resp *http.Response) (framing, error) {
	h := resp.Header
	resp.TransferEncoding = nil // that of an interim answer
	f := framing{last: resp.ProtoMinor == 0 && !listed(h["Connection"], "keep-alive")}
	if listed(h["Connection"], "close") {
		f.last = true
		delete(h, "Connection")
	}
	lengths := h["Content-Length"]
	var err error
	if f.length, err = contentLength(lengths); err != nil {
		return f, err
	}
	if len(lengths) > 1 {
		h["Content-Length"] = lengths[:1]
	}
	if coding, ok := h["Transfer-Encoding"]; ok {
		if len(coding) != 1 || !strings.EqualFold(coding[0], "chunked") || resp.ProtoMinor == 0 {
			return f, errCoding
		}
		// Two ways to say where the body ends: this one counts, and nothing after it does.
		f.last = f.last || f.length >= 0
		f.chunked, f.length = true, -1
		resp.TransferEncoding = []string{"chunked"}
		delete(h, "Transfer-Encoding")
		delete(h, "Content-Length")
	}
	delete(h, "Trailer")
	resp.ContentLength = f.length
	switch status := resp.StatusCode; {
	case method == http.MethodHead, status == http.StatusNotModified:
		f.length, f.chunked = 0, false
	case status < 200, status == http.StatusNoContent:
		f.last = f.last || f.chunked || f.length > 0 // it may send what may not be there
		f.length, f.chunked = 0, false
	case f.length < 0 && !f.chunked:
		f.last = true
	}
	if method != http.MethodHead && f.length == 0 {
		resp.ContentLength = 0
	}
	resp.Close = f.last
	return f, nil
}

// contentLength is -1 when there is none. Several that say the same are one.
func contentLength(values []string) (int64, error) {
	if len(values) == 0 {
		return -1, nil
	}
	for _, value := range values[1:] {
		if value != values[0] {
			return 0, errLength
		}
	}
	n, err := strconv.ParseUint(values[0], 10, 63)
	if err != nil {
		return 0, errLength
	}
	return int64(n), nil
}

// listed tells whether one of the values, which are lists, has the word.
func listed(values []string, word string) bool {
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(trimSpace(one), word) {
				return true
			}
		}
	}
	return false
}

// content is a body as it is transferred.
type content struct {
	r      *bufio.Reader
	left   int64     // bytes still to come; -1 is until the connection is closed
	chunks io.Reader // instead, when chunked
}

func newContent(r *bufio.Reader, f framing) content {
	c := content{r: r, left: f.length}
	if f.chunked {
		c.chunks = httputil.NewChunkedReader(r)
	}
	return c
}

// read returns io.EOF when the body is whole, if it can with its last byte.
func (c *content) read(p []byte) (n int, err error) {
	switch {
	case c.chunks != nil:
		if n, err = c.chunks.Read(p); err == io.EOF {
			err = skipTrailers(c.r)
		}
	case c.left < 0:
		n, err = c.r.Read(p)
	default:
		n, err = c.r.Read(p[:min(int64(len(p)), c.left)])
		switch c.left -= int64(n); {
		case c.left == 0:
			err = io.EOF
		case err == io.EOF:
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

// maxTrailers bounds what comes after the last chunk.
const maxTrailers = 4 << 10

// skipTrailers reads what follows the last chunk, up to and with an empty line. Its error is
// io.EOF when all is well.
func skipTrailers(r *bufio.Reader) error {
	if end, err := r.Peek(2); err == nil && string(end) == "\r\n" {
		_, _ = r.Discard(2) // cannot fail
		return io.EOF
	}
	lines, err := readBlock(r, nil, maxTrailers)
	switch {
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case err != nil:
		return fmt.Errorf("%w: %w", errTrailer, err)
	case !bytes.HasSuffix(lines, []byte("\r\n\r\n")): // as strict as the chunks themselves
		return errTrailer
	}
	if _, err := parseHeader(string(lines)); err != nil {
		return fmt.Errorf("%w: %w", errTrailer, err)
	}
	return io.EOF
}
