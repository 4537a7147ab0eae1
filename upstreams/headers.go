package upstreams

import (
	"context"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// clientContext is a context with what services may learn of a client's request.
type clientContext struct {
	context.Context
	headers http.Header
	id      [1]string
}

type clientKey struct{}

// WithClientHeaders returns a context with the headers of the client's request, of
// which a service gets those that its Source lists under Forward. As X-Request-ID it gets
// id in any case, our name of the request, and never the client's own.
// h must not change as long as the context is used.
func WithClientHeaders(ctx context.Context, h http.Header, id string) context.Context {
	return &clientContext{Context: ctx, headers: h, id: [1]string{id}}
}

// Value implements context.Context.
func (c *clientContext) Value(key any) any {
	if key == (clientKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// knowsClient tells whether ctx is below a client's request.
func knowsClient(ctx context.Context) bool { return ctx.Value(clientKey{}) != nil }

// clientHeader gives the values of one of the client's headers by its canonical name.
func clientHeader(ctx context.Context, name string) []string {
	c, ok := ctx.Value(clientKey{}).(*clientContext)
	switch {
	case !ok:
		return nil
	case name == requestID:
		return c.id[:]
	}
	return c.headers[name]
}

// ClientCredentials returns what the client's request in ctx proves itself by: values that
// belong into no log.
func ClientCredentials(ctx context.Context) []string {
	c, ok := ctx.Value(clientKey{}).(*clientContext)
	if !ok {
		return nil
	}
	var values []string
	for name, sent := range c.headers {
		if isCredential(name) {
			values = append(values, sent...)
		}
	}
	return values
}

// credentialSigns are parts of the names of headers that prove who asks.
var credentialSigns = []string{"key", "token", "secret", "auth", "sess", "pass", "pwd", "credential", "signature", "jwt", "cookie"}

// isCredential reports whether a header, by its canonical name, holds what proves who asks.
func isCredential(name string) bool {
	if name == "Idempotency-Key" || name == "Sec-Websocket-Key" {
		return false
	}
	lower := strings.ToLower(name) // of "X-Apikey", the canonical form of X-ApiKey, Key is no part
	return slices.ContainsFunc(credentialSigns, func(sign string) bool { return strings.Contains(lower, sign) })
}

const requestID = "X-Request-Id"

// ForwardError says why no service ever gets a client's header; "" when it may be
// forwarded, and read by RequestHeader. No header is so by the settings alone: a
// binding cannot send on what they may not.
func ForwardError(name string) string {
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	switch {
	case !rest.ValidHeaderName(name):
		return "is no header name"
	case rest.Reserved(canonical):
		return "belongs to the client's own connection"
	case canonical == "Cookie":
		return "holds what a browser sends unasked"
	case strings.HasPrefix(canonical, "X-User-"):
		return "is one by which services know a user, and a client could write any name into it"
	case strings.HasPrefix(canonical, "Content-"), canonical == "Accept", canonical == "Range":
		return "describes the client's own request or answer"
	}
	return ""
}

// headers completes those of every call to one service.
type headers struct {
	fixed   http.Header
	forward []string // canonical
}

func newHeaders(o Source) headers {
	h := headers{fixed: http.Header{}, forward: union([]string{requestID}, o.Forward)}
	for name, value := range o.Headers {
		h.fixed.Set(name, value)
	}
	return h
}

// union adds names to a list of canonical ones, each once.
func union(canonical, names []string) []string {
	for _, name := range names {
		if name = textproto.CanonicalMIMEHeaderKey(name); !slices.Contains(canonical, name) {
			canonical = append(canonical, name)
		}
	}
	return canonical
}

// complete adds to the headers of a call. The operator's win over all; the binding's,
// already in to, win over the client's.
func (h headers) complete(ctx context.Context, to http.Header) {
	for _, name := range h.forward {
		if len(to[name]) > 0 {
			continue
		}
		if values := clientHeader(ctx, name); forwardable(name, values) {
			to[name] = values
		}
	}
	for name, value := range h.fixed {
		to[name] = value
	}
}

// forwardable tells whether the values may be sent on. Of two credentials the gateway
// has checked only one, so a service gets neither.
func forwardable(name string, values []string) bool {
	if len(values) == 0 || name == "Authorization" && len(values) > 1 {
		return false
	}
	return !slices.ContainsFunc(values, func(v string) bool { return !rest.ValidHeaderValue(v) })
}
