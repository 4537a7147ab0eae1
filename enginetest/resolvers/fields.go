package resolvers

import (
	"context"

	"github.com/gatehouse-graphql/gatehouse/enginetest/graph/model"
	"github.com/gatehouse-graphql/gatehouse/enginetest/handmodel"
)

func (r itemResolver) Owner(ctx context.Context, parents []*model.Item) ([]*model.Person, error) {
	return resolveBatch[model.Item, *model.Person](ctx, r.Resolver, parents)
}

func (r mutationResolver) Put(ctx context.Context, id int) (*model.Place, error) {
	return resolveOne[*model.Place](ctx, r.Resolver, argumentText(id))
}

func (r mutationResolver) MustPut(ctx context.Context, id int) (*model.Place, error) {
	return resolveOne[*model.Place](ctx, r.Resolver, argumentText(id))
}

func (r mutationResolver) GuardedPut(ctx context.Context, id int) (*model.Person, error) {
	return resolveOne[*model.Person](ctx, r.Resolver, argumentText(id))
}

func (r mutationResolver) Total(ctx context.Context) (int, error) {
	return resolveOne[int](ctx, r.Resolver)
}

func (r otherResolver) Spotted(ctx context.Context, parents []*model.Other) ([]*model.Spot, error) {
	return resolveBatch[model.Other, *model.Spot](ctx, r.Resolver, parents)
}

func (r personResolver) Next(ctx context.Context, parents []*model.Person) ([]model.Node, error) {
	return resolveBatch[model.Person, model.Node](ctx, r.Resolver, parents)
}

func (r personResolver) Friends(ctx context.Context, parents []*model.Person) ([][]*model.Person, error) {
	return resolveBatch[model.Person, []*model.Person](ctx, r.Resolver, parents)
}

func (r personResolver) Home(ctx context.Context, parents []*model.Person) ([]*model.Place, error) {
	return resolveBatch[model.Person, *model.Place](ctx, r.Resolver, parents)
}

func (r personResolver) MustHome(ctx context.Context, parents []*model.Person) ([]*model.Place, error) {
	return resolveBatch[model.Person, *model.Place](ctx, r.Resolver, parents)
}

func (r placeResolver) Next(ctx context.Context, parents []*model.Place) ([]model.Node, error) {
	return resolveBatch[model.Place, model.Node](ctx, r.Resolver, parents)
}

func (r placeResolver) Owner(ctx context.Context, parents []*model.Place, n *int) ([]*model.Person, error) {
	return resolveBatch[model.Place, *model.Person](ctx, r.Resolver, parents, argumentText(n))
}

func (r placeResolver) MustOwner(ctx context.Context, parents []*model.Place) ([]*model.Person, error) {
	return resolveBatch[model.Place, *model.Person](ctx, r.Resolver, parents)
}

func (r placeResolver) Owners(ctx context.Context, parents []*model.Place, n *int) ([][]*model.Person, error) {
	return resolveBatch[model.Place, []*model.Person](ctx, r.Resolver, parents, argumentText(n))
}

func (r placeResolver) MustOwners(ctx context.Context, parents []*model.Place, n *int, kind *model.Kind) ([][]*model.Person, error) {
	return resolveBatch[model.Place, []*model.Person](ctx, r.Resolver, parents, argumentText(n), argumentText(kind))
}

func (r placeResolver) ManyAnys(ctx context.Context, parents []*model.Place) ([][]model.Any, error) {
	return resolveBatch[model.Place, []model.Any](ctx, r.Resolver, parents)
}

func (r placeResolver) MustAny(ctx context.Context, parents []*model.Place) ([]model.Any, error) {
	return resolveBatch[model.Place, model.Any](ctx, r.Resolver, parents)
}

func (r placeResolver) Score(ctx context.Context, parents []*model.Place) ([]*int, error) {
	return resolveBatch[model.Place, *int](ctx, r.Resolver, parents)
}

func (r placeResolver) MustScore(ctx context.Context, parents []*model.Place) ([]float64, error) {
	return resolveBatch[model.Place, float64](ctx, r.Resolver, parents)
}

func (r placeResolver) Words(ctx context.Context, parents []*model.Place) ([][]string, error) {
	return resolveBatch[model.Place, []string](ctx, r.Resolver, parents)
}

func (r placeResolver) SomeKind(ctx context.Context, parents []*model.Place) ([]*model.Kind, error) {
	return resolveBatch[model.Place, *model.Kind](ctx, r.Resolver, parents)
}

func (r placeResolver) OwnerGrid(ctx context.Context, parents []*model.Place) ([][][]*model.Person, error) {
	return resolveBatch[model.Place, [][]*model.Person](ctx, r.Resolver, parents)
}

func (r placeResolver) GuardedOwner(ctx context.Context, parents []*model.Place) ([]*model.Person, error) {
	return resolveBatch[model.Place, *model.Person](ctx, r.Resolver, parents)
}

func (r placeResolver) MustGuardedScore(ctx context.Context, parents []*model.Place, n *int) ([]int, error) {
	return resolveBatch[model.Place, int](ctx, r.Resolver, parents, argumentText(n))
}

func (r queryResolver) Node(ctx context.Context, id int) (model.Node, error) {
	return resolveOne[model.Node](ctx, r.Resolver, argumentText(id))
}

func (r queryResolver) MustNode(ctx context.Context) (model.Node, error) {
	return resolveOne[model.Node](ctx, r.Resolver)
}

func (r queryResolver) Nodes(ctx context.Context, n *int) ([]model.Node, error) {
	return resolveOne[[]model.Node](ctx, r.Resolver, argumentText(n))
}

func (r queryResolver) MustNodes(ctx context.Context) ([]model.Node, error) {
	return resolveOne[[]model.Node](ctx, r.Resolver)
}

func (r queryResolver) Named(ctx context.Context) ([]model.Named, error) {
	return resolveOne[[]model.Named](ctx, r.Resolver)
}

func (r queryResolver) Any(ctx context.Context) (model.Any, error) {
	return resolveOne[model.Any](ctx, r.Resolver)
}

func (r queryResolver) Anys(ctx context.Context) ([]model.Any, error) {
	return resolveOne[[]model.Any](ctx, r.Resolver)
}

func (r queryResolver) AnyGrid(ctx context.Context) ([][]model.Any, error) {
	return resolveOne[[][]model.Any](ctx, r.Resolver)
}

func (r queryResolver) Place(ctx context.Context, id int, filter *model.Filter) (*model.Place, error) {
	return resolveOne[*model.Place](ctx, r.Resolver, argumentText(id), argumentText(filter))
}

func (r queryResolver) MustPlace(ctx context.Context) (*model.Place, error) {
	return resolveOne[*model.Place](ctx, r.Resolver)
}

func (r queryResolver) Places(ctx context.Context, n *int) ([]*model.Place, error) {
	return resolveOne[[]*model.Place](ctx, r.Resolver, argumentText(n))
}

func (r queryResolver) MustPlaces(ctx context.Context) ([]*model.Place, error) {
	return resolveOne[[]*model.Place](ctx, r.Resolver)
}

func (r queryResolver) PlaceGrid(ctx context.Context) ([][]*model.Place, error) {
	return resolveOne[[][]*model.Place](ctx, r.Resolver)
}

func (r queryResolver) Person(ctx context.Context) (*model.Person, error) {
	return resolveOne[*model.Person](ctx, r.Resolver)
}

func (r queryResolver) Count(ctx context.Context) (*int, error) {
	return resolveOne[*int](ctx, r.Resolver)
}

func (r queryResolver) MustCount(ctx context.Context) (int, error) {
	return resolveOne[int](ctx, r.Resolver)
}

func (r queryResolver) Text(ctx context.Context, filter *model.Filter) (*string, error) {
	return resolveOne[*string](ctx, r.Resolver, argumentText(filter))
}

func (r queryResolver) Texts(ctx context.Context) ([]string, error) {
	return resolveOne[[]string](ctx, r.Resolver)
}

func (r queryResolver) Numbers(ctx context.Context) ([][]int, error) {
	return resolveOne[[][]int](ctx, r.Resolver)
}

func (r queryResolver) Kinds(ctx context.Context) ([]*model.Kind, error) {
	return resolveOne[[]*model.Kind](ctx, r.Resolver)
}

func (r queryResolver) Secret(ctx context.Context) (*model.Place, error) {
	return resolveOne[*model.Place](ctx, r.Resolver)
}

func (r queryResolver) Scoped(ctx context.Context) ([]*model.Place, error) {
	return resolveOne[[]*model.Place](ctx, r.Resolver)
}

func (r queryResolver) MustScoped(ctx context.Context) ([]int, error) {
	return resolveOne[[]int](ctx, r.Resolver)
}

func (r queryResolver) Viewer(ctx context.Context) (*model.Viewer, error) {
	return resolveOne[*model.Viewer](ctx, r.Resolver)
}

func (r spotResolver) Place(ctx context.Context, parents []*model.Spot) ([]*model.Place, error) {
	return resolveBatch[model.Spot, *model.Place](ctx, r.Resolver, parents)
}

func (r spotResolver) Weight(ctx context.Context, parents []*model.Spot) ([]int, error) {
	return resolveBatch[model.Spot, int](ctx, r.Resolver, parents)
}

func (r thingResolver) Maker(ctx context.Context, parents []*model.Thing) ([]*model.Person, error) {
	return resolveBatch[model.Thing, *model.Person](ctx, r.Resolver, parents)
}

func (r viewerResolver) Friend(ctx context.Context, parents []*model.Viewer) ([]*model.Person, error) {
	return resolveBatch[model.Viewer, *model.Person](ctx, r.Resolver, parents)
}

func (r queryResolver) Odd(ctx context.Context) (*handmodel.Odd, error) {
	return resolveOne[*handmodel.Odd](ctx, r.Resolver)
}

func (r queryResolver) Odds(ctx context.Context) ([]*handmodel.Odd, error) {
	return resolveOne[[]*handmodel.Odd](ctx, r.Resolver)
}

func (r oddResolver) Next(ctx context.Context, parents []*handmodel.Odd) ([]*handmodel.Odd, error) {
	return resolveBatch[handmodel.Odd, *handmodel.Odd](ctx, r.Resolver, parents)
}

func (r queryResolver) Posts(ctx context.Context, n int) ([]*model.Post, error) {
	r.recordCall(ctx, 1)
	posts := make([]*model.Post, n)
	for i := range posts {
		posts[i] = &model.Post{ID: i, UserID: i % 10, Title: "sunt aut facere repellat provident occaecati excepturi"}
	}
	return posts, nil
}

func (r postResolver) User(ctx context.Context, parents []*model.Post) ([]*model.User, error) {
	r.recordCall(ctx, len(parents))
	users := make([]*model.User, len(parents))
	for i, parent := range parents {
		users[i] = &model.User{ID: parent.UserID, Name: "Leanne Graham", Email: "leanne@example.com"}
	}
	return users, nil
}

func (r storyResolver) Readers(ctx context.Context, parents []*model.Story) ([][]*model.Reader, error) {
	return resolveBatch[model.Story, []*model.Reader](ctx, r.Resolver, parents)
}

func (r storyResolver) MustReader(ctx context.Context, parents []*model.Story) ([]*model.Reader, error) {
	return resolveBatch[model.Story, *model.Reader](ctx, r.Resolver, parents)
}
