package front

import "sync"

const (
	smallBuffer = 4 << 10
	// largeBuffer is the largest that is kept: one huge answer shall not hold memory for
	// all the small ones.
	largeBuffer = 1 << 20
)

// buffers are what answers are written into. One belongs to one request from take to give,
// so that no caller's bytes get into another's answer. The zero value is ready for use, by
// many at a time.
type buffers struct{ pool sync.Pool }

func (p *buffers) take() []byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 0, smallBuffer)
}

// give takes a buffer back when its answer has been written.
func (p *buffers) give(b []byte) {
	if cap(b) >= smallBuffer && cap(b) <= largeBuffer {
		b = b[:0]
		p.pool.Put(&b)
	}
}
