package admission

import (
	"container/list"
	"context"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// While operations queue, the limiter looks every lookEvery at those that are executed. An operation
// for which waitingLooks looks have found the same calls running, and that none has begun or ended
// since the look before, waits for services: it computes nothing and gives its place to another one.
// So waiting takes no place for longer than some 100 ms, in which a processor can execute
// DefaultOperationsPerProcessor others.
const (
	lookEvery    = 50 * time.Millisecond
	waitingLooks = 2
)

// maxResume is how long an operation whose service has responded waits for its turn to go on. Then it
// goes on without one: it holds memory for which those with a turn may wait.
const maxResume = time.Second

// waiting are the operations that wait for services and do not count for MaxOperations. It is guarded
// by the mu of its Limiter, unless a field says otherwise.
type waiting struct {
	any       atomic.Bool // n > 0
	n         int
	resuming  list.List // of those *Turn that wait for their turn to go on, in the order in which they came
	byService map[serviceKey]*service
	looking   bool // the next look is due
}

// service is a service for which operations of a class wait.
type service struct {
	key serviceKey
	n   int // more than 0
}

type serviceKey struct {
	class   *class
	service string
}

// checkService returns the error of a call to a service for which too many operations of the class of t
// wait: as many as there are places left. So one service that hangs takes half of the places, two take
// a third each, and so on, and there are always places left for others (the dynamic thresholds of
// Choudhury and Hahne, 1998).
func (l *Limiter) checkService(t *Turn, name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.waiting.byService[serviceKey{t.class, name}]
	if s == nil || s.n < l.options.MaxWaiting-l.waiting.n {
		return nil
	}
	return &fault.Error{Code: fault.ServiceUnavailable, Message: "too many operations wait for the service", Service: name}
}

// watch has the limiter look at the operations that are executed as long as others queue. The caller
// holds l.mu.
func (l *Limiter) watch() {
	if !l.waiting.looking && l.options.MaxWaiting > 0 {
		l.waiting.looking = true
		time.AfterFunc(lookEvery, l.look)
	}
}

// look has operations that wait for services give their places to others.
func (l *Limiter) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting.looking = false
	if l.queued == 0 && l.waiting.resuming.Len() == 0 {
		return
	}
	var next *Turn
	for t := l.list.first; t != nil; t = next {
		next = t.next
		if l.waiting.n < l.options.MaxWaiting && t.waits() {
			l.wait(t)
		}
	}
	l.passTurns()
	l.watch()
}

// waits reports whether the operation has waited for services since earlier looks. The caller holds the
// mu of the limiter.
func (t *Turn) waits() bool {
	c := &t.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == 0 || c.events != t.seen {
		t.seen, t.looks = c.events, 1
		return false
	}
	if t.looks++; t.looks <= waitingLooks {
		return false
	}
	t.isWaiting.Store(true) // before c.mu is released: the end of any call sees it
	return true
}

// wait has an operation that runs wait, and not count. The caller holds l.mu.
func (l *Limiter) wait(t *Turn) {
	l.stop(t)
	t.state = stateWaiting
	t.class.waiting++
	l.waiting.n++
	l.waiting.any.Store(true)
	c := &t.calls
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.services {
		l.blame(t, s)
	}
	for _, s := range c.more {
		l.blame(t, s)
	}
}

// blame counts t among the operations that wait for a service. The caller holds l.mu.
func (l *Limiter) blame(t *Turn, calls serviceCalls) {
	if calls.running == 0 {
		return
	}
	key := serviceKey{t.class, calls.service}
	s := l.waiting.byService[key]
	if s == nil {
		s = &service{key: key}
		if l.waiting.byService == nil {
			l.waiting.byService = map[serviceKey]*service{}
		}
		l.waiting.byService[key] = s
	}
	s.n++
	t.blamed = append(t.blamed, s)
}

// pardon ends blame for all services. The caller holds l.mu.
func (l *Limiter) pardon(t *Turn) {
	for _, s := range t.blamed {
		if s.n--; s.n == 0 {
			delete(l.waiting.byService, s.key)
		}
	}
	t.blamed = t.blamed[:0]
}

// stopWaiting ends wait. The caller holds l.mu.
func (l *Limiter) stopWaiting(t *Turn) {
	l.pardon(t)
	if t.state == stateResuming {
		l.waiting.resuming.Remove(t.place.in)
	}
	t.class.waiting--
	l.waiting.n--
	l.waiting.any.Store(l.waiting.n > 0)
	t.isWaiting.Store(false)
}

// resume has an operation that waits run again. The caller holds l.mu.
func (l *Limiter) resume(t *Turn) {
	if t.state == stateResuming {
		close(t.place.granted)
	}
	l.stopWaiting(t)
	t.seen, t.looks = 0, 0
	l.start(t)
}

// awaitTurn waits until an operation one of whose calls has ended may go on, no longer than maxResume
// and ctx last.
func (l *Limiter) awaitTurn(ctx context.Context, t *Turn) {
	place := l.requestTurn(t)
	if place == nil {
		return
	}
	timer := time.NewTimer(maxResume)
	defer timer.Stop()
	select {
	case <-place.granted:
	case <-ctx.Done():
	case <-timer.C:
	}
}

// requestTurn has the operation run again, or returns its place among those that wait for that.
func (l *Limiter) requestTurn(t *Turn) *place {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case t.state == stateResuming: // another call has ended before
		return t.place
	case t.state != stateWaiting:
		return nil
	case l.hasRoom():
		l.resume(t)
		return nil
	}
	l.pardon(t)
	t.state = stateResuming
	t.place = &place{in: l.waiting.resuming.PushBack(t), granted: make(chan struct{})}
	l.watch()
	return t.place
}
