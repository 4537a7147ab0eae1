package front

import (
	"cmp"
	"context"
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	gqlgen "github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/document"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
)

// maxErrors is how many errors one answer lists.
const maxErrors = 100

// executor is gqlgen's, with our documents, limits and errors. Every transport gets
// this one, so none can go round them.
type executor struct {
	*gqlgen.Executor
	present   *presenter
	execution engine.Options
	cursors   *page.Key
	stock     string   // why gqlgen's executor answers everything; "" when plans do
	extended  bool     // others than us see the responses
	slower    sync.Map // the reasons that the log has told of, as keys
	executed  func(kind ast.Operation, stock string)
}

var _ graphql.GraphExecutor = (*executor)(nil)

func newExecutor(schema graphql.ExecutableSchema, o Options, cursors *page.Key, p *presenter, documents *document.Store) *executor {
	e := &executor{
		Executor:  gqlgen.New(schema),
		present:   p,
		execution: o.Execution,
		cursors:   cursors,
	}
	e.SetErrorPresenter(p.present)
	e.SetRecoverFunc(func(_ context.Context, thrown any) error { return p.recovered(thrown, debug.Stack()) })
	e.SetQueryCache(documentsByText{documents})
	if o.Execution.Engine == engine.Stock {
		e.stock = engine.StockBySetting
	}
	e.Executor.Use(permission{introspection: o.Introspection})
	return e
}

// Use adds an extension. Plans call no field interceptors, so with one there are none.
func (e *executor) Use(extension graphql.HandlerExtension) {
	_, field := extension.(graphql.FieldInterceptor)
	_, root := extension.(graphql.RootFieldInterceptor)
	if field || root {
		e.stock = engine.StockInterceptors
	}
	e.extended = true
	e.Executor.Use(extension)
}

// CreateOperationContext makes an operation that may run, or says why not. The first
// result is never nil.
func (e *executor) CreateOperationContext(ctx context.Context, params *graphql.RawParams) (op *graphql.OperationContext, errs gqlerror.List) {
	defer func() {
		if thrown := recover(); thrown != nil { // here and not only in the HTTP chain: sockets have none around them
			op, errs = &graphql.OperationContext{}, gqlerror.List{gqlerror.Wrap(e.present.recovered(thrown, debug.Stack()))}
		}
	}()
	var found reading
	op, errs = e.Executor.CreateOperationContext(context.WithValue(ctx, readingKey{}, &found), params)
	if op.Operation != nil {
		recordOf(ctx).begin(op.Operation)
	}
	return op, found.explain(params.OperationName, errs)
}

// DispatchOperation runs an operation with what its fields share.
func (e *executor) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	execution := engine.ExecutionOf(ctx)
	if execution == nil {
		execution = &engine.Execution{}
		ctx = engine.WithExecution(ctx, execution)
	}
	execution.Stock = e.stock
	ctx = engine.WithOperation(page.WithKey(withFaults(ctx, op), e.cursors), e.execution)
	recordOf(ctx).calls = func() int { return engine.Calls(ctx) }
	next, ctx := e.Executor.DispatchOperation(ctx, op)
	counted := false // a subscription has many responses
	return func(ctx context.Context) *graphql.Response {
		response := next(ctx)
		e.tellStock(ctx, execution.Stock)
		if !counted {
			counted = true
			e.executed(op.Operation.Operation, execution.Stock)
		}
		if response != nil {
			response.Errors = capped(response.Errors)
		}
		return response
	}, ctx
}

// tellStock notes why gqlgen's executor answers: in the log's line of each operation, and
// once for each reason that nobody has asked for.
func (e *executor) tellStock(ctx context.Context, because string) {
	recordOf(ctx).stock = because
	if because == "" || because == engine.StockBySetting {
		return
	}
	if _, told := e.slower.LoadOrStore(because, nil); !told {
		e.present.log.LogAttrs(ctx, slog.LevelInfo, "operations of this kind run on gqlgen's own executor, which takes longer; this is told once", slog.String("because", because))
	}
}

// capped shortens a list of errors and says by how many.
func capped(errs gqlerror.List) gqlerror.List {
	if len(errs) <= maxErrors {
		return errs
	}
	last := &gqlerror.Error{
		Message:    plural(len(errs)-maxErrors, "more error") + " not shown",
		Extensions: map[string]any{"code": codeOf(errs[maxErrors])},
	}
	return append(errs[:maxErrors:maxErrors], last)
}

// reading is what became of a query's text while gqlgen made an operation of it.
type reading struct {
	doc  *limit.Document
	errs gqlerror.List
}

type readingKey struct{}

// explain gives our words where gqlgen has only one code for different errors.
func (r *reading) explain(operationName string, errs gqlerror.List) gqlerror.List {
	switch {
	case len(errs) == 0:
		return nil
	case len(r.errs) > 0:
		return r.errs
	case r.doc != nil && r.doc.AST.Operations.ForName(operationName) == nil:
		return gqlerror.List{gqlerror.Wrap(unresolved(operationName))}
	}
	for i, err := range errs {
		if r.doc != nil && codeOf(err) == string(fault.ValidationFailed) { // the document is valid, so it is a variable
			errs[i] = gqlerror.Wrap(badVariable(err))
		}
	}
	return errs
}

func unresolved(name string) error {
	if name == "" {
		return fault.New(fault.OperationResolution, "the document has several operations: say which with operationName")
	}
	return fault.New(fault.OperationResolution, "the document has no operation named %q", name)
}

// badVariable names the variable in the text: gqlgen has it in path, which is for places in the answer.
func badVariable(err *gqlerror.Error) error {
	where := err.Path
	if len(where) > 0 && where[0] == ast.PathName("variable") {
		where = where[1:]
	}
	return fault.New(fault.BadUserInput, "variable $%s: %s", where, err.Message)
}

// documentsByText stands in for gqlgen's cache of documents. It always has an answer, so
// gqlgen never parses or validates by itself, and sees the text after every extension
// that may replace it.
type documentsByText struct{ store *document.Store }

var noDocument = &ast.QueryDocument{}

// Get notes what it found for CreateOperationContext; for a text that is no document it
// gives an empty one, in which gqlgen finds no operation.
func (d documentsByText) Get(ctx context.Context, query string) (*ast.QueryDocument, bool) {
	found, _ := ctx.Value(readingKey{}).(*reading)
	if found == nil {
		found = &reading{}
	}
	if query == "" {
		found.errs = gqlerror.List{gqlerror.Wrap(fault.New(fault.BadRequest, `the request has no "query"`))}
		return noDocument, true
	}
	if found.doc, found.errs = d.store.Get(query); found.doc == nil {
		return noDocument, true
	}
	return found.doc.AST, true
}

// Add is never called with anything new.
func (documentsByText) Add(context.Context, string, *ast.QueryDocument) {}

// permission checks the chosen operation. It is the first of the executor's extensions.
type permission struct{ introspection bool }

// ExtensionName is for gqlgen's lists.
func (permission) ExtensionName() string { return "Permission" }

// Validate accepts every schema.
func (permission) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses an operation that asks more than one may.
func (p permission) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	op.DisableIntrospection = !p.introspection
	found, _ := ctx.Value(readingKey{}).(*reading)
	if found == nil || found.doc == nil {
		return gqlerror.Wrap(fault.New(fault.Internal, "internal error")) // nobody else makes operations
	}
	if err := cmp.Or(found.doc.Allow(op.Operation), conditional(op)); err != nil {
		return gqlerror.Wrap(err)
	}
	if !p.introspection && found.doc.Introspects(op.Operation) {
		return gqlerror.Wrap(fault.New(fault.IntrospectionDisabled, "this gateway does not tell its schema: __schema and __type are switched off"))
	}
	return nil
}
