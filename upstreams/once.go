package upstreams

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
)

var errRepeated = errors.New("the connection ended, and the request may have been processed: it is not sent again")

// sendOnce sends by net/http's transport a request that must not be sent again once it may
// have reached the server.
//
// The transport repeats requests by rules of its own. Those for POST, PUT, PATCH and DELETE
// over HTTP/1.1 are right: it repeats what it has not begun to write. Any GET it repeats,
// unless the GET has a body that cannot be read again. Over HTTP/2 it repeats every request
// whose stream was reset by REFUSED_STREAM, which says that nothing was processed (RFC 9113,
// 8.7), but also by PROTOCOL_ERROR, which does not: then it takes another connection.
func sendOnce(t *http.Transport, req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	var (
		conn    net.Conn // the last; the hooks run one after the other
		written atomic.Bool
	)
	out := req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(c httptrace.GotConnInfo) {
			if written.Load() && conn != c.Conn && isHTTP2(conn) {
				cancel(errRepeated) // HTTP/2 looks at the context before it writes
			}
			conn = c.Conn
		},
		WroteHeaders: func() { written.Store(true) },
	}))
	makeUnrepeatable(out)
	resp, err := t.RoundTrip(out)
	if err != nil && context.Cause(ctx) == errRepeated {
		err = errRepeated
	}
	return resp, err
}

func isHTTP2(c net.Conn) bool {
	encrypted, ok := c.(*tls.Conn)
	return ok && encrypted.ConnectionState().NegotiatedProtocol == "h2"
}

// makeUnrepeatable takes from req what net/http would repeat it for. The headers are the
// caller's, and are copied where that changes them.
func makeUnrepeatable(req *http.Request) {
	for _, name := range balance.KeyHeaders {
		if _, ok := req.Header[name]; ok { // an empty one, since req is not repeatable
			req.Header = req.Header.Clone()
			delete(req.Header, name)
		}
	}
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		req.GetBody = nil
		if req.Body == nil || req.Body == http.NoBody {
			req.Body = noBody{} // of unknown length: net/http looks, and sends none
		}
	}
}

// noBody is an empty body that cannot be read again.
type noBody struct{}

func (noBody) Read([]byte) (int, error) { return 0, io.EOF }
func (noBody) Close() error             { return nil }
