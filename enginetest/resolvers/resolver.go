// Package resolvers answers the fields of a world that is made up by chance: the same
// number gives the same world, however and in whichever order it is asked for.
package resolvers

import (
	"context"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// Resolver is what the resolvers share.
type Resolver struct {
	Services *upstreams.Services
	// World is the number of the world.
	World uint64
	// Called, if any, is told of each call of a resolver, with how many parents.
	Called func(ctx context.Context, parents int)
}

func (r *Resolver) called(ctx context.Context, parents int) {
	if r.Called != nil {
		r.Called(ctx, parents)
	}
}
