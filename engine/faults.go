package engine

import (
	"context"
	"fmt"
	"reflect"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

type faultsKey struct{}

// WithFaults returns a context whose operation records in faults the values of the services'
// responses that do not fit the graph. It must be called before WithOperation. The caller must
// report the faults to clients, because a faulty field holds Go's zero value. With nil, a response
// with such a value fails as a whole; handwritten resolvers use this for calls whose results they
// process themselves.
func WithFaults(ctx context.Context, faults *decode.Faults) context.Context {
	return context.WithValue(ctx, faultsKey{}, faults)
}

// FaultsOf returns the table of faults of the operation in ctx. It is nil when faults are not
// reported to clients; then each fault fails the response that it is in.
func FaultsOf(ctx context.Context) *decode.Faults {
	faults, _ := ctx.Value(faultsKey{}).(*decode.Faults)
	return faults
}

// ReportFaults reports the faults of the value of the field in ctx. If the field is null as a whole, it
// returns the error of the field. Otherwise it adds the errors of the elements that do not fit the
// graph, and returns nil.
//
// The value of a field that is null must be nil. A plan collects what is below a value, so that
// resolvers would be called for objects that the response does not have; ReportFaults returns an
// internal error for such a value.
func ReportFaults(ctx context.Context, value any, faults []*decode.Fault) error {
	if null := NullFault(faults); null != nil {
		if holdsObjects(value) {
			return fault.New(fault.Internal, "internal error").WithCause(fmt.Errorf("the field is null but has a value: %w", null))
		}
		return null
	}
	for _, f := range faults {
		graphql.AddError(ctx, f)
	}
	return nil
}

// NullFault returns the fault that makes a field null as a whole, or nil if none does.
func NullFault(faults []*decode.Fault) *decode.Fault {
	for _, f := range faults {
		if f.Null {
			return f
		}
	}
	return nil
}

// holdsObjects reports whether a field's value is not nil and of a kind that may hold objects.
func holdsObjects(value any) bool {
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Slice, reflect.Pointer, reflect.Interface, reflect.Map:
		return !v.IsNil()
	}
	return false
}
