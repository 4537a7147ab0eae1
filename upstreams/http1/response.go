package http1

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

var (
	errHeadTooLarge   = errors.New("http1: the head of the response is larger than allowed")
	errStatusLine     = errors.New("http1: malformed status line")
	errHeaderLine     = errors.New("http1: malformed header line")
	errContentLength  = errors.New("http1: Content-Length is not a number, or has several values")
	errTransferCoding = errors.New("http1: a transfer encoding other than chunked")
	errUpgrade        = errors.New("http1: the server changed protocols without being asked")
	errTrailer        = errors.New("http1: malformed trailers")
)

// framing says where a body ends, and whether the connection can serve another call.
type framing struct {
	length  int64 // in bytes; -1 until the connection is closed, unless chunked
	chunked bool
	close   bool // the connection serves no further call
}

// readHead reads the head of the response to a request by method into resp, and skips
// interim responses. Together they may have limit bytes. buf is used for reading and
// returned for reuse; resp keeps no reference to it.
func readHead(r *bufio.Reader, method string, limit int, buf []byte, resp *http.Response) (framing, []byte, error) {
	for first := true; ; first = false {
		if err := requireHTTP(r, first); err != nil {
			return framing{}, buf, err
		}
		var err error
		if buf, err = readHeaderBlock(r, buf[:0], limit); err != nil {
			return framing{}, buf, err
		}
		limit -= len(buf)
		f, err := parseHead(string(buf), method, resp)
		if err != nil || resp.StatusCode >= 200 {
			return f, buf, err
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			return f, buf, errUpgrade
		}
	}
}

// requireHTTP waits for the beginning of a head and returns an error if it is not one of HTTP, so
// that no more is awaited from a server that speaks something else. first is whether nothing was
// received before.
func requireHTTP(r *bufio.Reader, first bool) error {
	const start = "HTTP/"
	got, err := r.Peek(len(start))
	switch {
	case len(got) == 0 && first:
		return &noResponseError{err: fmt.Errorf("http1: no response: %w", err)}
	case !strings.HasPrefix(start, string(got)):
		return errStatusLine
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}

// readHeaderBlock appends lines to b, up to and including an empty one. Before the first
// byte its error is that of r, unchanged.
func readHeaderBlock(r *bufio.Reader, b []byte, limit int) ([]byte, error) {
	for start := 0; ; {
		piece, err := r.ReadSlice('\n')
		b = append(b, piece...)
		if len(b) > limit {
			return b, errHeadTooLarge
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

// parseHead parses a head that ends with an empty line into resp.
func parseHead(head, method string, resp *http.Response) (framing, error) {
	line, rest := cutLine(head)
	if err := parseStatusLine(line, resp); err != nil {
		return framing{}, err
	}
	header, regular, err := parseHeader(rest)
	if err != nil {
		return framing{}, err
	}
	resp.Header = header
	f, err := parseFraming(method, resp)
	if !regular {
		f.close, resp.Close = true, true
	}
	return f, err
}

// cutLine returns the first line of s, which ends with LF or CRLF, without that end, and
// the rest of s.
func cutLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// parseStatusLine parses "HTTP/1.1 200 OK" (RFC 9112, 4). The reason phrase may be missing,
// together with the space before it. There may be several spaces before the status.
func parseStatusLine(line string, resp *http.Response) error {
	const start = "HTTP/1.1 200"
	if len(line) > len(start) && line[9] == ' ' {
		line = line[:9] + strings.TrimLeft(line[9:], " ")
	}
	if len(line) < len(start) || line[:7] != start[:7] || line[7] < '0' || line[7] > '9' || line[8] != ' ' || !isFieldValue(line) {
		return errStatusLine
	}
	if len(line) > len(start) && line[len(start)] != ' ' {
		return errStatusLine
	}
	status := 0
	for _, ch := range []byte(line[9:12]) {
		if ch < '0' || ch > '9' {
			return errStatusLine
		}
		status = 10*status + int(ch-'0')
	}
	if status < 100 {
		return errStatusLine
	}
	resp.StatusCode, resp.Status = status, line[9:]
	resp.Proto, resp.ProtoMajor, resp.ProtoMinor = line[:8], 1, int(line[7]-'0')
	return nil
}

// maxPreallocated is how many header values get memory before they have been parsed, so
// that a head of many short lines cannot make the gateway allocate far more than it has
// bytes.
const maxPreallocated = 64

// parseHeader parses the lines up to the empty one (RFC 9112, 5). regular is false if a line
// continues the one before (obs-fold) or has a space in its name: net/http and curl read both, but
// a proxy in between may have read them differently, so that the connection is closed afterwards.
// Such a line that says where the body ends is an error.
func parseHeader(lines string) (header http.Header, regular bool, err error) {
	n := min(strings.Count(lines, "\n")-1, maxPreallocated)
	header, values := make(http.Header, n), make([]string, n)
	for regular = true; ; {
		var line string
		if line, lines = cutLine(lines); line == "" {
			return header, regular, nil
		}
		name, value, ok := strings.Cut(line, ":")
		value = trimSpace(value)
		isFolded := lines != "" && isSpace(lines[0])
		if isFolded {
			value, lines = unfold(value, lines)
		}
		hasSpace := !isToken(name)
		switch {
		case !ok || !isFieldValue(value) || hasSpace && !isSpacedToken(name):
			return nil, false, errHeaderLine
		case (isFolded || hasSpace) && isRequestField(strings.ReplaceAll(name, " ", "")):
			return nil, false, errHeaderLine
		case isFolded || hasSpace:
			regular = false
		}
		if !hasSpace { // another one stays as it is, so that nothing finds it, as in net/http
			name = textproto.CanonicalMIMEHeaderKey(name)
		}
		if previous, ok := header[name]; ok {
			header[name] = append(previous, value)
			continue
		}
		if len(values) == 0 {
			values = make([]string, maxPreallocated)
		}
		// The capacity of one has a second value copied instead of overwriting a neighbour.
		values[0] = value
		header[name], values = values[:1:1], values[1:]
	}
}

// unfold appends the lines that continue a value, each after one space (RFC 9112, 5.2), and returns
// the rest.
func unfold(value, lines string) (whole, rest string) {
	var b strings.Builder // linear in the number of lines
	b.WriteString(value)
	for lines != "" && isSpace(lines[0]) {
		var line string
		line, lines = cutLine(lines)
		b.WriteByte(' ')
		b.WriteString(trimSpace(line))
	}
	return strings.TrimLeft(b.String(), " "), lines
}

func isSpace(ch byte) bool { return ch == ' ' || ch == '\t' }

// isSpacedToken reports whether name is a token with spaces in it or after it.
func isSpacedToken(name string) bool {
	return name != "" && name[0] != ' ' && isToken(strings.ReplaceAll(name, " ", ""))
}

// parseFraming determines where the body ends, by the rules of RFC 9112 (6.3), and removes
// the headers that describe the transfer alone.
//
// Two parties that disagree about where a response ends disagree about every response
// after it on the connection. So a response whose framing is ambiguous is an error, or, if
// the RFC prescribes a reading, the last one of its connection.
func parseFraming(method string, resp *http.Response) (framing, error) {
	h := resp.Header
	resp.TransferEncoding = nil // that of an interim response
	f := framing{close: resp.ProtoMinor == 0 && !hasToken(h["Connection"], "keep-alive")}
	if hasToken(h["Connection"], "close") {
		f.close = true
		delete(h, "Connection")
	}
	lengths := h["Content-Length"]
	var err error
	if f.length, err = parseContentLength(lengths); err != nil {
		return f, err
	}
	if len(lengths) > 1 {
		h["Content-Length"] = lengths[:1]
	}
	if coding, ok := h["Transfer-Encoding"]; ok {
		if len(coding) != 1 || !strings.EqualFold(coding[0], "chunked") || resp.ProtoMinor == 0 {
			return f, errTransferCoding
		}
		// Transfer-Encoding overrides a Content-Length beside it. But a proxy in between may
		// have read it differently, so that the connection is closed afterwards.
		f.close = f.close || f.length >= 0
		f.chunked, f.length = true, -1
		resp.TransferEncoding = []string{"chunked"}
		delete(h, "Transfer-Encoding")
		delete(h, "Content-Length")
	}
	delete(h, "Trailer")
	resp.ContentLength = f.length
	switch status := resp.StatusCode; {
	case method == http.MethodHead, status == http.StatusNotModified:
		f.length, f.chunked = 0, false // the headers describe a body that is not sent
	case status < 200, status == http.StatusNoContent:
		f.close = f.close || f.chunked || f.length > 0 // the server may send the body that it announces
		f.length, f.chunked = 0, false
	case f.length < 0 && !f.chunked:
		f.close = true // the body ends with the connection
	}
	if method != http.MethodHead && f.length == 0 {
		resp.ContentLength = 0
	}
	resp.Close = f.close
	return f, nil
}

// parseContentLength returns the length in bytes, and -1 when there is no value. Several equal values count as one.
func parseContentLength(values []string) (int64, error) {
	if len(values) == 0 {
		return -1, nil
	}
	for _, value := range values[1:] {
		if value != values[0] {
			return 0, errContentLength
		}
	}
	n, err := strconv.ParseUint(values[0], 10, 63)
	if err != nil {
		return 0, errContentLength
	}
	return int64(n), nil
}

// hasToken reports whether one of the values, which are comma-separated lists, contains
// token, in any case.
func hasToken(values []string, token string) bool {
	for _, value := range values {
		for element := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(trimSpace(element), token) {
				return true
			}
		}
	}
	return false
}
