// Package engine holds the state that the fields of one running operation share: the loaders
// that join them, which last for one epoch of the operation; the budgets of backend calls, of
// joined values and of the response; and the values in the services' responses that did not fit
// the graph. None of this state outlives the operation, so no value passes from one client to
// another.
package engine

import (
	"context"
	"sync/atomic"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// The default limits of one operation.
const (
	DefaultMaxCalls         = 1000
	DefaultMaxParallelCalls = 100
	DefaultMaxItems         = 50_000
)

// Options are the settings of an operation's execution. The zero value has the defaults.
type Options struct {
	// Engine is plan, or gqlgen to execute every operation with gqlgen's own executor: slower,
	// but it rules out the plans when a response looks wrong. Default plan.
	Engine string `yaml:"engine"`
	// MaxCalls is the maximum number of backend calls of one operation. Default 1,000.
	MaxCalls int `yaml:"maxCalls"`
	// MaxParallelCalls is the maximum number of backend calls that one operation has running at
	// the same time; further ones wait for their turn. Default 100.
	MaxParallelCalls int `yaml:"maxParallelCalls"`
	// MaxItems is the maximum number of values that the joins and pages of one operation return
	// in total. Joins that go in circles (orders of the customers of orders) multiply the values
	// that a few calls fetched, so that neither the number of calls nor the length of the query
	// bounds the response. Where the number of values is known before they are fetched, exceeding
	// the limit costs no call. Default 50,000.
	MaxItems int `yaml:"maxItems"`
	// MaxValues is the maximum number of values in the response of one operation: the fields of
	// all its objects, including nulls and refused fields, and the elements of all its lists. An
	// operation that exceeds it ends with the error MAX_RESPONSE_LIMIT and no data. Default
	// 1,000,000, of which gqlgen's executor may write 250,000, because each costs it many times
	// as much.
	MaxValues int `yaml:"maxValues"`
	// MaxBytes is the maximum size of the data of one response, in bytes, including those that
	// were written for an object that became null afterwards. An operation that exceeds it ends
	// as for maxValues. Default 32,000,000.
	MaxBytes int64 `yaml:"maxBytes"`
	// Coalesce executes equal concurrent requests once. Clients with the same identity that send
	// the same query, with the same variables and the same values of all headers that are
	// forwarded to services, get the same response; equal GET calls of different queries of
	// theirs get the same response from the service. No response is kept after it was delivered.
	// Queries with fields that handwritten code resolves, or whose calls use $request, are
	// executed for each client, and mutations and subscriptions are never coalesced. A client
	// that joins a running execution gets a response that was begun before its request arrived,
	// so it may not see a change yet that it has just made. With the engine gqlgen, only calls
	// are coalesced. Default false.
	Coalesce bool `yaml:"coalesce"`
}

// operation is the state that the fields of one operation share for as long as it lasts. It is
// also the context in which they run, so that a single layer of context answers every question
// about the operation. State that is only valid until something is written belongs to an epoch.
// An operation is safe for concurrent use by its fields.
type operation struct {
	context.Context
	faults        decode.Faults
	reportsFaults bool // set by StartOperation; without it, FaultsOf does not return faults
	budget        Budget

	maxCalls int64
	calls    atomic.Int64 // backend calls that were begun, or refused

	unmatchedKeys atomic.Int64 // see UnmatchedKeys
	callSlots     Semaphore
	turn          Turn // nil without one; see SetTurn
	maxItems      int64
	items         atomic.Int64                      // joined values that were spent
	projection    atomic.Pointer[decode.Projection] // nil selects everything
	coalesce      bool

	sharedCalls atomic.Pointer[SharedCalls]
	keptBytes   atomic.Int64 // of responses that are kept for equal calls

	degraded degradedFields
	headers  atomic.Pointer[callHeaders] // nil until a call adds some
	epochs   atomic.Int32                // number of epochs after the first

	first epoch // the first epoch, which costs no further layer of context
}

type operationKey struct{}

// WithOperation returns a context in which one operation runs. Its deadline and cancellation also
// apply to every batch of the operation.
func WithOperation(ctx context.Context, o Options) context.Context {
	return newOperation(ctx, o)
}

// StartOperation is WithOperation and, if reportsFaults is set, WithFaults with a new table, in one allocation.
func StartOperation(ctx context.Context, o Options, reportsFaults bool) context.Context {
	op := newOperation(ctx, o)
	op.reportsFaults = reportsFaults
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
	op.callSlots.Max = o.MaxParallelCalls
	op.first.Context = op
	op.budget.init(ctx, o)
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
		if op.reportsFaults {
			return &op.faults
		}
	}
	return op.Context.Value(key)
}

// SetProjection sets the fields that the operation in ctx reads from the responses of its calls.
// It must be called before the first call. There is one projection for the whole operation, with
// the fields selected at any of its places, because the places share the objects that are read.
// The default is every field. Without an operation in ctx, SetProjection does nothing.
func SetProjection(ctx context.Context, p *decode.Projection) {
	if op, ok := ctx.Value(operationKey{}).(*operation); ok {
		op.projection.Store(p)
	}
}

// ProjectionOf returns the fields that the operation in ctx reads from responses; nil means every
// field.
func ProjectionOf(ctx context.Context) *decode.Projection {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return nil
	}
	return op.projection.Load()
}

// SpendCall takes one backend call from the operation's budget. It returns an error when the budget
// is used up. Without an operation in ctx there is no budget.
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

// Turn is the permission to execute an operation, which counts among those that are executed at the
// same time. It is told of the operation's calls, since an operation that waits for services does not
// compute. Its methods are safe for concurrent use.
type Turn interface {
	// BeginCall is called when the operation begins a call to a service. Its error is a fault that
	// refuses the call.
	BeginCall(service string) error
	// EndCall is called at the end of a call for which BeginCall returned nil. It may wait until the
	// operation may compute again, but not longer than ctx lasts.
	EndCall(ctx context.Context, service string)
}

// SetTurn has t told of the calls of the operation in ctx. It must be called before the first call.
// Without an operation in ctx, SetTurn does nothing.
func SetTurn(ctx context.Context, t Turn) {
	if op, ok := ctx.Value(operationKey{}).(*operation); ok {
		op.turn = t
	}
}

// AcquireCall waits until the operation in ctx may have one more backend call running. It returns
// the error of ctx if ctx ends first, or a fault if the operation's Turn refuses the call. If it
// returns nil, ReleaseCall must be called with the same arguments when the call has ended. Code that
// has acquired a call must not wait for a call that has not acquired its own yet: if all of them
// did, none could continue. Without an operation in ctx there is no limit.
func AcquireCall(ctx context.Context, service string) error {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return nil
	}
	if err := op.callSlots.Acquire(ctx); err != nil || op.turn == nil {
		return err
	}
	if err := op.turn.BeginCall(service); err != nil {
		op.callSlots.Release()
		return err
	}
	return nil
}

// ReleaseCall marks the end of a call for which AcquireCall returned nil. It may wait until the
// operation may go on.
func ReleaseCall(ctx context.Context, service string) {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return
	}
	op.callSlots.Release()
	if op.turn != nil {
		op.turn.EndCall(ctx, service)
	}
}

// CallCount returns the number of backend calls that the operation in ctx has made so far.
func CallCount(ctx context.Context) int {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return 0
	}
	return int(min(op.calls.Load(), op.maxCalls))
}

// UnmatchedKeys returns how many keys of batches had no item although their responses held items
// of other keys: most likely the service writes keys in another way than the objects that refer to
// them.
func UnmatchedKeys(ctx context.Context) int {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return 0
	}
	return int(op.unmatchedKeys.Load())
}

// CoalescesCalls reports whether calls of the operation in ctx may be coalesced with those of other
// operations.
func CoalescesCalls(ctx context.Context) bool {
	op, ok := ctx.Value(operationKey{}).(*operation)
	return ok && op.coalesce
}

// SpendItems takes n values of a page from the operation's budget. It returns an error when the
// budget is used up. Without an operation in ctx there is no budget.
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

// operationOf returns the operation in ctx, or a new one with the default limits.
func operationOf(ctx context.Context) *operation {
	if op, ok := ctx.Value(operationKey{}).(*operation); ok {
		return op
	}
	return newOperation(ctx, Options{})
}
