package http1

import (
	"bufio"
	"math/rand/v2"
	"net"
	"time"
)

// maxKeptBuffer is how large a buffer may be, in bytes, that a connection keeps for its
// next call.
const maxKeptBuffer = 32 << 10

// conn is a connection. It is owned by one exchange, or by the pool while it is idle.
// Only the owner reads, writes and closes it.
type conn struct {
	net.Conn
	*idleChecker
	t         *Transport
	address   string
	reused    bool      // it has served a call before
	idleSince time.Time // guarded by the transport's mu
	expires   time.Time // when it has its longest age; zero is never

	r       *bufio.Reader
	headBuf []byte // the head of the response, while it is read
	sendBuf []byte // what is sent in one write
}

func newConn(t *Transport, address string, nc net.Conn) (*conn, error) {
	checker, err := newIdleChecker(nc)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, idleChecker: checker, t: t, address: address, r: bufio.NewReader(nc)}
	if age := t.options.MaxAge; age > 0 {
		c.expires = time.Now().Add(age - rand.N(age/5+1)) // connections that were opened together do not end together
	}
	return c, nil
}

// remaining returns how long c may still be kept idle: until IdleTimeout, or until it has its
// longest age.
func (c *conn) remaining(now time.Time) time.Duration {
	remaining := c.t.options.IdleTimeout - now.Sub(c.idleSince)
	if !c.expires.IsZero() {
		remaining = min(remaining, c.expires.Sub(now))
	}
	return remaining
}

// reusable returns b, or nil if b has grown too large to be kept.
func reusable(b []byte) []byte {
	if cap(b) > maxKeptBuffer {
		return nil
	}
	return b
}
