//go:build unix

package http1

import (
	"fmt"
	"net"
	"syscall"
)

// CanCheckIdle reports whether the system can tell if an idle connection is still open and
// empty. Without that, no connection can be reused safely.
const CanCheckIdle = true

// idleChecker checks a connection by a read that does not block. One byte is enough: any
// byte, an end of the stream and any error all mean that the connection is of no use.
type idleChecker struct {
	raw        syscall.RawConn
	read       func(fd uintptr) bool // kept, so that a check allocates nothing
	wouldBlock bool                  // the result of read: open, and no byte there
	buf        [1]byte
}

func newIdleChecker(nc net.Conn) (*idleChecker, error) {
	descriptor, ok := nc.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("http1: a %T cannot be checked for unexpected bytes", nc)
	}
	raw, err := descriptor.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &idleChecker{raw: raw}
	c.read = func(fd uintptr) bool {
		_, err := syscall.Read(int(fd), c.buf[:])
		c.wouldBlock = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true // done, whatever the result: RawConn.Read must not wait for data
	}
	return c, nil
}

// idle reports whether the connection is open and no byte has arrived. A byte that has
// arrived is consumed, so that the connection must be closed when idle reports false.
func (c *idleChecker) idle() bool {
	c.wouldBlock = false
	return c.raw.Read(c.read) == nil && c.wouldBlock
}
