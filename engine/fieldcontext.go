package engine

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
)

// Selects reports whether the client selects one of the named fields of the value of the field
// in ctx, directly or in a fragment. It returns true outside of an operation.
func Selects(ctx context.Context, names ...string) bool {
	if !hasFieldContext(ctx) {
		return true
	}
	return slices.ContainsFunc(graphql.CollectAllFields(ctx), func(field string) bool { return slices.Contains(names, field) })
}

// selectsAny reports whether the client selects a field that matches, of those values of the
// field in ctx that have one of the named types. It returns true outside of an operation.
func selectsAny(ctx context.Context, types []string, match func(graphql.CollectedField) bool) bool {
	if !hasFieldContext(ctx) {
		return true
	}
	fields := graphql.CollectFields(graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field.Selections, types)
	return slices.ContainsFunc(fields, match)
}

// ArgumentOrAbsent returns v, the value of an argument of the field in ctx in the form in which it is sent
// to a service, or encode.Absent if the client left the argument out. An argument that the client
// set to null is not absent (section 6.4.1 of the GraphQL specification distinguishes the two).
// Outside of an operation ArgumentOrAbsent returns v.
func ArgumentOrAbsent(ctx context.Context, argument string, v any) any {
	if v != nil || !hasFieldContext(ctx) {
		return v
	}
	sent := graphql.GetFieldContext(ctx).Field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	if _, ok := sent[argument]; ok {
		return v
	}
	return encode.Absent
}

// FieldArgument returns the value of an argument of the field that ctx belongs to, as the client sent it
// or by default, or of a member of it: path begins with the name of the argument. A batch belongs to
// the field that requested its first key. FieldArgument returns nil if there is no such value, and
// outside of an operation.
func FieldArgument(ctx context.Context, path ...string) any {
	ctx, ok := fieldContextOf(ctx)
	if !ok {
		return nil
	}
	field := graphql.GetFieldContext(ctx).Field.Field
	if field == nil || field.Definition == nil {
		return nil
	}
	var value any = field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

// fieldContextOf returns the context of the field that ctx belongs to: ctx itself, or, of a batch, that
// of the field that requested its first key. It reports false outside of fields.
func fieldContextOf(ctx context.Context) (context.Context, bool) {
	for !hasFieldContext(ctx) {
		field, ok := ctx.Value(openedByKey{}).(context.Context)
		if !ok {
			return ctx, false
		}
		ctx = field
	}
	return ctx, true
}

func hasFieldContext(ctx context.Context) bool {
	return graphql.HasOperationContext(ctx) && graphql.GetFieldContext(ctx) != nil
}
