// Package fault is the vocabulary of failure: a kind for machines, a text for
// people, a cause for operators. Whoever understands a failure makes a fault of
// it, once; gateway/front alone turns faults into GraphQL errors. It imports
// nothing of the project.
package fault

import (
	"errors"
	"fmt"
)

// Code is what clients switch on: the value of extensions.code.
// The names are Apollo Server's where it has one.
type Code string

// The kinds a client may meet.
const (
	ParseFailed              Code = "GRAPHQL_PARSE_FAILED"
	ValidationFailed         Code = "GRAPHQL_VALIDATION_FAILED"
	BadUserInput             Code = "BAD_USER_INPUT"
	BadRequest               Code = "BAD_REQUEST"
	OperationResolution      Code = "OPERATION_RESOLUTION_FAILURE"
	PersistedQueryNotFound   Code = "PERSISTED_QUERY_NOT_FOUND"
	PersistedQueryNotAllowed Code = "PERSISTED_QUERY_NOT_SUPPORTED"
	PersistedQueryMismatch   Code = "PERSISTED_QUERY_HASH_MISMATCH"
	IntrospectionDisabled    Code = "INTROSPECTION_DISABLED"
	Unauthenticated          Code = "UNAUTHENTICATED"
	Forbidden                Code = "FORBIDDEN"
	NotFound                 Code = "NOT_FOUND"
	Conflict                 Code = "CONFLICT"
	RateLimited              Code = "RATE_LIMITED"
	MaxDepth                 Code = "MAX_DEPTH_LIMIT"
	MaxAliases               Code = "MAX_ALIASES_LIMIT"
	MaxRootFields            Code = "MAX_ROOT_FIELDS_LIMIT"
	MaxDirectives            Code = "MAX_DIRECTIVES_LIMIT"
	MaxSelections            Code = "MAX_SELECTIONS_LIMIT"
	MaxResponse              Code = "MAX_RESPONSE_LIMIT"
	CostTooHigh              Code = "COST_ESTIMATED_TOO_EXPENSIVE"
	DownstreamService        Code = "DOWNSTREAM_SERVICE_ERROR"
	GatewayTimeout           Code = "GATEWAY_TIMEOUT"
	ServiceUnavailable       Code = "SERVICE_UNAVAILABLE"
	Internal                 Code = "INTERNAL_SERVER_ERROR"
)

// Error is a failure that has been understood. Fields are set before it is
// returned and not changed afterwards, so it may be shared between goroutines.
type Error struct {
	// Code becomes extensions.code.
	Code Code
	// Message is shown to the client. It never holds a backend's text or address, unless a
	// binding maps it.
	Message string
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
func New(kind Code, format string, args ...any) *Error {
	return &Error{Code: kind, Message: fmt.Sprintf(format, args...)}
}

// WithCause returns a copy of e with the cause that the log shall show.
func (e *Error) WithCause(cause error) *Error {
	with := *e
	with.Cause = cause
	return &with
}

// Error gives the text and, for operators, the cause.
// It is not what a client sees: that is Text alone.
func (e *Error) Error() string {
	text := e.Message
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

// CodeOf tells the kind of the outermost fault in err's chain;
// Internal when there is none, and "" for a nil err.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Code
	}
	return Internal
}
