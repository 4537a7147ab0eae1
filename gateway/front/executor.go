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

// executor makes operations of the parameters that transports have read, with our documents
// and limits, and has the schema execute them, with our errors. gqlgen's own executor is part
// of it for subscriptions. Every transport gets this one executor, so that all operations pass
// the same limits.
type executor struct {
	*gqlgen.Executor
	schema     graphql.ExecutableSchema
	plans      engine.Executor // the same schema; nil if it has no plans
	options    Options
	documents  *document.Store
	present    *presenter
	cursors    *page.Key
	hooks      hooks
	fallback   engine.FallbackReason // why gqlgen's executor executes all operations; empty when plans do
	conditions map[string][]string   // type conditions by type
	slower     sync.Map              // the reasons that the log has told of, as keys
	executed   func(kind ast.Operation, fallback engine.FallbackReason)

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
	e.plans, _ = schema.(engine.Executor)
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

// result is the outcome of executing an operation.
type result struct {
	response *graphql.Response
	fallback engine.FallbackReason // why gqlgen's executor executed it; empty when a plan did
	calls    int                   // to services
}

var errNoResponse = errors.New("the executor returned no response")

// Execute executes a query or a mutation. A plan writes the response's data into b. With
// extensions nothing is written into b, since they may keep the response. After an error,
// which is that of a ctx that has ended or errNoResponse, the result has no response.
func (e *executor) Execute(ctx context.Context, op *graphql.OperationContext, b *buffer) (result, error) {
	ctx = e.begin(ctx, op)
	var outcome engine.Result
	if e.hooks.some {
		var respond graphql.ResponseHandler
		respond, ctx = e.dispatch(ctx, op, &outcome)
		outcome.Response = respond(ctx)
	} else {
		var err error
		ctx = graphql.WithResponseContext(graphql.WithOperationContext(ctx, op), e.tell, e.recover)
		if outcome, err = e.run(ctx, op, b.bytes); err != nil {
			return result{}, err
		}
		b.bytes = outcome.Buffer
		e.report(ctx, op, outcome.Fallback)
		e.bound(ctx, outcome.Response)
	}
	found := result{outcome.Response, outcome.Fallback, engine.Calls(ctx)}
	if found.response == nil {
		return found, cmp.Or(ctx.Err(), errNoResponse)
	}
	return found, nil
}

// DispatchOperation implements graphql.GraphExecutor, for transports whose operations may have
// many responses.
func (e *executor) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	return e.dispatch(e.begin(ctx, op), op, new(engine.Result))
}

// dispatch prepares an operation with the extensions around it. The handler stores in to what
// it found besides the responses. Each response has a budget of its own.
func (e *executor) dispatch(ctx context.Context, op *graphql.OperationContext, to *engine.Result) (graphql.ResponseHandler, context.Context) {
	prepare := e.intercept
	if op.Operation.Operation == ast.Subscription {
		prepare = e.subscribe
	}
	respond, ctx := prepare(ctx, op, to)
	first := true
	return func(ctx context.Context) *graphql.Response {
		if !first {
			engine.BudgetOf(ctx).Reset()
		}
		response := respond(ctx)
		if first {
			first = false
			e.report(ctx, op, to.Fallback)
		}
		e.bound(ctx, response)
		return response
	}, ctx
}

// subscribe prepares a subscription, which gqlgen's executor executes.
func (e *executor) subscribe(ctx context.Context, op *graphql.OperationContext, to *engine.Result) (graphql.ResponseHandler, context.Context) {
	to.Fallback = cmp.Or(e.fallback, engine.FallbackSubscription)
	return e.Executor.DispatchOperation(ctx, op)
}

// intercept prepares a query or a mutation. It calls the extensions in the order of gqlgen's
// executor. The handler executes the operation once, and returns nil when it is called again
// or when ctx has ended.
func (e *executor) intercept(ctx context.Context, op *graphql.OperationContext, to *engine.Result) (graphql.ResponseHandler, context.Context) {
	inner := graphql.WithOperationContext(ctx, op)
	done := false
	respond := e.hooks.operation(inner, func(ctx context.Context) graphql.ResponseHandler {
		inner = ctx
		return func(ctx context.Context) *graphql.Response {
			if ctx.Err() != nil {
				return nil
			}
			ctx = graphql.WithResponseContext(ctx, e.tell, e.recover)
			return e.hooks.response(ctx, func(ctx context.Context) *graphql.Response {
				if !done {
					done = true
					*to, _ = e.run(ctx, op, nil) // an error leaves no response
					return to.Response
				}
				return nil
			})
		}
	})
	return respond, inner
}

// run executes the operation by a plan if it can, and by gqlgen's executor otherwise. The
// error is that of a ctx that ended before the execution began.
func (e *executor) run(ctx context.Context, op *graphql.OperationContext, buf []byte) (engine.Result, error) {
	outcome := engine.Result{Fallback: e.fallback, Buffer: buf}
	if e.fallback == "" && e.plans != nil {
		var err error
		if outcome, err = e.plans.Execute(ctx, op, buf); err != nil {
			return engine.Result{}, err
		}
	}
	if outcome.Response == nil {
		respond := e.schema.Exec(ctx)
		if err := ctx.Err(); err != nil {
			return engine.Result{}, err
		}
		outcome.Response = respond(ctx)
	}
	if response := outcome.Response; response != nil {
		response.Errors = append(response.Errors, graphql.GetErrors(ctx)...)
		response.Extensions = graphql.GetExtensions(ctx)
	}
	return outcome, nil
}

// begin returns the context of an operation, with the state that its fields share.
func (e *executor) begin(ctx context.Context, op *graphql.OperationContext) context.Context {
	ctx = page.WithKey(ctx, e.cursors)
	options := e.options.Execution
	options.Coalesce = options.Coalesce && op.Operation.Operation == ast.Query // what a mutation reads must not be older than what it wrote
	ctx = engine.Begin(ctx, options, tells(op))
	e.watchFields(op, engine.FaultsOf(ctx), engine.BudgetOf(ctx))
	return ctx
}

// bound shortens a response's errors. Of an operation that was stopped it leaves the error
// that says why: what else there is depends on when that was.
func (e *executor) bound(ctx context.Context, response *graphql.Response) {
	if response == nil {
		return
	}
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

// report counts an operation, and logs the first one of each reason why gqlgen's executor
// executes it, except for the setting that asks for that.
func (e *executor) report(ctx context.Context, op *graphql.OperationContext, fallback engine.FallbackReason) {
	e.executed(op.Operation.Operation, fallback)
	if fallback == "" || fallback == engine.FallbackBySetting {
		return
	}
	if _, logged := e.slower.LoadOrStore(fallback, nil); !logged {
		e.present.log.LogAttrs(ctx, slog.LevelInfo, "operations of this kind run on gqlgen's own executor, which takes longer; this is told once", slog.String("because", string(fallback)))
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
