package plugin

import "github.com/vektah/gqlparser/v2/ast"

// stringifyLargeDefaults makes strings of the numbers in default values that gqlgen cannot hold, such as
// integers of more than 64 bits, for which it would generate nothing. The gateway fills these
// defaults in by itself, from the schema's text.
func stringifyLargeDefaults(schema *ast.Schema) {
	for _, def := range schema.Types {
		for _, field := range def.Fields {
			stringifyLargeNumbers(field.DefaultValue)
			for _, argument := range field.Arguments {
				stringifyLargeNumbers(argument.DefaultValue)
			}
		}
	}
}

func stringifyLargeNumbers(v *ast.Value) {
	if v == nil {
		return
	}
	for _, child := range v.Children {
		stringifyLargeNumbers(child.Value)
	}
	if _, err := v.Value(nil); err != nil {
		v.Kind = ast.StringValue
	}
}
