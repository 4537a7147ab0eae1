// Package coalesce lets concurrent callers that need the same result share one run of the work.
//
// It is like golang.org/x/sync/singleflight, with cancellation:
//
//   - A run goes on when the caller that started it leaves, as long as another caller waits for
//     it. When the last one leaves, the run is cancelled.
//   - A caller waits no longer than its own context lasts. If the deadline of the run is not after
//     that of the caller, it waits up to a second more, so that the run can return its own error.
//   - A panic of a run becomes the error of all its callers.
//   - No result is kept. A caller that comes after a run has ended starts another one.
package coalesce

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Group is a set of runs that callers can join by key. The zero value is ready for use. A Group is
// safe for concurrent use.
//
// A run passes through these states:
//
//  1. Joinable. Do starts a run with one caller and enters it into calls, where other callers find
//     it. It has a goroutine and a context of its own.
//  2. Abandoned, if all callers leave before it ends. The last one to leave removes the run from
//     calls, so that no caller joins a run that is about to be cancelled, and then cancels its
//     context. A new caller starts another run with the same key, even if the abandoned one has not
//     returned yet.
//  3. Finished, when its function has returned. It is removed from calls, its context is cancelled,
//     and its callers get the value.
//
// A finished value is released when no caller uses it any more: by the last call of Share.Done, or,
// after an abandoned run, by the run itself.
type Group[V any] struct {
	// Release, if not nil, is called once with the value of each run that did not fail, when its
	// last caller has called Done. It must be set before the first call of Do.
	Release func(V)

	mu      sync.Mutex
	calls   map[string]*call[V] // joinable runs by key; guarded by mu
	running int                 // number of runs that have not ended, abandoned ones too; guarded by mu
	idle    chan struct{}       // closed when running becomes 0, nil unless Wait waits; guarded by mu
}

// call is one run.
type call[V any] struct {
	group    *Group[V]
	key      string
	deadline time.Time // of its context, zero for none
	cancel   context.CancelFunc

	callers int  // number of callers that have neither left nor called Done; guarded by group.mu
	done    bool // value and err are set; guarded by group.mu

	finished chan struct{} // closed when value and err are set; they do not change afterwards
	value    V
	err      error
}

// Share is one caller's share in the result of a run.
type Share[V any] struct {
	// Value is the result of the run. All of its callers have the same one, so it must not be
	// modified.
	Value V
	// Joined reports whether another caller started the run.
	Joined bool

	call *call[V]
}

// Done ends the caller's use of the value. It must be called exactly once.
func (s Share[V]) Done() { s.call.leave() }

// PanicError is the error of a run that panicked.
type PanicError struct {
	Value any    // the value of the panic
	Stack []byte // the stack of the run's goroutine
}

func (p *PanicError) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

// errNoReturn is the error of a run that called runtime.Goexit.
var errNoReturn = errors.New("the run ended its goroutine without returning")

// Do joins the run that another caller has started with the same key, or starts run, and returns its
// result. The error is that of the run, or that of ctx if ctx ends first. If it is nil, Done of the
// share must be called.
//
// The context of a run has the values of its first caller's context, but neither its cancellation
// nor its deadline: it ends at the given deadline, unless that is zero, or when all callers have
// left. A run must not use memory that its first caller reuses after Do has returned.
//
// If the deadline of the run is not after that of ctx, and ctx has a method
// Canceled() <-chan struct{}, Do waits for that channel instead of ctx.Done. The channel must be
// closed when ctx ends for another reason than its deadline. This saves the timer of a context
// whose Done starts one.
func (g *Group[V]) Do(ctx context.Context, key []byte, deadline time.Time, run func(context.Context) (V, error)) (Share[V], error) {
	if err := ctx.Err(); err != nil {
		return Share[V]{}, err
	}
	c, joined := g.join(ctx, key, deadline, run)
	switch {
	case !c.wait(ctx):
		c.leave()
		return Share[V]{Joined: joined}, ctx.Err()
	case c.err != nil:
		c.leave()
		return Share[V]{Joined: joined}, c.err
	}
	return Share[V]{Value: c.value, Joined: joined, call: c}, nil
}

// join adds a caller to the joinable run with the key, or starts one.
func (g *Group[V]) join(ctx context.Context, key []byte, deadline time.Time, run func(context.Context) (V, error)) (c *call[V], joined bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c = g.calls[string(key)]; c != nil {
		c.callers++
		return c, true
	}
	c = &call[V]{group: g, key: string(key), deadline: deadline, callers: 1, finished: make(chan struct{})}
	if g.calls == nil {
		g.calls = map[string]*call[V]{}
	}
	g.calls[c.key] = c
	g.running++
	detached := context.WithoutCancel(ctx)
	if deadline.IsZero() {
		detached, c.cancel = context.WithCancel(detached)
	} else {
		detached, c.cancel = context.WithDeadline(detached, deadline)
	}
	go c.execute(detached, run)
	return c, false
}

// execute calls run and finishes the call, also when run panics or ends its goroutine.
func (c *call[V]) execute(ctx context.Context, run func(context.Context) (V, error)) {
	defer c.group.runEnded()
	defer c.finish()
	defer func() {
		if value := recover(); value != nil {
			c.err = &PanicError{value, debug.Stack()}
		}
	}()
	c.err = errNoReturn // stays if run does not return
	c.value, c.err = run(ctx)
}

// finish hands the result to the callers, or releases it if the run was abandoned.
func (c *call[V]) finish() {
	g := c.group
	g.mu.Lock()
	if g.calls[c.key] == c { // otherwise the run was abandoned, and another one may have the key
		delete(g.calls, c.key)
	}
	c.done = true
	abandoned := c.callers == 0
	g.mu.Unlock()
	c.cancel()
	close(c.finished)
	if abandoned {
		c.release()
	}
}

// wait waits until the run is finished or the caller leaves. It reports whether the run is finished.
func (c *call[V]) wait(ctx context.Context) bool {
	endsFirst := c.endsNoLaterThan(ctx)
	select {
	case <-c.finished:
		return true
	case <-left(ctx, endsFirst):
	}
	return endsFirst && errors.Is(ctx.Err(), context.DeadlineExceeded) && c.finishesWithin(finishGrace)
}

// finishGrace is how long a caller whose deadline has passed waits for a run whose deadline has
// passed as well.
const finishGrace = time.Second

func (c *call[V]) finishesWithin(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.finished:
		return true
	case <-timer.C:
		return false
	}
}

// endsNoLaterThan reports whether both the run and ctx have deadlines, and that of the run is not
// after that of ctx. When the caller's deadline passes, such a run is about to return an error that
// says more than that the deadline has passed.
func (c *call[V]) endsNoLaterThan(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && !c.deadline.IsZero() && !c.deadline.After(deadline)
}

// left returns the channel that is closed when the caller does not wait any more. See Do for
// Canceled.
func left(ctx context.Context, endsFirst bool) <-chan struct{} {
	if c, ok := ctx.(interface{ Canceled() <-chan struct{} }); ok && endsFirst {
		return c.Canceled()
	}
	return ctx.Done()
}

// leave removes one caller. The last one releases a finished value, or cancels an unfinished run,
// which cannot be joined from then on.
func (c *call[V]) leave() {
	g := c.group
	g.mu.Lock()
	c.callers--
	last, done := c.callers == 0, c.done
	if last && !done {
		delete(g.calls, c.key)
	}
	g.mu.Unlock()
	switch {
	case !last:
	case done:
		c.release()
	default:
		c.cancel()
	}
}

func (c *call[V]) release() {
	if c.err == nil && c.group.Release != nil {
		c.group.Release(c.value)
	}
}

func (g *Group[V]) runEnded() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running--; g.running == 0 && g.idle != nil {
		close(g.idle)
		g.idle = nil
	}
}

// Wait waits until all runs have ended, including abandoned ones. It returns the error of ctx if
// ctx ends first.
func (g *Group[V]) Wait(ctx context.Context) error {
	g.mu.Lock()
	if g.running == 0 {
		g.mu.Unlock()
		return nil
	}
	if g.idle == nil {
		g.idle = make(chan struct{})
	}
	idle := g.idle
	g.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
