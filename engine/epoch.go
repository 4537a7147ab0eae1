package engine

import (
	"context"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// epoch is a stretch of an operation within which a key is fetched once: what a loader has
// fetched is true until something is written. A query is one epoch. Each root field of a
// mutation begins another, since it must see what the fields before it have changed. The
// budgets, the options and the table of faults are the operation's and outlive its epochs.
//
// An epoch is the context in which its batches run: the operation's, with the epoch in it.
type epoch struct {
	context.Context // the operation

	mu      sync.Mutex
	loaders map[any]any // by loaderKey; guarded by mu; nil until there is one
}

type epochKey struct{}

// Value implements context.Context.
func (e *epoch) Value(key any) any {
	if key == (epochKey{}) {
		return e
	}
	return e.Context.Value(key)
}

// WithEpoch returns a context that begins a new epoch of the operation in ctx. Fields under
// it use nothing that was fetched before.
func WithEpoch(ctx context.Context) context.Context {
	return context.WithValue(ctx, epochKey{}, &epoch{Context: operationOf(ctx)})
}

// BeginEpochs has each root field of the operation in ctx begin an epoch, if it is a mutation
// and gqlgen's executor answers it. Plans begin epochs by themselves.
func BeginEpochs(ctx context.Context) {
	op := graphql.GetOperationContext(ctx)
	around := op.RootResolverMiddleware
	if op.Operation.Operation != ast.Mutation || around == nil {
		return
	}
	op.RootResolverMiddleware = func(ctx context.Context, field graphql.RootResolver) graphql.Marshaler {
		return around(WithEpoch(ctx), field)
	}
}

// epochOf returns the epoch in ctx, or one of its own where there is none.
func epochOf(ctx context.Context) *epoch {
	if e, ok := ctx.Value(epochKey{}).(*epoch); ok {
		return e
	}
	return &newOperation(ctx, Options{}).first
}

// loader returns the loader under key, which newLoader makes if there is none.
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

// pause waits for d, or until the operation ends.
func (e *epoch) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-e.Done():
	}
}
