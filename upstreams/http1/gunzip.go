package http1

import (
	"bufio"
	"compress/gzip"
	"sync"
)

// gunzipBody is the body of a response that is decompressed while it is read.
type gunzipBody struct {
	body *exchange
	z    *gunzip // nil before the first Read and after the last
	err  error   // returned by further Reads
}

// gunzip is the memory of a decompression. It is pooled.
type gunzip struct {
	in  *bufio.Reader
	out gzip.Reader
}

var gunzips = sync.Pool{New: func() any { return &gunzip{in: bufio.NewReader(nil)} }}

// Read decompresses. gzip.Reader returns io.EOF only after it has read the end of the body
// below, so that the connection is returned to the pool by then.
func (b *gunzipBody) Read(p []byte) (n int, err error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.z == nil {
		b.z = gunzips.Get().(*gunzip)
		b.z.in.Reset(b.body)
		err = b.z.out.Reset(b.z.in)
	}
	if err == nil {
		n, err = b.z.out.Read(p)
	}
	if err != nil {
		b.free(err)
	}
	return n, err
}

// free returns the memory to the pool. Only Read calls it, and never Close, which may run
// concurrently.
func (b *gunzipBody) free(err error) {
	b.err = err
	b.z.in.Reset(nil)
	gunzips.Put(b.z)
	b.z = nil
}

// Close closes the body below.
func (b *gunzipBody) Close() error { return b.body.Close() }
