package engine

import (
	"context"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// epoch is the part of an operation in which each key is fetched once.
//
// What a loader has fetched stays valid until something is written. A query writes nothing, so it
// is one epoch. The root fields of a mutation run one after another (section 6.2.2 of the GraphQL
// specification), and each must see what the fields before it have written, so each begins a new
// epoch with new loaders. Budgets, options and the table of faults belong to the operation and
// outlive its epochs.
//
// An epoch is also the context of its batches: that of the operation, with the epoch as a value.
// A batch therefore outlives the field that requested its keys first, and a batch that loads
// other keys itself finds the loaders of its own epoch.
type epoch struct {
	context.Context // the operation

	number int // of those of the operation, in the order in which they began

	mu      sync.Mutex
	loaders map[any]any // by loaderKey, nil until the first one; guarded by mu
}

type epochKey struct{}

// Value implements context.Context.
func (e *epoch) Value(key any) any {
	if key == (epochKey{}) {
		return e
	}
	return e.Context.Value(key)
}

// WithEpoch returns a context in a new epoch of the operation in ctx. Fields under it reuse
// nothing that was fetched before.
func WithEpoch(ctx context.Context) context.Context {
	op := operationOf(ctx)
	return context.WithValue(ctx, epochKey{}, &epoch{Context: op, number: int(op.epochs.Add(1))})
}

// BeginEpochs prepares the operation in ctx for gqlgen's executor: if it is a mutation, each of
// its root fields begins an epoch. Plans begin epochs themselves.
func BeginEpochs(ctx context.Context) {
	op := graphql.GetOperationContext(ctx)
	next := op.RootResolverMiddleware
	if op.Operation.Operation != ast.Mutation || next == nil {
		return
	}
	op.RootResolverMiddleware = func(ctx context.Context, field graphql.RootResolver) graphql.Marshaler {
		return next(WithEpoch(ctx), field)
	}
}

// epochOf returns the epoch in ctx. Without an operation it returns a new one.
func epochOf(ctx context.Context) *epoch {
	if e, ok := ctx.Value(epochKey{}).(*epoch); ok {
		return e
	}
	return &newOperation(ctx, Options{}).first
}

// loader returns the loader with the given key. If there is none, it adds the one that newLoader
// returns.
func (e *epoch) loader(key any, newLoader func() any) any {
	e.mu.Lock()
	defer e.mu.Unlock()
	if known, ok := e.loaders[key]; ok {
		return known
	}
	if e.loaders == nil {
		e.loaders = map[any]any{}
	}
	l := newLoader()
	e.loaders[key] = l
	return l
}

// sleep waits for d or until the operation ends.
func (e *epoch) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-e.Done():
	}
}
