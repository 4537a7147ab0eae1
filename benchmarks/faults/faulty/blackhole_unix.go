//go:build unix

package faulty

import (
	"io"
	"net"
	"syscall"
	"time"
)

// hole is an address on which the kernel drops attempts to connect: its queue of connections that wait
// to be accepted is full, and none is accepted.
type hole struct {
	socket int
	queued []net.Conn
}

// blackhole listens on an IPv4 address that accepts no connection and refuses none.
func blackhole(address string) (io.Closer, error) {
	at, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return nil, err
	}
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(socket)
	h := &hole{socket: socket}
	if err := h.listen(at); err != nil {
		_ = h.Close()
		return nil, err
	}
	return h, nil
}

// listen fills the queue: it connects until connecting takes too long.
func (h *hole) listen(at *net.TCPAddr) error {
	if err := syscall.SetsockoptInt(h.socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return err
	}
	name := &syscall.SockaddrInet4{Port: at.Port, Addr: [4]byte(at.IP.To4())}
	if err := syscall.Bind(h.socket, name); err != nil {
		return err
	}
	if err := syscall.Listen(h.socket, 0); err != nil {
		return err
	}
	for {
		conn, err := net.DialTimeout("tcp4", at.String(), 100*time.Millisecond)
		if err != nil {
			return nil
		}
		h.queued = append(h.queued, conn)
	}
}

func (h *hole) Close() error {
	for _, conn := range h.queued {
		_ = conn.Close()
	}
	return syscall.Close(h.socket)
}
