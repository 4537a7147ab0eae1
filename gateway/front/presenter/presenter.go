// Package presenter decides what a client is shown of an error, and logs the rest. It alone
// turns faults into GraphQL errors.
//
// It promises that no error shows a client what was not written for clients: a fault has a
// message for clients and a cause for the log, and any other error is an "internal error".
package presenter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/engine/input"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

const (
	// maxMessage bounds the message of an error, in bytes: parsers quote tokens, and one token
	// may be all of the body.
	maxMessage = 1000
	// maxCode bounds the code of a binding's @error, in bytes, since the log lists codes. A
	// longer code is replaced by the fault's own.
	maxCode = 100
	// maxCause bounds a cause and a stack in the log, in bytes.
	maxCause = 4000
)

// Presenter presents errors. It is safe for concurrent use.
type Presenter struct{ log *slog.Logger }

// New returns a Presenter that logs to log.
func New(log *slog.Logger) *Presenter { return &Presenter{log} }

// Present implements graphql.ErrorPresenterFunc: it returns what the client is shown of err. It
// returns nil for an error that the response must not list: the null of a field after an
// element of it has failed with an error of its own, an error that the response has no room
// for, and any error once the operation has been stopped. An error that a batch resolver returned
// together with a value, engine.Degraded, becomes the result of its field.
func (p *Presenter) Present(ctx context.Context, err error) *gqlerror.Error {
	if takeDegraded(ctx, err) {
		return nil
	}
	if errors.Is(err, graphql.ErrInvalidNull) && hasElementError(ctx) {
		return nil
	}
	budget := engine.BudgetOf(ctx)
	if budget.Err() != nil {
		return nil
	}
	if !budget.AddErrors(1) {
		markElementError(ctx) // so that the null of the field is not another error
		return nil
	}
	return p.Convert(ctx, err)
}

// Convert returns what a client is shown of err, whether or not the response has room for it.
// The message is that of err only if it was written for clients: by a fault, or by gqlparser or
// gqlgen.
func (p *Presenter) Convert(ctx context.Context, err error) *gqlerror.Error {
	shown := located(ctx, err)
	f := asFault(ctx, err)
	if f == nil { // a message of gqlgen or gqlparser
		shown.Message = truncate(shown.Message, maxMessage)
		shown.Extensions = withCode(shown.Extensions)
		return shown
	}
	shown.Message = truncate(f.Message, maxMessage)
	shown.Extensions = extensions(f)
	p.logCause(ctx, f, shown)
	return shown
}

// located returns a new error at the path in the response that err has, or else at that of the
// field in ctx, and at the field's location in the query, which gqlgen does not set for errors
// of batches.
func located(ctx context.Context, err error) *gqlerror.Error {
	shown := &gqlerror.Error{Err: err, Path: graphql.GetPath(ctx)}
	if known, ok := errors.AsType[*gqlerror.Error](err); ok {
		*shown = *known
		if isArgumentError(ctx) {
			shown.Path = graphql.GetFieldContext(ctx).Path() // gqlgen's path leads into the argument
		}
	}
	if f, ok := errors.AsType[*decode.Fault](err); ok && len(f.Index) > 0 {
		shown.Path = appendIndices(shown.Path, f.Index)
		markElementError(ctx)
	}
	field := graphql.GetFieldContext(ctx)
	if len(shown.Locations) == 0 && field != nil && field.Field.Field != nil && field.Field.Position != nil {
		shown.Locations = []gqlerror.Location{{Line: field.Field.Position.Line, Column: field.Field.Position.Column}}
	}
	return shown
}

// asFault returns the fault in err, or the fault that stands for an error which is none. It
// returns nil for a message that gqlgen or gqlparser wrote for clients.
func asFault(ctx context.Context, err error) *fault.Error {
	if isArgumentError(ctx) { // a null argument has one message, whatever its scalar says of null
		err = cmp.Or(CheckNullArguments(ctx), err)
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	if e, ok := errors.AsType[*gqlerror.Error](err); ok && e.Err == nil {
		return nil
	}
	cause := unwrapLocated(err)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.GatewayTimeout, "the operation took too long").WithCause(cause)
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return fault.New(fault.ServiceUnavailable, "the operation was cancelled")
	case isArgumentError(ctx): // by a custom scalar whose values engine/input does not check
		return fault.New(fault.BadUserInput, "an argument has a value that cannot be read").WithCause(cause)
	}
	if null, ok := errors.AsType[*graphql.InvalidNullError](cause); ok {
		return fault.New(fault.Internal, "Cannot return null for non-nullable field %s.", null.SchemaCoordinate()).WithCause(cause)
	}
	return fault.New(fault.Internal, "internal error").WithCause(cause)
}

// isArgumentError reports whether an error of the field in ctx is one of decoding its
// arguments: then the field has arguments in the schema, and none decoded.
func isArgumentError(ctx context.Context) bool {
	field := graphql.GetFieldContext(ctx)
	return field != nil && field.Args == nil &&
		field.Field.Field != nil && field.Field.Definition != nil && len(field.Field.Definition.Arguments) > 0
}

// unwrapLocated returns err without the path and location that gqlgen wraps around it.
func unwrapLocated(err error) error {
	if located, ok := err.(*gqlerror.Error); ok && located.Err != nil {
		return located.Err
	}
	return err
}

// extensions returns a copy of the extensions, since fields may share the fault, with its code,
// service and HTTP status.
func extensions(f *fault.Error) map[string]any {
	shown := map[string]any{}
	maps.Copy(shown, f.Extensions)
	if code, ok := shown["code"].(string); !ok || code == "" || len(code) > maxCode {
		shown["code"] = string(f.Code)
	}
	delete(shown, "service")
	delete(shown, "http")
	if f.Service != "" {
		shown["service"] = f.Service
	}
	if f.Status != 0 {
		shown["http"] = map[string]any{"status": f.Status}
	}
	return shown
}

// withCode returns a copy of the extensions, since requests share the errors of a document,
// with a code.
func withCode(from map[string]any) map[string]any {
	to := map[string]any{"code": string(fault.Internal)}
	for name, value := range from {
		if name != "file" { // the query is not in a file
			to[name] = value
		}
	}
	return to
}

// LogDegraded logs the failures in place of which fields have other values, each once.
func (p *Presenter) LogDegraded(ctx context.Context, fields []engine.DegradedField) {
	var logged []*fault.Error
	for _, field := range fields {
		if slices.Contains(logged, field.Fault) {
			continue
		}
		logged = append(logged, field.Fault)
		p.logFault(ctx, field.Fault, field.Path, slog.String("degraded", string(field.Mode)))
	}
}

// logCause logs the cause of a fault, which the client is not shown: of an internal error as an
// error, of a service's failure as a warning, and of what follows from the request alone, such as
// an object that a service does not have, as information. It logs the first errors of a request
// only.
func (p *Presenter) logCause(ctx context.Context, f *fault.Error, shown *gqlerror.Error) {
	if f.Cause == nil && f.Code != fault.Internal {
		return
	}
	p.logFault(ctx, f, shown.Path)
}

// logFault logs a fault at a path of the response, with further attributes.
func (p *Presenter) logFault(ctx context.Context, f *fault.Error, path ast.Path, more ...slog.Attr) {
	entry := request.LogEntryOf(ctx)
	if !entry.MayLogError() {
		return
	}
	level := slog.LevelWarn
	switch {
	case f.Code == fault.Internal:
		level = slog.LevelError
	case errors.Is(f.Cause, context.Canceled):
		level = slog.LevelDebug // the client disconnected, which is not a failure
	case slices.Contains(expected, f.Code):
		level = slog.LevelInfo
	}
	attrs := []slog.Attr{
		slog.String("request_id", entry.ID),
		slog.String("code", string(f.Code)),
		slog.String("path", path.String()),
	}
	if f.Service != "" {
		attrs = append(attrs, slog.String("service", f.Service), slog.Int("service_status", f.Status))
	}
	p.log.LogAttrs(ctx, level, truncate(f.Message, maxMessage), slices.Concat(attrs, more, causeAttrs(f))...)
}

// expected are the codes of faults that healthy services and gateways have as well.
var expected = []fault.Code{fault.NotFound, fault.Conflict, fault.BadUserInput, fault.BadRequest, fault.Unauthenticated, fault.Forbidden}

func causeAttrs(f *fault.Error) (attrs []slog.Attr) {
	if f.Cause == nil {
		return nil
	}
	attrs = append(attrs, slog.String("cause", truncate(f.Cause.Error(), maxCause)))
	if p, ok := errors.AsType[*panicError](f.Cause); ok {
		attrs = append(attrs, slog.String("stack", truncate(string(p.stack), maxCause)))
	}
	return attrs
}

// Recover implements graphql.RecoverFunc. It must be called by the deferred function that
// recovered the panic, so that the stack is that of the panic.
func (p *Presenter) Recover(_ context.Context, recovered any) error {
	return PanicError(recovered, debug.Stack())
}

// PanicError returns the fault that stands for a panic. Its cause, which is logged, has the
// stack.
func PanicError(recovered any, stack []byte) error {
	return fault.New(fault.Internal, "internal error").WithCause(&panicError{value: recovered, stack: stack})
}

// panicError is the cause of an internal error that was a panic. It does not unwrap to the
// panic's value, even if that is an error with a meaning for clients.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// CheckNullArguments returns an error if an argument of the field in ctx is null and must not be,
// with the variables of its operation.
func CheckNullArguments(ctx context.Context) error {
	field := graphql.GetFieldContext(ctx)
	if field == nil || field.Field.Field == nil {
		return nil
	}
	return input.CheckNullArguments(field.Field.Field, graphql.GetOperationContext(ctx).Variables)
}

// truncate shortens text to at most n bytes and an ellipsis, and cuts no character in two.
func truncate(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}
