package rest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// StatusError is the cause of a fault that stands for an unsuccessful answer. It is
// for the log, and for resolvers that understand a service's own error documents.
type StatusError struct {
	// Call is the method and the template of the path: "GET /users/{}".
	Call string
	// Response is what came; the body of one that is no 2xx is cut at 64 KiB.
	Response *Response
}

// Error tells the status and the beginning of the body, quoted.
func (e *StatusError) Error() string {
	const enough = 300
	text := e.Response.Body[:min(len(e.Response.Body), enough)]
	return fmt.Sprintf("%s: %d %s: %q", e.Call, e.Response.Status, http.StatusText(e.Response.Status), text)
}

// Refused makes a fault of a service's answer that is no success: one that is no 2xx,
// or that says so in its body. Its cause is a *StatusError.
func Refused(service string, c *Call, a *Response) *fault.Error {
	kind, text := meaning(a.Status)
	return &fault.Error{
		Code: kind, Message: text, Service: service, Status: a.Status,
		Cause: &StatusError{Call: c.method + " " + c.Template(), Response: a},
	}
}

// meaning is what a status says to the client of the graph.
func meaning(status int) (kind fault.Code, text string) {
	switch status {
	case http.StatusUnauthorized:
		return fault.Unauthenticated, "the service asks for valid credentials"
	case http.StatusForbidden:
		return fault.Forbidden, "the service does not allow this"
	case http.StatusNotFound:
		return fault.NotFound, "the service has no such thing"
	case http.StatusConflict:
		return fault.Conflict, "this conflicts with the present state of the service"
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return fault.BadUserInput, "the service refused the input"
	case http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
		return fault.BadUserInput, "the input is too long for the service"
	case http.StatusTooManyRequests:
		return fault.DownstreamService, "the service asks for fewer calls"
	case http.StatusServiceUnavailable:
		return fault.DownstreamService, "the service is unavailable"
	}
	if status >= 300 && status < 400 {
		return fault.DownstreamService, "the service answered with a redirect, and none is followed"
	}
	return fault.DownstreamService, "the service failed"
}

// unanswered makes a fault of a call that brought no whole answer. The context is
// asked first: once it is over, any error may follow from that.
func (s *Client) unanswered(ctx context.Context, err error) *fault.Error {
	f := &fault.Error{Code: fault.DownstreamService, Service: s.Service, Cause: err}
	switch over := ctx.Err(); {
	case errors.Is(over, context.Canceled):
		f.Code, f.Message, f.Cause = fault.GatewayTimeout, "the call was given up", joined(over, err)
	case over != nil || timedOut(err):
		f.Code, f.Message = fault.GatewayTimeout, "the service did not answer in time"
		f.Cause = joined(context.DeadlineExceeded, err)
	case errors.Is(err, errTooLarge):
		f.Message = "the service's answer is too large"
	case errors.Is(err, errBroken):
		f.Message = "the service broke off its answer"
	case errors.Is(err, errEncoding):
		f.Message = "the service's answer cannot be read"
	default:
		f.Message = "the service cannot be reached"
	}
	return f
}

// timedOut finds also a connection's own deadline, which may pass a moment before
// the context's.
func timedOut(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

func joined(outer, err error) error {
	if errors.Is(err, outer) {
		return err
	}
	return fmt.Errorf("%w: %w", outer, err)
}
