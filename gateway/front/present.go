package front

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

const (
	// maxMessage bounds an error's text, in bytes: a parser repeats tokens, and one
	// token can be all of the body.
	maxMessage = 1000
	// maxCode bounds a mapped code, in bytes; the log lists codes. A longer one is not taken.
	maxCode = 100
	// maxCause bounds what the log says of one error, in bytes.
	maxCause = 4000
)

// presenter turns every error into what a client may see, once, and logs the rest.
// It is safe for concurrent use.
type presenter struct{ log *slog.Logger }

// present gives nil for an error that the client knows already: that a field is null after
// one of its elements failed; for one that the response has no room for; and for any after
// the operation has been stopped.
func (p *presenter) present(ctx context.Context, err error) *gqlerror.Error {
	if errors.Is(err, graphql.ErrInvalidNull) && elementTold(ctx) {
		return nil
	}
	budget := engine.BudgetOf(ctx)
	if budget.Err() != nil {
		return nil
	}
	if !budget.AddErrors(1) {
		tellElement(ctx) // the null of the field is not another error
		return nil
	}
	return p.show(ctx, err)
}

// show makes what a client sees of an error. The error's own message is shown only when it
// was written for clients: by a fault, or by the parser and validator.
func (p *presenter) show(ctx context.Context, err error) *gqlerror.Error {
	shown := located(ctx, err)
	f := understood(ctx, err)
	if f == nil { // gqlgen's or gqlparser's own words
		shown.Message = cut(shown.Message, maxMessage)
		shown.Extensions = withCode(shown.Extensions)
		return shown
	}
	shown.Message = cut(f.Message, maxMessage)
	shown.Extensions = extensions(f)
	p.tell(ctx, f, shown)
	return shown
}

// located is a new error at the place in the answer that err names, or else where ctx
// stands, and at the field's place in the query, which gqlgen forgets for batches.
func located(ctx context.Context, err error) *gqlerror.Error {
	shown := &gqlerror.Error{Err: err, Path: graphql.GetPath(ctx)}
	if known, ok := errors.AsType[*gqlerror.Error](err); ok {
		*shown = *known
		if undecoded(ctx) {
			shown.Path = graphql.GetFieldContext(ctx).Path() // gqlgen's goes on into the argument
		}
	}
	if f, ok := errors.AsType[*decode.Fault](err); ok && len(f.Index) > 0 {
		shown.Path = below(shown.Path, f.Index)
		tellElement(ctx)
	}
	field := graphql.GetFieldContext(ctx)
	if len(shown.Locations) == 0 && field != nil && field.Field.Field != nil && field.Field.Position != nil {
		shown.Locations = []gqlerror.Location{{Line: field.Field.Position.Line, Column: field.Field.Position.Column}}
	}
	return shown
}

// understood gives the fault that err is; nil for a message that gqlgen or gqlparser
// wrote for clients.
func understood(ctx context.Context, err error) *fault.Error {
	if undecoded(ctx) { // perhaps since the null, for which each scalar has words of its own
		err = cmp.Or(nullArgument(ctx), err)
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	if words, ok := errors.AsType[*gqlerror.Error](err); ok && words.Err == nil {
		return nil
	}
	cause := bare(err)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.GatewayTimeout, "the operation took too long").WithCause(cause)
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return fault.New(fault.ServiceUnavailable, "the operation was cancelled")
	case undecoded(ctx): // a scalar that is read by nobody before, in the words of its own code
		return fault.New(fault.BadUserInput, "an argument has a value that cannot be read").WithCause(cause)
	}
	if null, ok := errors.AsType[*graphql.InvalidNullError](cause); ok {
		return fault.New(fault.Internal, "Cannot return null for non-nullable field %s.", null.SchemaCoordinate()).WithCause(cause)
	}
	return fault.New(fault.Internal, "internal error").WithCause(cause)
}

// undecoded tells that a field's arguments could not be decoded: gqlgen reports that
// at the field, before it has arguments.
func undecoded(ctx context.Context) bool {
	field := graphql.GetFieldContext(ctx)
	return field != nil && field.Args == nil &&
		field.Field.Field != nil && field.Field.Definition != nil && len(field.Field.Definition.Arguments) > 0
}

// bare is err without the place that gqlgen puts around it.
func bare(err error) error {
	if placed, ok := err.(*gqlerror.Error); ok && placed.Err != nil {
		return placed.Err
	}
	return err
}

// extensions are a copy, as the fault may be shared between fields.
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

// withCode copies, as gqlparser's errors may be shared.
func withCode(from map[string]any) map[string]any {
	to := map[string]any{"code": string(fault.Internal)}
	for name, value := range from {
		if name != "file" { // a query's text has no file
			to[name] = value
		}
	}
	return to
}

func codeOf(err *gqlerror.Error) string {
	code, _ := err.Extensions["code"].(string)
	return code
}

// tell logs what the client does not see: a fault of ours as an error, one of a
// service as a warning. Of a list of thousand bad items it logs the first few.
func (p *presenter) tell(ctx context.Context, f *fault.Error, shown *gqlerror.Error) {
	if f.Cause == nil && f.Code != fault.Internal {
		return
	}
	rec := recordOf(ctx)
	if rec.logged.Add(1) > maxLoggedErrors {
		return
	}
	level := slog.LevelWarn
	switch {
	case f.Code == fault.Internal:
		level = slog.LevelError
	case errors.Is(f.Cause, context.Canceled):
		level = slog.LevelDebug // the client left, which is nobody's fault
	}
	attrs := []slog.Attr{
		slog.String("request_id", rec.id),
		slog.String("code", string(f.Code)),
		slog.String("path", shown.Path.String()),
	}
	if f.Service != "" {
		attrs = append(attrs, slog.String("service", f.Service), slog.Int("service_status", f.Status))
	}
	p.log.LogAttrs(ctx, level, cut(f.Message, maxMessage), append(attrs, causes(f)...)...)
}

func causes(f *fault.Error) (attrs []slog.Attr) {
	if f.Cause == nil {
		return nil
	}
	attrs = append(attrs, slog.String("cause", cut(f.Cause.Error(), maxCause)))
	if thrown, ok := errors.AsType[*panicError](f.Cause); ok {
		attrs = append(attrs, slog.String("stack", cut(string(thrown.stack), maxCause)))
	}
	return attrs
}

// recovered makes a fault of a panic. The stack is logged with it.
func (p *presenter) recovered(thrown any, stack []byte) error {
	return fault.New(fault.Internal, "internal error").WithCause(&panicError{value: thrown, stack: stack})
}

// cut shortens text to at most about most bytes, between two characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}

func plural(count int, what string) string {
	if count == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", count, what)
}
