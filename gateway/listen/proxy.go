package listen

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/gatehouse-graphql/gatehouse/gateway/network"
)

// ProxyProtocol believes the addresses of clients in the headers of the PROXY protocol, versions 1 and 2,
// which TCP load balancers send before anything else.
type ProxyProtocol struct {
	// Trusted are the networks of the load balancers, such as 10.0.0.0/8. A connection from them must
	// begin with a header, and one from elsewhere must not: otherwise it is closed. Connections from
	// elsewhere keep their own address. Default none, which switches the protocol off.
	Trusted []string `yaml:"trusted"`
}

// Validate returns what is wrong with the settings. Each error begins with the setting that it is about.
func (o ProxyProtocol) Validate() error {
	_, err := network.ParseSet("trusted", o.Trusted)
	return err
}

// Proxied has connections of listeners begin with headers of the PROXY protocol. It is safe for concurrent
// use.
type Proxied struct {
	trusted            atomic.Pointer[network.Set]
	without, untrusted *Refusals
}

// NewProxied returns a Proxied that leaves connections as they are until Set is called. Refused connections
// are logged to log.
func NewProxied(log *slog.Logger) *Proxied {
	return &Proxied{
		without:   NewRefusals(log, "connections of trusted peers are refused, since they do not begin with a header of the PROXY protocol; have the load balancer send it, or remove its network from proxyProtocol.trusted"),
		untrusted: NewRefusals(log, "connections are refused, since they begin with a header of the PROXY protocol, but come from a peer that is not trusted; add a load balancer to proxyProtocol.trusted"),
	}
}

// Set replaces the settings, for new connections.
func (p *Proxied) Set(o ProxyProtocol) error {
	trusted, err := network.ParseSet("trusted", o.Trusted)
	if err != nil {
		return fmt.Errorf("proxyProtocol: %w", err)
	}
	p.trusted.Store(&trusted)
	return nil
}

// Listener returns a listener of the connections of l, which read their headers, within timeout, before
// anything else is read, and whose RemoteAddr is that of the header. RemoteAddr may wait for the header.
func (p *Proxied) Listener(l net.Listener, timeout time.Duration) net.Listener {
	return &proxiedListener{l, p, timeout}
}

type proxiedListener struct {
	net.Listener
	proxied *Proxied
	timeout time.Duration
}

// Accept implements net.Listener.
func (l *proxiedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	trusted := l.proxied.trusted.Load()
	if trusted == nil || trusted.IsEmpty() {
		return conn, nil
	}
	policy := proxyproto.REJECT
	if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok && trusted.Contains(tcp.AddrPort().Addr()) {
		policy = proxyproto.REQUIRE
	}
	return &proxiedConn{Conn: proxyproto.NewConn(conn, proxyproto.WithPolicy(policy),
		proxyproto.SetReadHeaderTimeout(l.timeout), proxyproto.ValidateHeader(validateHeader)), proxied: l.proxied}, nil
}

// validateHeader refuses headers whose addresses are not those of a client of HTTP. A header may say that
// the load balancer itself connects (LOCAL), or that the protocol is unknown (UNKNOWN of version 1): then the
// connection's own addresses count, as the specification says (sections 2.1 and 2.2).
func validateHeader(h *proxyproto.Header) error {
	if h.Command.IsLocal() || h.TransportProtocol.IsUnspec() {
		return nil
	}
	if _, ok := h.SourceAddr.(*net.TCPAddr); !ok || !h.TransportProtocol.IsStream() {
		return errors.New("the PROXY header is not one of TCP")
	}
	return nil
}

// proxiedConn is a connection that begins with a header, or must not.
type proxiedConn struct {
	*proxyproto.Conn
	proxied *Proxied
}

// Read implements net.Conn. It reads the header before anything else.
func (c *proxiedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.proxied.refused(c, err)
	}
	return n, err
}

// refused logs the refusal of a connection, if err is one.
func (p *Proxied) refused(c *proxiedConn, err error) {
	peer := c.Raw().RemoteAddr().String()
	switch {
	case errors.Is(err, proxyproto.ErrSuperfluousProxyHeader):
		p.untrusted.Add("peer", peer)
	case errors.Is(err, proxyproto.ErrNoProxyProtocol):
		p.without.Add("peer", peer)
	}
}

// CloseWrite is for net/http, which ends a connection by it so that the client can read the response.
func (c *proxiedConn) CloseWrite() error {
	if half, ok := c.Raw().(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// SetLinger is for connections that are refused.
func (c *proxiedConn) SetLinger(seconds int) error {
	if lingering, ok := c.Raw().(interface{ SetLinger(int) error }); ok {
		return lingering.SetLinger(seconds)
	}
	return nil
}
