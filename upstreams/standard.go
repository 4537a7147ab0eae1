package upstreams

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
	"github.com/gatehouse-graphql/gatehouse/upstreams/replay"
)

// standardTransport sends the requests of one endpoint by net/http: those over TLS, HTTP/2 or a
// proxy. net/http bounds neither the age of connections nor can it change certificates. So
// it has generations of transports, each for a time and for one TLS configuration. A generation
// that is over serves no further call, and its connections are closed when the last of its calls
// has ended.
type standardTransport struct {
	connector *connector
	conns     *connections
	viaProxy  bool

	mu      sync.Mutex
	current *generation // nil before the first call. Guarded by mu, as are the fields of generations
	closed  bool        // each call has a generation of its own
}

// generation is one transport of net/http.
type generation struct {
	transport *http.Transport
	tls       *tls.Config // that of the connector, of which the transport has a copy
	expires   time.Time   // zero is never
	calls     int         // how many are running
	over      bool
}

func newStandardTransport(c *connector, conns *connections, viaProxy bool) *standardTransport {
	return &standardTransport{connector: c, conns: conns, viaProxy: viaProxy}
}

// RoundTrip sends req by net/http. Errors that occur after the response began are
// *http1.ResponseError, as those of http1 are, and those that occur without a connection are
// *attempt.ConnectError, whether connecting fails, the handshake or a proxy.
func (t *standardTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	c := &standardCall{t: t, g: t.begin()}
	c.trace.GotConn = func(httptrace.GotConnInfo) { c.connected.Store(true) }
	c.trace.GotFirstResponseByte = func() { c.began.Store(true) }
	traced := req.WithContext(httptrace.WithClientTrace(req.Context(), &c.trace))
	var (
		resp *http.Response
		err  error
	)
	if replay.Allowed(req) {
		resp, err = c.g.transport.RoundTrip(traced)
	} else {
		resp, err = replay.SendOnce(c.g.transport, traced)
	}
	if err != nil {
		c.end()
		switch {
		case req.Context().Err() != nil:
		case c.began.Load():
			err = &http1.ResponseError{Err: err}
		case !c.connected.Load():
			err = &attempt.ConnectError{Err: err}
		}
		return nil, err
	}
	if resp.Body == http.NoBody {
		c.end()
		return resp, nil
	}
	c.body, c.isHTTP1 = resp.Body, resp.ProtoMajor == 1
	resp.Body = c
	return resp, nil
}

// standardCall is one call, and the body of its response.
type standardCall struct {
	t     *standardTransport
	g     *generation
	trace httptrace.ClientTrace

	connected atomic.Bool
	began     atomic.Bool // the first byte of the response has arrived
	ended     atomic.Bool

	body    io.ReadCloser
	isHTTP1 bool
}

func (c *standardCall) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	if err != nil {
		c.end()
		if c.isHTTP1 && err != io.EOF && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			err = &http1.ResponseError{Err: err}
		}
	}
	return n, err
}

func (c *standardCall) Close() error {
	err := c.body.Close()
	c.end()
	return err
}

func (c *standardCall) end() {
	if !c.ended.Swap(true) {
		c.t.end(c.g)
	}
}

// begin returns the generation for a call, which ends with end.
func (t *standardTransport) begin() *generation {
	config, now := t.connector.tls.current.Load(), time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.current
	if g == nil || g.tls != config || !g.expires.IsZero() && now.After(g.expires) {
		t.retire()
		g = t.newGeneration(config, now)
		if g.over = t.closed; !t.closed {
			t.current = g
		}
	}
	g.calls++
	return g
}

// end ends a call.
func (t *standardTransport) end(g *generation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g.calls--
	t.closeUnused(g)
}

// close ends the current generation.
func (t *standardTransport) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.retire()
}

// retire ends the current generation. mu is held.
func (t *standardTransport) retire() {
	if g := t.current; g != nil {
		g.over, t.current = true, nil
		g.transport.CloseIdleConnections()
		t.closeUnused(g)
	}
}

// closeUnused closes the connections of a generation that is over and has no call. mu is held.
// CloseIdleConnections is not enough: a stream of HTTP/2 ends a moment after its response.
func (t *standardTransport) closeUnused(g *generation) {
	if g.over && g.calls == 0 {
		g.transport.CloseIdleConnections()
		t.conns.close(g)
	}
}

func (t *standardTransport) newGeneration(config *tls.Config, now time.Time) *generation {
	o := t.connector.options
	g := &generation{tls: config}
	if age := o.Pool.MaxAge; age > 0 {
		g.expires = now.Add(age - rand.N(age/5+1))
	}
	g.transport = &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return t.connect(ctx, network, address, g)
		},
		TLSClientConfig:        config.Clone(),
		TLSHandshakeTimeout:    o.ConnectTimeout,
		Protocols:              protocols(o.Protocol),
		MaxIdleConnsPerHost:    o.Pool.MaxIdle,
		MaxConnsPerHost:        o.Pool.MaxConns,
		IdleConnTimeout:        o.Pool.IdleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		// All calls share one HTTP/2 connection. A ping finds out if it has died silently.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}
	if t.viaProxy {
		g.transport.Proxy = http.ProxyFromEnvironment
	}
	return g
}

// connect opens a connection. net/http goes on connecting when the call has ended that it was for.
func (t *standardTransport) connect(ctx context.Context, network, address string, g *generation) (net.Conn, error) {
	conn, err := t.conns.connect(ctx, network, address, g)
	if err == nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.closeUnused(g)
	}
	return conn, err
}

// protocols returns what net/http speaks.
func protocols(protocol string) *http.Protocols {
	var p http.Protocols
	switch protocol {
	case protocolHTTP1:
		p.SetHTTP1(true)
	case protocolH2:
		p.SetHTTP2(true)
	case protocolH2C:
		p.SetUnencryptedHTTP2(true)
	default:
		p.SetHTTP1(true)
		p.SetHTTP2(true)
	}
	return &p
}
