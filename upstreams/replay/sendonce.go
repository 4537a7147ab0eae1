package replay

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

var errNotReplayed = errors.New("the connection ended, and the request may have been processed: it is not sent again")

// SendOnce sends req by net/http's transport, and keeps the transport from repeating it
// once it may have reached the server. It is for requests that are not Allowed.
//
// The transport cannot be configured not to repeat requests, and has rules of its own:
//
//   - POST, PUT, PATCH and DELETE over HTTP/1.1: only while nothing has been written. That
//     is right.
//   - GET, HEAD, OPTIONS and TRACE over HTTP/1.1: always, unless the body cannot be
//     rewound. So preventReplay sets such a body.
//   - Every request over HTTP/2 whose stream was reset by REFUSED_STREAM, which says that
//     nothing was processed (RFC 9113, 8.7), or by PROTOCOL_ERROR, which does not say so.
//     After PROTOCOL_ERROR it takes another connection; GotConn sees that, and cancels.
func SendOnce(t *http.Transport, req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	var (
		conn    net.Conn // the last one; the hooks do not run concurrently
		written atomic.Bool
	)
	out := req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			if written.Load() && conn != info.Conn && isHTTP2(t, conn) {
				cancel(errNotReplayed) // HTTP/2 checks the context before it writes
			}
			conn = info.Conn
		},
		WroteHeaders: func() { written.Store(true) },
	}))
	preventReplay(out)
	resp, err := t.RoundTrip(out)
	if err != nil && context.Cause(ctx) == errNotReplayed {
		err = errNotReplayed
	}
	return resp, err
}

// isHTTP2 reports whether c, a connection of t, speaks HTTP/2.
func isHTTP2(t *http.Transport, c net.Conn) bool {
	if encrypted, ok := c.(*tls.Conn); ok {
		return encrypted.ConnectionState().NegotiatedProtocol == "h2"
	}
	return t.Protocols != nil && t.Protocols.UnencryptedHTTP2() && !t.Protocols.HTTP1()
}

// preventReplay removes from req what net/http would repeat it for. The headers belong to
// the caller, so that they are copied before a change.
func preventReplay(req *http.Request) {
	for _, name := range idempotencyHeaders {
		if _, ok := req.Header[name]; ok { // its value is empty, since req is not Allowed
			req.Header = req.Header.Clone()
			delete(req.Header, name)
		}
	}
	if isSafe(req.Method) {
		req.GetBody = nil
		if !hasBody(req) {
			req.Body = emptyBody{} // of unknown length: net/http reads it and sends no body
		}
	}
}

// emptyBody is an empty body that cannot be rewound.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) Close() error             { return nil }
