package front_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

// resolving responds with the field "many", which next resolves, as gqlgen's generated code does.
func resolving(nonNull bool, next func(ctx context.Context) (any, error)) func(ctx context.Context) *graphql.Response {
	return func(ctx context.Context) *graphql.Response {
		field := graphql.CollectedField{Field: &ast.Field{Alias: "many", Name: "many"}}
		op := graphql.GetOperationContext(ctx)
		value := graphql.ResolveField(ctx, op, field,
			func(context.Context, graphql.CollectedField) (*graphql.FieldContext, error) {
				return &graphql.FieldContext{Object: "Query", Field: field, IsResolver: true}, nil
			}, next, nil,
			func(_ context.Context, _ ast.SelectionSet, v []*int) graphql.Marshaler {
				return graphql.MarshalString(fmt.Sprint(len(v)))
			}, false, nonNull)
		data := &buffer{}
		value.MarshalGQL(data)
		return &graphql.Response{Data: []byte(`{"many":` + string(*data) + `}`)}
	}
}

type buffer []byte

func (b *buffer) Write(p []byte) (int, error) { *b = append(*b, p...); return len(p), nil }

var bad = fault.New(fault.DownstreamService, "bad")

func TestElementErrors(t *testing.T) {
	for name, test := range map[string]struct {
		nonNull bool
		next    func(ctx context.Context) (any, error)
		data    string
		paths   string
	}{
		"elements": {false, func(ctx context.Context) (any, error) {
			list := []*int{nil, nil, nil}
			engine.FaultsOf(ctx).AddElements(list, &decode.Fault{Index: []int{0}, Err: bad}, &decode.Fault{Index: []int{2, 1}, Err: bad})
			return list, nil
		}, `{"many":"3"}`, "[[many 0] [many 2 1]]"},
		"the list": {true, func(context.Context) (any, error) {
			return nil, &decode.Fault{Index: []int{4}, Err: bad}
		}, `{"many":null}`, "[[many 4]]"},
		"the list, told by a batch": {true, func(ctx context.Context) (any, error) {
			graphql.AddBatchError(ctx, 0, &decode.Fault{Index: []int{4}, Err: bad})
			return nil, nil
		}, `{"many":null}`, "[[many 4]]"},
		"no element": {true, func(context.Context) (any, error) { return nil, nil }, `{"many":null}`, "[[many]]"},
		"an error with a place of its own": {false, func(context.Context) (any, error) {
			return nil, fmt.Errorf("users: %w", &decode.Fault{Err: bad})
		}, `{"many":null}`, "[[many]]"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, front.Options{}, resolving(test.nonNull, test.next))
			got := g.ask(t, "{many}")
			paths := [][]any{}
			for _, e := range got.body.Errors {
				paths = append(paths, e.Path)
			}
			if got.body.Data == nil || string(*got.body.Data) != test.data || fmt.Sprint(paths) != test.paths {
				t.Errorf("got %s", got.text)
			}
		})
	}
}
