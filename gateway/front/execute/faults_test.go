package execute

import (
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

// A subscription notes no faults, since its fields could not report them.
func TestSubscriptionsHaveNoFaults(t *testing.T) {
	e := &Executor{extensions: noExtensions()}
	for kind, want := range map[ast.Operation]bool{ast.Query: true, ast.Mutation: true, ast.Subscription: false} {
		op := &graphql.OperationContext{Operation: &ast.OperationDefinition{Operation: kind}, ResolverMiddleware: e.extensions.field}
		ctx := e.begin(t.Context(), op)
		if noted := engine.FaultsOf(ctx) != nil; noted != want {
			t.Errorf("%s: faults are noted: %t", kind, noted)
		}
	}
}
