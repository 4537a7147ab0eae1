// Package http1 speaks HTTP/1.1 with servers over plain TCP connections that are used
// again. It is an http.RoundTripper that costs less than net/http's: a call is written
// and read by the goroutine that makes it.
//
// It promises that a connection serves a second call only when the first was whole on
// both sides, and not a byte more was there than belonged to it; that the end of a
// request's context ends at once whatever its call was doing; and that everything
// which a server may send is bounded, but for the body, which the caller reads. What
// it does not speak, Speaks tells: that is for net/http.
package http1

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// The defaults of Options.
const (
	DefaultMaxIdle     = 64
	DefaultIdleTimeout = 90 * time.Second
	DefaultMaxHeader   = 256 << 10
)

// Options tune the connections, for each host and port. The zero value is useful.
type Options struct {
	// ConnectTimeout bounds the connecting. Default none but the request's context.
	ConnectTimeout time.Duration
	// MaxIdle is how many connections wait for the next call. Default DefaultMaxIdle;
	// negative is none.
	MaxIdle int
	// MaxConns is how many there may be; further calls wait, in the order they came.
	// Default no limit.
	MaxConns int
	// IdleTimeout is how long one waits before it is closed. Default DefaultIdleTimeout.
	IdleTimeout time.Duration
	// MaxHeader is how many bytes an answer may have before its body, interim answers
	// included. Default DefaultMaxHeader.
	MaxHeader int
	// Repeat reports whether a request may be sent again after it may have reached the
	// server. Default none may.
	Repeat func(*http.Request) bool
}

// Transport is an http.RoundTripper. Make it by New; it is safe for concurrent use.
type Transport struct {
	options Options
	dialer  net.Dialer

	mu     sync.Mutex
	hosts  map[string]*host // by host:port; those with a connection. Guarded by mu, as is what is in them
	timer  *time.Timer      // closes what was idle for too long; nil until something is. Guarded by mu
	closed bool             // no call has begun since CloseIdleConnections; guarded by mu
}

// New makes a transport without connections.
func New(o Options) *Transport {
	o.MaxIdle = cmp.Or(o.MaxIdle, DefaultMaxIdle)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, DefaultIdleTimeout)
	o.MaxHeader = cmp.Or(o.MaxHeader, DefaultMaxHeader)
	return &Transport{
		options: o,
		dialer:  net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: 30 * time.Second},
		hosts:   map[string]*host{},
	}
}

// RoundTrip sends req, one that Speaks approves of, and reads the head of its answer. It
// adds no User-Agent. As net/http's transport does, it asks for gzip unless req asks for an encoding itself, and
// then unpacks the body. When a connection that was used before fails before an answer
// began, it sends req once more over a new connection, if nothing of req was sent or
// Options.Repeat allows it. An answer's trailers are read and dropped.
//
// The body must be read to its end or closed, or else its connection is taken until the
// request's context ends.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.roundTrip(req)
	if err != nil && req.Context().Err() != nil {
		return nil, ended(req.Context())
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
	c, err := t.take(req.Context(), address(req.URL), false)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := c.exchange(req)
	if err == nil || !c.used || req.Context().Err() != nil || !t.mayRepeat(req, err) {
		return resp, err
	}
	second, err := again(req)
	if err != nil {
		return nil, err
	}
	if c, err = t.take(req.Context(), c.address, true); err != nil {
		closeBody(second)
		return nil, err
	}
	if resp, err = c.exchange(second); err == nil {
		resp.Request = req
	}
	return resp, err
}

// Supports tells whether Transport can send req. It cannot encrypt, change protocols, ask for
// permission to send a body, tell trailers beforehand or write hosts that are not ASCII.
func Supports(req *http.Request) bool {
	u := req.URL
	if u == nil || u.Scheme != "http" || u.Opaque != "" || !plainHost(u.Host) || req.Host != "" && !plainHost(req.Host) {
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

// plainHost tells whether host can be sent and dialled as it is.
func plainHost(host string) bool {
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

// address is what to dial for u.
func address(u *url.URL) string {
	if u.Port() == "" {
		return u.Host + ":80"
	}
	return u.Host
}

// failure is that of an exchange of which no answer began.
type failure struct {
	unsent bool // the server got nothing of the request
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// mayRepeat reports whether req may be sent once more after err, which came of a connection
// that had served before: the server had probably closed it.
func (t *Transport) mayRepeat(req *http.Request, err error) bool {
	f, ok := errors.AsType[*failure](err)
	if !ok || hasBody(req) && req.GetBody == nil {
		return false
	}
	return f.unsent || t.options.Repeat != nil && t.options.Repeat(req)
}

// again is req with a body that has not been read.
func again(req *http.Request) (*http.Request, error) {
	if !hasBody(req) {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	fresh := *req
	fresh.Body = body
	return &fresh, nil
}

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// ended is the error of a call whose context is over: that is why, whatever else failed.
func ended(ctx context.Context) error {
	over, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, over) {
		return cause
	}
	return fmt.Errorf("%w: %w", over, cause)
}
