// Package compress has the content codings of responses: Negotiate reads Accept-Encoding (RFC 9110,
// section 12.5.3), and Gzip compresses.
//
// It promises that compressing takes bounded memory, however many responses are compressed at once.
package compress

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"runtime"
	"strconv"
	"strings"
)

// Coding says how a client wants a response.
type Coding int

const (
	Identity Coding = iota // not compressed
	Optional               // by gzip, if that makes the response smaller
	Required               // by gzip, since the client accepts nothing else
)

// Negotiate returns the coding for a request's headers. Without Accept-Encoding it is Identity: any
// coding is acceptable then, but a client that does not send the header most likely cannot
// decompress. A client that accepts neither coding gets Identity as well, since a response is
// better than none.
func Negotiate(h http.Header) Coding {
	values := h["Accept-Encoding"]
	if len(values) == 0 {
		return Identity
	}
	const unset = -1.0
	zip, plain, other := unset, unset, unset
	for _, value := range values {
		for item := range strings.SplitSeq(value, ",") {
			coding, parameters, _ := strings.Cut(item, ";")
			coding = strings.TrimSpace(coding)
			switch q := weight(parameters); {
			case strings.EqualFold(coding, "gzip"), strings.EqualFold(coding, "x-gzip"):
				zip = max(zip, q)
			case strings.EqualFold(coding, "identity"):
				plain = q
			case coding == "*":
				other = q
			}
		}
	}
	if zip == unset {
		zip = max(other, 0)
	}
	switch refused := plain == 0 || plain == unset && other == 0; {
	case zip == 0, zip < plain:
		return Identity
	case refused:
		return Required
	}
	return Optional
}

// weight returns the weight in the parameters of a coding, from 0 to 1; 1 without one. A weight that
// is not valid is 0.
func weight(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}

// writers has the compressors that are not in use. Each has about a megabyte of memory, so that
// there are only as many as can run at the same time; compressing waits for nothing but the CPU.
var writers = make(chan *gzip.Writer, runtime.GOMAXPROCS(0))

func init() {
	for range cap(writers) {
		writers <- nil
	}
}

// Gzip returns the parts as one gzip stream. It compresses at the fastest level: a higher one takes
// several times as long and makes JSON smaller by a tenth.
func Gzip(parts ...[]byte) []byte {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	w := <-writers
	defer func() { writers <- w }()
	packed := bytes.NewBuffer(make([]byte, 0, size/4+64))
	if w == nil {
		w, _ = gzip.NewWriterLevel(packed, gzip.BestSpeed) // a level that exists
	} else {
		w.Reset(packed)
	}
	for _, p := range parts {
		_, _ = w.Write(p) // into memory: cannot fail
	}
	_ = w.Close()
	return packed.Bytes()
}
