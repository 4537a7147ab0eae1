package http1

import (
	"container/list"
	"context"
	"time"
)

// host is a server with its connections. The transport's mu guards it.
//
// Invariants: conns counts the open connections and the permissions to open one, idle or
// in use, and never exceeds a set Options.MaxConns. There are waiters only while no
// connection is idle, since a connection is put among the idle ones only when no call
// waits for it.
type host struct {
	conns   int
	idle    []*conn   // a stack: the one used last is reused first, so that the others can expire
	waiting list.List // of *waiter, the longest waiting first
}

// waiter is a call that waits for a connection or for the permission to open one.
type waiter struct {
	ready   chan *conn    // receives a connection, or nil for the permission; holds one, so that the sender never waits
	element *list.Element // in host.waiting; nil once something was sent to ready. Guarded by mu
}

// getConn returns a connection for one call, which ends with putConn or discard. It is an
// idle one if there is one and fresh is false, and a new one otherwise. When the host has
// MaxConns connections, getConn waits for one, or until ctx ends.
func (t *Transport) getConn(ctx context.Context, address string, fresh bool) (*conn, error) {
	c, w := t.reserve(address, fresh)
	if w != nil {
		select {
		case c = <-w.ready:
		case <-ctx.Done():
			t.cancelWait(address, w)
			return nil, contextError(ctx)
		}
	}
	// The server may have closed the connection, or sent something that belongs to no
	// request: such a byte must not become the beginning of this call's response.
	if c != nil && !fresh && c.idle() {
		c.reused = true
		return c, nil
	}
	if c != nil {
		c.Close() // its place among conns goes to the new connection
	}
	return t.dial(ctx, address)
}

// reserve returns an idle connection; or nil and the permission to open one; or a waiter
// that receives one of both. A call that wants a fresh connection also receives an idle
// one when MaxConns leaves no room beside it, and closes that one.
func (t *Transport) reserve(address string, fresh bool) (c *conn, w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = false
	h := t.hosts[address]
	if h == nil {
		h = &host{}
		t.hosts[address] = h
	}
	hasRoom := t.options.MaxConns <= 0 || h.conns < t.options.MaxConns
	switch last := len(h.idle) - 1; {
	case last >= 0 && !(fresh && hasRoom):
		c, h.idle[last] = h.idle[last], nil
		h.idle = h.idle[:last]
	case hasRoom:
		h.conns++
	default:
		w = &waiter{ready: make(chan *conn, 1)}
		w.element = h.waiting.PushBack(w)
	}
	return c, w
}

// cancelWait ends the waiting of a call whose context has ended. If w received something
// in the meantime, that goes to the next call.
func (t *Transport) cancelWait(address string, w *waiter) {
	if t.removeWaiter(address, w) {
		return
	}
	if c := <-w.ready; c != nil {
		t.putConn(c)
	} else {
		t.releasePermission(address)
	}
}

// removeWaiter removes w from the queue, and reports whether it was still in it.
func (t *Transport) removeWaiter(address string, w *waiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.element == nil {
		return false
	}
	t.hosts[address].waiting.Remove(w.element)
	return true
}

// handOff passes c, or with a nil c the permission to open a connection, to the call that
// has waited longest. It reports whether a call was waiting. mu is held.
func (h *host) handOff(c *conn) bool {
	first := h.waiting.Front()
	if first == nil {
		return false
	}
	w := h.waiting.Remove(first).(*waiter)
	w.element = nil
	w.ready <- c
	return true
}

// dial opens a connection for which the caller has the permission. It returns the
// permission when it fails.
func (t *Transport) dial(ctx context.Context, address string) (*conn, error) {
	nc, err := t.options.Dial(ctx, "tcp", address)
	if err != nil {
		t.releasePermission(address)
		return nil, err
	}
	c, err := newConn(t, address, nc)
	if err != nil {
		nc.Close()
		t.releasePermission(address)
		return nil, err
	}
	return c, nil
}

// putConn hands c to a waiting call, or keeps it idle, or closes it. The caller no longer
// owns it.
func (t *Transport) putConn(c *conn) {
	if !t.tryPutIdle(c) {
		t.discard(c)
	}
}

// tryPutIdle reports whether c was handed to a waiting call or put among the idle ones.
func (t *Transport) tryPutIdle(c *conn) bool {
	now := time.Now()
	if !c.expires.IsZero() && !now.Before(c.expires) {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.hosts[c.address]
	if h.handOff(c) {
		return true
	}
	if t.closed || t.ended || len(h.idle) >= t.options.MaxIdle {
		return false
	}
	c.idleSince = now
	h.idle = append(h.idle, c)
	if t.timer == nil {
		t.timer = time.AfterFunc(c.remaining(now), t.closeExpired)
	}
	return true
}

// discard closes c, and lets another connection take its place.
func (t *Transport) discard(c *conn) {
	c.Close()
	t.releasePermission(c.address)
}

// releasePermission returns the permission to have a connection: to a waiting call, or to
// the host.
func (t *Transport) releasePermission(address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.hosts[address]
	if h.handOff(nil) {
		return
	}
	h.conns--
	if h.conns == 0 {
		delete(t.hosts, address)
	}
}

// closeExpired closes the connections that have been idle for IdleTimeout or have their
// longest age, and sets the timer for the next one.
func (t *Transport) closeExpired() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, next := time.Now(), time.Duration(-1)
	t.closeIdle(func(c *conn) bool {
		remaining := c.remaining(now)
		if remaining > 0 && (next < 0 || remaining < next) {
			next = remaining
		}
		return remaining <= 0
	})
	switch {
	case t.timer == nil: // CloseIdleConnections came first
	case next < 0:
		t.timer = nil
	default:
		t.timer.Reset(next)
	}
}

// CloseIdleConnections closes the idle connections. Those in use are closed when their
// calls end, unless another call begins before.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closeAllIdle()
}

// Close closes the idle connections, and has every other one closed when its call ends.
// Calls may still begin, each on a connection of its own.
func (t *Transport) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	t.closeAllIdle()
}

// closeAllIdle closes the idle connections. mu is held.
func (t *Transport) closeAllIdle() {
	t.closed = true
	t.closeIdle(func(*conn) bool { return true })
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

// closeSuspects closes the idle connections that have not been used since stale, which the
// server turned out to have closed, was put into the pool. The server has most likely
// restarted, or something between has forgotten its connections. One that was used later
// is taken before stale is: the pool is a stack.
func (t *Transport) closeSuspects(stale *conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closeIdle(func(c *conn) bool {
		return c.address == stale.address && !c.idleSince.After(stale.idleSince)
	})
}

// closeIdle closes the idle connections for which shouldClose reports true. mu is held. No
// call waits for their places: see host.
func (t *Transport) closeIdle(shouldClose func(*conn) bool) {
	for address, h := range t.hosts {
		kept := h.idle[:0]
		for _, c := range h.idle {
			if shouldClose(c) {
				c.Close()
				h.conns--
			} else {
				kept = append(kept, c)
			}
		}
		clear(h.idle[len(kept):])
		h.idle = kept
		if h.conns == 0 {
			delete(t.hosts, address)
		}
	}
}
