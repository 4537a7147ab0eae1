package front

import (
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/plan"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// conditional refuses a null for a variable in @skip or @include. Validation lets it pass
// where the variable has a default, which an explicit null replaces; executors throw then,
// or take it for false, and a client could see which plans others have had made.
func conditional(op *graphql.OperationContext) error {
	null := func(name string) bool {
		value, given := op.Variables[name]
		return given && value == nil
	}
	maybe := func(v *ast.VariableDefinition) bool { return v.Type.NamedType == "Boolean" && null(v.Variable) }
	if !slices.ContainsFunc(op.Operation.VariableDefinitions, maybe) { // before the document is gone through: clients send null for much
		return nil
	}
	for _, name := range plan.Conditions(op) {
		if null(name) {
			return fault.New(fault.BadUserInput, "variable $%s: must not be null, since @skip or @include asks for it", name)
		}
	}
	return nil
}
