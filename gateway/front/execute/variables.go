package execute

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine/input"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/presenter"
)

// readVariables sets the variables of op to the values that the request has for them, read by
// the schema. They are never nil.
func readVariables(op *graphql.OperationContext, inputs *input.Document, values map[string]any) (err error) {
	if op.Variables, err = inputs.CoerceVariables(op.Operation, values); err != nil {
		return variableError(err)
	}
	if inputs.HasNullArguments(op.Operation, op.Variables) {
		op.ResolverMiddleware = refuseNullArguments(op.ResolverMiddleware)
	}
	return nil
}

// variableError returns the error of a variable whose value does not fit, with its location.
func variableError(err error) error {
	e := &gqlerror.Error{Err: fault.New(fault.BadUserInput, "%s", err)}
	if inputErr, ok := errors.AsType[*input.Error](err); ok {
		e.Locations = inputErr.Locations()
	}
	return e
}

// refuseNullArguments returns middleware for gqlgen's executor that does not resolve a field if
// one of its arguments must not be null and is. Plans check that themselves.
func refuseNullArguments(next graphql.FieldMiddleware) graphql.FieldMiddleware {
	return func(ctx context.Context, resolve graphql.Resolver) (any, error) {
		if err := presenter.CheckNullArguments(ctx); err != nil {
			return nil, err
		}
		return next(ctx, resolve)
	}
}
