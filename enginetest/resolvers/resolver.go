// Package resolvers returns random values for the fields of the graph. A value depends on the
// seed, the field, its arguments and its parent alone, so that both executors receive the same
// values in whichever order they call.
package resolvers

import (
	"context"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// Resolver is shared by all resolvers.
type Resolver struct {
	Services *upstreams.Services
	// Seed determines all values.
	Seed uint64
	// OnCall, if set, is called with each call of a resolver and its number of parents.
	OnCall func(ctx context.Context, parents int)
}

func (r *Resolver) recordCall(ctx context.Context, parents int) {
	if r.OnCall != nil {
		r.OnCall(ctx, parents)
	}
}
