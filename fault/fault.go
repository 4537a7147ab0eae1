// Package fault describes failures: a code for machines, a message for people and a
// cause for operators. The code that understands a failure turns it into a fault, once;
// gateway/front alone turns faults into GraphQL errors. The package imports nothing of
// the project.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Code is the value of extensions.code, by which clients tell errors apart.
// The names are those of Apollo Server where it has one.
type Code string

// The codes that a client may receive.
const (
	ParseFailed           Code = "GRAPHQL_PARSE_FAILED"
	ValidationFailed      Code = "GRAPHQL_VALIDATION_FAILED"
	BadUserInput          Code = "BAD_USER_INPUT"
	BadRequest            Code = "BAD_REQUEST"
	OperationResolution   Code = "OPERATION_RESOLUTION_FAILURE"
	IntrospectionDisabled Code = "INTROSPECTION_DISABLED"
	PersistedNotSupported Code = "PERSISTED_QUERY_NOT_SUPPORTED"
	PersistedNotFound     Code = "PERSISTED_QUERY_NOT_FOUND"
	PersistedMismatch     Code = "PERSISTED_QUERY_HASH_MISMATCH"
	PersistedIDRequired   Code = "PERSISTED_QUERY_ID_REQUIRED"
	NotInSafelist         Code = "QUERY_NOT_IN_SAFELIST"
	Unauthenticated       Code = "UNAUTHENTICATED"
	Forbidden             Code = "FORBIDDEN"
	NotFound              Code = "NOT_FOUND"
	Conflict              Code = "CONFLICT"
	MaxDepth              Code = "MAX_DEPTH_LIMIT"
	MaxAliases            Code = "MAX_ALIASES_LIMIT"
	MaxRootFields         Code = "MAX_ROOT_FIELDS_LIMIT"
	MaxDirectives         Code = "MAX_DIRECTIVES_LIMIT"
	MaxSelections         Code = "MAX_SELECTIONS_LIMIT"
	CostTooExpensive      Code = "COST_ESTIMATED_TOO_EXPENSIVE"
	MaxResponse           Code = "MAX_RESPONSE_LIMIT"
	DownstreamService     Code = "DOWNSTREAM_SERVICE_ERROR"
	RateLimited           Code = "RATE_LIMITED"
	GatewayTimeout        Code = "GATEWAY_TIMEOUT"
	Overloaded            Code = "OVERLOADED"
	ServiceUnavailable    Code = "SERVICE_UNAVAILABLE"
	Internal              Code = "INTERNAL_SERVER_ERROR"
)

// Error is a failure that has been understood. Its fields are set before it is
// returned and not changed afterwards, so it may be shared between goroutines.
type Error struct {
	// Code becomes extensions.code.
	Code Code
	// Message is shown to the client. It never holds a service's text or address, unless a
	// binding maps that text.
	Message string
	// Service is the source that failed; empty when no service is concerned.
	Service string
	// Status is the HTTP status of the service's response, 0 when there was no response.
	Status int
	// Extensions are shown to the client as well: those that a binding maps from a service's
	// own error, or that a resolver adds. A string under "code" is shown instead of Code;
	// "service" and "http" are always the gateway's own. Default none.
	Extensions map[string]any
	// RetryAfter is an estimate of how long the client should wait before it tries again, 0 if
	// there is none. It becomes the header Retry-After of a request that fails as a whole.
	RetryAfter time.Duration
	// Cause is shown in the log only. It may be nil.
	Cause error
}

// New returns a fault with a formatted message for the client.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// WithCause returns a copy of e with the cause for the log.
func (e *Error) WithCause(cause error) *Error {
	clone := *e
	clone.Cause = cause
	return &clone
}

// Error returns the service, the message and the cause, for operators. Clients see
// Message alone.
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

// Unwrap returns the cause, for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// CodeOf returns the code of the outermost fault in err's chain, Internal when there is
// none, and "" for a nil err.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Code
	}
	return Internal
}
