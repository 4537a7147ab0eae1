package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
)

// bodyReader reads the body of a response off its connection, and not a byte further.
type bodyReader struct {
	r         *bufio.Reader
	remaining int64     // bytes; -1 until the connection is closed
	chunks    io.Reader // used instead when the body is chunked
}

func newBodyReader(r *bufio.Reader, f framing) bodyReader {
	b := bodyReader{r: r, remaining: f.length}
	if f.chunked {
		b.chunks = httputil.NewChunkedReader(r)
	}
	return b
}

// read returns io.EOF when the body is complete, if possible together with its last byte.
// A connection that closes before is io.ErrUnexpectedEOF.
func (b *bodyReader) read(p []byte) (n int, err error) {
	switch {
	case b.chunks != nil:
		if n, err = b.chunks.Read(p); err == io.EOF {
			err = skipTrailers(b.r)
		}
	case b.remaining < 0:
		n, err = b.r.Read(p)
	default:
		n, err = b.r.Read(p[:min(int64(len(p)), b.remaining)])
		switch b.remaining -= int64(n); {
		case b.remaining == 0:
			err = io.EOF
		case err == io.EOF:
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

// maxTrailers bounds the trailers, in bytes.
const maxTrailers = 4 << 10

// skipTrailers reads what follows the last chunk, up to and including an empty line (RFC
// 9112, 7.1.2). It returns io.EOF when that is well-formed.
func skipTrailers(r *bufio.Reader) error {
	if end, err := r.Peek(2); err == nil && string(end) == "\r\n" {
		_, _ = r.Discard(2) // cannot fail after Peek
		return io.EOF
	}
	lines, err := readHeaderBlock(r, nil, maxTrailers)
	switch {
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case err != nil:
		return fmt.Errorf("%w: %w", errTrailer, err)
	case !bytes.HasSuffix(lines, []byte("\r\n\r\n")): // httputil wants CRLF after chunks as well
		return errTrailer
	}
	switch _, regular, err := parseHeader(string(lines)); {
	case err != nil:
		return fmt.Errorf("%w: %w", errTrailer, err)
	case !regular: // the connection may serve another call, see parseHeader
		return errTrailer
	}
	return io.EOF
}
