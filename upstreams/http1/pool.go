package http1

import (
	"container/list"
	"context"
	"net"
	"time"
)

// host is a server with its connections, which the transport's mu guards.
type host struct {
	conns   int       // open, or being opened; with Options.MaxConns, never more
	idle    []*conn   // the one that was used last is last, and is used first
	waiting list.List // of *waiter, the longest waiting first
}

// waiter is a call that waits until a connection is free.
type waiter struct {
	ready chan *conn    // has room for one, so that nobody waits for a waiter
	place *list.Element // in host.waiting; nil once something is in ready. Guarded by mu
}

// take gets a connection for one call, which ends with put or drop: an idle one, unless it
// must be fresh, or a new one. Where there are as many as there may be, it waits.
func (t *Transport) take(ctx context.Context, address string, fresh bool) (*conn, error) {
	c, w := t.reserve(address, fresh)
	if w != nil {
		select {
		case c = <-w.ready:
		case <-ctx.Done():
			t.leave(address, w)
			return nil, ended(ctx)
		}
	}
	if c != nil && !fresh && c.quiet() {
		c.used = true
		return c, nil
	}
	if c != nil {
		c.Close()
	}
	return t.connect(ctx, address)
}

// reserve gives an idle connection, or nil and the right to open one, or who waits for
// one of both. Whoever wants a fresh one also gets an idle one when there is no
// room beside it, and closes it.
func (t *Transport) reserve(address string, fresh bool) (c *conn, w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = false
	h := t.hosts[address]
	if h == nil {
		h = &host{}
		t.hosts[address] = h
	}
	room := t.options.MaxConns <= 0 || h.conns < t.options.MaxConns
	switch last := len(h.idle) - 1; {
	case last >= 0 && !(fresh && room):
		c, h.idle[last] = h.idle[last], nil
		h.idle = h.idle[:last]
	case room:
		h.conns++
	default:
		w = &waiter{ready: make(chan *conn, 1)}
		w.place = h.waiting.PushBack(w)
	}
	return c, w
}

// leave ends the waiting of a call that was given up. What it was given in this moment
// goes to the next.
func (t *Transport) leave(address string, w *waiter) {
	if t.forget(address, w) {
		return
	}
	if c := <-w.ready; c != nil {
		t.put(c)
	} else {
		t.release(address)
	}
}

// forget tells whether the call was still waiting.
func (t *Transport) forget(address string, w *waiter) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.place == nil {
		return false
	}
	t.hosts[address].waiting.Remove(w.place)
	return true
}

// serve gives c, or with nil the right to open one, to the call that has waited longest.
func (h *host) serve(c *conn) bool {
	first := h.waiting.Front()
	if first == nil {
		return false
	}
	w := h.waiting.Remove(first).(*waiter)
	w.place = nil
	w.ready <- c
	return true
}

// connect opens a connection for which there is room.
func (t *Transport) connect(ctx context.Context, address string) (*conn, error) {
	tcp, err := t.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		t.release(address)
		return nil, err
	}
	c, err := newConn(t, address, tcp.(*net.TCPConn))
	if err != nil {
		tcp.Close()
		t.release(address)
		return nil, err
	}
	return c, nil
}

// put makes a connection ready for the next call.
func (t *Transport) put(c *conn) {
	if !t.keep(c) {
		t.drop(c)
	}
}

func (t *Transport) keep(c *conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.hosts[c.address]
	if h.serve(c) {
		return true
	}
	if t.closed || len(h.idle) >= t.options.MaxIdle {
		return false
	}
	c.since = time.Now()
	h.idle = append(h.idle, c)
	if t.timer == nil {
		t.timer = time.AfterFunc(t.options.IdleTimeout, t.expire)
	}
	return true
}

// drop closes a connection that no call will use again.
func (t *Transport) drop(c *conn) {
	c.Close()
	t.release(c.address)
}

// release gives the room of a connection to a call that waits for it.
func (t *Transport) release(address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.hosts[address]
	if h.serve(nil) {
		return
	}
	h.conns--
	if h.conns == 0 {
		delete(t.hosts, address)
	}
}

// expire closes the connections that have been idle for IdleTimeout, and comes again when
// the next will have been.
func (t *Transport) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, next := time.Now(), time.Duration(-1)
	t.evict(func(c *conn) bool {
		left := t.options.IdleTimeout - now.Sub(c.since)
		if left > 0 && (next < 0 || left < next) {
			next = left
		}
		return left <= 0
	})
	switch {
	case t.timer == nil: // CloseIdleConnections came first
	case next < 0:
		t.timer = nil
	default:
		t.timer.Reset(next)
	}
}

// CloseIdleConnections closes the connections that wait for calls. Those of running calls
// are closed when these end, unless another call begins before.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.evict(func(*conn) bool { return true })
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

// evict closes the idle connections that are over. Nobody waits while some are idle, so
// that their room is nobody's.
func (t *Transport) evict(over func(*conn) bool) {
	for address, h := range t.hosts {
		kept := h.idle[:0]
		for _, c := range h.idle {
			if over(c) {
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
