// Package admission bounds how many operations are executed at the same time.
//
// It promises that an operation waits for its turn no longer than the settings allow, in the order
// of arrival, and that what is refused is refused before anything of it was executed. The bound
// adapts to the processors: while goroutines wait long for a processor, fewer operations run.
package admission

import (
	"context"
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// The defaults of Options. Those of MaxOperations and MaxQueued are for each processor that the
// program may use (GOMAXPROCS).
const (
	DefaultOperationsPerProcessor = 512
	DefaultQueuedPerProcessor     = 1024
	DefaultMaxWait                = time.Second
	// DefaultMaxBytes is the default of MaxBytes without a memory limit.
	DefaultMaxBytes = 512 << 20
)

// shareOfMemory is the part of Go's memory limit that is the default of MaxBytes. The oldest
// operation may exceed MaxBytes to its double, the estimates may be too low by half, and the
// collector needs room.
const shareOfMemory = 6

// Options bound what is executed at the same time.
type Options struct {
	// MaxOperations is how many operations are executed at the same time. Further ones wait. While
	// the processors are busy, fewer are executed, so that health checks stay fast: down to 8 for
	// each processor. Default 512 for each processor (GOMAXPROCS); negative is no limit.
	MaxOperations int `yaml:"maxOperations"`
	// MaxQueued is how many operations wait. Further ones are refused with the status 503 and the
	// code OVERLOADED. Default 1,024 for each processor; negative lets none wait.
	MaxQueued int `yaml:"maxQueued"`
	// MaxWait is how long an operation waits for its turn, or for memory, before it is refused.
	// Default 1s.
	MaxWait time.Duration `yaml:"maxWait"`
	// MaxBytes is how much memory all requests may hold together for their bodies, the services'
	// responses and their own responses, in bytes and as an estimate. Beyond it, requests wait, and
	// are refused with the code OVERLOADED. Default a sixth of Go's memory limit (GOMEMLIMIT, or
	// nine tenths of the container's memory), or 512 MB without one; negative is no limit.
	MaxBytes int64 `yaml:"maxBytes"`
}

func (o Options) withDefaults() Options {
	processors := runtime.GOMAXPROCS(0)
	if o.MaxOperations == 0 {
		o.MaxOperations = DefaultOperationsPerProcessor * processors
	}
	switch {
	case o.MaxQueued == 0:
		o.MaxQueued = DefaultQueuedPerProcessor * processors
	case o.MaxQueued < 0:
		o.MaxQueued = 0
	}
	if o.MaxWait <= 0 {
		o.MaxWait = DefaultMaxWait
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
		if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
			o.MaxBytes = limit / shareOfMemory
		}
	}
	return o
}

// NewMemory returns the memory that requests share; nil without a limit.
func (o Options) NewMemory() *engine.Memory {
	o = o.withDefaults()
	if o.MaxBytes < 0 {
		return nil
	}
	return engine.NewMemory(o.MaxBytes, o.MaxWait)
}

// Limiter bounds the operations that run. A nil Limiter has no bound. It is safe for concurrent use.
type Limiter struct {
	options Options
	pace    pace

	mu      sync.Mutex
	running int     // guarded by mu
	first   *waiter // in the order of arrival; guarded by mu
	last    *waiter // guarded by mu
	queued  int     // the length of that list; guarded by mu
	refused int64   // guarded by mu
}

// waiter is an operation that waits for its turn.
type waiter struct {
	turn       chan struct{} // closed when the operation may run
	prev, next *waiter
}

// New returns a limiter. It starts no goroutine.
func New(o Options) *Limiter {
	o = o.withDefaults()
	return &Limiter{options: o, pace: newPace(o.MaxOperations)}
}

// Stats are the state of a Limiter.
type Stats struct {
	Running int   // operations that are executed
	Queued  int   // operations that wait
	Limit   int   // how many may be executed now; 0 without a limit
	Refused int64 // operations that were refused, since the start
}

// Stats returns the state of the limiter.
func (l *Limiter) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{Running: l.running, Queued: l.queued, Limit: max(l.pace.limit, 0), Refused: l.refused}
}

// Acquire waits until the operation may be executed. If it returns nil, Release must be called.
// Its error is a fault with the code fault.Overloaded, or that of ctx if that ends first.
func (l *Limiter) Acquire(ctx context.Context) error {
	if l == nil {
		return nil
	}
	w, err := l.enter()
	if w == nil {
		return err
	}
	timer := time.NewTimer(l.options.MaxWait)
	defer timer.Stop()
	select {
	case <-w.turn:
		return nil
	case <-timer.C:
		return l.leave(w, nil)
	case <-ctx.Done():
		return l.leave(w, ctx.Err())
	}
}

// errOverloaded returns the error of an operation that is refused.
func errOverloaded() error {
	return fault.New(fault.Overloaded, "the gateway is busy; try again later")
}

// enter has the operation run, refuses it, or returns its place in the queue.
func (l *Limiter) enter() (*waiter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch limit := l.pace.adjust(l.running); {
	case limit < 0 || l.running < limit && l.queued == 0:
		l.running++
		return nil, nil
	case l.queued >= l.options.MaxQueued:
		l.refused++
		return nil, errOverloaded()
	}
	w := &waiter{turn: make(chan struct{}), prev: l.last}
	if l.last != nil {
		l.last.next = w
	} else {
		l.first = w
	}
	l.last = w
	l.queued++
	l.admit() // the limit may have risen
	return w, nil
}

// leave ends the wait of w. Without err, the time to wait is over, and w is refused, unless it
// got its turn at this moment.
func (l *Limiter) leave(w *waiter, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-w.turn:
		if err != nil {
			l.running--
			l.admit()
		}
		return err
	default:
	}
	l.remove(w)
	if err == nil {
		l.refused++
		err = errOverloaded()
	}
	return err
}

// Release ends an operation for which Acquire returned nil.
func (l *Limiter) Release() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
	if l.queued > 0 {
		l.pace.adjust(l.running)
		l.admit()
	}
}

// admit has those that have waited longest run. The caller holds l.mu.
func (l *Limiter) admit() {
	for l.first != nil && l.running < l.pace.limit {
		w := l.first
		l.remove(w)
		l.running++
		close(w.turn)
	}
}

// remove takes w out of the queue. The caller holds l.mu.
func (l *Limiter) remove(w *waiter) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		l.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		l.last = w.prev
	}
	l.queued--
}
