package middleware

import (
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/httperror"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/response"
)

// LimitBody bounds the size of a body in bytes, and the time for it to arrive. A server's
// ReadTimeout would bound the time as well, but it also ends operations that are running.
func LimitBody(limit int64, timeout time.Duration) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength == 0 {
				next.ServeHTTP(w, r)
				return
			}
			r, c := request.Attach(r)
			request.SetReadDeadline(w, c.Start.Add(timeout))
			if r.ContentLength > limit {
				w.Header().Set("Connection", "close") // or the server would read the body, to use the connection again
			}
			r.Body = http.MaxBytesReader(w, r.Body, limit)
			next.ServeHTTP(w, r)
		})
	}
}

// RefuseContentEncoding refuses compressed bodies, since LimitBody bounds the size of a body and
// not that of its decompressed content.
func RefuseContentEncoding(errs *response.ErrorWriter) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for _, encoding := range r.Header["Content-Encoding"] {
				if encoding != "" && !strings.EqualFold(encoding, "identity") {
					e := httperror.New(http.StatusUnsupportedMediaType, fault.BadRequest, "send the body without Content-Encoding")
					e.Header = http.Header{"Accept-Encoding": {"identity"}}
					errs.Write(w, r, e)
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}
