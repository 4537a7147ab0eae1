package drain

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

const (
	// sampled is how many connections are looked at to find one that can be closed. The oldest of so
	// many is among the oldest of all, as Redis chooses keys, and looking at all of them would take
	// longer than accepting a connection.
	sampled = 64
	// minIdle is how long a connection must have been unused to be closed for another one: those of
	// clients that send one request after the other are not.
	minIdle = time.Second
)

// limit bounds the number of connections. An evicted connection no longer counts, though it takes a
// moment to close, unless a request arrives on it in this moment.
type limit struct {
	max     atomic.Int64 // 0 without a limit
	open    atomic.Int64
	refused atomic.Int64
	evicted atomic.Int64
	reset   atomic.Int64 // connections that were closed for MaxResets
}

// SetMaxConns sets how many connections may be open at the same time; 0 is no limit. Beyond it, a new
// connection takes the place of one that has been unused for longest, of a sample, and for at least a
// second; if there is none, the new one is closed. Connections that are open already stay open.
func (d *Drain) SetMaxConns(n int) { d.limit.max.Store(int64(max(n, 0))) }

// Stats are the connections of a Drain.
type Stats struct {
	Open    int64 // connections that are open
	Max     int64 // how many may be open; 0 without a limit
	Refused int64 // connections that were closed when they were accepted, since the start
	Evicted int64 // unused connections that were closed for a new one, since the start
	Reset   int64 // connections that were closed for MaxResets, since the start
}

// Stats returns the number of connections.
func (d *Drain) Stats() Stats {
	l := &d.limit
	return Stats{Open: l.open.Load(), Max: l.max.Load(), Refused: l.refused.Load(), Evicted: l.evicted.Load(), Reset: l.reset.Load()}
}

// admit reports whether a connection that was accepted may be served, and then counts it.
func (d *Drain) admit() bool {
	l := &d.limit
	if most := l.max.Load(); most > 0 && l.open.Load() >= most && !d.evict() {
		l.refused.Add(1)
		if d.OnRefused != nil {
			d.OnRefused(d.Stats())
		}
		return false
	}
	l.open.Add(1)
	return true
}

// evict closes a connection that is unused. It reports whether there was one.
func (d *Drain) evict() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	var oldest *conn
	var since time.Time
	n := 0
	for c := range d.conns { // begins at a random one
		if n++; n > sampled {
			break
		}
		if at, ok := c.unusedSince(); ok && (oldest == nil || at.Before(since)) {
			oldest, since = c, at
		}
	}
	if oldest == nil || !oldest.evict() {
		return false
	}
	d.limit.evicted.Add(1)
	return true
}

// unusedSince returns since when the connection is unused. ok is false if it is used, if it is closing,
// or if it is not unused for long.
func (c *conn) unusedSince() (since time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isUnused() {
		return time.Time{}, false
	}
	if c.closing { // again, since net/http may have set another deadline at the same time
		_ = c.Conn.SetReadDeadline(past)
		return time.Time{}, false
	}
	return c.since, time.Since(c.since) >= minIdle
}

// isUnused reports whether the connection waits for a request.
func (c *conn) isUnused() bool {
	phase := c.phase.Load()
	return phase == fresh || phase == idle || phase == http2Idle
}

// evict has net/http close the connection, as closeIfUnused does. It reports whether the connection was
// still unused.
func (c *conn) evict() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isUnused() || c.closing || c.closed {
		return false
	}
	c.closing, c.evicted = true, true
	c.drain.limit.open.Add(-1)
	_ = c.Conn.SetReadDeadline(past)
	return true
}

// countStream counts a request of HTTP/2 that has ended, and closes its connection if the client cancels too
// many. ctx is that of the stream, which has ended early if the client, or the server by an error of the
// client's (CVE-2025-8671), has reset the stream.
func (d *Drain) countStream(ctx context.Context, c *conn) {
	if c == nil || d.MaxResets == 0 {
		return
	}
	streams := c.streams.Add(1)
	if ctx.Err() == nil {
		return
	}
	if resets := c.resets.Add(1); resets > int64(d.MaxResets) && 2*resets > streams {
		if resets == int64(d.MaxResets)+1 {
			d.limit.reset.Add(1)
		}
		_ = c.Close()
	}
}

// refuse closes a connection at once, so that it leaves nothing behind.
func refuse(nc net.Conn) {
	if lingering, ok := nc.(interface{ SetLinger(int) error }); ok {
		_ = lingering.SetLinger(0)
	}
	_ = nc.Close()
}
