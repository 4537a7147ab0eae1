package middleware

import (
	"io"
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// memoryPerByte is the memory that a byte of a body takes, about: in the buffer that it is read
// into, and in the variables that it is decoded into.
const memoryPerByte = 4

// ShareMemory gives the request a share of the memory, which it holds until its response has been
// written. A nil memory has no limit.
func ShareMemory(memory *engine.Memory) Middleware {
	return func(next http.Handler) http.Handler {
		if memory == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, c := request.Attach(r)
			c.Memory.Memory = memory
			defer c.Memory.Release()
			if r.ContentLength != 0 {
				r.Body = &reservingBody{r.Body, c}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// reservingBody reserves the memory for a body as it arrives.
type reservingBody struct {
	io.ReadCloser
	c *request.Context
}

// Read implements io.Reader.
func (b *reservingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		if refused := b.c.Memory.Reserve(b.c, int64(n)*memoryPerByte); refused != nil {
			return 0, refused
		}
	}
	return n, err
}
