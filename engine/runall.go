package engine

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// RunAll calls functions at the same time, each in a goroutine of its own, and returns when all of
// them have returned. It is for handwritten resolvers that need the results of several calls that
// do not depend on each other. Its error is the first one that occurred; the context that the
// other functions have ends then. A panic becomes an error.
func RunAll(ctx context.Context, functions ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, run := range functions {
		group.Go(func() error {
			_, err := recoverToError(ctx, run, func(ctx context.Context, run func(context.Context) error) (struct{}, error) {
				return struct{}{}, run(ctx)
			})
			return err
		})
	}
	return group.Wait()
}
