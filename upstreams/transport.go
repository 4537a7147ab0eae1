package upstreams

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/discovery"
	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
)

// maxHeader bounds the head of a response, in bytes.
const maxHeader = 256 << 10

// connector opens the transports of one source: one for each endpoint, so that a slow
// replica takes no connection from another, and a vanished one can be closed.
type connector struct {
	options Source // with its defaults
	tls     *tlsWatcher
	refresh func() // called when an endpoint cannot be connected to
}

func newConnector(o Source, refresh func(), log *slog.Logger) (*connector, error) {
	w, err := newTLSWatcher(o.TLS, log)
	if err != nil {
		return nil, err
	}
	return &connector{options: o, tls: w, refresh: refresh}, nil
}

// transport has the connections of one endpoint. It asks for gzip and decompresses
// responses while they are read, so that rest.Client bounds the decompressed size.
type transport struct {
	plain    *http1.Transport // nil where net/http is needed
	standard *standardTransport
	conns    *connections
	dialer   *discovery.Dialer
}

// open returns the transport of an endpoint.
func (c *connector) open(t discovery.Target) *transport {
	o := c.options
	dialer := o.Discovery.Dialer(t, o.ConnectTimeout)
	conns := &connections{failed: c.refresh, open: map[*connection]struct{}{}}
	conns.dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return dialer.Dial(ctx) }
	viaProxy := o.ProxyFromEnvironment && !t.IsSocket()
	if viaProxy {
		conns.dial = (&net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	out := &transport{standard: newStandardTransport(c, conns, viaProxy), conns: conns, dialer: dialer}
	if http1.CanCheckIdle && !viaProxy && t.URL.Scheme == "http" && o.Protocol != protocolH2C {
		out.plain = http1.New(http1.Options{
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				return conns.connect(ctx, network, address, out.plain)
			},
			MaxIdle:     o.Pool.MaxIdle,
			MaxConns:    o.Pool.MaxConns,
			IdleTimeout: o.Pool.IdleTimeout,
			MaxAge:      o.Pool.MaxAge,
			MaxHeader:   maxHeader,
		})
	}
	return out
}

// RoundTrip sends req by http1, which costs less, if that supports the request, and by
// net/http otherwise.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.plain != nil && http1.Supports(req) {
		return t.plain.RoundTrip(req)
	}
	return t.standard.RoundTrip(req)
}

// update replaces the target by one with the same key.
func (t *transport) update(target discovery.Target) { t.dialer.Update(target) }

// close closes the idle connections, and the others when their calls end.
func (t *transport) close() {
	if t.plain != nil {
		t.plain.Close()
	}
	t.standard.close()
}

// drain is close for an address that has vanished: what is open after a time is closed then, though
// calls run.
func (t *transport) drain(d time.Duration) {
	t.close()
	// Also without an open connection: a call may be about to open one.
	time.AfterFunc(d, func() { t.conns.close(nil) })
}
