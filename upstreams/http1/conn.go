package http1

import (
	"bufio"
	"net"
	"time"
)

// maxKeptBuffer is how large a buffer may be, in bytes, that a connection keeps for its
// next call.
const maxKeptBuffer = 32 << 10

// conn is a connection. It is owned by one exchange, or by the pool while it is idle.
// Only the owner reads, writes and closes it.
type conn struct {
	*net.TCPConn
	*idleChecker
	t         *Transport
	address   string
	reused    bool      // it has served a call before
	idleSince time.Time // guarded by the transport's mu

	r       *bufio.Reader
	headBuf []byte // the head of the response, while it is read
	sendBuf []byte // what is sent in one write
}

func newConn(t *Transport, address string, tcp *net.TCPConn) (*conn, error) {
	checker, err := newIdleChecker(tcp)
	if err != nil {
		return nil, err
	}
	return &conn{TCPConn: tcp, idleChecker: checker, t: t, address: address, r: bufio.NewReader(tcp)}, nil
}

// reusable returns b, or nil if b has grown too large to be kept.
func reusable(b []byte) []byte {
	if cap(b) > maxKeptBuffer {
		return nil
	}
	return b
}
