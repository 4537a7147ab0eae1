package middleware

import (
	"context"
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// WithClientHeaders returns a context with the headers of a client's request, and with its id:
// upstreams.WithClientHeaders, or upstreams.Sources.WithClientHeaders of certain sources.
type WithClientHeaders func(ctx context.Context, h http.Header, id string) context.Context

// ClientHeaders keeps the request's headers for the services that they are forwarded to. The id
// of the request replaces that of the client if they differ. A nil function is
// upstreams.WithClientHeaders.
func ClientHeaders(with WithClientHeaders) Middleware {
	if with == nil {
		with = upstreams.WithClientHeaders
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, c := request.Attach(r)
			c.Context = with(c.Context, r.Header, c.Log.ID)
			next.ServeHTTP(w, r)
		})
	}
}
