//go:build unix

package http1

import (
	"net"
	"syscall"
)

// Supported tells whether the system lets an idle connection be looked at, without which
// none can be used again safely.
const Supported = true

// looker looks at a connection without waiting. One byte is enough to know.
type looker struct {
	raw   syscall.RawConn
	look  func(fd uintptr) bool
	empty bool
	one   [1]byte
}

func newLooker(tcp *net.TCPConn) (*looker, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	l := &looker{raw: raw}
	l.look = func(fd uintptr) bool {
		_, err := syscall.Read(int(fd), l.one[:])
		l.empty = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true // whatever there is: do not wait
	}
	return l, nil
}

// quiet tells whether the connection is open and nothing has come in. If anything has, it
// is taken out, and the connection is of no use any more.
func (l *looker) quiet() bool {
	l.empty = false
	return l.raw.Read(l.look) == nil && l.empty
}
