package middleware

import (
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// Uncompressed prevents that responses are compressed.
func Uncompressed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, c := request.Attach(r)
		c.Uncompressed = true
		next.ServeHTTP(w, r)
	})
}
