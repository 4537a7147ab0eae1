package page

import (
	"context"
	"fmt"
	"math"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Edges returns an edge for each item of c. An item that does not fit the graph has an error at
// the node of its edge.
func Edges[T, E any](ctx context.Context, c Connection[decode.Item[T]], edge func(node T, cursor string) *E) ([]*E, error) {
	edges := make([]*E, len(c.Items))
	for i, item := range c.Items {
		edges[i] = edge(item.Value, c.Cursors[i])
		if item.Fault != nil && !engine.FaultsOf(ctx).AddField(edges[i], "node", item.Fault) {
			return nil, item.Fault
		}
	}
	return edges, nil
}

// Nodes returns the items of c for the field nodes of connection. An item that does not fit the
// graph has an error at its index. must is whether no item may be null; then one that does not fit
// makes the list nil.
func Nodes[T any](ctx context.Context, connection any, c Connection[decode.Item[T]], must bool) ([]T, error) {
	nodes := make([]T, len(c.Items))
	var faults []*decode.Fault
	for i, item := range c.Items {
		nodes[i] = item.Value
		if item.Fault != nil {
			faults = append(faults, &decode.Fault{Index: append([]int{i}, item.Fault.Index...), Null: must, Err: item.Fault.Err})
		}
	}
	switch {
	case !engine.FaultsOf(ctx).AddField(connection, "nodes", faults...):
		return nil, faults[0]
	case must && faults != nil:
		return nil, nil
	}
	return nodes, nil
}

// IntTotal returns a total for the field totalCount of connection, whose type is Int. One that does
// not fit into 32 bits is null, with an error at the field.
func IntTotal(ctx context.Context, connection any, total *int64) (*int, error) {
	switch {
	case total == nil:
		return nil, nil
	case *total <= math.MaxInt32:
		return new(int(*total)), nil
	}
	outOfRange := &decode.Fault{Null: true, Err: fault.New(fault.DownstreamService, "the service's answer does not fit the graph").
		WithCause(fmt.Errorf("the total %d is not an Int: an Int is a whole number of 32 bits; make totalCount an Int64", *total))}
	if !engine.FaultsOf(ctx).AddField(connection, "totalCount", outOfRange) {
		return nil, outOfRange
	}
	return nil, nil
}
