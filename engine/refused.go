package engine

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
)

// Place is a place in the response: a field of objects of one type at a path. All elements of the lists
// on the path are the same place.
type Place struct {
	// Path has the response keys from the root to the field, joined by JoinPlace.
	Path string
	// Object is the type of the objects that have the field.
	Object string
}

// JoinPlace returns the path of a response key below a path, "" at the root.
func JoinPlace(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// RefusedFields are the fields of an operation that were refused before it was executed, with the
// error of each. It is not changed once the operation is executed.
type RefusedFields map[Place]error

const refusedFieldsKey = "gatehouse.refusedFields"

// RefuseFields has the executors refuse fields of op, none of whose services is called for them.
func RefuseFields(op *graphql.OperationContext, refused RefusedFields) {
	op.Stats.SetExtension(refusedFieldsKey, refused)
}

// HasRefusedFields reports whether fields of op are refused, so that its response is not that of other
// callers.
func HasRefusedFields(op *graphql.OperationContext) bool {
	return op.Stats.GetExtension(refusedFieldsKey) != nil
}

// RateLimit implements the directive @rateLimit in gqlgen's executor: see CheckRateLimit. The arguments have been
// read before the operation is executed.
func RateLimit(ctx context.Context, _ any, next graphql.Resolver, _ int, _ string, _ *int, _ string) (any, error) {
	if err := CheckRateLimit(ctx); err != nil {
		return nil, err
	}
	return next(ctx)
}

// CheckRateLimit returns the error for which the field of ctx was refused before the operation was executed, nil if
// it was not. It counts nothing, so that it may be called for each object that has the field.
func CheckRateLimit(ctx context.Context) error {
	refused := refusedFieldsOf(ctx)
	if refused == nil {
		return nil
	}
	field := graphql.GetFieldContext(ctx)
	return refused[Place{pathOf(field), field.Object}]
}

// refusedFieldsOf returns the refused fields of the operation of ctx, nil for none.
func refusedFieldsOf(ctx context.Context) RefusedFields {
	if !hasFieldContext(ctx) {
		return nil
	}
	refused, _ := graphql.GetOperationContext(ctx).Stats.GetExtension(refusedFieldsKey).(RefusedFields)
	return refused
}

// pathOf returns the path of a field as a Place has it.
func pathOf(field *graphql.FieldContext) string {
	if field == nil {
		return ""
	}
	path := pathOf(field.Parent)
	if field.Index != nil || field.Field.Field == nil {
		return path
	}
	return JoinPlace(path, field.Field.Alias)
}

// refusesBelow reports whether a field of objects of one type, which the field of ctx returns, was refused.
func (r RefusedFields) refusesBelow(ctx context.Context, object string, field graphql.CollectedField) bool {
	return r != nil && r[Place{JoinPlace(pathOf(graphql.GetFieldContext(ctx)), field.Alias), object}] != nil
}
