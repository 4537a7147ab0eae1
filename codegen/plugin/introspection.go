package plugin

import "github.com/99designs/gqlgen/codegen/config"

// mapIntrospection maps the types of introspection to those of package introspect, whatever
// gqlgen.yml says. gqlgen's own answer with empty lists where the specification says null.
// gqlgen's executor gets their values from IntrospectSchema and IntrospectType of the generated
// executor, which hide its own methods of these names.
func mapIntrospection(cfg *config.Config) {
	for _, name := range []string{"Directive", "EnumValue", "Field", "InputValue", "Schema", "Type"} {
		cfg.Models["__"+name] = config.TypeMapEntry{Model: config.StringList{introspectPkg + "." + name}}
	}
}
