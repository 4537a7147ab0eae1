// Package buffer keeps the memory of requests' bodies and of responses for later requests.
package buffer

import (
	"io"
	"net/http"
	"sync"
)

const (
	minSize = 4 << 10
	// maxSize is the size of the largest buffer that is kept, in bytes, so that one huge
	// response does not hold memory for all the small ones.
	maxSize = 4 << 20
)

// Buffer holds the body of a request, and after that the data of its response. It belongs to
// one request from Get to Put, so that no caller's bytes get into another caller's response.
type Buffer struct{ Bytes []byte }

// Fill reads r to its end, from the buffer's beginning on.
func (b *Buffer) Fill(r io.Reader) error {
	for b.Bytes = b.Bytes[:0]; ; {
		if len(b.Bytes) == cap(b.Bytes) {
			b.Bytes = append(b.Bytes, 0)[:len(b.Bytes)]
		}
		n, err := r.Read(b.Bytes[len(b.Bytes):cap(b.Bytes)])
		b.Bytes = b.Bytes[:len(b.Bytes)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Holds reports whether data are the buffer's bytes, and not a copy of them.
func (b *Buffer) Holds(data []byte) bool {
	return len(data) > 0 && len(data) == len(b.Bytes) && &data[0] == &b.Bytes[0]
}

// Pool keeps unused buffers. The zero value is ready for use. It is safe for concurrent use.
type Pool struct{ pool sync.Pool }

// Get returns a buffer that nothing else uses.
func (p *Pool) Get() *Buffer {
	if b, ok := p.pool.Get().(*Buffer); ok {
		return b
	}
	return &Buffer{make([]byte, 0, minSize)}
}

// Put keeps b for a later request. Nothing may read or write its bytes after that.
func (p *Pool) Put(b *Buffer) {
	if cap(b.Bytes) >= minSize && cap(b.Bytes) <= maxSize {
		p.pool.Put(b)
	}
}

// IsReusable reports whether memory may be written again as soon as it has been written to the
// response to r. Over HTTP/2 it may not: when the client resets the stream, net/http returns
// from Write although the frame may still be on its way to the connection, with the bytes that
// the memory has then.
func IsReusable(r *http.Request) bool { return r.ProtoMajor < 2 }
