package front

import (
	"context"
	"errors"
	"net/http"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// refusal is an answer given instead of executing anything, with the HTTP status that
// fits whatever media type the client reads.
type refusal struct {
	status int
	header http.Header
	err    error
}

func (no *refusal) Error() string { return no.err.Error() }
func (no *refusal) Unwrap() error { return no.err }

func newRefusal(status int, kind fault.Code, text string) *refusal {
	return &refusal{status: status, err: fault.New(kind, "%s", text)}
}

// because refuses with the status that fits the kind of err.
func because(err error) *refusal {
	no := &refusal{status: http.StatusInternalServerError, err: err}
	if status, known := statuses[kindOf(err)]; known {
		no.status = status
	}
	if no.status == http.StatusUnauthorized {
		no.header = http.Header{"Www-Authenticate": {`Bearer error="invalid_token"`}}
	}
	return no
}

// statuses are those of whole requests. An error of a field is part of a 200.
var statuses = map[fault.Code]int{
	fault.BadRequest:         http.StatusBadRequest,
	fault.Unauthenticated:    http.StatusUnauthorized,
	fault.Forbidden:          http.StatusForbidden,
	fault.RateLimited:        http.StatusTooManyRequests,
	fault.Internal:           http.StatusInternalServerError,
	fault.ServiceUnavailable: http.StatusServiceUnavailable,
	fault.GatewayTimeout:     http.StatusGatewayTimeout,
}

// kindOf knows, besides faults, how contexts end.
func kindOf(err error) fault.Code {
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

// refuse answers with an error and no data.
func (f *Front) refuse(w http.ResponseWriter, r *http.Request, no *refusal) {
	shown := f.executor.present.present(r.Context(), no.err)
	if recordOf(r.Context()).status != 0 {
		panic(http.ErrAbortHandler) // half an answer is out: what follows would be read as its rest
	}
	for name, values := range no.header {
		w.Header()[name] = values
	}
	media, ok := accepted(r)
	if !ok {
		media = typeJSON // an error in a type not asked for is better than none
	}
	if no.status == http.StatusNoContent {
		w.WriteHeader(no.status)
		return
	}
	send(w, r, media, no.status, &answer{Errors: gqlerror.List{shown}})
}

// statusOf is the status of an operation that was not executed. To those who read
// application/json every GraphQL error is a 200, as the specification asks; but what
// went wrong outside of GraphQL is not.
func statusOf(media string, errs gqlerror.List) int {
	for _, err := range errs {
		if status, known := statuses[fault.Code(codeOf(err))]; known {
			return status
		}
	}
	if media == typeJSON {
		return http.StatusOK
	}
	return http.StatusBadRequest
}
