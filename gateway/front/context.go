package front

import (
	"context"
	"net/http"
	"time"
)

// requestContext is the context of one request. What the steps add goes inside of it, so
// that they need not copy the request for each thing they know. Until the last of them has,
// it is for nobody but the goroutine that serves the request; an operation may keep it.
type requestContext struct {
	context.Context
	client context.Context // ends when the client has gone; it is that of the server
	begun  time.Time
	record record
}

// Canceled is closed when the client has gone. To wait for that alone, and not for the
// deadline, takes no timer.
func (c *requestContext) Canceled() <-chan struct{} { return c.client.Done() }

// asItIs is for others than steps, who may keep it: what is added later is not in it.
func (c *requestContext) asItIs() context.Context {
	return context.WithValue(c.Context, recordKey{}, &c.record)
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
