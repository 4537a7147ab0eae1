// Package fault is the vocabulary of failure: a kind for machines, a text for
// people, a cause for operators. Whoever understands a failure makes a fault of
// it, once; gateway/front alone turns faults into GraphQL errors. It imports
// nothing of the project.
package fault

import (
	"errors"
	"fmt"
)

// Kind is what clients switch on: the value of extensions.code.
// The names are Apollo Server's where it has one.
type Kind string

// The kinds a client may meet.
const (
	ParseFailed              Kind = "GRAPHQL_PARSE_FAILED"
	ValidationFailed         Kind = "GRAPHQL_VALIDATION_FAILED"
	BadUserInput             Kind = "BAD_USER_INPUT"
	BadRequest               Kind = "BAD_REQUEST"
	OperationResolution      Kind = "OPERATION_RESOLUTION_FAILURE"
	PersistedQueryNotFound   Kind = "PERSISTED_QUERY_NOT_FOUND"
	PersistedQueryNotAllowed Kind = "PERSISTED_QUERY_NOT_SUPPORTED"
	PersistedQueryMismatch   Kind = "PERSISTED_QUERY_HASH_MISMATCH"
	IntrospectionDisabled    Kind = "INTROSPECTION_DISABLED"
	Unauthenticated          Kind = "UNAUTHENTICATED"
	Forbidden                Kind = "FORBIDDEN"
	NotFound                 Kind = "NOT_FOUND"
	Conflict                 Kind = "CONFLICT"
	RateLimited              Kind = "RATE_LIMITED"
	MaxDepth                 Kind = "MAX_DEPTH_LIMIT"
	MaxAliases               Kind = "MAX_ALIASES_LIMIT"
	MaxRootFields            Kind = "MAX_ROOT_FIELDS_LIMIT"
	MaxDirectives            Kind = "MAX_DIRECTIVES_LIMIT"
	MaxSelections            Kind = "MAX_SELECTIONS_LIMIT"
	MaxResponse              Kind = "MAX_RESPONSE_LIMIT"
	CostTooHigh              Kind = "COST_ESTIMATED_TOO_EXPENSIVE"
	DownstreamService        Kind = "DOWNSTREAM_SERVICE_ERROR"
	GatewayTimeout           Kind = "GATEWAY_TIMEOUT"
	ServiceUnavailable       Kind = "SERVICE_UNAVAILABLE"
	Internal                 Kind = "INTERNAL_SERVER_ERROR"
)

// Error is a failure that has been understood. Fields are set before it is
// returned and not changed afterwards, so it may be shared between goroutines.
type Error struct {
	// Kind becomes extensions.code.
	Kind Kind
	// Text is shown to the client. It never holds a backend's text or address, unless a
	// binding maps it.
	Text string
	// Service is the source that failed, empty when none did.
	Service string
	// Status is that service's HTTP status, 0 when it gave no answer.
	Status int
	// Extensions are shown to the client as well: what a binding maps of a service's own
	// error, or a resolver adds. A string under "code" is shown instead of Kind;
	// "service" and "http" stay ours. Default none.
	Extensions map[string]any
	// Cause is for the log only. It may be nil.
	Cause error
}

// New makes a fault with a text for the client.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// Because returns a copy of e with the cause that the log shall show.
func (e *Error) Because(cause error) *Error {
	with := *e
	with.Cause = cause
	return &with
}

// Error gives the text and, for operators, the cause.
// It is not what a client sees: that is Text alone.
func (e *Error) Error() string {
	text := e.Text
	if e.Service != "" {
		text = e.Service + ": " + text
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// KindOf tells the kind of the outermost fault in err's chain;
// Internal when there is none, and "" for a nil err.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Kind
	}
	return Internal
}
