package execute

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/document"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// CreateOperationContext implements graphql.GraphExecutor: it returns the operation that the
// parameters ask for, or the errors for which it must not be executed. The operation is never
// nil.
func (e *Executor) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (op *graphql.OperationContext, errs gqlerror.List) {
	op = &graphql.OperationContext{
		DisableIntrospection:   !e.options.Introspection,
		RecoverFunc:            e.recoverFunc,
		ResolverMiddleware:     e.extensions.field,
		RootResolverMiddleware: e.extensions.rootField,
	}
	defer func() {
		if p := recover(); p != nil { // so that a panic is an error of this operation, whichever transport it came by
			errs = gqlerror.List{gqlerror.Wrap(e.recoverFunc(ctx, p))}
		}
	}()
	if errs = e.prepare(ctx, op, params); op.Operation != nil {
		request.LogEntryOf(ctx).SetOperation(op.Operation)
	}
	return op, errs
}

// prepare fills in op. It reads the query after the extensions that may replace it, and calls
// the extensions that see the operation only after it has passed the limits.
func (e *Executor) prepare(ctx context.Context, op *graphql.OperationContext, params *graphql.RawParams) gqlerror.List {
	if e.extensions.any {
		op.Stats.Read, op.Stats.OperationStart = params.ReadTime, graphql.GetStartTime(ctx)
		ctx = graphql.WithOperationContext(ctx, op)
	}
	if err := e.extensions.mutateParameters(ctx, params); err != nil {
		return gqlerror.List{err}
	}
	op.RawQuery, op.OperationName = params.Query, params.OperationName
	op.Extensions, op.Headers = params.Extensions, params.Headers
	op.Stats.Parsing.Start = e.extensions.now()
	doc, errs := e.document(ctx, params)
	op.Stats.Parsing.End = e.extensions.now()
	op.Stats.Validation.Start = op.Stats.Parsing.End
	if len(errs) > 0 {
		return errs
	}
	err := e.selectOperation(op, doc, params.Variables)
	op.Stats.Validation.End = e.extensions.now()
	if err != nil {
		return gqlerror.List{gqlerror.WrapIfUnwrapped(err)}
	}
	if err := e.extensions.mutateOperation(ctx, op); err != nil {
		return gqlerror.List{err}
	}
	return nil
}

// document returns the document of the request's query.
func (e *Executor) document(ctx context.Context, params *graphql.RawParams) (*document.Document, gqlerror.List) {
	switch {
	case params.Query != "":
		return e.documents.Get(ctx, params.Query)
	case params.Extensions["persistedQuery"] != nil:
		return nil, gqlerror.List{gqlerror.Wrap(request.ErrPersistedQuery)}
	}
	return nil, gqlerror.List{gqlerror.Wrap(fault.New(fault.BadRequest, `the request has no "query"`))}
}

// selectOperation sets the operation of op, by its name, and its variables. The error says why
// the operation must not be executed.
func (e *Executor) selectOperation(op *graphql.OperationContext, doc *document.Document, variables map[string]any) error {
	op.Doc, op.Operation = doc.AST, doc.AST.Operations.ForName(op.OperationName)
	if op.Operation == nil {
		return errNoOperation(op.OperationName)
	}
	if err := doc.Check(op.Operation); err != nil {
		return err
	}
	if err := readVariables(op, doc.Inputs, variables); err != nil {
		return err
	}
	if !e.options.Introspection && doc.Introspects(op.Operation) {
		return fault.New(fault.IntrospectionDisabled, "introspection is switched off: this gateway does not answer __schema and __type")
	}
	return nil
}

// errNoOperation returns the error for a document without the operation to execute.
func errNoOperation(name string) error {
	if name == "" {
		return fault.New(fault.OperationResolution, "the document has several operations: name the one to execute with operationName")
	}
	return fault.New(fault.OperationResolution, "the document has no operation named %q", name)
}
