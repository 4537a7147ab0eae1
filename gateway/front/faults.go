package front

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
)

// tells says whether the fields of an operation tell of what does not fit the graph in the
// services' answers. Of an event of a subscription gqlgen does not say which object a field
// belongs to, so there an answer fits or fails.
func tells(op *graphql.OperationContext) bool {
	return op.Operation.Operation != ast.Subscription
}

// watchFields makes the fields that gqlgen's executor resolves keep to the operation's budget,
// and tell of faults; of none where faults is nil. Once the operation has been stopped a field
// is null at once and without an error, since the response has the budget's alone.
func (e *executor) watchFields(op *graphql.OperationContext, faults *decode.Faults, budget *engine.Budget) {
	resolve := op.ResolverMiddleware
	op.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) {
		if budget.BeginField(ctx) != nil {
			return graphql.Null, nil
		}
		value, err := resolve(ctx, next)
		if err == nil && !faults.Empty() {
			value, err = told(ctx, faults, value)
		}
		if e.spend(ctx, budget, op, value) != nil {
			return graphql.Null, nil
		}
		return value, err
	}
	op.RootResolverMiddleware = boundWriting(op.RootResolverMiddleware, budget)
}

// told gives a field's value and adds the errors of its elements, or its own error when
// the field as a whole does not fit. It runs after the guards: a refused field has no
// value to tell of.
func told(ctx context.Context, faults *decode.Faults, value any) (any, error) {
	field := graphql.GetFieldContext(ctx)
	bad := faults.In(value)
	if !field.IsResolver && field.Parent != nil {
		bad = slices.Concat(bad, faults.Of(field.Parent.Result, field.Field.Name))
	}
	if err := engine.ReportFaults(ctx, value, bad); err != nil {
		return nil, err
	}
	return value, nil
}

// below is the path of an element at which an error stands, inside the lists of a field.
func below(path ast.Path, index []int) ast.Path {
	path = slices.Clip(path)
	for _, i := range index {
		path = append(path, ast.PathIndex(i))
	}
	return path
}

// elementFailed stands for the result of a field that is null since an element failed,
// which has told the error at its own path. gqlgen looks for one at the field's.
type elementFailed struct{}

func tellElement(ctx context.Context) {
	if field := graphql.GetFieldContext(ctx); field != nil && field.Result == nil {
		field.Result = elementFailed{}
	}
}

func elementTold(ctx context.Context) bool {
	field := graphql.GetFieldContext(ctx)
	return field != nil && field.Result == elementFailed{}
}
