package resolvers

import (
	"context"
	"fmt"

	"example.com/everything/graph/model"
)

func (r queryResolver) ByHand(ctx context.Context, a *int, text *string, mode *model.Mode) (*string, error) {
	answer := fmt.Sprint(*a, *text, *mode)
	return &answer, nil
}

func (r queryResolver) Named(ctx context.Context, id string) (model.Named, error) {
	return &model.Person{Name: id}, nil
}

func (r queryResolver) Any(ctx context.Context) (model.Anything, error) {
	return r.Secret(ctx)
}

func (r parentResolver) Hand(ctx context.Context, parents []*model.Parent, limit *int) ([][]*model.Child, error) {
	return r.Group(ctx, parents, limit, nil)
}
