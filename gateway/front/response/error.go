package response

import (
	"errors"
	"net/http"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/httperror"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/presenter"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// ErrorWriter writes the responses of requests that end with an error instead of an execution.
// It is safe for concurrent use.
type ErrorWriter struct{ presenter *presenter.Presenter }

// NewErrorWriter returns an ErrorWriter whose errors are presented by p.
func NewErrorWriter(p *presenter.Presenter) *ErrorWriter { return &ErrorWriter{p} }

// Write writes a response with err and without data, with the status and the header of
// httperror.From. If a response has begun, it aborts the connection instead: the client would
// read what follows as the rest of that response.
func (e *ErrorWriter) Write(w http.ResponseWriter, r *http.Request, err error) {
	httpErr := httperror.From(err)
	switch fault.CodeOf(httpErr.Err) {
	case fault.Overloaded:
		request.LogEntryOf(r.Context()).Refuse(request.RefusedOverload, "")
	case fault.RateLimited:
		request.LogEntryOf(r.Context()).Refuse(request.RefusedRateLimit, "")
	}
	shown := e.presenter.Present(r.Context(), httpErr.Err)
	if request.LogEntryOf(r.Context()).Status != 0 {
		panic(http.ErrAbortHandler)
	}
	for name, values := range httpErr.Header {
		w.Header()[name] = values
	}
	if httpErr.Status == http.StatusNoContent {
		w.WriteHeader(httpErr.Status)
		return
	}
	mediaType, ok := Negotiate(r)
	if !ok {
		mediaType = TypeJSON // an error of another type is better than none
	}
	response := Response{Errors: gqlerror.List{shown}}
	response.Write(w, r, mediaType, httpErr.Status)
}

// RefusalStatus returns the status of a response whose operation was not executed. With TypeJSON a
// GraphQL error has the status 200, as the specification demands; an error outside of GraphQL
// has its own, which is that of its code unless it is an httperror.Error.
func RefusalStatus(mediaType string, errs gqlerror.List) int {
	for _, err := range errs {
		if e, ok := errors.AsType[*httperror.Error](err); ok {
			return e.Status
		}
		if status, ok := httperror.StatusOf(httperror.CodeOf(err)); ok {
			return status
		}
	}
	if mediaType == TypeJSON {
		return http.StatusOK
	}
	return http.StatusBadRequest
}
