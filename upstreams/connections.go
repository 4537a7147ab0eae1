package upstreams

import (
	"context"
	"net"
	"sync"
	"syscall"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// connections are the open connections of one endpoint, so that they can be closed while calls
// use them.
type connections struct {
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	failed func() // called when connecting has failed

	mu   sync.Mutex
	open map[*connection]struct{} // guarded by mu
}

// connection is one of connections, which forget it when it is closed.
type connection struct {
	net.Conn
	all  *connections
	user any // that opened it: an *http1.Transport or a *generation
}

// SyscallConn is for http1, which checks connections before they are reused.
func (c *connection) SyscallConn() (syscall.RawConn, error) {
	return c.Conn.(syscall.Conn).SyscallConn()
}

func (c *connection) Close() error {
	c.all.mu.Lock()
	delete(c.all.open, c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// connect opens a connection for user.
func (c *connections) connect(ctx context.Context, network, address string, user any) (net.Conn, error) {
	conn, err := c.dial(ctx, network, address)
	if err != nil {
		if ctx.Err() == nil {
			c.failed()
		}
		return nil, &attempt.ConnectError{Err: err}
	}
	opened := &connection{Conn: conn, all: c, user: user}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[opened] = struct{}{}
	return opened, nil
}

// close closes the connections of a user, or all of them if user is nil. What is being read or
// written on them fails.
func (c *connections) close(user any) {
	c.mu.Lock()
	var closing []*connection
	for conn := range c.open {
		if user == nil || conn.user == user {
			closing = append(closing, conn)
		}
	}
	c.mu.Unlock()
	for _, conn := range closing {
		conn.Close()
	}
}
