// Package httperror has the errors that end a request before its operation is executed, each
// with its HTTP status, which is the same for all media types of the response.
package httperror

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Error is an error that ends a request.
type Error struct {
	Status int
	Header http.Header // fields of the response; nil for none
	Err    error       // what the client is shown, by the rules of package presenter
}

// Error implements error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error with a message for clients.
func New(status int, code fault.Code, message string) *Error {
	return &Error{Status: status, Err: fault.New(code, "%s", message)}
}

// From returns err if it is an *Error, and otherwise an Error with the status of err's code.
func From(err error) *Error {
	if e, ok := err.(*Error); ok {
		return e
	}
	e := &Error{Status: http.StatusInternalServerError, Err: err}
	if status, ok := StatusOf(codeOf(err)); ok {
		e.Status = status
	}
	if e.Status == http.StatusUnauthorized {
		e.Header = http.Header{"Www-Authenticate": {`Bearer error="invalid_token"`}}
	}
	if f, ok := errors.AsType[*fault.Error](err); ok && (f.RetryAfter > 0 || f.Code == fault.Overloaded) {
		e.Header = http.Header{"Retry-After": {retryAfter(f.RetryAfter)}}
	}
	return e
}

// maxRetryAfter is the longest that a client is told to wait: an estimate may be wrong, and the client
// of a gateway that has recovered should come back.
const maxRetryAfter = 60

// retryAfter returns when a client may try again, in whole seconds (RFC 9110, section 10.2.3): after d,
// up to half as much later, so that clients that were refused together do not return together, and
// between 1 and maxRetryAfter.
func retryAfter(d time.Duration) string {
	least := int(min(max(math.Ceil(d.Seconds()), 1), maxRetryAfter))
	return strconv.Itoa(min(least+rand.IntN((least+1)/2+1), maxRetryAfter))
}

// statuses are the HTTP statuses of requests that fail as a whole. The error of a field is part
// of a response with status 200.
var statuses = map[fault.Code]int{
	fault.BadRequest:      http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	// Apollo Server's: links of clients read the code only of responses with this status, and then send
	// the text.
	fault.PersistedNotSupported: http.StatusOK,
	fault.PersistedNotFound:     http.StatusOK,
	fault.PersistedMismatch:     http.StatusBadRequest,
	fault.PersistedIDRequired:   http.StatusBadRequest,
	fault.NotInSafelist:         http.StatusForbidden,
	fault.Forbidden:             http.StatusForbidden,
	fault.Internal:              http.StatusInternalServerError,
	fault.ServiceUnavailable:    http.StatusServiceUnavailable,
	fault.GatewayTimeout:        http.StatusGatewayTimeout,
	fault.Overloaded:            http.StatusServiceUnavailable,
	fault.RateLimited:           http.StatusTooManyRequests,
}

// StatusOf returns the HTTP status of a request that fails with code. It reports false for the
// codes of GraphQL errors, such as those of validation, which have none of their own.
func StatusOf(code fault.Code) (status int, ok bool) {
	status, ok = statuses[code]
	return status, ok
}

// codeOf returns the code of a fault or of a context's end, and fault.Internal for any other
// error.
func codeOf(err error) fault.Code {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fault.GatewayTimeout
	case errors.Is(err, context.Canceled):
		return fault.ServiceUnavailable
	}
	return fault.Internal
}

// CodeOf returns the code that a presented error has in its extensions; "" without one.
func CodeOf(err *gqlerror.Error) fault.Code {
	code, _ := err.Extensions["code"].(string)
	return fault.Code(code)
}
