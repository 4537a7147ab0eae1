package plugin

import "github.com/vektah/gqlparser/v2/ast"

// stringifyLargeDefaults replaces the numbers in default values that gqlgen cannot hold, such as
// integers of more than 64 bits, by strings: gqlgen would generate nothing. The gateway fills in
// these defaults itself, from the text of the schema.
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

// stringifyLargeNumbers does this for one value.
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
