package middleware

import (
	"context"
	"net/http"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/response"
)

// Verify returns the caller who sends a value of the Authorization header; nil without an error
// for an anonymous caller, who sends "".
type Verify func(ctx context.Context, authorization string) (*auth.Identity, error)

// Authenticate adds the caller's identity to the request. It refuses the whole request for a
// token that is not valid: a response as for an anonymous caller would hide that from the
// client.
func Authenticate(verify Verify, errs *response.ErrorWriter) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			values := r.Header["Authorization"]
			if len(values) > 1 {
				errs.Write(w, r, fault.New(fault.Unauthenticated, "send one Authorization header"))
				return
			}
			r, c := request.Attach(r)
			caller, err := verify(c.Snapshot(), strings.Join(values, ""))
			if err != nil {
				errs.Write(w, r, err)
				return
			}
			if caller != nil { // without an identity in the context, auth.FromContext returns nil as well
				c.Context = auth.NewContext(c.Context, caller)
			}
			next.ServeHTTP(w, r)
		})
	}
}
