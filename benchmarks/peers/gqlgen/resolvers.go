package main

import (
	"context"
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/peers/gqlgen/graph"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/peers/gqlgen/graph/model"
)

type resolver struct{ services *services }

func (r *resolver) Query() graph.QueryResolver { return query{r} }
func (r *resolver) Post() graph.PostResolver   { return post{r} }

type (
	query struct{ *resolver }
	post  struct{ *resolver }
)

func (q query) Greet(context.Context) (string, error) { return operations.Greeting, nil }

func (q query) Posts(ctx context.Context) ([]*model.Post, error) {
	return get[[]*model.Post](ctx, q.services, "/posts")
}

func (q query) Post(ctx context.Context, id int) (*model.Post, error) {
	return get[*model.Post](ctx, q.services, fmt.Sprintf("/posts/%d", id))
}

func (p post) User(ctx context.Context, obj *model.Post) (*model.User, error) {
	return loaderOf(ctx).Load(ctx, obj.UserID)()
}
