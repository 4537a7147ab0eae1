package front

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine/input"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// readVariables gives an operation the values of its variables, which are never nil.
func readVariables(op *graphql.OperationContext, inputs *input.Document, sent map[string]any) (err error) {
	if op.Variables, err = inputs.Variables(op.Operation, sent); err != nil {
		return badVariable(err)
	}
	if inputs.HasNullArguments(op.Operation, op.Variables) {
		op.ResolverMiddleware = refuseNullArguments(op.ResolverMiddleware)
	}
	return nil
}

func badVariable(err error) error {
	bad := &gqlerror.Error{Err: fault.New(fault.BadUserInput, "%s", err)}
	if known, ok := errors.AsType[*input.Error](err); ok {
		bad.Locations = known.Locations()
	}
	return bad
}

// refuseNullArguments refuses the fields that must not be called since an argument is null,
// on gqlgen's executor, which has decoded the arguments then. Plans refuse them themselves.
func refuseNullArguments(next graphql.FieldMiddleware) graphql.FieldMiddleware {
	return func(ctx context.Context, resolve graphql.Resolver) (any, error) {
		if err := nullArgument(ctx); err != nil {
			return nil, err
		}
		return next(ctx, resolve)
	}
}

// nullArgument returns why the field in ctx must not be called; nil when it may be.
func nullArgument(ctx context.Context) error {
	field := graphql.GetFieldContext(ctx)
	if field == nil || field.Field.Field == nil {
		return nil
	}
	return input.NullArgument(field.Field.Field, graphql.GetOperationContext(ctx).Variables)
}
