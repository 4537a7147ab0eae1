package middleware

import (
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// CountCosts calls count for each request with an operation whose cost is known, after it has ended.
func CountCosts(count func(request.Cost)) Middleware {
	if count == nil {
		return None
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, c := request.Attach(r)
			defer func() {
				if c.Log.Cost.HasEstimate {
					count(c.Log.Cost)
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}
