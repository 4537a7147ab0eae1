// Package odd has a model by hand, with what gqlgen's models do not have.
package odd

import (
	"context"
	"errors"

	"github.com/gatehouse-graphql/gatehouse/enginetest/graph/model"
)

// Odd holds structs where generated models hold pointers, and computes some fields.
type Odd struct {
	ID       string
	Spot     model.Spot
	Spots    []model.Spot
	SpotGrid [][]model.Spot
	Place    *model.Place
}

// Upper is computed, and null for some.
func (o *Odd) Upper() *string {
	if len(o.ID)%2 == 0 {
		return nil
	}
	return &o.ID
}

// Far is computed in a context, which may fail, and leads on to resolvers.
func (o *Odd) Far(_ context.Context) ([]*model.Place, error) {
	if len(o.ID)%5 == 0 {
		return nil, errors.New("too far")
	}
	return []*model.Place{o.Place, nil, o.Place}, nil
}
