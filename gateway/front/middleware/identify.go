package middleware

import (
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// Identify notes who sends the request, for the limits that differ by caller.
func Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, c := request.Attach(r)
		c.Caller = caller.Of(r, auth.FromContext(c))
		next.ServeHTTP(w, r)
	})
}
