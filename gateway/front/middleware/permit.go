package middleware

import (
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/gateway/network"
)

// PermitNetworks has refused serve the requests of clients that may not request their path. ClientAddress
// has noted the address.
func PermitNetworks(rules *network.Rules, refused http.Handler) Middleware {
	if rules == nil {
		return None
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r, c := request.Attach(r)
			if !rules.Permit(r.URL.Path, c.Caller.IP) {
				refused.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
