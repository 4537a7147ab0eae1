package execute

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
)

// supportsFaults reports whether the fields of an operation report the faults of their values:
// what does not fit the graph in the services' responses. Those of a subscription do not, since
// gqlgen does not say which object of an event a field belongs to. There a response that does
// not fit fails as a whole.
func supportsFaults(op *graphql.OperationContext) bool {
	return op.Operation.Operation != ast.Subscription
}

// watchFields has the fields that gqlgen's executor resolves spend from the operation's budget,
// record that they are degraded, and report faults unless faults is nil. Once the operation has been stopped a field is null at
// once and without an error, since the response has the budget's error only.
func (e *Executor) watchFields(op *graphql.OperationContext, faults *decode.Faults, budget *engine.Budget) {
	resolve := op.ResolverMiddleware
	op.ResolverMiddleware = func(ctx context.Context, next graphql.Resolver) (any, error) {
		if budget.BeginField(ctx) != nil {
			return graphql.Null, nil
		}
		value, err := resolve(ctx, func(ctx context.Context) (any, error) { return takeDegraded(ctx, next) })
		if err == nil && !faults.Empty() {
			value, err = reportFaults(ctx, faults, value)
		}
		if counter := budget.Costs(); counter != nil {
			countField(ctx, counter, value)
		}
		if e.spend(ctx, budget, op, value) != nil {
			return graphql.Null, nil
		}
		return value, err
	}
	op.RootResolverMiddleware = boundWriting(op.RootResolverMiddleware, budget)
}

// takeDegraded calls next, and returns the value of a degraded field without the error that came with
// it. The value of a batch resolver is not what next returns: gqlgen drops values with errors, and
// presents the errors itself. The presenter leaves such an error at the field.
func takeDegraded(ctx context.Context, next graphql.Resolver) (any, error) {
	value, err := next(ctx)
	if d := engine.AsDegraded(err); d != nil {
		engine.RecordDegraded(ctx, graphql.GetPath(ctx), d)
		return value, nil
	}
	if field := graphql.GetFieldContext(ctx); err == nil && value == nil && field != nil {
		if d, ok := field.Result.(*engine.Degraded); ok {
			engine.RecordDegraded(ctx, graphql.GetPath(ctx), d)
			return d.Value, nil
		}
	}
	return value, err
}

// reportFaults returns the value of the field in ctx and adds the errors of its elements, or
// returns the error of the field if it does not fit as a whole. It runs after the guards, so that
// a field that the caller must not see reports nothing.
func reportFaults(ctx context.Context, faults *decode.Faults, value any) (any, error) {
	field := graphql.GetFieldContext(ctx)
	found := faults.OfElements(value)
	if !field.IsResolver && field.Parent != nil {
		found = slices.Concat(found, faults.OfField(field.Parent.Result, field.Field.Name))
	}
	if err := engine.ReportFaults(ctx, value, found); err != nil {
		return nil, err
	}
	return value, nil
}
