package front

import (
	"net/http"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/middleware"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// refusedNetwork returns the handler of requests from addresses that may not request their path. Those of
// operations get a response as other refused operations do, and a line in the log.
func (v *version) refusedNetwork(d Deps) http.Handler {
	const message = "requests from this address are not allowed here"
	operation := middleware.Chain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request.LogEntryOf(r.Context()).Refuse(request.RefusedNetwork, "")
		v.errors.Write(w, r, fault.New(fault.Forbidden, message))
	}), v.accessLog(d.Log), middleware.CountRefusals(d.OnRefused))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isOperationPath(r.URL.Path) {
			operation.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, message, http.StatusForbidden)
	})
}

// isOperationPath reports whether path is that of operations.
func isOperationPath(path string) bool {
	return path == endpoint || strings.HasPrefix(path, endpoint+"/")
}
