package execute

import (
	"context"
	"math"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine/cost"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/admission"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/document"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// Operation is an operation that a request may execute.
type Operation struct {
	graphql.OperationContext
	// Document is the document of the operation.
	Document *document.Document
	// DocumentID is the id by which the request refers to its document, without the prefix "sha256:". It is
	// "" if the request has the text of the document.
	DocumentID string
	// Caller sends the request. It must not be changed.
	Caller *caller.Caller
	// Cost is what it costs. The rule of package costlimit sets it, which runs before the rules that
	// count, if the settings limit or show costs. Otherwise it is nil; see EstimatedCost.
	Cost *Cost
	// Header has header fields of the response to this request, whether it is refused or not. Other
	// requests that share the execution do not get them. Nil is none.
	Header http.Header

	unlisted   bool                        // no manifest has the document, which is logged
	registerAs string                      // the hash of the text that the client registers, "" for none
	turn       admission.Turn              // the place in admission by which it is executed
	estimate   func(*Operation) cost.Total // estimates Cost; nil if nothing does
}

// SetHeader sets a field of Header, whose name has the form of http.Header.
func (op *Operation) SetHeader(name, value string) {
	if op.Header == nil {
		op.Header = make(http.Header, 4)
	}
	op.Header[name] = []string{value}
}

// EstimatedCost returns what the operation costs at the worst, in whole units, rounded up, for what charges
// it or compares it with other operations. It estimates it if no rule has done so (see Cost), so that
// requests whose cost does not matter take no time for that. Without Options.EstimateCost it is 1.
func (op *Operation) EstimatedCost() int64 {
	var total cost.Total
	switch {
	case op.Cost != nil:
		total = op.Cost.Estimated
	case op.estimate != nil:
		total = op.estimate(op)
	default:
		return 1
	}
	return int64(math.Ceil(total.Cost().Float()))
}

// Rule decides whether a request may execute an operation that is valid and within the limits. It is
// safe for concurrent use.
type Rule interface {
	// Check returns the error for which op must not be executed, nil if it may be. It is called
	// once for each request, before the request joins the execution of another one and before any
	// service is called, and may set members of op for what follows.
	Check(ctx context.Context, op *Operation) error
}

// Prepare returns the operation that the parameters ask for, or the errors for which it must not be
// executed. All transports call it. The operation is never nil, and has no Operation in it before that
// is known.
func (e *Executor) Prepare(ctx context.Context, params *request.Params) (op *Operation, errs gqlerror.List) {
	op = &Operation{
		OperationContext: graphql.OperationContext{
			DisableIntrospection:   !e.options.Introspection,
			RecoverFunc:            e.recoverFunc,
			ResolverMiddleware:     e.extensions.field,
			RootResolverMiddleware: e.extensions.rootField,
		},
		Caller:   request.CallerOf(ctx),
		estimate: e.options.EstimateCost,
	}
	defer func() {
		if p := recover(); p != nil { // so that a panic is an error of this operation, whichever transport it came by
			errs = gqlerror.List{gqlerror.Wrap(e.recoverFunc(ctx, p))}
		}
	}()
	if errs = e.prepare(ctx, op, params); op.Operation != nil {
		request.LogEntryOf(ctx).SetOperation(op.Operation)
	}
	if len(errs) == 0 {
		e.accept(ctx, op)
	}
	return op, errs
}

// CreateOperationContext implements graphql.GraphExecutor by Prepare.
func (e *Executor) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	op, errs := e.Prepare(ctx, &request.Params{RawParams: *params})
	return &op.OperationContext, errs
}

// prepare fills in op. It reads the query after the extensions that may replace it, and calls
// the extensions that see the operation only after it has passed the limits. The rules come last,
// since some of them count what they let pass.
func (e *Executor) prepare(ctx context.Context, op *Operation, params *request.Params) gqlerror.List {
	if e.extensions.any {
		op.Stats.Read, op.Stats.OperationStart = params.ReadTime, graphql.GetStartTime(ctx)
		ctx = graphql.WithOperationContext(ctx, &op.OperationContext)
	}
	if err := e.extensions.mutateParameters(ctx, &params.RawParams); err != nil {
		return gqlerror.List{err}
	}
	op.OperationName = params.OperationName
	op.Extensions, op.Headers = params.Extensions, params.Headers
	op.Stats.Parsing.Start = e.extensions.now()
	var errs gqlerror.List
	op.Document, errs = e.document(ctx, op, params)
	op.Stats.Parsing.End = e.extensions.now()
	op.Stats.Validation.Start = op.Stats.Parsing.End
	if len(errs) > 0 {
		return errs
	}
	err := e.selectOperation(&op.OperationContext, op.Document, params)
	op.Stats.Validation.End = e.extensions.now()
	if err != nil {
		return gqlerror.List{gqlerror.WrapIfUnwrapped(err)}
	}
	if err := e.extensions.mutateOperation(ctx, &op.OperationContext); err != nil {
		return gqlerror.List{err}
	}
	for _, rule := range e.options.Rules {
		if err := rule.Check(ctx, op); err != nil {
			return gqlerror.List{gqlerror.WrapIfUnwrapped(err)}
		}
	}
	return nil
}

// selectOperation sets the operation of op, by its name, and its variables. The error says why
// the operation must not be executed.
func (e *Executor) selectOperation(op *graphql.OperationContext, doc *document.Document, params *request.Params) error {
	op.Doc, op.Operation = doc.AST, doc.AST.Operations.ForName(op.OperationName)
	if op.Operation == nil {
		return errNoOperation(op.OperationName)
	}
	if err := doc.Check(op.Operation); err != nil {
		return err
	}
	if err := readVariables(op, doc.Inputs, params.Variables); err != nil {
		return err
	}
	if params.CheckType != nil { // before the rules, which count, and before the text is registered
		if err := params.CheckType(op.Operation.Operation); err != nil {
			return err
		}
	}
	if !e.options.Introspection && doc.Introspects(op.Operation) {
		return errIntrospection
	}
	return nil
}

var errIntrospection = fault.New(fault.IntrospectionDisabled, "introspection is switched off: this gateway does not answer __schema and __type")

// errNoOperation returns the error for a document without the operation to execute.
func errNoOperation(name string) error {
	if name == "" {
		return fault.New(fault.OperationResolution, "the document has several operations: name the one to execute with operationName")
	}
	return fault.New(fault.OperationResolution, "the document has no operation named %q", name)
}
