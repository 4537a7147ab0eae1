// Package drain ends the connections of an HTTP server that stops.
//
// It promises that a server which stops after the clients had a while to use their connections
// once more loses no request that it has received: each response since Begin announces the end
// of its connection, and Wait closes only connections on which nothing has arrived.
// http.Server.Shutdown alone promises less: it drops a request whose header it has just read,
// and it cuts idle connections without an announcement.
package drain

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

const (
	// unreadBody is how long the server waits for the rest of a body that no handler has read.
	// The rest is read to use the connection again, which is not worth a longer wait.
	unreadBody = time.Second
	// newConn is how long a new connection may be silent before Wait closes it.
	newConn = time.Second
	// headerTimeout is how long the header of a request may take to arrive.
	headerTimeout = 5 * time.Second
	// checkInterval is how often Wait looks for connections that have become idle.
	checkInterval = 10 * time.Millisecond
)

// Drain knows the connections of one server, and the bodies that they are receiving. The zero
// value is ready for use. It is safe for concurrent use.
type Drain struct {
	began atomic.Bool

	mu           sync.Mutex
	bodyDeadline time.Time          // of all bodies; zero before Begin; guarded by mu
	bodies       map[*body]struct{} // those that are arriving; guarded by mu
	conns        map[*conn]struct{} // the open ones; guarded by mu
}

// Begin begins the drain: from now on, each response ends its connection, and each body that a
// client has not sent completely at bodyDeadline fails.
func (d *Drain) Begin(bodyDeadline time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.began.Swap(true) {
		d.bodyDeadline = bodyDeadline
		for b := range d.bodies {
			b.setDeadline(bodyDeadline)
		}
	}
}

// Began reports whether Begin was called.
func (d *Drain) Began() bool { return d.began.Load() }

// Middleware announces the end of the connection in all responses once the drain has begun, and
// bounds the time of bodies as Begin says. It stands inside of the middleware that sets other
// read deadlines, and on all routes, since a body that no handler reads holds a connection, too.
func (d *Drain) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, c := request.Attach(r)
		c.Draining = &d.began // for responses that are written after the drain has begun
		if d.Began() {
			Announce(w)
		}
		if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		b := &body{ReadCloser: r.Body, drain: d, w: w}
		r.Body = b
		d.add(b)
		defer b.finish()
		next.ServeHTTP(w, r)
	})
}

// Announce has the server close the connection after the response: by "Connection: close" in
// HTTP/1.1 (RFC 9112, section 9.6), and by GOAWAY in HTTP/2, for which net/http takes the same
// header. It must be called before the response is begun.
func Announce(w http.ResponseWriter) { w.Header()["Connection"] = connectionClose }

var connectionClose = []string{"close"}

// body is the body of a request that is arriving.
type body struct {
	io.ReadCloser
	drain *Drain
	w     http.ResponseWriter
	ended bool // guarded by drain.mu
}

func (d *Drain) add(b *body) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bodies == nil {
		d.bodies = map[*body]struct{}{}
	}
	d.bodies[b] = struct{}{}
	if !d.bodyDeadline.IsZero() {
		b.setDeadline(d.bodyDeadline)
	}
}

// setDeadline bounds the time of the body. It replaces a later deadline, that of the operation,
// which is at least what a drain gives. The caller holds drain.mu.
func (b *body) setDeadline(at time.Time) { request.SetReadDeadline(b.w, at) }

// Read implements io.Reader. At the end of the body, its deadline is no longer set: that would
// end the operation, for which the server reads from the connection to notice that the client
// disconnects.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end()
	}
	return n, err
}

// end removes the body from those that are arriving. It reports whether it was one.
func (b *body) end() bool {
	b.drain.mu.Lock()
	defer b.drain.mu.Unlock()
	if b.ended {
		return false
	}
	b.ended = true
	delete(b.drain.bodies, b)
	return true
}

// finish ends a body that the handler has not read to its end.
func (b *body) finish() {
	if b.end() {
		request.SetReadDeadline(b.w, time.Now().Add(unreadBody))
	}
}

// Wait closes connections of HTTP/1 as they become idle, until there are none. It returns the
// error of ctx if that ends first. The listener must have been closed.
func (d *Drain) Wait(ctx context.Context) error {
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for d.closeIdle() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}

// closeIdle closes the idle connections of HTTP/1, and returns how many connections of HTTP/1
// are left.
func (d *Drain) closeIdle() (left int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		if c.closeIfUnused(); c.phase.Load() != http2 {
			left++
		}
	}
	return left
}

// Listener returns a listener whose connections the drain knows. ConnState must be that of the
// server.
func (d *Drain) Listener(l net.Listener) net.Listener { return &listener{l, d} }

// ConnState is for http.Server.ConnState.
func (*Drain) ConnState(nc net.Conn, state http.ConnState) {
	c, ok := nc.(*conn)
	if !ok {
		return
	}
	switch state {
	case http.StateActive:
		c.phase.CompareAndSwap(receiving, serving)
	case http.StateIdle:
		if !c.phase.CompareAndSwap(serving, idle) && c.phase.Load() == ahead {
			c.receive()
		}
	}
}

type listener struct {
	net.Listener
	drain *Drain
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, drain: l.drain, since: time.Now()}
	l.drain.mu.Lock()
	defer l.drain.mu.Unlock()
	if l.drain.conns == nil {
		l.drain.conns = map[*conn]struct{}{}
	}
	l.drain.conns[c] = struct{}{}
	return c, nil
}

// The phases of a connection.
const (
	fresh     = iota // nothing has arrived
	receiving        // the header of a request has begun to arrive
	serving          // a request is being served
	ahead            // and the next one has begun to arrive
	idle             // the last response has been sent
	http2            // the connection speaks HTTP/2, whose streams http.Server.Shutdown ends
)

// conn is a connection that knows whether a request has begun to arrive.
type conn struct {
	net.Conn
	drain *Drain
	phase atomic.Int32

	mu      sync.Mutex // guards what follows, and leaving the phases fresh and idle
	since   time.Time  // when the connection was accepted, or the header began to arrive
	closing bool       // closeIfUnused has ended the wait for a request
}

// Read implements net.Conn. It notes the first bytes of a request.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	switch c.phase.Load() {
	case serving:
		// The one byte that net/http reads to notice that the client disconnects was sent
		// before the response was.
		if n == 1 && len(p) == 1 {
			c.phase.Store(ahead)
		}
	case fresh, idle:
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && c.isClosing() {
			// What arrived at the moment of closing is still served.
			_ = c.Conn.SetReadDeadline(time.Now().Add(time.Millisecond))
			if n, err = c.Conn.Read(p); n > 0 {
				_ = c.Conn.SetReadDeadline(time.Now().Add(headerTimeout))
			}
		}
		if n > 0 {
			c.begin(p[:n])
		}
	}
	return n, err
}

// begin marks that the first bytes of a request have arrived. If closeIfUnused has ended the wait
// for them at the same time, net/http replaces that deadline by the one for the header, since it
// receives the bytes.
func (c *conn) begin(first []byte) {
	if c.phase.Load() == fresh && bytes.HasPrefix(first, []byte("PRI ")) { // RFC 9113, section 3.4
		c.phase.Store(http2)
		return
	}
	c.receive()
}

// receive begins the phase receiving.
func (c *conn) receive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since, c.closing = time.Now(), false
	c.phase.Store(receiving)
}

func (c *conn) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// closeIfUnused has net/http close the connection if nothing has arrived on it since its last
// response, or too little for too long. It ends the wait for the next request by a read deadline
// instead of closing the connection, so that a request which arrives at this moment is served.
// net/http may set another deadline at the same time, so that it must be called repeatedly.
func (c *conn) closeIfUnused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.phase.Load() {
	case idle:
	case fresh:
		if time.Since(c.since) < newConn {
			return
		}
	case receiving:
		if time.Since(c.since) < headerTimeout {
			return
		}
	default:
		return
	}
	c.closing = true
	_ = c.Conn.SetReadDeadline(past)
}

var past = time.Unix(1, 0)

// Close implements net.Conn.
func (c *conn) Close() error {
	c.drain.mu.Lock()
	delete(c.drain.conns, c)
	c.drain.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite is for net/http, which ends a connection by it before it closes the connection, so
// that the client can read the response.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
