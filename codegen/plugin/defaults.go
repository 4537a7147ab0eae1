package plugin

import "github.com/vektah/gqlparser/v2/ast"

// spellDefaults makes strings of the numbers in default values that gqlgen cannot hold, such as
// integers of more than 64 bits, for which it would generate nothing. The gateway fills these
// defaults in by itself, from the schema's text.
func spellDefaults(schema *ast.Schema) {
	for _, def := range schema.Types {
		for _, field := range def.Fields {
			spellNumbers(field.DefaultValue)
			for _, argument := range field.Arguments {
				spellNumbers(argument.DefaultValue)
			}
		}
	}
}

func spellNumbers(v *ast.Value) {
	if v == nil {
		return
	}
	for _, child := range v.Children {
		spellNumbers(child.Value)
	}
	if _, err := v.Value(nil); err != nil {
		v.Kind = ast.StringValue
	}
}
