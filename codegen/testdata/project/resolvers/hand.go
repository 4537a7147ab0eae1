package resolvers

import (
	"context"
	"fmt"

	"example.com/everything/graph/model"
	"github.com/gatehouse-graphql/gatehouse/engine"
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

func (r nodeResolver) BadKey(ctx context.Context, nodes []*model.Node, second *bool) ([]*string, error) {
	return engine.LoadOne(ctx, nodes, []string{"id"}, func(n *model.Node) *[1]any {
		if second != nil {
			return &[1]any{n.ID}
		}
		return &[1]any{[]any{n.ID}}
	}, engine.Batch[[1]any, *string]{
		Identity: engine.Identity{Request: "bad keys"},
		Fetch: func(_ context.Context, keys [][1]any) (map[[1]any]*string, error) {
			value := "fine"
			return map[[1]any]*string{keys[0]: &value}, nil
		},
	})
}

func (r nodeResolver) BadBatch(ctx context.Context, nodes []*model.Node) ([]*string, error) {
	return engine.LoadOne(ctx, nodes, []string{"id"}, func(n *model.Node) *string { return &n.ID }, engine.Batch[string, *string]{
		Identity: engine.Identity{Request: "bad batch"},
		Fetch:    func(context.Context, []string) (map[string]*string, error) { panic("secret") },
	})
}
