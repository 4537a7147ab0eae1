package upstreams

import (
	"cmp"
	"context"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// clientContext is a context with the headers of a client's request.
type clientContext struct {
	context.Context
	headers http.Header
	id      [1]string // the request's id, in the form of a header's values
	sources *Sources  // of the request's calls; nil for those in use when a call is made
}

type clientKey struct{}

// WithClientHeaders returns a context with the headers of the client's request. A service
// receives those that its Source lists under Forward. As X-Request-Id it always receives
// id, the gateway's own id of the request, and never the client's. h must not change while
// the context is in use.
func WithClientHeaders(ctx context.Context, h http.Header, id string) context.Context {
	c := &clientContext{Context: ctx, headers: h, id: [1]string{id}}
	if outer, ok := ctx.Value(clientKey{}).(*clientContext); ok {
		c.sources = outer.sources
	}
	return c
}

// Value implements context.Context. It returns the clientContext itself, which costs less
// than a context of context.WithValue around it.
func (c *clientContext) Value(key any) any {
	if key == (clientKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// hasClient reports whether ctx belongs to a client's request.
func hasClient(ctx context.Context) bool { return ctx.Value(clientKey{}) != nil }

// clientHeader returns the values of one of the client's headers by its canonical name.
func clientHeader(ctx context.Context, name string) []string {
	c, ok := ctx.Value(clientKey{}).(*clientContext)
	switch {
	case !ok:
		return nil
	case name == RequestIDHeader:
		return c.id[:]
	}
	return c.headers[name]
}

// ClientCredentials returns the values of the headers by which the client of ctx
// authenticates itself. They must not be logged.
func ClientCredentials(ctx context.Context) []string {
	c, ok := ctx.Value(clientKey{}).(*clientContext)
	if !ok {
		return nil
	}
	var credentials []string
	for name, values := range c.headers {
		if isCredential(name) {
			credentials = append(credentials, values...)
		}
	}
	return credentials
}

// credentialWords occur in the names of headers with credentials.
var credentialWords = []string{"key", "token", "secret", "auth", "sess", "pass", "pwd", "credential", "signature", "jwt", "cookie"}

// isCredential reports whether a header, by its canonical name, holds credentials.
func isCredential(name string) bool {
	if name == "Idempotency-Key" || name == "Sec-Websocket-Key" {
		return false
	}
	// Without regard to case: the canonical form of X-ApiKey is X-Apikey.
	lower := strings.ToLower(name)
	return slices.ContainsFunc(credentialWords, func(word string) bool { return strings.Contains(lower, word) })
}

// RequestIDHeader is the canonical name of the header in which every service receives the id of the
// client's request.
const RequestIDHeader = "X-Request-Id"

// ForwardError returns why a header of the client is never sent to a service, in the form
// "belongs to ...", or "" if it may be forwarded, and read by RequestHeader. Settings and
// bindings follow the same rule, so that no binding can send a header that the settings may
// not list.
func ForwardError(name string) string {
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	switch {
	case !rest.ValidHeaderName(name):
		return "is not a header name"
	case rest.ReservedHeader(canonical):
		return "belongs to the client's own connection"
	case canonical == "Cookie":
		return "holds what a browser sends without being asked"
	case strings.HasPrefix(canonical, "X-User-"):
		return "identifies a user to services, and a client could write any name into it"
	case strings.HasPrefix(canonical, "Content-"), canonical == "Accept", canonical == "Range":
		return "describes the client's own request or response"
	}
	return ""
}

// headers adds headers to every call to one service.
type headers struct {
	fixed   http.Header // of the settings
	forward []string    // canonical names of the client's headers
}

func newHeaders(o Source) headers {
	h := headers{fixed: http.Header{}, forward: addNames([]string{RequestIDHeader}, o.Forward)}
	for name, value := range o.Headers {
		h.fixed.Set(name, value)
	}
	return h
}

// addNames adds names to a list of canonical names, without duplicates.
func addNames(canonical, names []string) []string {
	for _, name := range names {
		if name = textproto.CanonicalMIMEHeaderKey(name); !slices.Contains(canonical, name) {
			canonical = append(canonical, name)
		}
	}
	return canonical
}

// decorate adds to the headers of a call, in to. The headers of the settings override all
// others; those of the binding, which are in to already, override the client's.
func (h headers) decorate(ctx context.Context, to http.Header) {
	for _, name := range h.forward {
		if len(to[name]) > 0 {
			continue
		}
		if values := clientHeader(ctx, name); canForward(name, values) {
			to[name] = values
		}
	}
	for name, values := range h.fixed {
		to[name] = values
	}
}

// canForward reports whether the values of a header may be sent to a service. Of two
// Authorization headers the gateway has verified one at most, so that a service receives
// none.
func canForward(name string, values []string) bool {
	if len(values) == 0 || name == "Authorization" && len(values) > 1 {
		return false
	}
	return !slices.ContainsFunc(values, func(v string) bool { return !rest.ValidHeaderValue(v) })
}

// deniesCaller reports whether a 401 or 403 concerns the caller: the service identifies the
// caller by req, and what it asks for is not another scheme than the caller's. A service
// with an API key of the gateway and the caller's token names in its challenge (RFC 9110,
// 11.6.1) which of the two it does not accept.
func (h headers) deniesCaller(req *http.Request, response http.Header) bool {
	if !h.identifiesCaller(req) {
		return false
	}
	challenges := response["Www-Authenticate"]
	if len(challenges) == 0 || !slices.Contains(h.forward, "Authorization") {
		return true
	}
	scheme, _, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	return hasScheme(challenges, cmp.Or(scheme, "Bearer"))
}

// hasScheme reports whether one of the challenges is of an authentication scheme.
func hasScheme(challenges []string, scheme string) bool {
	for _, challenge := range challenges {
		for part := range strings.SplitSeq(challenge, ",") { // between challenges or parameters
			word, _, _ := strings.Cut(strings.TrimSpace(part), " ")
			if strings.EqualFold(word, scheme) {
				return true
			}
		}
	}
	return false
}

// identifiesCaller reports whether the service identifies the caller by req: req holds
// credentials of the client, forwarded or written by a binding; or it lacks a credential
// that the settings forward, because the client sent none and must sign in first.
func (h headers) identifiesCaller(req *http.Request) bool {
	for _, name := range h.forward {
		if _, ok := req.Header[name]; !ok && isCredential(name) {
			return true
		}
	}
	return slices.ContainsFunc(ClientCredentials(req.Context()), func(credential string) bool {
		return credential != "" && holds(req, credential)
	})
}

// holds reports whether text occurs in the headers or in the query of req.
func holds(req *http.Request, text string) bool {
	for _, values := range req.Header {
		for _, value := range values {
			if strings.Contains(value, text) {
				return true
			}
		}
	}
	query, err := url.PathUnescape(req.URL.RawQuery)
	return err == nil && strings.Contains(query, text)
}
