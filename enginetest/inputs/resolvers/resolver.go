// Package resolvers resolves the graph over which values of requests are tested. The fields own
// return the arguments that they received.
package resolvers

import (
	"context"
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/enginetest/inputs/customscalar"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// Resolver is shared by all resolvers.
type Resolver struct {
	Services *upstreams.Services
	// OnCall, if set, is called with each call of a resolver written by hand.
	OnCall func()
}

// Own resolves Query.own.
func (r queryResolver) Own(_ context.Context, money *customscalar.Money, level *customscalar.Level, levels []customscalar.Level, late *customscalar.Late, slug *string) (*string, error) {
	return r.own(money, level, levels, late, slug)
}

// Own resolves Mutation.own.
func (r mutationResolver) Own(_ context.Context, money *customscalar.Money, level *customscalar.Level, late *customscalar.Late, slug *string) (*string, error) {
	return r.own(money, level, nil, late, slug)
}

func (r *Resolver) own(money *customscalar.Money, level *customscalar.Level, levels []customscalar.Level, late *customscalar.Late, slug *string) (*string, error) {
	if r.OnCall != nil {
		r.OnCall()
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
