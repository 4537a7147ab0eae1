package front

import (
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Where nobody could tell of a fault, none is noted.
func TestSubscriptionsHaveNoFaults(t *testing.T) {
	for kind, want := range map[ast.Operation]bool{ast.Query: true, ast.Mutation: true, ast.Subscription: false} {
		op := &graphql.OperationContext{Operation: &ast.OperationDefinition{Operation: kind}}
		if noted := faultsOf(op) != nil; noted != want || (op.ResolverMiddleware != nil) != want {
			t.Errorf("%s: faults are noted: %t", kind, noted)
		}
	}
}
