package execute

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// extensions are the methods of gqlgen's extensions, by gqlgen's kinds. The extension that was
// added first is called first, and around the others.
type extensions struct {
	parameters []graphql.OperationParameterMutator
	operations []graphql.OperationContextMutator
	operation  graphql.OperationMiddleware
	response   graphql.ResponseMiddleware
	field      graphql.FieldMiddleware
	rootField  graphql.RootFieldMiddleware

	any             bool // whether there are extensions
	interceptFields bool // whether one of them intercepts fields or root fields
}

// noExtensions returns middleware that calls the next function only.
func noExtensions() extensions {
	return extensions{
		operation: func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler { return next(ctx) },
		response:  func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response { return next(ctx) },
		field:     func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) },
		rootField: func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) },
	}
}

// add adds an extension.
func (x *extensions) add(extension graphql.HandlerExtension) {
	x.any = true
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
		x.interceptFields = true
		x.field = func(ctx context.Context, next graphql.Resolver) (any, error) {
			return around(ctx, func(ctx context.Context) (any, error) { return p.InterceptField(ctx, next) })
		}
	}
	if p, ok := extension.(graphql.RootFieldInterceptor); ok {
		around := x.rootField
		x.interceptFields = true
		x.rootField = func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
			return around(ctx, func(ctx context.Context) graphql.Marshaler { return p.InterceptRootField(ctx, next) })
		}
	}
}

// mutateParameters lets extensions change the parameters of a request.
func (x *extensions) mutateParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	for _, p := range x.parameters {
		if err := p.MutateOperationParameters(ctx, params); err != nil {
			return err
		}
	}
	return nil
}

// mutateOperation lets extensions change the operation, or refuse it.
func (x *extensions) mutateOperation(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	for _, p := range x.operations {
		if err := p.MutateOperationContext(ctx, op); err != nil {
			return err
		}
	}
	return nil
}

// now returns the time if there are extensions, which may report it, and the zero time otherwise.
func (x *extensions) now() (t time.Time) {
	if x.any {
		t = graphql.Now()
	}
	return t
}
