package balance

import (
	"context"
	"errors"
	"net"
	"net/http"
)

// maxSent is to how many endpoints a request is sent, those that refused the connection
// not counted. A request that breaks one server after the other must not reach all.
const maxSent = 2

type onceKey struct{}

// Once returns a context for a request that changes something although its method says
// otherwise: a GET under a mutation. Such a request is not Repeatable by its method.
func Once(ctx context.Context) context.Context { return context.WithValue(ctx, onceKey{}, true) }

// Repeatable reports whether req may be sent again after it may have reached a server. It
// is the only place that decides so, for the transports below as well.
//
// A request is repeatable if it has an idempotency key, or if it is a GET, HEAD, OPTIONS
// or TRACE and its context is not Once. PUT and DELETE are not, although
// HTTP calls them idempotent: the second DELETE is answered by 404, and a second PUT may
// overwrite what another client wrote in between.
func Repeatable(req *http.Request) bool {
	if hasKey(req.Header) {
		return true
	}
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return req.Context().Value(onceKey{}) == nil
	}
	return false
}

// KeyHeaders are the headers by which a service recognizes a repeated request. They are
// those that net/http knows.
var KeyHeaders = [...]string{"Idempotency-Key", "X-Idempotency-Key"}

// hasKey reports whether h has an idempotency key. A key with no value at all says that
// the request may be repeated, and is not sent; an empty text is no key.
func hasKey(h http.Header) bool {
	for _, name := range KeyHeaders {
		if values, ok := h[name]; ok && (len(values) == 0 || values[0] != "") {
			return true
		}
	}
	return false
}

// mayFollow reports whether req may be sent to another endpoint after err.
func mayFollow(req *http.Request, err error) bool {
	return rewindable(req) && (unsent(err) || Repeatable(req))
}

// unsent reports whether err came from dialling, before a byte of the request was sent.
func unsent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

func rewindable(req *http.Request) bool { return !hasBody(req) || req.GetBody != nil }

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

// closeBody is owed by every RoundTripper, also on its errors.
func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
