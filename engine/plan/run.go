package plan

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/cost"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
)

// Run is one execution of a plan. Generated code embeds it.
//
// Many goroutines use it while collecting, and one while encoding, without locks: an element of results or
// places is written once, by the goroutine that collects its field or selection, and read only by
// goroutines that it starts afterwards, or after all of them have ended.
type Run struct {
	ctx          context.Context
	op           *graphql.OperationContext
	plan         *Plan
	faults       *decode.Faults // nil if faults are not reported
	budget       *engine.Budget // nil without limits
	rootObject   graphql.FieldContext
	rootContexts []context.Context // of the root fields, with their epochs

	results []any    // by Field.slot: a *fieldResult, or a *guardResult for a property
	places  []places // by Selection.slot
	group   sync.WaitGroup
	failure runFailure
	inline  struct { // memory for the slices of a small operation, which saves allocations
		roots   [2]context.Context
		results [4]any
		places  [2]places
	}

	collected atomic.Int64  // number of values that collecting has found
	costs     *cost.Counter // nil if costs are not counted

	// The following fields are for encoding.

	path          []pathElement   // to the value that is being encoded
	limit         int             // maximum length of the buffer; lowered by the bytes that Close discards
	checkAt       int             // length of the buffer at which CheckSize does something; at most limit
	reserved      int             // memory for the buffer that was reserved
	pendingValues int             // values that were not taken from the budget yet
	collectErrors map[string]bool // the paths of the errors that collecting added; nil without errors
	objects       []int64         // by Selection.id, how many objects were encoded; nil if costs are not counted
}

// runFailure holds the first panic of this package or of generated code in a run: a bug, or a value of type
// stopped. A run with a failure has no data. Panics of resolvers are not among them: they are errors of fields.
type runFailure struct {
	mu         sync.Mutex
	panicValue any // guarded by mu while collecting
}

// Start prepares a run of p for the operation in ctx. ctx must have a response context.
func (x *Run) Start(ctx context.Context, p *Plan) {
	x.ctx, x.op, x.plan, x.faults, x.budget = ctx, graphql.GetOperationContext(ctx), p, engine.FaultsOf(ctx), engine.BudgetOf(ctx)
	if x.costs = x.budget.Costs(); x.costs != nil {
		x.objects = make([]int64, p.selections)
	}
	x.results, x.places = inlineOrMake(x.inline.results[:], p.fieldSlots), inlineOrMake(x.inline.places[:], p.selectionSlots)
	engine.SetProjection(ctx, p.projection)
	engine.SetSharedCalls(ctx, p.sharedCalls)
	x.rootObject.Object = p.root.typeName
	x.rootContexts = inlineOrMake(x.inline.roots[:], len(p.root.Fields))
	for i := range p.root.Fields {
		f := &p.root.Fields[i]
		x.rootContexts[i] = graphql.WithRootFieldContext(x.epochContext(ctx, i), &graphql.RootFieldContext{Object: f.Name, Field: f.CollectedField})
	}
}

// epochContext returns the context of the i-th root field. In a mutation, each field after the first begins
// a new epoch of the operation.
func (x *Run) epochContext(ctx context.Context, i int) context.Context {
	if i == 0 || x.op.Operation.Operation != ast.Mutation {
		return ctx
	}
	return engine.WithEpoch(ctx)
}

// inlineOrMake returns a slice of n zero values. It uses inline if that is long enough.
func inlineOrMake[T any](inline []T, n int) []T {
	if n <= len(inline) {
		return inline[:n]
	}
	return make([]T, n)
}

// Execute executes the operation in both phases: it runs collect, waits for all goroutines
// that it started, and then runs encode, which appends the response's data to its argument and
// reports whether these are not null. The data are written into buf, from its beginning, or
// into a larger buffer, which the result has. After a panic in collect or encode the data are
// null and the response has one more error; panics of resolvers are errors of their fields
// already.
func (x *Run) Execute(buf []byte, collect func(), encode func([]byte) ([]byte, bool)) engine.Result {
	x.recoverFailure(collect)
	x.group.Wait()
	b, ok := buf[:0], false
	if x.failure.panicValue == nil {
		x.recoverFailure(func() {
			b = x.reserveBuffer(b)
			x.beginEncoding()
			b, ok = encode(b)
			x.spendPending()
		})
		x.countCosts()
	}
	if x.failure.panicValue != nil {
		graphql.AddError(x.ctx, x.failureError(x.failure.panicValue))
		ok = false
	}
	if !ok {
		b = append(b[:0], "null"...)
	}
	x.plan.lastSize.Store(int64(len(b)))
	return engine.Result{Response: &graphql.Response{Data: b}, Buffer: b}
}

// reserveBuffer returns b with the capacity that the response is expected to need.
func (x *Run) reserveBuffer(b []byte) []byte {
	expected := x.plan.expectedSize()
	if expected > largeBuffer {
		x.stopIf(x.budget.ReserveMemory(int64(expected)))
		x.reserved = expected
	}
	return slices.Grow(b, expected)
}

// beginEncoding prepares encoding. All goroutines that collected have ended.
func (x *Run) beginEncoding() {
	x.limit = math.MaxInt
	if most, limited := x.budget.MaxBytes(); limited {
		x.limit = most
	}
	x.checkAt = min(x.limit, largeBuffer)
	if x.reserved > largeBuffer {
		x.checkAt = min(x.limit, x.reserved)
	}
	for _, err := range graphql.GetErrors(x.ctx) {
		if x.collectErrors == nil {
			x.collectErrors = map[string]bool{}
		}
		x.collectErrors[err.Path.String()] = true
	}
}

// failureError returns the error of the response for a failure.
func (x *Run) failureError(value any) error {
	if s, ok := value.(stopped); ok {
		return s.err
	}
	return x.op.RecoverFunc(x.ctx, value)
}

// recoverFailure calls do. It records a panic as the failure of the run, unless there is one already.
func (x *Run) recoverFailure(do func()) {
	defer func() {
		if value := recover(); value != nil {
			x.failure.mu.Lock()
			defer x.failure.mu.Unlock()
			if x.failure.panicValue == nil {
				x.failure.panicValue = value
			}
		}
	}()
	do()
}
