package rest

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

var (
	errEncoding = errors.New("the response has a content encoding that was not asked for")
	errExpands  = errors.New("the response is larger than allowed while it is decoded")
)

// maxEncodings is how many encodings may lie around each other.
const maxEncodings = 3

// decodeBody returns resp's body without its content encodings (RFC 9110, 8.4), which the transport
// has left: those of a list, and those with another name than gzip. It decodes gzip, x-gzip and
// deflate, in any letter case, and nothing that would have to be asked for. length is that of the
// result in bytes, -1 when it is unknown. limit is how many bytes the result may have.
//
// Some services name an encoding although they send no body, above all with a 204.
func decodeBody(resp *http.Response, limit int64) (body io.Reader, length int64, err error) {
	values := resp.Header["Content-Encoding"]
	if len(values) == 0 || resp.Body == http.NoBody || resp.ContentLength == 0 {
		return resp.Body, resp.ContentLength, nil
	}
	var encodings []string
	for _, value := range values {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.ToLower(strings.Trim(name, " \t")); name != "" && name != "identity" {
				encodings = append(encodings, name)
			}
		}
	}
	if len(encodings) == 0 {
		return resp.Body, resp.ContentLength, nil
	}
	if len(encodings) > maxEncodings {
		return nil, 0, fmt.Errorf("%w: %d of them around each other", errEncoding, len(encodings))
	}
	body = resp.Body
	for i := len(encodings) - 1; i >= 0; i-- { // they are listed in the order in which they were applied
		// What is decoded is about as long as what is encoded, or longer. So a stage that has more
		// than the result may have was made to cost time.
		body = &boundedReader{r: body, left: 2*limit + maxPreallocated}
		if body, err = decoderOf(encodings[i], body); err != nil {
			return nil, 0, err
		}
	}
	return body, -1, nil
}

// decoderOf returns a reader of r without the encoding.
func decoderOf(encoding string, r io.Reader) (io.Reader, error) {
	switch encoding {
	case "gzip", "x-gzip":
		return &lazyReader{r: r, open: func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }}, nil
	case "deflate":
		return &lazyReader{r: r, open: inflate}, nil
	}
	return nil, fmt.Errorf("%w: %q", errEncoding, encoding[:min(len(encoding), 40)])
}

// inflate reads deflate as the RFC defines it, in the format of zlib, and without that, as servers
// send it that misread the name. A header of zlib has 8 in its lowest four bits and is a multiple of
// 31; a raw stream that begins so would be an uncompressed block with padding other than zeros.
func inflate(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(2)
	if len(head) == 1 {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	if head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(b)
	}
	return flate.NewReader(b), nil
}

// isCorrupt reports whether err is that of a decoder whose input is not in its encoding.
func isCorrupt(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) ||
		errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrChecksum) || errors.Is(err, zlib.ErrDictionary)
}

// lazyReader opens a decoder at the first Read, because that reads the head of the body. A body
// without a byte is empty, whatever its encoding.
type lazyReader struct {
	r    io.Reader
	open func(io.Reader) (io.Reader, error)
	from io.Reader // nil before the first Read
}

func (l *lazyReader) Read(p []byte) (int, error) {
	if l.from == nil {
		from, err := l.open(l.r)
		if err != nil {
			return 0, err
		}
		l.from = from
	}
	return l.from.Read(p)
}

// boundedReader is an error after so many bytes.
type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errExpands
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
