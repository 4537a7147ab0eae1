package middleware

import (
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// ClientAddress notes the address of the client that sends the request.
func ClientAddress(rules *caller.Rules) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, c := request.Attach(r)
			c.Caller.IP = rules.Address(r)
			next.ServeHTTP(w, r)
		})
	}
}

// Identify notes who sends the request, for the limits that differ by caller. ClientAddress has noted the
// address.
func Identify(rules *caller.Rules) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, c := request.Attach(r)
			c.Caller = rules.Identify(r.Header, c.Caller.IP, auth.FromContext(c))
			next.ServeHTTP(w, r)
		})
	}
}
