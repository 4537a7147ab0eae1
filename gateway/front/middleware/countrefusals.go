package middleware

import (
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// CountRefusals calls count for each request that one of the gateway's rules has refused, with the
// reason. See request.LogEntry.Refuse.
func CountRefusals(count func(reason string)) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, c := request.Attach(r)
			defer func() {
				if c.Log.Refused != "" {
					count(string(c.Log.Refused))
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}
