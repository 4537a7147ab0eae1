package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// StatusError is the cause of a fault for a response that is not a success. It is for the
// log, and for resolvers that understand a service's own error documents.
type StatusError struct {
	// Call is the method and the template of the path: "GET /users/{}".
	Call string
	// Response is the service's response. Its body is cut at MaxErrorBody, unless the
	// status is a 2xx.
	Response *Response

	batch bool // the call is a GET with several keys
}

// SplitBatch returns into how many parts the keys of the call should be split: 2 if the service
// refused a GET for its length (414 or 431), and 1 otherwise.
func (e *StatusError) SplitBatch() int {
	tooLong := e.Response.Status == http.StatusRequestURITooLong || e.Response.Status == http.StatusRequestHeaderFieldsTooLarge
	if e.batch && tooLong {
		return 2
	}
	return 1
}

// Error returns the status and the beginning of the body, quoted.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: %d %s: %s", e.Call, e.Response.Status, http.StatusText(e.Response.Status), e.Response.Excerpt())
}

// Excerpt returns the beginning of the body for the log: quoted, with escapes in the place of
// control characters. A word that would be cut off is left out, because half a secret looks like
// none to those who look for secrets.
func (r *Response) Excerpt() string {
	const maxShown = 300
	if len(r.Body) <= maxShown {
		return strconv.Quote(string(r.Body))
	}
	end := bytes.LastIndexAny(r.Body[:maxShown], " \t\r\n\"'<>(){}[],;&=")
	return strconv.Quote(string(r.Body[:end+1])) + "…"
}

// StatusFault returns the fault for a response that is not a success: its status is not a
// 2xx, or a binding's rules read a failure in it. Its cause is a *StatusError.
func StatusFault(service string, c *Call, r *Response) *fault.Error {
	code, message := codeOf(c, r)
	return &fault.Error{
		Code: code, Message: message, Service: service, Status: r.Status,
		Cause: &StatusError{Call: c.method + " " + c.Template(), Response: r, batch: c.keys > 1 && c.method == http.MethodGet},
	}
}

// codeOf returns what a status means for the client of the graph.
//
// Clients sign their user out on UNAUTHENTICATED, as Apollo's guides advise. So a 401 or
// 403 has the caller's codes only when the service judged the caller. A service that
// refuses the gateway's own API key is a failure of the service like any other.
func codeOf(c *Call, r *Response) (code fault.Code, message string) {
	switch status := r.Status; status {
	case http.StatusUnauthorized:
		if !r.deniesCaller {
			return fault.DownstreamService, "the service does not accept the gateway's credentials"
		}
		return fault.Unauthenticated, "the service asks for valid credentials"
	case http.StatusForbidden:
		if !r.deniesCaller {
			return fault.DownstreamService, "the service does not let the gateway do this"
		}
		return fault.Forbidden, "the service does not allow this"
	case http.StatusNotFound:
		return fault.NotFound, "the service has no such thing"
	case http.StatusConflict:
		return fault.Conflict, "this conflicts with the present state of the service"
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return fault.BadUserInput, "the service refused the input"
	case http.StatusRequestEntityTooLarge:
		return fault.BadUserInput, "the input is too long for the service"
	case http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
		return c.blameForLength(), "the values are too long for the service"
	case http.StatusTooManyRequests:
		return fault.DownstreamService, "the service asks for fewer calls"
	case http.StatusServiceUnavailable:
		return fault.DownstreamService, "the service is unavailable"
	}
	if r.Status >= 300 && r.Status < 400 {
		return fault.DownstreamService, "the service answered with a redirect, and none is followed"
	}
	return fault.DownstreamService, "the service failed"
}

// transportFault returns the fault for a call without a complete response. It checks the
// context first: after that has ended, any other error may be a consequence.
func (c *Client) transportFault(ctx context.Context, err error) *fault.Error {
	if f, ok := errors.AsType[*fault.Error](err); ok { // the gateway refused the memory for the response
		return f
	}
	f := &fault.Error{Code: fault.DownstreamService, Service: c.Service, Cause: err}
	switch ctxErr := ctx.Err(); {
	case errors.Is(ctxErr, context.Canceled):
		f.Code, f.Message, f.Cause = fault.GatewayTimeout, "the call was given up", wrapOnce(ctxErr, err)
	case ctxErr != nil || isTimeout(err):
		f.Code, f.Message = fault.GatewayTimeout, "the service did not answer in time"
		f.Cause = wrapOnce(context.DeadlineExceeded, err)
	case errors.Is(err, errTooLarge):
		f.Message = "the service's answer is too large"
	case errors.Is(err, errBroken):
		f.Message = "the service broke off its answer"
	case errors.Is(err, errEncoding), errors.Is(err, errCharset), errors.Is(err, errMalformed), isMalformed(err):
		f.Message = "the service's answer cannot be read"
	case hasResponse(err):
		f.Message = "the service broke off its answer"
	default:
		f.Message = "the service cannot be reached"
	}
	return f
}

// outcomeOfError judges an attempt that has no complete response. It checks the context first, as
// transportFault does.
func outcomeOfError(ctx context.Context, err error) attempt.Outcome {
	if _, ok := errors.AsType[*fault.Error](err); ok { // no memory for the response
		return attempt.Refused
	}
	_, stale := errors.AsType[*attempt.StaleError](err)
	switch ctxErr := ctx.Err(); {
	case errors.Is(ctxErr, context.Canceled):
		return attempt.Canceled
	case attempt.IsConnectError(err):
		return attempt.Unreachable
	case ctxErr != nil || isTimeout(err):
		return attempt.TimedOut
	case errors.Is(err, errTooLarge):
		return attempt.Refused
	case errors.Is(err, errBroken):
		return attempt.BrokenOff
	case errors.Is(err, errEncoding), errors.Is(err, errCharset), errors.Is(err, errMalformed), isMalformed(err):
		return attempt.Malformed
	case hasResponse(err):
		return attempt.BrokenOff
	case stale:
		return attempt.Stale
	}
	return attempt.Reset
}

// responseError is implemented by errors of transports that occurred after a response began. The
// service was reached then. Malformed reports whether what came is not HTTP; otherwise the response
// broke off.
type responseError interface {
	error
	Malformed() bool
}

func hasResponse(err error) bool {
	_, ok := errors.AsType[responseError](err)
	return ok
}

func isMalformed(err error) bool {
	e, ok := errors.AsType[responseError](err)
	return ok && e.Malformed()
}

// isTimeout reports whether a connection's deadline has passed, which may happen a moment
// before that of the context.
func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// wrapOnce returns err wrapped so that errors.Is finds outer in it.
func wrapOnce(outer, err error) error {
	if errors.Is(err, outer) {
		return err
	}
	return fmt.Errorf("%w: %w", outer, err)
}
