package upstreams

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
)

// maxHeader is how large the head of an answer may be, in bytes.
const maxHeader = 256 << 10

// transport has the connections of one source, so that a slow service takes none from
// another. It asks for gzip and unpacks it while it is read, where rest counts.
type transport struct {
	plain    *http1.Transport // nil where there may be a proxy
	standard *http.Transport
}

// RoundTrip chooses: http1 costs less, and speaks plain HTTP/1.1 alone.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.plain != nil && http1.Supports(req) {
		return t.plain.RoundTrip(req)
	}
	if !balance.Repeatable(req) {
		return sendOnce(t.standard, req)
	}
	return t.standard.RoundTrip(req)
}

// CloseIdleConnections closes those that wait for calls. Running calls go on.
func (t *transport) CloseIdleConnections() {
	if t.plain != nil {
		t.plain.CloseIdleConnections()
	}
	t.standard.CloseIdleConnections()
}

func newTransport(o Source) (*transport, error) {
	t := &transport{standard: &http.Transport{
		DialContext:            (&net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    o.ConnectTimeout,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    o.Pool.MaxIdle,
		MaxConnsPerHost:        o.Pool.MaxConns,
		IdleConnTimeout:        o.Pool.IdleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		// All calls share one HTTP/2 connection; if it dies silently, a ping finds out.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}}
	switch {
	case o.ProxyFromEnvironment:
		t.standard.Proxy = http.ProxyFromEnvironment
	case http1.Supported:
		t.plain = http1.New(http1.Options{
			ConnectTimeout: o.ConnectTimeout,
			MaxIdle:        o.Pool.MaxIdle,
			MaxConns:       o.Pool.MaxConns,
			IdleTimeout:    o.Pool.IdleTimeout,
			MaxHeader:      maxHeader,
			Repeat:         o.repeat(),
		})
	}
	if o.TLS.CAFile == "" {
		return t, nil
	}
	roots, err := trusted(o.TLS.CAFile)
	if err != nil {
		return nil, fmt.Errorf("tls.caFile: %w", err)
	}
	t.standard.TLSClientConfig = &tls.Config{RootCAs: roots}
	return t, nil
}

// repeat says which requests http1 repeats when an idle connection turns out to be closed.
// With several replicas that is none: the balancer sends the request to another one, so
// that no request is sent more than twice.
func (o Source) repeat() func(*http.Request) bool {
	if len(o.URLs) > 1 {
		return nil
	}
	return balance.Repeatable
}

// trusted are the system's authorities and those of file.
func trusted(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no PEM certificate", file)
	}
	return roots, nil
}
