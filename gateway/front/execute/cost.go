package execute

import (
	"context"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/cost"
)

// Cost is what an operation costs.
type Cost struct {
	// Estimated is what it costs at the worst. Its Cost is what is limited and charged.
	Estimated cost.Total
	// Maximum is what one operation of the caller may cost, 0 for any cost.
	Maximum cost.Cost
	// Exposed is set if the response says what the operation costs, in extensions.cost. Operations of
	// callers with another Maximum, or without Exposed, then have other responses.
	Exposed bool
	// Model is by what the cost is counted while the operation is executed; nil does not count it.
	Model *cost.Model
}

// costKey is the key of a Cost in the extensions of a response.
const costKey = "cost"

// counter returns a counter of what the operation costs, nil if nothing asks for that.
func (op *Operation) counter() *cost.Counter {
	if op.Cost == nil || op.Cost.Model == nil {
		return nil
	}
	return op.Cost.Model.NewCounter(op.Variables)
}

// show adds what the operation costs to its response, if that says so.
func (c *Cost) show(response *graphql.Response, actual cost.Total) {
	if !c.Exposed || response == nil {
		return
	}
	says := map[string]any{"estimated": c.Estimated.Cost(), "actual": actual.Cost()}
	if c.Maximum > 0 {
		says["maximum"] = c.Maximum
	}
	if response.Extensions == nil {
		response.Extensions = map[string]any{}
	}
	response.Extensions[costKey] = says
}

// countRoot counts the root object of an operation that gqlgen's executor executes, and which has no
// field: countField counts everything else.
func (e *Executor) countRoot(ctx context.Context, op *graphql.OperationContext) {
	counter := engine.BudgetOf(ctx).Costs()
	if counter == nil {
		return
	}
	root := e.schema.Schema().Query
	if op.Operation.Operation == ast.Mutation {
		root = e.schema.Schema().Mutation
	}
	counter.AddValues(root.Name, 1)
}

// countField counts the field in ctx, which gqlgen's executor has resolved, with its values.
func countField(ctx context.Context, counter *cost.Counter, value any) {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil || fc.Field.Field == nil { // an extension calls the middleware outside of fields
		return
	}
	n := countElements(reflect.ValueOf(value))
	if fc.Field.SelectionSet == nil && fc.Field.Definition.Type.Elem == nil {
		n = 1 // a leaf counts whether it is null or not, as plans count it
	}
	counter.Resolved(fc.Object, fc.Field.Field, n)
}

// countElements returns the number of values in the lists in v, without nulls; of no list, 1 for a value
// and 0 for null.
func countElements(v reflect.Value) int64 {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return 0
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Invalid:
		return 0
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return 1
		}
		var n int64
		for i := range v.Len() {
			n += countElements(v.Index(i))
		}
		return n
	}
	return 1
}
