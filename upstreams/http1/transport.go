// Package http1 speaks HTTP/1.1 with servers over plain TCP connections that are reused.
// Transport is an http.RoundTripper that costs less than net/http's: the goroutine that
// makes a call also writes the request and reads the response.
//
// It promises that
//   - a connection serves a second call only if the first one was complete on both sides
//     and the server has sent no byte that did not belong to it;
//   - when a request's context ends, its call ends at once;
//   - everything that a server may send is bounded, except the body, which the caller
//     reads.
//
// The first promise is what keeps one caller's response from reaching another one
// (response splitting, RFC 9112, 11). It has three parts: appendHead writes no head that
// a server could read as two requests, parseFraming accepts no response whose end is
// ambiguous, and a connection is checked for unexpected bytes when it becomes idle and
// again when it is taken from the pool.
//
// Requests for which Supports reports false are for net/http.
package http1

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
	"github.com/gatehouse-graphql/gatehouse/upstreams/replay"
)

// The defaults of Options.
const (
	DefaultMaxIdle     = 64
	DefaultIdleTimeout = 90 * time.Second
	DefaultMaxHeader   = 256 << 10
)

// Options configure the connections to each host and port. The zero value is useful.
type Options struct {
	// Dial opens the connection to a host:port. On Unix it must be a syscall.Conn. Default a
	// net.Dialer that is bounded by the request's context alone.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// MaxIdle is how many idle connections are kept. Default DefaultMaxIdle; negative is
	// none.
	MaxIdle int
	// MaxConns is how many connections there may be. Further calls wait, in the order in
	// which they came. Default no limit.
	MaxConns int
	// IdleTimeout is how long a connection is kept idle before it is closed. Default
	// DefaultIdleTimeout.
	IdleTimeout time.Duration
	// MaxAge is how old a connection becomes before it is closed, when its call has ended. Of
	// each connection up to a fifth is subtracted at random. Default no limit.
	MaxAge time.Duration
	// MaxHeader is how many bytes a response may have before its body, interim responses
	// included. Default DefaultMaxHeader.
	MaxHeader int
}

// Transport is an http.RoundTripper, made by New. It is safe for concurrent use.
type Transport struct {
	options Options

	mu     sync.Mutex
	hosts  map[string]*host // by host:port; only those with a connection. mu guards the map and the hosts
	timer  *time.Timer      // closes expired idle connections; nil while none is idle. Guarded by mu
	closed bool             // no call has begun since CloseIdleConnections. Guarded by mu
	ended  bool             // Close was called. Guarded by mu
}

// New returns a transport without connections.
func New(o Options) *Transport {
	o.MaxIdle = cmp.Or(o.MaxIdle, DefaultMaxIdle)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, DefaultIdleTimeout)
	o.MaxHeader = cmp.Or(o.MaxHeader, DefaultMaxHeader)
	if o.Dial == nil {
		o.Dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	return &Transport{options: o, hosts: map[string]*host{}}
}

// RoundTrip sends req, which Supports must approve, and reads the head of its response. It
// adds no User-Agent. Like net/http's transport, it asks for gzip unless req has an
// Accept-Encoding of its own, and then decompresses the body. When a reused connection
// fails before a response began, it sends req once more over a new connection if nothing of req
// was sent, and returns an *attempt.StaleError otherwise. The idle connections to the server are
// closed then, since it has most likely closed them too. Trailers of a response are read and
// dropped.
//
// The caller must read the body to its end or close it. Otherwise the connection stays in
// use until the request's context ends.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.roundTrip(req)
	if err != nil && req.Context().Err() != nil {
		return nil, contextError(req.Context())
	}
	return resp, err
}

func (t *Transport) roundTrip(req *http.Request) (*http.Response, error) {
	if !Supports(req) {
		closeBody(req)
		return nil, errors.New("http1: a request that only net/http can send")
	}
	if err := req.Context().Err(); err != nil {
		closeBody(req)
		return nil, err
	}
	c, err := t.getConn(req.Context(), address(req.URL), false)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := c.exchange(req)
	if err == nil || !c.reused || req.Context().Err() != nil {
		return resp, err
	}
	none, ok := errors.AsType[*noResponseError](err)
	if !ok {
		return nil, err
	}
	t.closeSuspects(c)
	if !none.unsent || !replay.CanRewind(req) {
		return nil, &attempt.StaleError{Err: err}
	}
	rewound, err := replay.Rewind(req)
	if err != nil {
		return nil, err
	}
	if c, err = t.getConn(req.Context(), c.address, true); err != nil {
		closeBody(rewound)
		return nil, err
	}
	if resp, err = c.exchange(rewound); err == nil {
		resp.Request = req
	}
	return resp, err
}

// Supports reports whether Transport can send req. It cannot encrypt, change protocols,
// wait for "100 Continue", announce trailers, or write host names that are not ASCII.
func Supports(req *http.Request) bool {
	u := req.URL
	if u == nil || u.Scheme != "http" || u.Opaque != "" || !isPlainHost(u.Host) || req.Host != "" && !isPlainHost(req.Host) {
		return false
	}
	if req.Method == http.MethodConnect || req.Close || len(req.Trailer)+len(req.TransferEncoding) > 0 {
		return false
	}
	for _, name := range [...]string{"Connection", "Upgrade", "Expect", "Te", "Keep-Alive", "Proxy-Connection"} {
		if _, ok := req.Header[name]; ok {
			return false
		}
	}
	return true
}

// isPlainHost reports whether host can be dialled and written into a Host header as it is.
func isPlainHost(host string) bool {
	for i := range len(host) {
		switch ch := host[i]; {
		case 'a' <= ch && ch <= 'z', 'A' <= ch && ch <= 'Z', '0' <= ch && ch <= '9':
		case ch == '.', ch == '-', ch == '_', ch == ':', ch == '[', ch == ']':
		default:
			return false
		}
	}
	return host != "" && host[0] != ':' && host[len(host)-1] != ':'
}

// address returns the host:port to dial for u.
func address(u *url.URL) string {
	if u.Port() == "" {
		return u.Host + ":80"
	}
	return u.Host
}

// noResponseError is the error of an exchange in which no byte of a response came.
type noResponseError struct {
	unsent bool // no byte of the request was sent either
	err    error
}

func (e *noResponseError) Error() string { return e.err.Error() }
func (e *noResponseError) Unwrap() error { return e.err }

// ResponseError is the error of a call whose response had begun: the server was reached.
type ResponseError struct{ Err error }

func (e *ResponseError) Error() string { return e.Err.Error() }
func (e *ResponseError) Unwrap() error { return e.Err }

// Malformed reports whether the response is not HTTP/1.1. Otherwise it broke off.
func (e *ResponseError) Malformed() bool {
	if errors.Is(e.Err, io.ErrUnexpectedEOF) || errors.Is(e.Err, io.EOF) {
		return false
	}
	_, network := errors.AsType[net.Error](e.Err)
	return !network
}

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// contextError returns the error of a call whose context has ended. The end of the context
// is the reason, whatever else failed in consequence.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
