package front

import (
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

// Where nobody could tell of a fault, none is noted.
func TestSubscriptionsHaveNoFaults(t *testing.T) {
	e := &executor{hooks: noHooks()}
	for kind, want := range map[ast.Operation]bool{ast.Query: true, ast.Mutation: true, ast.Subscription: false} {
		op := &graphql.OperationContext{Operation: &ast.OperationDefinition{Operation: kind}, ResolverMiddleware: e.hooks.field}
		ctx := e.begin(t.Context(), op)
		if noted := engine.FaultsOf(ctx) != nil; noted != want {
			t.Errorf("%s: faults are noted: %t", kind, noted)
		}
	}
}
