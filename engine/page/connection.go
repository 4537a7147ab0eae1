package page

import (
	"context"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
)

// Edges makes an edge of each item. One that does not fit the graph is an error at the
// node of its edge, for clients that ask for it.
func Edges[T, E any](ctx context.Context, c Connection[decode.Item[T]], edge func(node T, cursor string) *E) ([]*E, error) {
	edges := make([]*E, len(c.Items))
	for i, item := range c.Items {
		edges[i] = edge(item.Value, c.Cursors[i])
		if item.Fault != nil && !engine.FaultsOf(ctx).At(edges[i], "node", item.Fault) {
			return nil, item.Fault
		}
	}
	return edges, nil
}

// Nodes returns the items alone, for the field nodes of connection. One that does not fit the
// graph is an error at its place in the list; must says that no item may be null, and then the
// list is nil.
func Nodes[T any](ctx context.Context, connection any, c Connection[decode.Item[T]], must bool) ([]T, error) {
	nodes := make([]T, len(c.Items))
	var bad []*decode.Fault
	for i, item := range c.Items {
		nodes[i] = item.Value
		if item.Fault != nil {
			bad = append(bad, &decode.Fault{Index: append([]int{i}, item.Fault.Index...), Null: must, Err: item.Fault.Err})
		}
	}
	switch {
	case !engine.FaultsOf(ctx).At(connection, "nodes", bad...):
		return nil, bad[0]
	case must && bad != nil:
		return nil, nil
	}
	return nodes, nil
}
