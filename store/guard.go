package store

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Bounds of one reply of Redis. go-redis allocates what the header of a value announces before it reads the
// value, and reads nested values by recursion: without bounds a server that is not Redis, or a
// connection in disorder, ends the process with a few bytes.
const (
	// maxReplyBytes bounds the reply, and each text in it.
	maxReplyBytes = 17 << 20
	// maxReplyValues bounds the values of all lists and maps in the reply together.
	maxReplyValues = 1 << 18
	// maxReplyLists bounds the lists and maps in the reply, and so their depth.
	maxReplyLists = 1 << 15
)

var errReply = errors.New("the reply is not one of Redis, or too large")

// guardedDialer returns a dialer like that of go-redis, whose connections fail at a reply beyond the bounds.
func guardedDialer(o *redis.Options) func(ctx context.Context, network, address string) (net.Conn, error) {
	dial := redis.NewDialer(o)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			return &guardedTCP{TCPConn: tcp}, nil
		}
		return &guardedConn{Conn: conn}, nil
	}
}

// guardedTCP is a guarded connection over TCP. It is a syscall.Conn, by which go-redis finds out that Redis has
// closed a connection.
type guardedTCP struct {
	*net.TCPConn
	guard replyGuard
}

func (c *guardedTCP) Read(p []byte) (int, error) { return c.guard.read(c.TCPConn, p) }

func (c *guardedTCP) Write(p []byte) (int, error) {
	c.guard.reset()
	return c.TCPConn.Write(p)
}

// guardedConn is a guarded connection of another kind, such as TLS.
type guardedConn struct {
	net.Conn
	guard replyGuard
}

func (c *guardedConn) Read(p []byte) (int, error) { return c.guard.read(c.Conn, p) }

func (c *guardedConn) Write(p []byte) (int, error) {
	c.guard.reset()
	return c.Conn.Write(p)
}

// replyGuard follows the headers of the values in the replies of one connection (RESP 2 and 3). The bounds are
// those of all that is read between two commands.
type replyGuard struct {
	mu     sync.Mutex
	bytes  int // read since the last command
	values int // announced since the last command
	lists  int // begun since the last command
	skip   int // bytes of a text that follow
	kind   byte
	number int // the digits of a header so far
	bad    bool
}

func (g *replyGuard) reset() {
	g.mu.Lock()
	g.bytes, g.values, g.lists = 0, 0, 0
	g.mu.Unlock()
}

func (g *replyGuard) read(conn net.Conn, p []byte) (int, error) {
	n, err := conn.Read(p)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.bytes += n; g.bad || g.bytes > maxReplyBytes || !g.follow(p[:n]) {
		g.bad = true
		return 0, errReply
	}
	return n, err
}

// follow reads the next bytes of a reply, and reports whether they are within the bounds.
func (g *replyGuard) follow(p []byte) bool {
	for i := 0; i < len(p); {
		switch c := p[i]; {
		case g.skip > 0:
			n := min(g.skip, len(p)-i)
			g.skip -= n
			i += n
			continue
		case g.kind == 0:
			g.kind, g.number = c, 0
		case c == '\n':
			if !g.announce() {
				return false
			}
			g.kind = 0
		case c >= '0' && c <= '9' && g.hasLength():
			if g.number = 10*g.number + int(c-'0'); g.number > maxReplyBytes {
				return false
			}
		case c == '-' && g.hasLength(): // a null
			g.kind = '_'
		}
		i++
	}
	return true
}

// hasLength reports whether the header is that of a text, a list or a map.
func (g *replyGuard) hasLength() bool {
	switch g.kind {
	case '$', '=', '!', '*', '%', '~', '>', '|':
		return true
	}
	return false
}

// announce counts what a header announces, and reports whether that is within the bounds.
func (g *replyGuard) announce() bool {
	switch g.kind {
	case '$', '=', '!':
		g.skip = g.number + len("\r\n")
	case '*', '~', '>':
		g.values += g.number
		g.lists++
	case '%', '|':
		g.values += 2 * g.number
		g.lists++
	}
	return g.values <= maxReplyValues && g.lists <= maxReplyLists
}
