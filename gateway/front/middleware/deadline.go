package middleware

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// Deadline bounds the time of a request, from its headers to its response. The context has the
// deadline, so that calls to services end with it.
func Deadline(timeout time.Duration) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, c := request.Attach(r)
			d := &deadlineContext{Context: c.Context, deadline: c.Start.Add(timeout)}
			defer d.cancel()
			c.Context = d
			next.ServeHTTP(w, r)
		})
	}
}

// WriteDeadline bounds the time from a request's headers to the end of its response, in the place of
// the server's WriteTimeout, which cannot change while it serves.
func WriteDeadline(timeout time.Duration) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, c := request.Attach(r)
			_ = http.NewResponseController(w).SetWriteDeadline(c.Start.Add(timeout)) // not supported in tests without a connection
			next.ServeHTTP(w, r)
		})
	}
}

// deadlineContext is like the context of context.WithDeadline, but starts its timer only when
// Done is called first. An operation without calls to services never calls it, and starting and
// stopping a timer takes longer than such an operation.
type deadlineContext struct {
	context.Context // the parent
	deadline        time.Time

	once     sync.Once
	timer    atomic.Pointer[timerContext] // nil until it is started
	canceled atomic.Bool
}

// timerContext is the context that has the timer.
type timerContext struct {
	context.Context
	cancel context.CancelFunc
}

// cancel ends the context.
func (d *deadlineContext) cancel() {
	d.canceled.Store(true)
	if t := d.timer.Load(); t != nil {
		t.cancel()
	}
}

// start starts the timer if it has not been started.
func (d *deadlineContext) start() *timerContext {
	d.once.Do(func() {
		t := &timerContext{}
		t.Context, t.cancel = context.WithDeadline(d.Context, d.deadline)
		d.timer.Store(t)
		if d.canceled.Load() { // by a cancel that ran before t was stored
			t.cancel()
		}
	})
	return d.timer.Load()
}

// Deadline implements context.Context.
func (d *deadlineContext) Deadline() (time.Time, bool) {
	if sooner, ok := d.Context.Deadline(); ok && sooner.Before(d.deadline) {
		return sooner, true
	}
	return d.deadline, true
}

// Done implements context.Context.
func (d *deadlineContext) Done() <-chan struct{} { return d.start().Done() }

// Err implements context.Context.
func (d *deadlineContext) Err() error {
	if d.timer.Load() == nil && !d.canceled.Load() && time.Now().Before(d.deadline) {
		return d.Context.Err()
	}
	return d.start().Err()
}

// Value implements context.Context. It uses the context with the timer if there is one: package
// context recognizes its own contexts by a value, and starts a goroutine for each child of any
// other context.
func (d *deadlineContext) Value(key any) any {
	if t := d.timer.Load(); t != nil {
		return t.Value(key)
	}
	return d.Context.Value(key)
}
