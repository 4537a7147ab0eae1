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
	// Plan runs queries and mutations by plans, package plan.
	Plan = "plan"
	// Stock runs everything on gqlgen's own executor.
	Stock = "stock"
)

// Why gqlgen's executor answers an operation. Operators read it in the log and as the label
// of a metric, so there are these reasons and no others.
const (
	StockBySetting     = "execution.engine"
	StockInterceptors  = "field interceptors"
	StockSubscription  = "subscription"
	StockIntrospection = "introspection"
	StockDirectives    = "directives other than @skip and @include"
	StockConditions    = "more than 64 variables in @skip and @include"
	StockTooLarge      = "a plan of more than 20000 fields"
)

// StockReasons are all of them.
func StockReasons() []string {
	return []string{
		StockBySetting, StockInterceptors, StockSubscription, StockIntrospection, StockDirectives, StockConditions, StockTooLarge,
	}
}

// Execution is how an operation is executed. It belongs to who asks for it, and to the
// executor until that has answered.
type Execution struct {
	// Stock says why gqlgen's executor answers, by one of the reasons above; empty when a
	// plan does. The executor fills it in where it is empty and no plan would do.
	Stock string
	// Buffer is where a plan writes the answer's data, from its beginning. The executor
	// leaves the one that it has grown to; the response's Data lies in it, so that it must
	// not be used again before that has been written.
	Buffer []byte
}

// Sharer is a schema that knows of which operations several callers may have one answer.
type Sharer interface {
	// Shareable tells whether callers of the same identity who ask for the operation, with
	// the same variables, get the same answer whatever else they sent. It does not wait
	// longer for that than ctx lasts.
	Shareable(ctx context.Context, op *graphql.OperationContext) bool
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

type allKeysKey struct{}

// WithAllKeys is for the context of a resolver that is called once with all of its
// parents. There is nobody to wait for, so that its loaders ask at once. Who works for
// each parent by itself below that takes it back.
func WithAllKeys(ctx context.Context) context.Context {
	return context.WithValue(ctx, allKeysKey{}, true)
}

func withoutAllKeys(ctx context.Context) context.Context {
	if hasAllKeys(ctx) {
		return context.WithValue(ctx, allKeysKey{}, false)
	}
	return ctx
}

func hasAllKeys(ctx context.Context) bool {
	all, _ := ctx.Value(allKeysKey{}).(bool)
	return all
}

// TellFaults adds the errors of the elements of the field in ctx that do not fit, or returns
// that of the field when it is null as a whole. Such a field's value must be nil: a value below
// which nothing is shown would still have its objects' resolvers called.
func TellFaults(ctx context.Context, value any, faults []*decode.Fault) error {
	if null := NullFault(faults); null != nil {
		if holdsObjects(value) {
			return fault.New(fault.Internal, "internal error").Because(fmt.Errorf("the field is null and has a value, since %w", null))
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
