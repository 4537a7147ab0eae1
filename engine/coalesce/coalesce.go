// Package flight lets callers who want the same at the same time share one run of the work.
//
// It promises that a run goes on when the caller who began it has left, as long as anybody
// waits for it, and is cancelled when nobody does; that no caller waits longer than its own
// context lasts, or a second more where the run is to end at the same time; that what a run throws becomes the error of all its callers; and that
// nothing is kept: who comes when a run has ended begins another.
package coalesce

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Group are the runs whose callers may meet. The zero value is ready for use, by many at a
// time.
type Group[V any] struct {
	// Release, if set, gets the value of each run that did not fail, once, when the last of
	// its callers is done with it. It is set before the first call.
	Release func(V)

	mu      sync.Mutex
	calls   map[string]*call[V] // those that may still be joined, by key; guarded by mu
	running int                 // those whose run has not ended; guarded by mu
	idle    chan struct{}       // closed when none runs; nil when nobody waits for that; guarded by mu
}

// call is one run.
type call[V any] struct {
	group  *Group[V]
	key    string
	until  time.Time // its deadline, zero for none
	cancel context.CancelFunc

	callers int  // who have not left; guarded by group.mu
	done    bool // value and err are there; guarded by group.mu

	finished chan struct{} // closed when value and err are there
	value    V
	err      error
}

// Share is a caller's part in a run.
type Share[V any] struct {
	// Value is what the run gave. All of its callers have the same one, so it is only read.
	Value V
	// Joined tells that another caller had begun the run.
	Joined bool

	call *call[V]
}

// Done says that this caller will not use the value any more. It is called once.
func (s Share[V]) Done() { s.call.leave() }

// PanicError is the error of a run that panicked.
type PanicError struct {
	Value any
	Stack []byte
}

func (p *PanicError) Error() string { return fmt.Sprintf("panic: %v", p.Value) }

var errNoReturn = errors.New("the run ended its goroutine and did not return")

// Do gives what run returns, or joins the one that another caller has begun under the same
// key. A run has the values of its first caller's context and nothing else of it, and ends
// until the time given, if any. The error is the run's, or that of ctx. Without an error,
// Done of the share must be called.
//
// A run must not touch what belongs to its first caller, who may have gone.
//
// A ctx with a method Canceled() <-chan struct{} is waited on by that channel, which is closed
// when ctx ends by anything but its deadline, where the run's time ends no later than that.
// For a context whose Done sets a timer, that saves it.
func (g *Group[V]) Do(ctx context.Context, key []byte, until time.Time, run func(context.Context) (V, error)) (Share[V], error) {
	if err := ctx.Err(); err != nil {
		return Share[V]{}, err
	}
	f, joined := g.join(ctx, key, until, run)
	switch {
	case !f.wait(ctx):
		f.leave()
		return Share[V]{Joined: joined}, ctx.Err()
	case f.err != nil:
		f.leave()
		return Share[V]{Joined: joined}, f.err
	}
	return Share[V]{Value: f.value, Joined: joined, call: f}, nil
}

// join finds the flight to a key, or starts one.
func (g *Group[V]) join(ctx context.Context, key []byte, until time.Time, run func(context.Context) (V, error)) (f *call[V], joined bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f = g.calls[string(key)]; f != nil {
		f.callers++
		return f, true
	}
	f = &call[V]{group: g, key: string(key), until: until, callers: 1, finished: make(chan struct{})}
	if g.calls == nil {
		g.calls = map[string]*call[V]{}
	}
	g.calls[f.key] = f
	g.running++
	detached := context.WithoutCancel(ctx)
	if until.IsZero() {
		detached, f.cancel = context.WithCancel(detached)
	} else {
		detached, f.cancel = context.WithDeadline(detached, until)
	}
	go f.execute(detached, run)
	return f, false
}

// execute runs, and lands however the run ends.
func (f *call[V]) execute(ctx context.Context, run func(context.Context) (V, error)) {
	defer f.group.runEnded()
	defer f.finish()
	defer func() {
		if thrown := recover(); thrown != nil {
			f.err = &PanicError{thrown, debug.Stack()}
		}
	}()
	f.err = errNoReturn
	f.value, f.err = run(ctx)
}

// finish hands the result to those who wait.
func (f *call[V]) finish() {
	g := f.group
	g.mu.Lock()
	if g.calls[f.key] == f { // not when all had left, and another one has begun
		delete(g.calls, f.key)
	}
	f.done = true
	unwanted := f.callers == 0
	g.mu.Unlock()
	f.cancel()
	close(f.finished)
	if unwanted {
		f.release()
	}
}

// wait tells whether the flight landed before ctx ended.
func (f *call[V]) wait(ctx context.Context) bool {
	over := f.endsBefore(ctx)
	select {
	case <-f.finished:
		return true
	case <-left(ctx, over):
	}
	return over && errors.Is(ctx.Err(), context.DeadlineExceeded) && f.finishesWithin(grace)
}

// grace is how long a caller whose time is over waits for a run whose time is over, too.
const grace = time.Second

func (f *call[V]) finishesWithin(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-f.finished:
		return true
	case <-timer.C:
		return false
	}
}

// endsBefore tells whether the run's time is over when that of the caller is: the run is
// about to land then, and may know more than that.
func (f *call[V]) endsBefore(ctx context.Context) bool {
	own, ok := ctx.Deadline()
	return ok && !f.until.IsZero() && !f.until.After(own)
}

// left is closed when a caller will not wait any more.
func left(ctx context.Context, over bool) <-chan struct{} {
	if c, ok := ctx.(interface{ Canceled() <-chan struct{} }); ok && over {
		return c.Canceled()
	}
	return ctx.Done()
}

// leave is the end of the flight for one of its callers. The last one cancels what still
// runs, which nobody can join any more.
func (f *call[V]) leave() {
	g := f.group
	g.mu.Lock()
	f.callers--
	last, down := f.callers == 0, f.done
	if last && !down {
		delete(g.calls, f.key)
	}
	g.mu.Unlock()
	switch {
	case !last:
	case down:
		f.release()
	default:
		f.cancel()
	}
}

func (f *call[V]) release() {
	if f.err == nil && f.group.Release != nil {
		f.group.Release(f.value)
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

// Wait waits until no run is left, also of those that were cancelled, or until ctx ends,
// whose error it gives then.
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
