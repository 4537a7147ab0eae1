package middleware

import (
	"net/http"
	"runtime/debug"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/presenter"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/response"
)

// Recover turns a panic into a response with status 500. The panics of resolvers do not get
// here: the executor turns them into errors of their fields.
func Recover(errs *response.ErrorWriter) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				p := recover()
				if p == nil {
					return
				}
				if p == http.ErrAbortHandler {
					panic(p) // by which a handler asks net/http to close the connection
				}
				errs.Write(w, r, presenter.PanicError(p, debug.Stack()))
			}()
			next.ServeHTTP(w, r)
		})
	}
}
