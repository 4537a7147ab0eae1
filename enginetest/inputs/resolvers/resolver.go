// Package resolvers answers the graph over which values of requests are tested.
package resolvers

import (
	"context"
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/enginetest/inputs/own"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// Resolver is what the resolvers share.
type Resolver struct {
	Services *upstreams.Services
	// Called, if any, is told of each call of a resolver by hand.
	Called func()
}

// Own answers Query.own.
func (r queryResolver) Own(_ context.Context, money *own.Money, level *own.Level, levels []own.Level, late *own.Late, slug *string) (*string, error) {
	return r.own(money, level, levels, late, slug)
}

// Own answers Mutation.own.
func (r mutationResolver) Own(_ context.Context, money *own.Money, level *own.Level, late *own.Late, slug *string) (*string, error) {
	return r.own(money, level, nil, late, slug)
}

func (r *Resolver) own(money *own.Money, level *own.Level, levels []own.Level, late *own.Late, slug *string) (*string, error) {
	if r.Called != nil {
		r.Called()
	}
	var text string
	if money != nil {
		text += fmt.Sprintf("money %d ", *money)
	}
	if level != nil {
		text += fmt.Sprintf("level %s ", *level)
	}
	if levels != nil {
		text += fmt.Sprintf("levels %v ", levels)
	}
	if late != nil {
		text += fmt.Sprintf("late %s ", *late)
	}
	if slug != nil {
		text += fmt.Sprintf("slug %s ", *slug)
	}
	return &text, nil
}
