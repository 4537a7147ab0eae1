package request

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/httperror"
)

const (
	// maxLoggedErrors is how many errors of one request are logged one by one.
	maxLoggedErrors = 20
	// maxLoggedName bounds the name of an operation in the log, in bytes.
	maxLoggedName = 100
)

// LogEntry is the line that the access log will have for a request; middleware.AccessLog writes
// it. It belongs to the goroutine that serves the request, except for MayLogError.
type LogEntry struct {
	ID        string        // of the request
	Operation string        // its name in the document
	Type      ast.Operation // empty if the request has no valid operation
	Status    int           // of the response; 0 before it has begun
	Errors    int           // in the response
	Codes     []string      // of the errors, sorted, each once
	Calls     int           // to services
	Unmatched int           // keys that services left without an item while they sent items of other keys
	Fallback  engine.FallbackReason
	// Cost is what the operation costs.
	Cost Cost
	// Coalesced is the id of the request whose execution this one joined; "" if it joined none.
	// The calls and errors of that execution are logged under that id.
	Coalesced string
	// Refused is by which of the gateway's rules the request was refused; "" if it was not.
	Refused Refusal
	// RefusedBy is the name of that rule in the settings; "" if it has none.
	RefusedBy string

	loggedErrors atomic.Int64
}

// Cost is what an operation costs.
type Cost struct {
	// Estimated is the cost at the worst, if HasEstimate is set.
	Estimated float64
	// Actual is the cost of the execution, if HasActual is set. A request that joined the execution of
	// another one has none.
	Actual                 float64
	HasEstimate, HasActual bool
}

type logEntryKey struct{}

// LogEntryOf returns the entry of the request that ctx belongs to. Outside of requests it
// returns an entry that is never written, so that the result is never nil.
func LogEntryOf(ctx context.Context) *LogEntry {
	if entry, ok := ctx.Value(logEntryKey{}).(*LogEntry); ok {
		return entry
	}
	return &LogEntry{}
}

// ID returns the id of the request that ctx belongs to, "" outside of requests.
func ID(ctx context.Context) string { return LogEntryOf(ctx).ID }

// SetOperation notes the operation that was selected. The name is the document's, so that
// nothing else of what a client sends gets into the log.
func (e *LogEntry) SetOperation(op *ast.OperationDefinition) {
	e.Operation = op.Name[:min(len(op.Name), maxLoggedName)]
	e.Type = op.Operation
}

// Refuse notes that the request is refused by one of the gateway's rules, whose name in the settings is
// by, "" if it has none. The rule itself calls it. When the request ends, the middleware count and log it.
// Of several refusals the first one counts.
func (e *LogEntry) Refuse(reason Refusal, by string) {
	if e.Refused == "" {
		e.Refused, e.RefusedBy = reason, by
	}
}

// SetResponse notes the status and the errors of the response.
func (e *LogEntry) SetResponse(status int, errs gqlerror.List) {
	e.Status = status
	e.Errors = len(errs)
	for _, err := range errs {
		if code := string(httperror.CodeOf(err)); code != "" && !slices.Contains(e.Codes, code) {
			e.Codes = append(e.Codes, code)
		}
	}
	slices.Sort(e.Codes)
}

// MayLogError counts an error of the request, and reports whether it may be logged by itself:
// of a list of a thousand bad items, the first few are. It is safe for concurrent use.
func (e *LogEntry) MayLogError() bool { return e.loggedErrors.Add(1) <= maxLoggedErrors }
