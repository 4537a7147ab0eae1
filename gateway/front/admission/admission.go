// Package admission bounds how many operations are executed at the same time.
//
// It promises that an operation waits for its turn no longer than the settings allow, in the order
// of arrival, and that what is refused is refused before anything of it was executed.
package admission

import (
	"container/list"
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
// program may use (GOMAXPROCS): operations that wait 100 ms for services keep a processor busy, and
// health checks still find it within some 100 ms.
const (
	DefaultOperationsPerProcessor = 128
	DefaultQueuedPerProcessor     = 2048
	DefaultMaxWait                = 5 * time.Second
	// DefaultMaxBytes is the default of MaxBytes without a memory limit.
	DefaultMaxBytes = 512 << 20
)

// shareOfMemory is the part of Go's memory limit that is the default of MaxBytes. The oldest
// operation may exceed MaxBytes to its double, the estimates may be too low by half, and the
// collector needs room.
const shareOfMemory = 6

// Options bound what is executed at the same time.
type Options struct {
	// MaxOperations is how many operations are executed at the same time. Further ones wait. More
	// may be right for services that are slower than 100 ms, and fewer make health checks faster
	// under load. Default 128 for each processor (GOMAXPROCS); negative is no limit.
	MaxOperations int `yaml:"maxOperations"`
	// MaxQueued is how many operations wait. Further ones are refused with the status 503 and the
	// code OVERLOADED. Default 2,048 for each processor; negative lets none wait.
	MaxQueued int `yaml:"maxQueued"`
	// MaxWait is how long an operation waits for its turn, or for memory, before it is refused.
	// Default 5s.
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

// NewMemory returns the memory that requests share.
func (o Options) NewMemory() *engine.Memory {
	o = o.withDefaults()
	return engine.NewMemory(o.MaxBytes, o.MaxWait)
}

// SetMemory gives the memory that requests share the limits of o.
func (o Options) SetMemory(m *engine.Memory) {
	o = o.withDefaults()
	m.SetLimit(o.MaxBytes, o.MaxWait)
}

// Limiter bounds the operations that run. A nil Limiter has no bound. It is safe for concurrent use.
type Limiter struct {
	mu      sync.Mutex
	options Options   // guarded by mu
	running int       // more than the bound after a bound was lowered; guarded by mu
	queue   list.List // of chan struct{}, each closed when its operation may run; not empty only if running is at least the bound; guarded by mu
	refused int64     // guarded by mu
}

// New returns a limiter. It starts no goroutine.
func New(o Options) *Limiter { return &Limiter{options: o.withDefaults()} }

// SetOptions replaces the options. Operations that run go on, and those that wait get their turn by the
// new bounds; how long they wait stays as it was. None is refused because the queue has become shorter.
func (l *Limiter) SetOptions(o Options) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.options = o.withDefaults()
	l.passTurns()
}

// Stats are the state of a Limiter.
type Stats struct {
	Running int   // operations that are executed
	Queued  int   // operations that wait
	Limit   int   // how many may be executed at the same time; 0 without a limit
	Refused int64 // operations that were refused, since the start
}

// Stats returns the state of the limiter.
func (l *Limiter) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{Running: l.running, Queued: l.queue.Len(), Limit: max(l.options.MaxOperations, 0), Refused: l.refused}
}

// Acquire waits until the operation may be executed. If it returns nil, Release must be called.
// Its error is a fault with the code fault.Overloaded, or that of ctx if that ends first.
func (l *Limiter) Acquire(ctx context.Context) error {
	if l == nil {
		return nil
	}
	place, maxWait, err := l.enter()
	if place == nil {
		return err
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-turn(place):
		return nil
	case <-timer.C:
		return l.leave(place, nil)
	case <-ctx.Done():
		return l.leave(place, ctx.Err())
	}
}

// turn returns the channel that is closed when the operation at a place of the queue may run.
func turn(place *list.Element) chan struct{} { return place.Value.(chan struct{}) }

// errOverloaded returns the error of an operation that is refused.
func errOverloaded() error {
	return fault.New(fault.Overloaded, "the gateway is busy; try again later")
}

// enter has the operation run, refuses it, or returns its place in the queue and how long it may wait
// there.
func (l *Limiter) enter() (*list.Element, time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.hasRoom():
		l.running++
		return nil, 0, nil
	case l.queue.Len() >= l.options.MaxQueued:
		l.refused++
		return nil, 0, errOverloaded()
	}
	return l.queue.PushBack(make(chan struct{})), l.options.MaxWait, nil
}

// hasRoom reports whether one more operation may run. The caller holds l.mu.
func (l *Limiter) hasRoom() bool {
	return l.options.MaxOperations < 0 || l.running < l.options.MaxOperations
}

// leave ends the wait at a place. Without err, the time to wait is over, and the operation is
// refused, unless it got its turn at this moment.
func (l *Limiter) leave(place *list.Element, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-turn(place):
		if err != nil {
			l.release()
		}
		return err
	default:
	}
	l.queue.Remove(place)
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
	l.release()
}

// release ends an operation that runs. The caller holds l.mu.
func (l *Limiter) release() {
	l.running--
	l.passTurns()
}

// passTurns gives those that have waited longest their turn, as long as there is room. The caller holds
// l.mu.
func (l *Limiter) passTurns() {
	for next := l.queue.Front(); next != nil && l.hasRoom(); next = l.queue.Front() {
		l.queue.Remove(next)
		l.running++
		close(turn(next))
	}
}
