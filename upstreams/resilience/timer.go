package resilience

import (
	"sync"
	"time"
)

// Late is what a Timer calls.
type Late interface {
	// Late is called in a goroutine of its own when the time of the Timer has passed. If it returns a
	// duration, it is called once more after that.
	Late() time.Duration
}

// Timer calls a Late unless it is stopped before. Its memory is reused by the calls to one service,
// so that a call that is not late pays for starting and stopping it alone.
type Timer struct {
	policy *Policy
	timer  *time.Timer
	ended  chan struct{} // receives a value when Late has returned for the last time

	mu      sync.Mutex
	late    Late // guarded by mu
	stopped bool // guarded by mu
}

// StartTimer returns a Timer that calls late after d. Stop must be called once.
func (p *Policy) StartTimer(d time.Duration, late Late) *Timer {
	t, ok := p.timers.Get().(*Timer)
	if !ok {
		t = &Timer{policy: p, ended: make(chan struct{}, 1)}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.late, t.stopped = late, false
	if ok {
		t.timer.Reset(d)
	} else {
		t.timer = time.AfterFunc(d, t.fire)
	}
	return t
}

// fire runs when the time has passed. The timer is set again under the mutex, so that Stop finds
// it either set, or ended.
func (t *Timer) fire() {
	t.mu.Lock()
	late, stopped := t.late, t.stopped
	t.mu.Unlock()
	again := time.Duration(0)
	if !stopped {
		again = late.Late()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if again > 0 && !t.stopped {
		t.timer.Reset(again)
		return
	}
	t.ended <- struct{}{}
}

// Stop keeps Late from being called, or waits until it has returned.
func (t *Timer) Stop() {
	t.mu.Lock()
	t.stopped = true
	waiting := t.timer.Stop()
	t.mu.Unlock()
	if !waiting {
		<-t.ended
	}
	t.late = nil
	t.policy.timers.Put(t)
}
