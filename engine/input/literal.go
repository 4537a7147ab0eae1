package input

import (
	"encoding/json"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
)

// literalValue returns the value of a literal without variables in the form in which the value of a
// variable arrives: numbers as they were written, enum values as strings.
func literalValue(v *ast.Value) any {
	switch v.Kind {
	case ast.IntValue, ast.FloatValue:
		return json.Number(v.Raw)
	case ast.BooleanValue:
		return v.Raw == "true"
	case ast.ListValue:
		list := make([]any, len(v.Children))
		for i, child := range v.Children {
			list[i] = literalValue(child.Value)
		}
		return list
	case ast.ObjectValue:
		object := make(map[string]any, len(v.Children))
		for _, child := range v.Children {
			object[child.Name] = literalValue(child.Value)
		}
		return object
	case ast.StringValue, ast.BlockValue, ast.EnumValue:
		return v.Raw
	}
	return nil
}

// hasVariable reports whether a literal is a variable or contains one.
func hasVariable(v *ast.Value) bool {
	return v.Kind == ast.Variable ||
		slices.ContainsFunc(v.Children, func(child *ast.ChildValue) bool { return hasVariable(child.Value) })
}

// formatLiteral returns a literal as messages show it, which may be truncated.
func formatLiteral(v *ast.Value) string { return scalar.Truncate(v.String()) }
