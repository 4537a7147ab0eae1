// Package handmodel has a model written by hand, with what gqlgen's generated models do not have:
// structs instead of pointers, and methods that compute fields.
package handmodel

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

// Upper computes a field, which is null for some objects.
func (o *Odd) Upper() *string {
	if len(o.ID)%2 == 0 {
		return nil
	}
	return &o.ID
}

// Far computes a field that takes a context, may fail, and leads to resolvers. Only gqlgen's
// executor can call it.
func (o *Odd) Far(_ context.Context) ([]*model.Place, error) {
	if len(o.ID)%5 == 0 {
		return nil, errors.New("too far")
	}
	return []*model.Place{o.Place, nil, o.Place}, nil
}
