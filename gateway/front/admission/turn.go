package admission

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

// Turn is the permission of one operation to be executed. The zero value is one that Acquire has not
// given yet. A Turn must not be copied, and is safe for concurrent use by the fields of its operation.
type Turn struct {
	limiter *Limiter // nil without a limit; set by Acquire, like the following
	class   *class
	cost    int64
	caller  *callerCount // nil if the class does not bound its callers

	state      state      // guarded by limiter.mu
	looks      uint8      // how many looks have found the same events; guarded by limiter.mu
	seen       uint32     // calls.events at the last look; guarded by limiter.mu
	place      *place     // while it waits for its turn; guarded by limiter.mu
	prev, next *Turn      // in Limiter.list; guarded by limiter.mu
	blamed     []*service // for which the operation waits; guarded by limiter.mu

	calls calls
	// isWaiting reports whether the state is stateWaiting or stateResuming. It is written with
	// limiter.mu and calls.mu held.
	isWaiting atomic.Bool
}

var _ engine.Turn = (*Turn)(nil)

// place is the place of an operation that waits for its turn.
type place struct {
	in      *list.Element
	granted chan struct{} // closed when the operation gets its turn, or is refused with err
	err     error         // set before granted is closed
}

// state is what a Turn is at a moment.
type state uint8

const (
	stateNone     state = iota // not begun, refused, or ended
	stateQueued                // it waits to be executed
	stateRunning               // it counts for MaxOperations
	stateWaiting               // it waits for services, and does not count
	stateResuming              // a service has responded, and it waits to count again
)

// Release ends an operation for which Acquire returned nil.
func (t *Turn) Release() {
	if t.limiter == nil {
		return
	}
	t.limiter.mu.Lock()
	defer t.limiter.mu.Unlock()
	t.limiter.release(t)
}

// BeginCall implements engine.Turn.
func (t *Turn) BeginCall(service string) error {
	if t.limiter == nil {
		return nil
	}
	if t.limiter.waiting.any.Load() {
		if err := t.limiter.checkService(t, service); err != nil {
			return err
		}
	}
	t.calls.begin(service)
	return nil
}

// EndCall implements engine.Turn.
func (t *Turn) EndCall(ctx context.Context, service string) {
	if t.limiter == nil {
		return
	}
	t.calls.end(service)
	if t.isWaiting.Load() {
		t.limiter.awaitTurn(ctx, t)
	}
}

// calls are the calls to services that an operation has running.
type calls struct {
	mu       sync.Mutex
	events   uint32          // begins and ends; guarded by mu
	running  int             // guarded by mu
	services [2]serviceCalls // the first ones; guarded by mu
	more     []serviceCalls  // the others; guarded by mu
}

type serviceCalls struct {
	service string
	running int
}

func (c *calls) begin(service string) { c.add(service, 1) }

func (c *calls) end(service string) { c.add(service, -1) }

func (c *calls) add(service string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events++
	c.running += n
	for i := range c.services {
		if s := &c.services[i]; s.service == service || s.service == "" {
			s.service = service
			s.running += n
			return
		}
	}
	for i := range c.more {
		if s := &c.more[i]; s.service == service {
			s.running += n
			return
		}
	}
	c.more = append(c.more, serviceCalls{service, n})
}

// turnList is a list of turns, the oldest first.
type turnList struct{ first, last *Turn }

func (l *turnList) push(t *Turn) {
	t.prev, t.next = l.last, nil
	if l.last == nil {
		l.first = t
	} else {
		l.last.next = t
	}
	l.last = t
}

func (l *turnList) remove(t *Turn) {
	if t.prev == nil {
		l.first = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		l.last = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.prev, t.next = nil, nil
}
