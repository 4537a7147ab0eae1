package engine

import (
	"context"
	"fmt"
	"reflect"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// How operations are executed.
const (
	// EnginePlan runs queries and mutations by plans, package plan.
	EnginePlan = "plan"
	// EngineGqlgen runs everything on gqlgen's own executor.
	EngineGqlgen = "gqlgen"
)

// Why gqlgen's executor answers an operation. Operators read it in the log and as the label
// of a metric, so there are these reasons and no others.
const (
	FallbackBySetting     = "execution.engine"
	FallbackInterceptors  = "field interceptors"
	FallbackSubscription  = "subscription"
	FallbackIntrospection = "introspection"
	FallbackDirectives    = "directives other than @skip and @include"
	FallbackConditions    = "more than 64 variables in @skip and @include"
	FallbackTooLarge      = "a plan of more than 20000 fields"
)

// FallbackReasons are all of them.
func FallbackReasons() []string {
	return []string{
		FallbackBySetting, FallbackInterceptors, FallbackSubscription, FallbackIntrospection, FallbackDirectives, FallbackConditions, FallbackTooLarge,
	}
}

// Execution is how an operation is executed. It belongs to who asks for it, and to the
// executor until that has answered.
type Execution struct {
	// Fallback says why gqlgen's executor answers, by one of the reasons above; empty when a
	// plan does. The executor fills it in where it is empty and no plan would do.
	Fallback string
	// Buffer is where a plan writes the answer's data, from its beginning. The executor
	// leaves the one that it has grown to; the response's Data lies in it, so that it must
	// not be used again before that has been written.
	Buffer []byte
}

// Coalescer is a schema that knows of which operations several callers may have one answer.
type Coalescer interface {
	// CanCoalesce tells whether callers of the same identity who ask for the operation, with
	// the same variables, get the same answer whatever else they sent. It does not wait
	// longer for that than ctx lasts.
	CanCoalesce(ctx context.Context, op *graphql.OperationContext) bool
}

type executionKey struct{}

// WithExecution asks that the operation under ctx be planned if it can be. Who runs field
// interceptors must say so in Stock: plans do not call them.
func WithExecution(ctx context.Context, e *Execution) context.Context {
	return context.WithValue(ctx, executionKey{}, e)
}

// ExecutionOf is nil where nobody has asked for plans.
func ExecutionOf(ctx context.Context) *Execution {
	e, _ := ctx.Value(executionKey{}).(*Execution)
	return e
}

type immediateLoadsKey struct{}

// WithImmediateLoads is for the context of a resolver that is called once with all of its
// parents. There is nobody to wait for, so that its loaders ask at once. Who works for
// each parent by itself below that takes it back.
func WithImmediateLoads(ctx context.Context) context.Context {
	return context.WithValue(ctx, immediateLoadsKey{}, true)
}

func withoutImmediateLoads(ctx context.Context) context.Context {
	if hasImmediateLoads(ctx) {
		return context.WithValue(ctx, immediateLoadsKey{}, false)
	}
	return ctx
}

func hasImmediateLoads(ctx context.Context) bool {
	all, _ := ctx.Value(immediateLoadsKey{}).(bool)
	return all
}

// ReportFaults adds the errors of the elements of the field in ctx that do not fit, or returns
// that of the field when it is null as a whole. Such a field's value must be nil: a value below
// which nothing is shown would still have its objects' resolvers called.
func ReportFaults(ctx context.Context, value any, faults []*decode.Fault) error {
	if null := NullFault(faults); null != nil {
		if holdsObjects(value) {
			return fault.New(fault.Internal, "internal error").WithCause(fmt.Errorf("the field is null and has a value, since %w", null))
		}
		return null
	}
	for _, f := range faults {
		graphql.AddError(ctx, f)
	}
	return nil
}

// NullFault returns the fault by which a field is null as a whole; nil when none does that.
func NullFault(faults []*decode.Fault) *decode.Fault {
	for _, f := range faults {
		if f.Null {
			return f
		}
	}
	return nil
}

// holdsObjects reports whether a field's value is one that objects may lie in, and not nil.
func holdsObjects(value any) bool {
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Slice, reflect.Pointer, reflect.Interface, reflect.Map:
		return !v.IsNil()
	}
	return false
}
