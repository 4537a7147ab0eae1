package front

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	gqlgen "github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/input"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/document"
)

// executor makes operations of what transports have read, with our documents and limits,
// and has the schema answer them, with our errors. gqlgen's own is around where an
// extension or an operation with many answers needs it. Every transport gets this one, so
// none can go round them.
type executor struct {
	*gqlgen.Executor
	schema     graphql.ExecutableSchema
	options    Options
	documents  *document.Store
	present    *presenter
	cursors    *page.Key
	hooks      hooks
	fallback   string              // why gqlgen's executor answers everything; "" when plans do
	conditions map[string][]string // type conditions by type
	slower     sync.Map            // the reasons that the log has told of, as keys
	executed   func(kind ast.Operation, stock string)

	// what gqlgen calls, of present

	tell    graphql.ErrorPresenterFunc
	recover graphql.RecoverFunc
}

var _ graphql.GraphExecutor = (*executor)(nil)

func newExecutor(schema graphql.ExecutableSchema, o Options, cursors *page.Key, p *presenter) (*executor, error) {
	inputs, err := input.NewReader(schema.Schema(), input.Options{Scalar: input.ScalarsOf(schema), Suggestions: o.Introspection})
	if err != nil {
		return nil, err
	}
	e := &executor{
		Executor: gqlgen.New(schema),
		schema:   schema,
		options:  o,
		documents: document.NewStore(schema.Schema(), document.Options{
			Limits:      o.Limits,
			Size:        o.DocumentCache,
			Suggestions: o.Introspection,
			Inputs:      inputs,
		}),
		present:    p,
		cursors:    cursors,
		hooks:      noHooks(),
		conditions: typeConditions(schema.Schema()),
		tell:       p.present,
		recover:    func(_ context.Context, thrown any) error { return p.recovered(thrown, debug.Stack()) },
	}
	e.SetErrorPresenter(e.tell)
	e.SetRecoverFunc(e.recover)
	if o.Execution.Engine == engine.EngineGqlgen {
		e.fallback = engine.FallbackBySetting
	}
	return e, nil
}

// Use adds an extension. Plans call no field interceptors, so with one there are none.
func (e *executor) Use(extension graphql.HandlerExtension) {
	e.Executor.Use(extension)
	e.hooks.add(extension)
	if e.hooks.intercepts {
		e.fallback = engine.FallbackInterceptors
	}
}

// CreateOperationContext makes an operation that may run, or says why not. The first
// result is never nil.
func (e *executor) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (op *graphql.OperationContext, errs gqlerror.List) {
	op = &graphql.OperationContext{
		DisableIntrospection:   !e.options.Introspection,
		RecoverFunc:            e.recover,
		ResolverMiddleware:     e.hooks.field,
		RootResolverMiddleware: e.hooks.rootField,
	}
	defer func() {
		if thrown := recover(); thrown != nil { // here and not only in the HTTP chain: sockets have none around them
			errs = gqlerror.List{gqlerror.Wrap(e.present.recovered(thrown, debug.Stack()))}
		}
	}()
	if errs = e.prepare(ctx, op, params); op.Operation != nil {
		recordOf(ctx).begin(op.Operation)
	}
	return op, errs
}

// prepare fills in an operation. It looks at the text after every extension that may
// replace it, and lets none see an operation that may not run.
func (e *executor) prepare(ctx context.Context, op *graphql.OperationContext, params *graphql.RawParams) gqlerror.List {
	if e.hooks.some {
		op.Stats.Read, op.Stats.OperationStart = params.ReadTime, graphql.GetStartTime(ctx)
		ctx = graphql.WithOperationContext(ctx, op)
	}
	if err := e.hooks.mutateParameters(ctx, params); err != nil {
		return gqlerror.List{err}
	}
	op.RawQuery, op.OperationName = params.Query, params.OperationName
	op.Extensions, op.Headers = params.Extensions, params.Headers
	op.Stats.Parsing.Start = e.hooks.now()
	doc, errs := e.document(ctx, op.RawQuery)
	op.Stats.Parsing.End = e.hooks.now()
	op.Stats.Validation.Start = op.Stats.Parsing.End
	if len(errs) > 0 {
		return errs
	}
	err := e.choose(op, doc, params.Variables)
	op.Stats.Validation.End = e.hooks.now()
	if err != nil {
		return gqlerror.List{gqlerror.WrapIfUnwrapped(err)}
	}
	if err := e.hooks.mutateOperation(ctx, op); err != nil {
		return gqlerror.List{err}
	}
	return nil
}

func (e *executor) document(ctx context.Context, query string) (*document.Document, gqlerror.List) {
	if query == "" {
		return nil, gqlerror.List{gqlerror.Wrap(fault.New(fault.BadRequest, `the request has no "query"`))}
	}
	return e.documents.Get(ctx, query)
}

// choose takes the operation to run out of a document, with its variables, if it may run.
func (e *executor) choose(op *graphql.OperationContext, doc *document.Document, sent map[string]any) (err error) {
	op.Doc, op.Operation = doc.AST, doc.AST.Operations.ForName(op.OperationName)
	if op.Operation == nil {
		return unresolved(op.OperationName)
	}
	if err := doc.Allow(op.Operation); err != nil {
		return err
	}
	if err := readVariables(op, doc.Inputs, sent); err != nil {
		return err
	}
	if !e.options.Introspection && doc.Introspects(op.Operation) {
		return fault.New(fault.IntrospectionDisabled, "this gateway does not tell its schema: __schema and __type are switched off")
	}
	return nil
}

func unresolved(name string) error {
	if name == "" {
		return fault.New(fault.OperationResolution, "the document has several operations: say which with operationName")
	}
	return fault.New(fault.OperationResolution, "the document has no operation named %q", name)
}

var errNoResponse = errors.New("the executor gave no response")

// Answer runs an operation that has one answer. Its error says why nothing ran: that ctx
// has ended before. A plan writes the answer into b, and grows it. Where no extension looks
// on, it is DispatchOperation in one step.
func (e *executor) Answer(ctx context.Context, op *graphql.OperationContext, b *buffer) (*graphql.Response, error) {
	if e.hooks.some {
		next, ctx := e.DispatchOperation(ctx, op) // who looks on may keep the data, so it must not lie in b
		return given(ctx, next(ctx))
	}
	ctx, execution := e.begin(ctx, op, b.bytes)
	defer func() { b.bytes, execution.Buffer = execution.Buffer, nil }() // it is used again, and ctx may be kept
	ctx = graphql.WithOperationContext(ctx, op)
	ctx = graphql.WithResponseContext(ctx, e.tell, e.recover)
	next := e.schema.Exec(ctx)
	if errs := graphql.GetErrors(ctx); errs != nil {
		return e.answered(ctx, execution, &graphql.Response{Errors: errs}), nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	response := next(ctx)
	e.executed(op.Operation.Operation, execution.Fallback)
	if response != nil {
		response.Errors = append(response.Errors, graphql.GetErrors(ctx)...)
		response.Extensions = graphql.GetExtensions(ctx)
	}
	return given(ctx, e.answered(ctx, execution, response))
}

// given tells an answer from none.
func given(ctx context.Context, response *graphql.Response) (*graphql.Response, error) {
	if response == nil {
		return nil, cmp.Or(ctx.Err(), errNoResponse)
	}
	return response, nil
}

// DispatchOperation runs an operation that may have many answers.
func (e *executor) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	ctx, execution := e.begin(ctx, op, nil)
	next, ctx := e.Executor.DispatchOperation(ctx, op)
	counted := false // a subscription has many responses
	return func(ctx context.Context) *graphql.Response {
		if counted {
			engine.BudgetOf(ctx).Reset()
		}
		response := next(ctx)
		if !counted {
			counted = true
			e.executed(op.Operation.Operation, execution.Fallback)
		}
		return e.answered(ctx, execution, response)
	}, ctx
}

// begin gives an operation what its fields share.
func (e *executor) begin(ctx context.Context, op *graphql.OperationContext, b []byte) (context.Context, *engine.Execution) {
	ctx = page.WithKey(ctx, e.cursors)
	options := e.options.Execution
	options.Coalesce = options.Coalesce && op.Operation.Operation == ast.Query // what a mutation reads must not be older than what it wrote
	ctx = engine.Begin(ctx, options, engine.Execution{Fallback: e.fallback, Buffer: b}, tells(op))
	e.watchFields(op, engine.FaultsOf(ctx), engine.BudgetOf(ctx))
	recordOf(ctx).running = ctx
	return ctx, engine.ExecutionOf(ctx)
}

// answered notes how an answer came about, and bounds it.
func (e *executor) answered(ctx context.Context, execution *engine.Execution, response *graphql.Response) *graphql.Response {
	e.tellStock(ctx, execution.Fallback)
	if response != nil {
		e.bound(ctx, response)
	}
	return response
}

// bound shortens a response's errors. Of an operation that was stopped it leaves the error
// that says why: what else there is depends on when that was.
func (e *executor) bound(ctx context.Context, response *graphql.Response) {
	budget := engine.BudgetOf(ctx)
	if most, limited := budget.MaxBytes(); limited && len(response.Data) > most {
		_ = budget.StopAtBytes() // which Err gives
	}
	if err := budget.Err(); err != nil {
		response.Data, response.Errors = nullData, gqlerror.List{e.present.show(ctx, err)}
		return
	}
	response.Errors = capped(response.Errors, budget.OmittedErrors())
}

var nullData = []byte("null")

// tellStock notes why gqlgen's executor answers: in the log's line of each operation, and
// once for each reason that nobody has asked for.
func (e *executor) tellStock(ctx context.Context, because string) {
	recordOf(ctx).fallback = because
	if because == "" || because == engine.FallbackBySetting {
		return
	}
	if _, told := e.slower.LoadOrStore(because, nil); !told {
		e.present.log.LogAttrs(ctx, slog.LevelInfo, "operations of this kind run on gqlgen's own executor, which takes longer; this is told once", slog.String("because", because))
	}
}

// capped shortens a list of errors, and says how many more there were with those that were
// omitted before.
func capped(errs gqlerror.List, omitted int) gqlerror.List {
	const most = engine.MaxErrors
	if len(errs) <= most {
		return errs
	}
	last := &gqlerror.Error{
		Message:    plural(len(errs)-most+omitted, "more error") + " not shown",
		Extensions: map[string]any{"code": codeOf(errs[most])},
	}
	return append(errs[:most:most], last)
}
