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
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
)

// Run is one operation while it is answered. Generated code embeds it. Collecting uses it
// from several goroutines, each of which owns the slots of its own fields and selections;
// encoding uses it from one.
type Run struct {
	ctx          context.Context
	op           *graphql.OperationContext
	plan         *Plan
	faults       *decode.Faults
	budget       *engine.Budget
	rootObject   graphql.FieldContext // of the root object
	rootContexts []context.Context    // of the root fields

	results []any    // by Field.slot; written by who collects the field
	places  []places // by Selection.slot; written by who collects the selection
	group   sync.WaitGroup
	failure runFailure
	inline  struct { // room for a small operation's
		roots  [2]context.Context
		nodes  [4]any
		places [2]places
	}

	collected atomic.Int64 // values that collecting has found, which encoding will write

	// What follows belongs to encoding.

	path          []pathElement   // to where the encoding is
	limit         int             // how long the buffer may become; lowered by what is taken out of it again
	checkAt       int             // from which length of the buffer on something is to be done; at most limit
	pendingValues int             // values that the budget does not know of yet
	collectErrors map[string]bool // the paths of errors from collecting; nil when there are none
}

// runFailure is what ended a run early: what our own code threw, or stopped. It leaves no
// answer.
type runFailure struct {
	mu         sync.Mutex
	panicValue any // guarded by mu; the first one
}

// Start begins a run of a plan, in the context that the answer is made in.
func (x *Run) Start(ctx context.Context, p *Plan) {
	x.ctx, x.op, x.plan, x.faults, x.budget = ctx, graphql.GetOperationContext(ctx), p, engine.FaultsOf(ctx), engine.BudgetOf(ctx)
	x.results, x.places = inlineOrMake(x.inline.nodes[:], p.fieldSlots), inlineOrMake(x.inline.places[:], p.selectionSlots)
	engine.SetProjection(ctx, p.projection)
	x.rootObject.Object = p.root.typeName
	x.rootContexts = inlineOrMake(x.inline.roots[:], len(p.root.Fields))
	for i := range p.root.Fields {
		f := &p.root.Fields[i]
		x.rootContexts[i] = graphql.WithRootFieldContext(x.epochContext(ctx, i), &graphql.RootFieldContext{Object: f.Name, Field: f.CollectedField})
	}
}

// epochContext is the context of the i-th root field before it has one of its own: in a mutation,
// each field after the first begins an epoch of the operation.
func (x *Run) epochContext(ctx context.Context, i int) context.Context {
	if i == 0 || x.op.Operation.Operation != ast.Mutation {
		return ctx
	}
	return engine.WithEpoch(ctx)
}

// inlineOrMake is for n values, in few if those are enough.
func inlineOrMake[T any](few []T, n int) []T {
	if n <= len(few) {
		return few[:n]
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
	b := slices.Grow(buf[:0], x.plan.expectedSize())
	ok := false
	if x.failure.panicValue == nil {
		x.recoverFailure(func() {
			x.beginEncoding()
			b, ok = encode(b)
			x.spendPending()
		})
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

// beginEncoding prepares the second phase, which begins when the first one has ended.
func (x *Run) beginEncoding() {
	x.limit = math.MaxInt
	if most, limited := x.budget.MaxBytes(); limited {
		x.limit = most
	}
	x.checkAt = min(x.limit, largeBuffer)
	for _, err := range graphql.GetErrors(x.ctx) {
		if x.collectErrors == nil {
			x.collectErrors = map[string]bool{}
		}
		x.collectErrors[err.Path.String()] = true
	}
}

// failureError returns the error of a run that has no answer.
func (x *Run) failureError(thrown any) error {
	if s, ok := thrown.(stopped); ok {
		return s.err
	}
	return x.op.RecoverFunc(x.ctx, thrown)
}

func (x *Run) recoverFailure(do func()) {
	defer func() {
		if thrown := recover(); thrown != nil {
			x.failure.mu.Lock()
			defer x.failure.mu.Unlock()
			if x.failure.panicValue == nil {
				x.failure.panicValue = thrown
			}
		}
	}()
	do()
}
