// Package replay is the one place that decides which HTTP requests may be sent again,
// and that rewinds their bodies. The balancer and both transports follow it, so that no
// two of them repeat a request by different rules.
//
// A request may always be sent again while it has certainly not reached a server. Once
// it may have reached one, the server may have processed it, and only a request for
// which Allowed reports true is sent again.
package replay

import (
	"context"
	"errors"
	"net/http"
)

type forbiddenKey struct{}

// Forbid returns a context for requests that change something although their method is
// safe, such as a GET under a mutation. Allowed then ignores the method.
func Forbid(ctx context.Context) context.Context {
	return context.WithValue(ctx, forbiddenKey{}, true)
}

// Allowed reports whether req may be sent again after it may have reached a server.
//
// It is so for a request with an idempotency key, and for a GET, HEAD, OPTIONS or TRACE
// whose context was not made by Forbid. RFC 9110 (9.2.2) also calls PUT and DELETE
// idempotent, but their replay is not invisible: a second DELETE is answered with 404,
// and a second PUT may overwrite what another client wrote in between. A binding allows
// it with "idempotent: true", which sets the key.
func Allowed(req *http.Request) bool {
	return hasIdempotencyKey(req.Header) || IsRead(req)
}

// IsRead reports whether req only reads: its method is safe, and its context was not made by Forbid.
// Sending it again does no harm even while the first one is being processed.
func IsRead(req *http.Request) bool {
	return isSafe(req.Method) && req.Context().Value(forbiddenKey{}) == nil
}

// isSafe reports whether method is safe (RFC 9110, 9.2.1); "" is GET, as in net/http.
func isSafe(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// idempotencyHeaders are the headers by which a service recognizes a request that it has
// seen before. net/http's transport knows the same two.
var idempotencyHeaders = [...]string{"Idempotency-Key", "X-Idempotency-Key"}

// hasIdempotencyKey reports whether h has an idempotency key. As in net/http, a header
// without any value says that the request may be repeated and is not sent. A header whose
// value is empty is not a key.
func hasIdempotencyKey(h http.Header) bool {
	for _, name := range idempotencyHeaders {
		if values, ok := h[name]; ok && (len(values) == 0 || values[0] != "") {
			return true
		}
	}
	return false
}

// CanRewind reports whether req has no body, or one that can be read from its beginning
// once more.
func CanRewind(req *http.Request) bool { return !hasBody(req) || req.GetBody != nil }

var errNoGetBody = errors.New("the body of the request cannot be read twice")

// Rewind returns req with a body that has not been read. req itself is not changed, and
// is returned as it is when it has no body.
func Rewind(req *http.Request) (*http.Request, error) {
	if !hasBody(req) {
		return req, nil
	}
	if req.GetBody == nil {
		return nil, errNoGetBody
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	rewound := *req
	rewound.Body = body
	return &rewound, nil
}

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }
