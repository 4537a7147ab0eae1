package front

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// hooks are the methods of gqlgen's extensions, by the kinds of gqlgen. The extension that was
// added first is called first, and around the others.
type hooks struct {
	parameters []graphql.OperationParameterMutator
	operations []graphql.OperationContextMutator
	operation  graphql.OperationMiddleware
	response   graphql.ResponseMiddleware
	field      graphql.FieldMiddleware
	rootField  graphql.RootFieldMiddleware
	some       bool
	intercepts bool // fields
}

func noHooks() hooks {
	return hooks{
		operation: func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler { return next(ctx) },
		response:  func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response { return next(ctx) },
		field:     func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) },
		rootField: func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) },
	}
}

func (x *hooks) add(extension graphql.HandlerExtension) {
	x.some = true
	if p, ok := extension.(graphql.OperationParameterMutator); ok {
		x.parameters = append(x.parameters, p)
	}
	if p, ok := extension.(graphql.OperationContextMutator); ok {
		x.operations = append(x.operations, p)
	}
	if p, ok := extension.(graphql.OperationInterceptor); ok {
		around := x.operation
		x.operation = func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			return around(ctx, func(ctx context.Context) graphql.ResponseHandler { return p.InterceptOperation(ctx, next) })
		}
	}
	if p, ok := extension.(graphql.ResponseInterceptor); ok {
		around := x.response
		x.response = func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
			return around(ctx, func(ctx context.Context) *graphql.Response { return p.InterceptResponse(ctx, next) })
		}
	}
	if p, ok := extension.(graphql.FieldInterceptor); ok {
		around := x.field
		x.intercepts = true
		x.field = func(ctx context.Context, next graphql.Resolver) (any, error) {
			return around(ctx, func(ctx context.Context) (any, error) { return p.InterceptField(ctx, next) })
		}
	}
	if p, ok := extension.(graphql.RootFieldInterceptor); ok {
		around := x.rootField
		x.intercepts = true
		x.rootField = func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
			return around(ctx, func(ctx context.Context) graphql.Marshaler { return p.InterceptRootField(ctx, next) })
		}
	}
}

// mutateParameters lets extensions change what was sent.
func (x *hooks) mutateParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	for _, p := range x.parameters {
		if err := p.MutateOperationParameters(ctx, params); err != nil {
			return err
		}
	}
	return nil
}

// mutateOperation lets extensions change what will run, or refuse it.
func (x *hooks) mutateOperation(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	for _, p := range x.operations {
		if err := p.MutateOperationContext(ctx, op); err != nil {
			return err
		}
	}
	return nil
}

// now is the time, for the extensions that report it; without any, nobody looks.
func (x *hooks) now() (t time.Time) {
	if x.some {
		t = graphql.Now()
	}
	return t
}
