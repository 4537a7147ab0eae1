// Package engine holds what one running operation shares: the loaders by which its
// fields are joined, which last for one epoch of it, the budgets of backend calls, of joined
// values and of the response, and what did not fit in the services' answers. Nothing of it
// outlives the operation, so nothing can pass from one caller to another.
package engine

import (
	"context"
	"sync/atomic"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// What one operation may do unless told otherwise.
const (
	DefaultMaxCalls         = 1000
	DefaultMaxParallelCalls = 100
	DefaultMaxItems         = 50_000
)

// Options are the limits of an operation's execution.
type Options struct {
	// Engine is plan, or gqlgen to have gqlgen's own executor answer everything: slower, but
	// with one part less to doubt when an answer is odd. Default plan.
	Engine string `yaml:"engine"`
	// MaxCalls is how many backend calls one operation may make. Default 1,000.
	MaxCalls int `yaml:"maxCalls"`
	// MaxParallelCalls is how many of them one operation may have running at the same time;
	// further ones wait for their turn. Default 100.
	MaxParallelCalls int `yaml:"maxParallelCalls"`
	// MaxItems is how many values the joins and pages of one operation may give, all together.
	// Joins that go in circles (orders of the customers of orders) multiply what a few
	// calls fetched, so that neither the calls nor the query's text bound the answer. Where
	// the number of values is known before they are fetched, too many cost no call. Default
	// 50,000.
	MaxItems int `yaml:"maxItems"`
	// MaxValues is how many values the response of one operation may have: the fields of all
	// its objects, nulls and refused ones too, and the elements of all its lists. With more,
	// the operation ends with the error MAX_RESPONSE_LIMIT and no data. Default 1,000,000, of
	// which 250,000 where gqlgen's executor answers: it takes many times as long for each.
	MaxValues int `yaml:"maxValues"`
	// MaxBytes is how large the data of one response may be; what was written for an object
	// that became null counts too. With more, the operation ends as for maxValues. Default 32 MB.
	MaxBytes int64 `yaml:"maxBytes"`
	// Coalesce lets callers share what they ask for at the same time. Those of one identity
	// who send the same query, with the same variables and the same values of the headers that
	// any service is forwarded, get one answer; equal GET calls of their different queries get
	// one response. Nothing is kept when it has come. Queries with fields that code by hand
	// answers, or whose calls use $request, are executed for each, and mutations and
	// subscriptions share nothing. Whoever joins gets what had begun a moment before it asked,
	// so that it may not see yet what it has just changed. With the engine gqlgen, calls alone
	// are shared. Default false.
	Coalesce bool `yaml:"coalesce"`
}

// operation is what the fields of one operation share for as long as it lasts, and the
// context in which they run: one layer for all that is known of it. What they share until
// something is written belongs to an epoch. It is safe for concurrent use by the fields.
type operation struct {
	context.Context
	faults decode.Faults
	tells  bool // of faults
	budget Budget

	maxCalls int64
	calls    atomic.Int64
	running  Slots // of calls
	maxItems int64
	items    atomic.Int64
	wanted   atomic.Pointer[decode.Projection] // nil for everything
	coalesce bool

	first epoch // of its epochs, which has no other context around it
}

type operationKey struct{}

// WithOperation returns a context under which one operation runs. Its deadline
// and cancellation are those of every batch that the operation's fields make.
func WithOperation(ctx context.Context, o Options) context.Context {
	return newOperation(ctx, o)
}

// Begin is WithOperation with a table of faults, which FaultsOf returns, if the caller reports
// faults to the client.
func Begin(ctx context.Context, o Options, reportsFaults bool) context.Context {
	op := newOperation(ctx, o)
	op.tells = reportsFaults
	return op
}

func newOperation(ctx context.Context, o Options) *operation {
	if o.MaxCalls <= 0 {
		o.MaxCalls = DefaultMaxCalls
	}
	if o.MaxItems <= 0 {
		o.MaxItems = DefaultMaxItems
	}
	if o.MaxParallelCalls <= 0 {
		o.MaxParallelCalls = DefaultMaxParallelCalls
	}
	op := &operation{Context: ctx, maxCalls: int64(o.MaxCalls), maxItems: int64(o.MaxItems), coalesce: o.Coalesce}
	op.running.Max = o.MaxParallelCalls
	op.first.Context = op
	op.budget.init(o)
	return op
}

// Value implements context.Context.
func (op *operation) Value(key any) any {
	switch key.(type) {
	case operationKey:
		return op
	case epochKey:
		return &op.first
	case faultsKey:
		if op.tells {
			return &op.faults
		}
	}
	return op.Context.Value(key)
}

type faultsKey struct{}

// WithFaults returns a context whose operation notes in faults what does not fit the graph
// in the services' answers. It comes before WithOperation, and who calls it must tell the
// clients: a faulty field holds Go's zero value. With nil the context is for a resolver by
// hand that wants the answers of its own calls as the graph says, or not at all.
func WithFaults(ctx context.Context, faults *decode.Faults) context.Context {
	return context.WithValue(ctx, faultsKey{}, faults)
}

// FaultsOf gives the table of the operation in ctx. It is nil where nobody would tell of
// the faults, and then each fails its answer.
func FaultsOf(ctx context.Context) *decode.Faults {
	faults, _ := ctx.Value(faultsKey{}).(*decode.Faults)
	return faults
}

// SetProjection says what the operation in ctx wants of all objects that its calls give. It comes
// before the first of them: values are shared between the places of an operation, so that
// what one of them wants is read for all. By default, and without an operation, that is
// everything.
func SetProjection(ctx context.Context, wanted *decode.Projection) {
	if op, ok := ctx.Value(operationKey{}).(*operation); ok {
		op.wanted.Store(wanted)
	}
}

// ProjectionOf tells what the operation in ctx wants; nil is everything.
func ProjectionOf(ctx context.Context) *decode.Projection {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return nil
	}
	return op.wanted.Load()
}

// SpendCall takes one backend call from the operation's budget and fails when it is
// used up. Without an operation in ctx there is no budget.
func SpendCall(ctx context.Context) error {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return nil
	}
	if op.calls.Add(1) > op.maxCalls {
		return fault.New(fault.BadRequest,
			"the operation needs more than %d backend calls; ask for less at once", op.maxCalls)
	}
	return nil
}

// AcquireCall waits until the operation in ctx may have one more backend call running. Its
// error is that of ctx, when it ends before. Without an error, ReleaseCall must be called
// with the same ctx when the call has ended. Whoever has acquired a call must not wait for
// another one that has not. Without an operation in ctx there is no bound.
func AcquireCall(ctx context.Context) error {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return nil
	}
	return op.running.Acquire(ctx)
}

// ReleaseCall ends a call for which AcquireCall has returned no error.
func ReleaseCall(ctx context.Context) {
	if op, ok := ctx.Value(operationKey{}).(*operation); ok {
		op.running.Release()
	}
}

// Calls tells how many backend calls the operation in ctx has made so far.
func Calls(ctx context.Context) int {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return 0
	}
	return int(min(op.calls.Load(), op.maxCalls))
}

// CoalescesCalls tells whether calls of the operation in ctx may be shared with other operations.
func CoalescesCalls(ctx context.Context) bool {
	op, ok := ctx.Value(operationKey{}).(*operation)
	return ok && op.coalesce
}

// SpendItems takes n values of a page from the operation's budget and fails when it is used
// up. Without an operation in ctx there is no budget.
func SpendItems(ctx context.Context, n int) error {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return nil
	}
	return op.spendItems(n)
}

// spendItems takes n joined values from the operation's budget.
func (op *operation) spendItems(n int) error {
	if op.items.Add(int64(n)) > op.maxItems {
		return fault.New(fault.BadRequest,
			"the operation joins more than %d values; ask for less at once", op.maxItems)
	}
	return nil
}

// operationOf gives the operation in ctx, or one of its own where there is none.
func operationOf(ctx context.Context) *operation {
	if op, ok := ctx.Value(operationKey{}).(*operation); ok {
		return op
	}
	return newOperation(ctx, Options{})
}
