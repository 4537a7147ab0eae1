// Package request has what the front knows of an HTTP request: its context, its entry in the
// access log, and the parameters of the GraphQL operation in its body or URL.
//
// It promises that one operation is read the same by every reader: members of one name, halves
// of surrogate pairs and text that is not UTF-8 are refused (RFC 8259), and no error repeats
// what the client sent.
package request

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
)

// HeaderID is the name of the header with the request's id, as net/http writes it.
const HeaderID = "X-Request-Id"

// Context is the context of one request. Middleware replaces the embedded context to add
// values, so that the request need not be copied for each of them. The handler's goroutine
// alone may do that, and only before the operation runs: the operation may keep the Context.
type Context struct {
	context.Context
	Start time.Time // when the front received the request's headers
	Log   LogEntry
	// Caller is who sends the request, once the middleware Identify has run.
	Caller caller.Caller
	// Uncompressed is whether the response must not be compressed, whatever the client accepts.
	Uncompressed bool
	// Draining reports whether the server stops, so that the response has to end the connection.
	// Nil means that it does not.
	Draining *atomic.Bool
	// Memory is what the request holds of the memory that all requests share.
	Memory engine.MemoryShare

	client context.Context // the server's; it ends when the client disconnects
}

// Attach returns the Context of r, with the request that carries it. If r has none yet, both
// are new, so that a middleware may stand anywhere in the chain.
func Attach(r *http.Request) (*http.Request, *Context) {
	if c, ok := r.Context().(*Context); ok {
		return r, c
	}
	c := NewContext(r.Context(), "")
	return r.WithContext(c), c
}

// NewContext returns the Context of a request with an id that begins now.
func NewContext(ctx context.Context, id string) *Context {
	return &Context{Context: ctx, client: ctx, Start: time.Now(), Log: LogEntry{ID: id}}
}

// Canceled returns a channel that is closed when the client disconnects. Unlike Done it does
// not wait for the deadline, and so needs no timer.
func (c *Context) Canceled() <-chan struct{} { return c.client.Done() }

// Snapshot returns a context that may be kept: it has the values that c has now, and those
// that middleware adds later are not in it.
func (c *Context) Snapshot() context.Context {
	return context.WithValue(c.Context, logEntryKey{}, &c.Log)
}

// Value implements context.Context.
func (c *Context) Value(key any) any {
	switch key.(type) {
	case logEntryKey:
		return &c.Log
	case engine.MemoryShareKey:
		return &c.Memory
	case callerKey:
		return &c.Caller
	}
	return c.Context.Value(key)
}

type callerKey struct{}

// CallerOf returns who sends the request that ctx belongs to. Outside of requests it is an anonymous
// caller without an address, so that the result is never nil. It must not be changed.
func CallerOf(ctx context.Context) *caller.Caller {
	if c, ok := ctx.Value(callerKey{}).(*caller.Caller); ok && c.Class != "" {
		return c
	}
	return &unknownCaller
}

var unknownCaller = caller.Caller{Class: caller.Anonymous}
