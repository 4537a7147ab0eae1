package front

import (
	"io"
	"net/http"
	"sync"
)

const (
	smallBuffer = 4 << 10
	// largeBuffer is the largest that is kept: one huge answer shall not hold memory for
	// all the small ones.
	largeBuffer = 4 << 20
)

// buffer is what a request's body is read into, and after that its answer written. It
// belongs to one request from take to give, so that no caller's bytes get into another's
// answer.
type buffer struct{ bytes []byte }

// readFrom reads all that there is, from the buffer's beginning.
func (b *buffer) readFrom(r io.Reader) error {
	for b.bytes = b.bytes[:0]; ; {
		if len(b.bytes) == cap(b.bytes) {
			b.bytes = append(b.bytes, 0)[:len(b.bytes)]
		}
		n, err := r.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// holds tells whether the data is what the buffer holds.
func (b *buffer) holds(data []byte) bool {
	return len(data) > 0 && len(data) == len(b.bytes) && &data[0] == &b.bytes[0]
}

// buffers are those that nobody uses. The zero value is ready for use, by many at a time.
type buffers struct{ pool sync.Pool }

func (p *buffers) take() *buffer {
	if b, ok := p.pool.Get().(*buffer); ok {
		return b
	}
	return &buffer{make([]byte, 0, smallBuffer)}
}

// rewritable tells whether memory may be written again as soon as it has been given to the
// answer to r. Over HTTP/2, net/http returns from a Write when the client resets the stream,
// though the frame may still be on its way to the connection, with what lies in the memory then.
func rewritable(r *http.Request) bool { return r.ProtoMajor < 2 }

// give takes a buffer back when its answer has been written.
func (p *buffers) give(b *buffer) {
	if cap(b.bytes) >= smallBuffer && cap(b.bytes) <= largeBuffer {
		p.pool.Put(b)
	}
}
