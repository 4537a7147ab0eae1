package middleware

import (
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// ClientHeaders keeps the request's headers for the services that they are forwarded to. The id
// of the request replaces that of the client if they differ.
func ClientHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, c := request.Attach(r)
		c.Context = upstreams.WithClientHeaders(c.Context, r.Header, c.Log.ID)
		next.ServeHTTP(w, r)
	})
}
