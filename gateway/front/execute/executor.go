// Package execute creates operations from the parameters that transports have read, and executes
// them.
//
// It promises that every operation passes the same limits, whichever transport brought it, and
// that its response keeps to the operation's budget.
package execute

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	gqlgen "github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/cost"
	"github.com/gatehouse-graphql/gatehouse/engine/input"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/admission"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/buffer"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/document"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/presenter"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
)

// Options are what an Executor needs besides the schema. The zero value is not useful: Cursors,
// Presenter, Log, OnOperation and OnDegraded are required.
type Options struct {
	// Limits bound each document.
	Limits limit.Options
	// DocumentCache is the size of the document cache, as document.Options has it.
	DocumentCache int
	// Documents are those to which clients refer by an id.
	Documents Documents
	// Introspection allows introspection, and suggestions in validation errors. Default false.
	Introspection bool
	// Execution bounds the execution of each operation.
	Execution engine.Options
	// Cursors is the key that seals the cursors of pages.
	Cursors *page.Key
	// Presenter presents the errors.
	Presenter *presenter.Presenter
	// Log gets a line for the first operation of each reason why gqlgen's executor executes it.
	Log *slog.Logger
	// Admission bounds how many operations are executed at the same time. Nil does not.
	Admission *admission.Limiter
	// Rules decide about each operation, in their order. Default none.
	Rules []Rule
	// EstimateCost returns what an operation costs at the worst. It is called for an operation whose Cost
	// no rule has set, when something needs it. Nil has all operations cost 1.
	EstimateCost func(*Operation) cost.Total
	// OnOperation is called for each operation that was executed: by gqlgen's executor if
	// fallback has the reason, by a plan if it is empty.
	OnOperation func(kind ast.Operation, fallback engine.FallbackReason)
	// OnDegraded is called for each response with degraded fields, with their numbers by service and
	// mode.
	OnDegraded func(by engine.DegradedBy, n int)
}

// Executor executes operations. All transports share one. It is safe for concurrent use, except
// for Use.
type Executor struct {
	schema     graphql.ExecutableSchema
	plans      engine.Executor  // the same schema; nil if it has no plans
	gqlgen     *gqlgen.Executor // for subscriptions and for errors that extensions may see
	options    Options
	documents  *document.Store
	extensions extensions
	conditions map[string][]string   // type conditions by type
	fallback   engine.FallbackReason // why gqlgen's executor executes all operations; empty when plans do
	logged     *sync.Map             // the reasons that were logged, as keys
	pinned     *pinned               // the documents of the manifests; nil while they are not used
	unlisted   *unlistedLog

	errorPresenter graphql.ErrorPresenterFunc
	recoverFunc    graphql.RecoverFunc
}

var _ graphql.GraphExecutor = (*Executor)(nil)

// New returns an executor of the schema's operations. It fails if a default value in the schema
// does not fit its type.
func New(schema graphql.ExecutableSchema, o Options) (*Executor, error) {
	e := &Executor{
		schema:         schema,
		gqlgen:         gqlgen.New(schema),
		extensions:     noExtensions(),
		conditions:     typeConditions(schema.Schema()),
		logged:         &sync.Map{},
		unlisted:       &unlistedLog{},
		errorPresenter: o.Presenter.Present,
		recoverFunc:    o.Presenter.Recover,
	}
	e.plans, _ = schema.(engine.Executor)
	e.gqlgen.SetErrorPresenter(e.errorPresenter)
	e.gqlgen.SetRecoverFunc(e.recoverFunc)
	return e.With(o)
}

// With returns an executor like e, with its extensions, by other options. The Presenter must be the
// same. The documents that are remembered are kept, unless options have changed that decide about
// them. e itself does not change.
func (e *Executor) With(o Options) (*Executor, error) {
	with := *e
	with.options = o
	if with.fallback != engine.FallbackInterceptors {
		with.fallback = ""
		if o.Execution.Engine == engine.EngineGqlgen {
			with.fallback = engine.FallbackBySetting
		}
	}
	if e.documents != nil && e.options.Limits == o.Limits && e.options.DocumentCache == o.DocumentCache && e.options.Introspection == o.Introspection {
		with.pinDocuments(e.documents)
		return &with, nil
	}
	inputs, err := input.NewCoercer(e.schema.Schema(), input.Options{Scalar: input.ScalarsOf(e.schema), Suggestions: o.Introspection})
	if err != nil {
		return nil, err
	}
	with.documents = document.NewStore(e.schema.Schema(), document.Options{
		Limits:      o.Limits,
		Size:        o.DocumentCache,
		Suggestions: o.Introspection,
		Inputs:      inputs,
	})
	with.pinDocuments(nil)
	return &with, nil
}

// pinDocuments pins the documents of the manifests, unless those of before, which is the present store if
// that is kept, are the same.
func (e *Executor) pinDocuments(before *document.Store) {
	set := e.options.Documents.Set
	switch {
	case !e.options.Documents.UsesManifests():
		e.pinned = nil
	case before != e.documents || e.pinned == nil || e.pinned.set != set || e.pinned.plans != e.UsesPlans():
		e.pinned = e.pin(set)
	}
}

// Use adds an extension of gqlgen. It must not be called once operations are executed. Plans call
// no field interceptors, so that with one gqlgen's executor executes all operations.
func (e *Executor) Use(extension graphql.HandlerExtension) {
	e.gqlgen.Use(extension)
	e.extensions.add(extension)
	if e.extensions.interceptFields {
		e.fallback = engine.FallbackInterceptors
	}
}

// HasExtensions reports whether Use has added an extension. Then a transport has to call
// graphql.StartOperationTrace, and operations must not be coalesced.
func (e *Executor) HasExtensions() bool { return e.extensions.any }

// UsesPlans reports whether plans execute the operations that they can execute.
func (e *Executor) UsesPlans() bool { return e.fallback == "" }

// Result is the outcome of executing an operation.
type Result struct {
	Response *graphql.Response
	// Fallback says why gqlgen's executor executed the operation; empty if a plan did.
	Fallback engine.FallbackReason
	// Calls is the number of calls to services.
	Calls int
	// Cost is what the operation has cost; nil if that was not counted.
	Cost *cost.Total
	// UnmatchedKeys is the number of keys that services left without an item while they sent
	// items of other keys.
	UnmatchedKeys int
	// Header are fields of services' responses that the client receives; nil for none.
	Header http.Header
}

var errNoResponse = errors.New("the executor returned no response")

// Execute executes a query or a mutation that Prepare has returned. A plan writes the response's data into b. With
// extensions nothing is written into b, since they may keep the response. After an error, the
// result has no response: that of a ctx that has ended, errNoResponse, or a fault with the code
// fault.Overloaded, after which a client may send the operation again.
func (e *Executor) Execute(ctx context.Context, prepared *Operation, b *buffer.Buffer) (Result, error) {
	op := &prepared.OperationContext
	if !isTrivial(op.Operation) {
		if err := e.options.Admission.Acquire(ctx, &prepared.turn, admission.Request{Caller: prepared.Caller, Cost: prepared.EstimatedCost}); err != nil {
			return Result{}, err
		}
		defer prepared.turn.Release()
	}
	share := engine.MemoryShareOf(ctx)
	share.BeginExecution()
	defer share.EndExecution()
	ctx = e.begin(ctx, op)
	engine.SetTurn(ctx, &prepared.turn)
	counter := prepared.counter()
	engine.BudgetOf(ctx).CountCosts(counter)
	var executed engine.Result
	if e.extensions.any {
		var respond graphql.ResponseHandler
		respond, ctx = e.dispatch(ctx, op, &executed)
		executed.Response = respond(ctx)
	} else {
		var err error
		ctx = graphql.WithResponseContext(graphql.WithOperationContext(ctx, op), e.errorPresenter, e.recoverFunc)
		if executed, err = e.execute(ctx, op, b.Bytes); err != nil {
			return Result{}, err
		}
		b.Bytes = executed.Buffer
		e.report(ctx, op, executed.Fallback)
		e.bound(ctx, executed.Response)
	}
	result := Result{
		Response: executed.Response, Fallback: executed.Fallback,
		Calls: engine.CallCount(ctx), UnmatchedKeys: engine.UnmatchedKeys(ctx), Header: e.takeHeader(ctx),
	}
	if counter != nil {
		result.Cost = new(counter.Total())
		prepared.Cost.show(result.Response, *result.Cost)
	}
	if err := engine.BudgetOf(ctx).Err(); op.Operation.Operation == ast.Query && fault.CodeOf(err) == fault.Overloaded {
		return Result{Fallback: result.Fallback, Calls: result.Calls}, err // nothing has changed, so the query may be sent again
	}
	if result.Response == nil {
		return result, cmp.Or(ctx.Err(), errNoResponse)
	}
	return result, nil
}

// takeHeader returns the fields of services' responses that the client of the operation in ctx receives.
func (e *Executor) takeHeader(ctx context.Context) http.Header {
	header, leftOut := engine.TakeHeader(ctx)
	if leftOut > 0 {
		e.options.Log.LogAttrs(ctx, slog.LevelWarn, "header fields of services are left out of the response, since they are too many or too long",
			slog.Int("left_out", leftOut), slog.Int("max_values", engine.MaxHeaderValues), slog.Int("max_bytes", engine.MaxHeaderBytes),
			slog.String("request_id", request.ID(ctx)))
	}
	return header
}

// isTrivial reports whether an operation selects nothing but __typename, as probes do that ask whether
// the gateway serves. It needs no admission: it costs less than its request, and calls no service.
func isTrivial(op *ast.OperationDefinition) bool {
	for _, selection := range op.SelectionSet {
		if field, ok := selection.(*ast.Field); !ok || field.Name != "__typename" || len(field.Directives) > 0 {
			return false
		}
	}
	return true
}

// DispatchOperation implements graphql.GraphExecutor, for transports whose operations may have
// many responses. Its interface has no room for a Result.
func (e *Executor) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	return e.dispatch(e.begin(ctx, op), op, new(engine.Result))
}

// DispatchError implements graphql.GraphExecutor: it returns the response of an operation that
// CreateOperationContext has refused.
func (e *Executor) DispatchError(ctx context.Context, errs gqlerror.List) *graphql.Response {
	return e.gqlgen.DispatchError(ctx, errs)
}

// dispatch prepares an operation with the extensions around it. The handler returns the next
// response and stores in to what else execution returned. Each response has a budget of its own.
func (e *Executor) dispatch(ctx context.Context, op *graphql.OperationContext, to *engine.Result) (graphql.ResponseHandler, context.Context) {
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
func (e *Executor) subscribe(ctx context.Context, op *graphql.OperationContext, to *engine.Result) (graphql.ResponseHandler, context.Context) {
	to.Fallback = cmp.Or(e.fallback, engine.FallbackSubscription)
	respond, ctx := e.gqlgen.DispatchOperation(ctx, op)
	return func(ctx context.Context) *graphql.Response {
		response := respond(ctx)
		if response != nil {
			e.addDegraded(ctx, response)
		}
		return response
	}, ctx
}

// intercept prepares a query or a mutation. It calls the extensions in the order of gqlgen's
// executor. The handler executes the operation once, and returns nil when it is called again
// or when ctx has ended.
func (e *Executor) intercept(ctx context.Context, op *graphql.OperationContext, to *engine.Result) (graphql.ResponseHandler, context.Context) {
	inner := graphql.WithOperationContext(ctx, op)
	done := false
	respond := e.extensions.operation(inner, func(ctx context.Context) graphql.ResponseHandler {
		inner = ctx
		return func(ctx context.Context) *graphql.Response {
			if ctx.Err() != nil {
				return nil
			}
			ctx = graphql.WithResponseContext(ctx, e.errorPresenter, e.recoverFunc)
			return e.extensions.response(ctx, func(ctx context.Context) *graphql.Response {
				if !done {
					done = true
					*to, _ = e.execute(ctx, op, nil) // an error leaves no response
					return to.Response
				}
				return nil
			})
		}
	})
	return respond, inner
}

// execute executes the operation by a plan if it can, and by gqlgen's executor otherwise. The
// error is that of a ctx that ended before the execution began.
func (e *Executor) execute(ctx context.Context, op *graphql.OperationContext, buf []byte) (engine.Result, error) {
	executed := engine.Result{Fallback: e.fallback, Buffer: buf}
	if e.fallback == "" && e.plans != nil {
		var err error
		if executed, err = e.plans.Execute(ctx, op, buf); err != nil {
			return engine.Result{}, err
		}
	}
	if executed.Response == nil {
		e.countRoot(ctx, op)
		respond := e.schema.Exec(ctx)
		if err := ctx.Err(); err != nil {
			return engine.Result{}, err
		}
		executed.Response = respond(ctx)
	}
	if response := executed.Response; response != nil {
		response.Errors = append(response.Errors, graphql.GetErrors(ctx)...)
		response.Extensions = graphql.GetExtensions(ctx)
		e.addDegraded(ctx, response)
	}
	return executed, nil
}

// begin returns the context of an operation, with the state that its fields share.
func (e *Executor) begin(ctx context.Context, op *graphql.OperationContext) context.Context {
	ctx = page.WithKey(ctx, e.options.Cursors)
	options := e.options.Execution
	options.Coalesce = options.Coalesce && op.Operation.Operation == ast.Query // what a mutation reads must not be older than what it wrote
	ctx = engine.StartOperation(ctx, options, supportsFaults(op))
	e.watchFields(op, engine.FaultsOf(ctx), engine.BudgetOf(ctx))
	return ctx
}

// report counts an operation, and logs the first one of each reason why gqlgen's executor
// executes it, except for the setting that asks for that.
func (e *Executor) report(ctx context.Context, op *graphql.OperationContext, fallback engine.FallbackReason) {
	e.options.OnOperation(op.Operation.Operation, fallback)
	if fallback == "" || fallback == engine.FallbackBySetting {
		return
	}
	if _, logged := e.logged.LoadOrStore(fallback, nil); !logged {
		e.options.Log.LogAttrs(ctx, slog.LevelInfo, "gqlgen's executor executes operations of this kind, which takes longer than plans; this is logged once", slog.String("fallback", string(fallback)))
	}
}
