// Package drain ends the connections of an HTTP server that stops, or that has too many of them.
//
// It promises that a server which stops after the clients had a while to use their connections
// once more loses no request that it has received: each response since Begin announces the end
// of its connection, and Wait closes only connections on which nothing has arrived.
// http.Server.Shutdown alone promises less: it drops a request whose header it has just read,
// and it cuts idle connections without an announcement.
//
// Connections are known below TLS, since net/http serves HTTP/2 only on a *tls.Conn: BeginHandshake and
// EndHandshake say where a request can begin.
package drain

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
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
	// defaultHeaderTimeout is the default of Drain.HeaderTimeout.
	defaultHeaderTimeout = 5 * time.Second
	// checkInterval is how often Wait looks for connections that have become idle.
	checkInterval = 10 * time.Millisecond
)

// Drain knows the connections of one server, and the bodies that they are receiving. The zero
// value is ready for use. It is safe for concurrent use.
type Drain struct {
	// HeaderTimeout is how long the header of a request may take to arrive, that of the server.
	// Default 5s.
	HeaderTimeout time.Duration
	// MaxResets is how many requests the client may cancel on one connection with HTTP/2, by resetting
	// their streams, if it cancels more than it lets end; beyond it the connection is closed. It bounds
	// what a rapid reset costs (CVE-2023-44487). 0 is no limit.
	MaxResets int
	// OnRefused is called for each connection that SetMaxConns has refused. It must be safe for
	// concurrent use. Default none.
	OnRefused func(Stats)

	began atomic.Bool

	mu           sync.Mutex
	bodyDeadline time.Time          // of all bodies; zero before Begin; guarded by mu
	bodies       map[*body]struct{} // those that are arriving; guarded by mu
	conns        map[*conn]struct{} // the open ones; guarded by mu

	limit limit
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

func (d *Drain) headerTimeout() time.Duration { return cmp.Or(d.HeaderTimeout, defaultHeaderTimeout) }

// Began reports whether Begin was called.
func (d *Drain) Began() bool { return d.began.Load() }

// Middleware announces the end of the connection in all responses once the drain has begun, and
// bounds the time of bodies as Begin says. It stands inside of the middleware that sets other
// read deadlines, and on all routes, since a body that no handler reads holds a connection, too.
func (d *Drain) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, c := request.Attach(r)
		if r.ProtoMajor == 2 {
			defer d.countStream(c.Context, connIn(r)) // the context of the stream; middleware inside adds its own
		}
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
		if c := connOf(r); c != nil {
			r.Body = encryptedBody{b, c}
		}
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

// encryptedBody is a body of HTTP/1 over TLS, whose connection must know when it has been read.
type encryptedBody struct {
	*body
	conn *conn
}

// Read implements io.Reader.
func (b encryptedBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil {
		b.conn.bodyRead.Store(true)
	}
	return n, err
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
		if c.closeIfUnused(); !c.isHTTP2() {
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
	c := connBelow(nc)
	if c == nil {
		return
	}
	switch state {
	case http.StateActive:
		if !c.phase.CompareAndSwap(receiving, serving) {
			c.activate()
		}
	case http.StateIdle:
		switch {
		case c.phase.CompareAndSwap(serving, idle):
		case c.phase.Load() == ahead:
			c.receive()
		case c.phase.Load() == http2:
			c.rest()
		}
	}
}

// connBelow returns the connection of this package below what net/http serves, nil if there is none.
func connBelow(nc net.Conn) *conn {
	if encrypted, ok := nc.(*tls.Conn); ok {
		nc = encrypted.NetConn()
	}
	c, _ := nc.(*conn)
	return c
}

// connKey is the key of the connection in contexts.
type connKey struct{}

// ConnContext is for http.Server.ConnContext.
func (*Drain) ConnContext(ctx context.Context, nc net.Conn) context.Context {
	if c := connBelow(nc); c != nil {
		return context.WithValue(ctx, connKey{}, c)
	}
	return ctx
}

// connIn returns the connection of a request, nil without ConnContext.
func connIn(r *http.Request) *conn {
	c, _ := r.Context().Value(connKey{}).(*conn)
	return c
}

// connOf returns the connection of a request that must know when the body of a request has ended: one
// with HTTP/1 over TLS. It returns nil for all others.
func connOf(r *http.Request) *conn {
	if r.TLS == nil || r.ProtoMajor != 1 {
		return nil
	}
	return connIn(r)
}

type listener struct {
	net.Listener
	drain *Drain
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		nc, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.drain.admit() {
			return l.drain.track(nc), nil
		}
		refuse(nc)
	}
}

// track returns a connection that the drain knows.
func (d *Drain) track(nc net.Conn) *conn {
	c := &conn{Conn: nc, drain: d, since: time.Now()}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conns == nil {
		d.conns = map[*conn]struct{}{}
	}
	d.conns[c] = struct{}{}
	return c
}

// The phases of a connection.
const (
	fresh       = iota // nothing has arrived
	handshaking        // the TLS handshake has not ended; fresh follows
	receiving          // the header of a request has begun to arrive
	serving            // a request is being served
	ahead              // and the next one has begun to arrive
	idle               // the last response has been sent
	http2              // the connection speaks HTTP/2, whose streams http.Server.Shutdown ends
	http2Idle          // and has no streams
)

// conn is a connection that knows whether a request has begun to arrive.
type conn struct {
	net.Conn
	drain     *Drain
	phase     atomic.Int32
	encrypted bool // Read returns records of TLS; set before the connection is served
	// bodyRead says of a request over TLS that its body has been read to the end, so that what arrives
	// next is not of it.
	bodyRead atomic.Bool
	streams  atomic.Int64 // requests of HTTP/2 that have ended
	resets   atomic.Int64 // those of streams that the client has cancelled

	mu      sync.Mutex // guards what follows, and leaving the phases fresh, idle and http2Idle
	since   time.Time  // when the connection was accepted, the header began to arrive, or the last stream ended
	closing bool       // closeIfUnused or evict has ended the wait for a request
	evicted bool       // the connection is closing and no longer counted; see limit
	closed  bool       // Close was called
}

// Read implements net.Conn. It notes the first bytes of a request.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	switch c.phase.Load() {
	case serving:
		if n > 0 && c.isAhead(len(p)) {
			c.phase.Store(ahead)
		}
	case fresh, idle, http2Idle:
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && c.isClosing() {
			n, err = c.readLate(p)
		}
		if n > 0 {
			c.begin(p[:n])
		}
	}
	return n, err
}

// isAhead reports whether what has arrived in a buffer of a size, while a request is served, is of the
// next one. Without TLS it is the one byte that net/http reads to notice that the client disconnects,
// which was sent before the response was. With TLS that byte comes with its record.
func (c *conn) isAhead(size int) bool {
	if c.encrypted {
		return c.bodyRead.Load()
	}
	return size == 1
}

// readLate reads what arrived at the moment of closing, so that it is still served.
func (c *conn) readLate(p []byte) (int, error) {
	_ = c.Conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	n, err := c.Conn.Read(p)
	if n > 0 {
		deadline := time.Now().Add(c.drain.headerTimeout())
		if c.isHTTP2() { // which has no read deadline
			deadline = time.Time{}
		}
		_ = c.Conn.SetReadDeadline(deadline)
	}
	return n, err
}

// BeginHandshake says that a TLS handshake follows, and not a request. Nothing may have been read.
func (c *conn) BeginHandshake() { c.phase.Store(handshaking) }

// EndHandshake says that the handshake has ended with a protocol (ALPN), so that requests follow.
func (c *conn) EndHandshake(protocol string) {
	c.encrypted = true
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Now()
	if protocol == "h2" {
		c.phase.Store(http2)
	} else {
		c.phase.Store(fresh)
	}
}

func (c *conn) isHTTP2() bool {
	phase := c.phase.Load()
	return phase == http2 || phase == http2Idle
}

// begin marks that the first bytes of a request have arrived. If closeIfUnused has ended the wait
// for them at the same time, net/http replaces that deadline by the one for the header, since it
// receives the bytes.
func (c *conn) begin(first []byte) {
	switch phase := c.phase.Load(); {
	case phase == http2Idle:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.since = time.Now()
		c.keep()
	case phase == fresh && !c.encrypted && bytes.HasPrefix(first, []byte("PRI ")): // RFC 9113, section 3.4
		c.phase.Store(http2)
	default:
		c.receive()
	}
}

// receive begins the phase receiving.
func (c *conn) receive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Now()
	c.keep()
	c.bodyRead.Store(false)
	c.phase.Store(receiving)
}

// activate begins the phase serving, or http2, of a request that has arrived with what came before it: in
// the last record of the handshake, or after another request.
func (c *conn) activate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.phase.Load() {
	case fresh, idle:
		c.bodyRead.Store(false)
		c.phase.Store(serving)
	case http2Idle:
		c.phase.Store(http2)
	default:
		return
	}
	c.since = time.Now()
	if c.closing { // at the same time
		c.keep()
		_ = c.Conn.SetReadDeadline(time.Time{})
	}
}

// rest begins the phase http2Idle.
func (c *conn) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = time.Now()
	c.phase.CompareAndSwap(http2, http2Idle)
}

// keep says that the connection is not closing after all. The caller holds mu.
func (c *conn) keep() {
	c.closing = false
	if c.evicted {
		c.evicted = false
		c.drain.limit.open.Add(1)
	}
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
		if time.Since(c.since) < c.drain.headerTimeout() {
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
	c.mu.Lock()
	if !c.closed && !c.evicted {
		c.drain.limit.open.Add(-1)
	}
	c.closed = true
	c.mu.Unlock()
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
