package presenter

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

// takeDegraded reports whether err came together with a value, and leaves it as the result of the
// field in ctx. gqlgen presents the errors of batch resolvers while it resolves the field, and drops
// their values; package execute takes the value from there.
func takeDegraded(ctx context.Context, err error) bool {
	d := engine.AsDegraded(unwrapLocated(err))
	field := graphql.GetFieldContext(ctx)
	if d == nil || field == nil || field.Result != nil {
		return false
	}
	field.Result = d
	return true
}
