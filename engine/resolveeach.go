package engine

import (
	"context"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"golang.org/x/sync/errgroup"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// maxParallelParents is the maximum number of parents that ResolveEach resolves at the same time.
const maxParallelParents = 16

// ResolveEach resolves a field by calling resolve for each parent with its key, a few parents at
// a time. A parent without a key gets V's zero value. from names the fields that the key is made
// of, as in LoadOne. A panic of resolve becomes the error of its parent.
func ResolveEach[P, K, V any](ctx context.Context, parents []P, from []string, key func(P) *K, resolve func(context.Context, K) (V, error)) ([]V, error) {
	values := make([]V, len(parents))
	errs := make(graphql.BatchErrorList, len(parents))
	keyErrs := keyErrors(ctx, parents, from)
	ctx = withoutImmediateLoads(ctx)
	var group errgroup.Group
	group.SetLimit(maxParallelParents)
	for i, parent := range parents {
		if keyErrs != nil && keyErrs[i] != nil {
			errs[i] = keyErrs[i]
			continue
		}
		k := keyOf(parent, i, keyErrs, key)
		if k == nil {
			continue
		}
		group.Go(func() error {
			if errs[i] = ctx.Err(); errs[i] == nil { // nothing new begins after the operation's end
				values[i], errs[i] = recoverToError(ctx, *k, resolve)
			}
			return nil
		})
	}
	_ = group.Wait() // the functions return no error
	for _, err := range errs {
		if err != nil {
			return values, errs
		}
	}
	return values, nil
}

// recoverToError calls do and returns its results. It returns a panic of do as an error, because
// do runs in a goroutine in which nothing else recovers.
func recoverToError[K, V any](ctx context.Context, key K, do func(context.Context, K) (V, error)) (v V, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fault.New(fault.Internal, "internal error").WithCause(fmt.Errorf("panic: %v", r))
		}
	}()
	return do(ctx, key)
}
