package front

import (
	"context"
	"net/http"
	"time"
)

// requestContext is the context of one request. What the steps add goes inside of it, so
// that they need not copy the request for each thing they know: it is the goroutine's that
// serves the request, and not changed any more once an operation runs.
type requestContext struct {
	context.Context
	begun  time.Time
	record record
}

// contextOf is the context of a request that nameRequest has let pass.
func contextOf(r *http.Request) *requestContext { return r.Context().(*requestContext) }

// Value implements context.Context.
func (c *requestContext) Value(key any) any {
	if key == (recordKey{}) {
		return &c.record
	}
	return c.Context.Value(key)
}
