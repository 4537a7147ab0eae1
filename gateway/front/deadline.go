package front

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// deadlineContext is context.WithDeadline that sets its timer when somebody first waits for
// the end. An operation that calls no service does not, and is over before a timer would
// have been set.
type deadlineContext struct {
	context.Context // the parent
	at              time.Time

	once  sync.Once
	timed atomic.Pointer[timed] // nil until somebody waits
	over  atomic.Bool
}

// timed is the context that has the timer.
type timed struct {
	context.Context
	cancel context.CancelFunc
}

// end cancels the context.
func (d *deadlineContext) end() {
	d.over.Store(true)
	if t := d.timed.Load(); t != nil {
		t.cancel()
	}
}

// start sets the timer, if that has not been done.
func (d *deadlineContext) start() *timed {
	d.once.Do(func() {
		t := &timed{}
		t.Context, t.cancel = context.WithDeadline(d.Context, d.at)
		d.timed.Store(t)
		if d.over.Load() { // which end may have set before it could see t
			t.cancel()
		}
	})
	return d.timed.Load()
}

// Deadline implements context.Context.
func (d *deadlineContext) Deadline() (time.Time, bool) {
	if sooner, ok := d.Context.Deadline(); ok && sooner.Before(d.at) {
		return sooner, true
	}
	return d.at, true
}

// Done implements context.Context.
func (d *deadlineContext) Done() <-chan struct{} { return d.start().Done() }

// Err implements context.Context.
func (d *deadlineContext) Err() error {
	if d.timed.Load() == nil && !d.over.Load() && time.Now().Before(d.at) {
		return d.Context.Err()
	}
	return d.start().Err()
}

// Value implements context.Context. It asks the context with the timer, since package
// context knows its own by a value of theirs, and has others watched by a goroutine each.
func (d *deadlineContext) Value(key any) any {
	if t := d.timed.Load(); t != nil {
		return t.Value(key)
	}
	return d.Context.Value(key)
}
