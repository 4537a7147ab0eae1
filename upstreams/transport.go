package upstreams

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
	"github.com/gatehouse-graphql/gatehouse/upstreams/replay"
)

// maxHeader bounds the head of a response, in bytes.
const maxHeader = 256 << 10

// transport has the connections of one source, so that a slow service takes none from
// another. It asks for gzip and decompresses responses while they are read, so that
// rest.Client bounds the decompressed size.
type transport struct {
	plain    *http1.Transport // nil where a proxy may be used
	standard *http.Transport
	retired  atomic.Bool // no connection is kept for later calls
}

// retire closes the idle connections, and has callEnded close those that become idle.
func (t *transport) retire() {
	t.retired.Store(true)
	t.CloseIdleConnections()
}

// callEnded must be called when a call has ended, with its connections.
func (t *transport) callEnded() {
	if t.retired.Load() {
		t.CloseIdleConnections()
	}
}

// RoundTrip sends req by http1, which costs less, if that supports the request, and by
// net/http otherwise.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.plain != nil && http1.Supports(req) {
		return t.plain.RoundTrip(req)
	}
	return t.roundTripStandard(req)
}

// roundTripStandard sends req by net/http. Errors that occur after the response began are
// *http1.ResponseError, as those of http1 are.
func (t *transport) roundTripStandard(req *http.Request) (resp *http.Response, err error) {
	var began atomic.Bool
	traced := req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotFirstResponseByte: func() { began.Store(true) },
	}))
	if replay.Allowed(req) {
		resp, err = t.standard.RoundTrip(traced)
	} else {
		resp, err = replay.SendOnce(t.standard, traced)
	}
	switch {
	case err == nil && resp.ProtoMajor == 1 && resp.Body != http.NoBody:
		resp.Body = &standardBody{resp.Body}
	case err != nil && began.Load() && req.Context().Err() == nil:
		err = &http1.ResponseError{Err: err}
	}
	return resp, err
}

// standardBody is the body of a response that net/http reads in HTTP/1.1.
type standardBody struct{ io.ReadCloser }

func (b *standardBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		err = &http1.ResponseError{Err: err}
	}
	return n, err
}

// CloseIdleConnections closes the idle connections. Running calls continue.
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
		// All calls share one HTTP/2 connection. A ping finds out if it has died silently.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}}
	switch {
	case o.ProxyFromEnvironment:
		t.standard.Proxy = http.ProxyFromEnvironment
	case http1.CanCheckIdle:
		t.plain = http1.New(http1.Options{
			ConnectTimeout: o.ConnectTimeout,
			MaxIdle:        o.Pool.MaxIdle,
			MaxConns:       o.Pool.MaxConns,
			IdleTimeout:    o.Pool.IdleTimeout,
			MaxHeader:      maxHeader,
		})
	}
	if o.TLS.CAFile == "" {
		return t, nil
	}
	roots, err := loadRoots(o.TLS.CAFile)
	if err != nil {
		return nil, fmt.Errorf("tls.caFile: %w", err)
	}
	t.standard.TLSClientConfig = &tls.Config{RootCAs: roots}
	return t, nil
}

// loadRoots returns the system's certificate authorities and those of a PEM file.
func loadRoots(file string) (*x509.CertPool, error) {
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
