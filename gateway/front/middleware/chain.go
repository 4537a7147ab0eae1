// Package middleware has what happens to each HTTP request before its operation is read.
//
// Each middleware works by itself, in any order; routes.go in package front lists them in the
// order in which they run. They add what they know to the request.Context, which costs less than a copy of the
// request for each of them.
package middleware

import "net/http"

// Middleware is an http.Handler around another one.
type Middleware func(next http.Handler) http.Handler

// Chain returns the handler last with middleware around it. The first middleware is the
// outermost one.
func Chain(last http.Handler, all ...Middleware) http.Handler {
	for i := len(all) - 1; i >= 0; i-- {
		last = all[i](last)
	}
	return last
}

// None returns next as it is.
func None(next http.Handler) http.Handler { return next }
