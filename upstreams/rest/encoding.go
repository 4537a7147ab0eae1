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
	errManyCodes = errors.New("the response is encoded more often than is plausible")
	errExpands  = errors.New("the response is larger than allowed while it is decoded")
)

// maxEncodings is how many encodings may lie around each other.
const maxEncodings = 3

// decodeBody returns resp's body without its content encodings (RFC 9110, 8.4), which the transport
// has left: those of a list, and those with another name than gzip. It decodes gzip, x-gzip and
// deflate, in any letter case, and nothing that would have to be asked for. decoded is false when
// body is resp.Body itself. limit is how many bytes the decoded body may have.
//
// Some services name an encoding although they send no body, above all with a 204.
func decodeBody(resp *http.Response, limit int64) (body io.Reader, decoded bool, err error) {
	values := resp.Header["Content-Encoding"]
	if len(values) == 0 || resp.Body == http.NoBody || resp.ContentLength == 0 {
		return resp.Body, false, nil
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
		return resp.Body, false, nil
	}
	if len(encodings) > maxEncodings {
		return nil, false, fmt.Errorf("%w: %d times", errManyCodes, len(encodings))
	}
	body = resp.Body
	for i := len(encodings) - 1; i >= 0; i-- { // they are listed in the order in which they were applied
		// What is decoded is about as long as what is encoded, or longer. So a stage that has more
		// than the result may have was made to cost time.
		body = &boundedReader{r: body, left: 2*limit + maxPreallocated}
		if body, err = decoderOf(encodings[i], body); err != nil {
			return nil, false, err
		}
	}
	return body, true, nil
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
// sent it that misread the name. A zlib header is a multiple of 31 whose lower half says 8; no raw
// deflate of more than a few bytes looks so by chance, since 8 there is a stored block without its length.
func inflate(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(2)
	if err != nil {
		return nil, err
	}
	if head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(b)
	}
	return flate.NewReader(b), nil
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
