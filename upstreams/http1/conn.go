package http1

import (
	"bufio"
	"net"
	"time"
)

// maxScratch is how large a buffer may be that a connection keeps for its next call.
const maxScratch = 32 << 10

// conn is a connection. It belongs to one exchange at a time, or is idle.
type conn struct {
	*net.TCPConn
	*looker
	t       *Transport
	address string
	used    bool      // it has served a call before
	since   time.Time // it is idle; the transport's mu guards it

	r   *bufio.Reader
	in  []byte // the head that is being read
	out []byte // what is being sent
}

func newConn(t *Transport, address string, tcp *net.TCPConn) (*conn, error) {
	l, err := newLooker(tcp)
	if err != nil {
		return nil, err
	}
	return &conn{TCPConn: tcp, looker: l, t: t, address: address, r: bufio.NewReader(tcp)}, nil
}

// scratch is b, to be used again unless it has grown too large.
func scratch(b []byte) []byte {
	if cap(b) > maxScratch {
		return nil
	}
	return b
}
