package plugin

import (
	"errors"
	"fmt"
	"slices"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
)

// mapScalars maps a schema's scalars to the Go types that decoders and encoders use. It returns an
// error for each scalar that gqlgen.yml maps to another type, which they could not decode.
func mapScalars(cfg *config.Config, schema *ast.Schema) error {
	var errs []error
	for _, s := range scalars.Table {
		def, name, want := schema.Types[s.Name], s.Name, config.StringList{s.Model}
		if s.Model == "" || def == nil || def.Kind != ast.Scalar {
			continue
		}
		entry := cfg.Models[name]
		if len(entry.Model) > 0 && !slices.Equal(entry.Model, want) {
			errs = append(errs, fmt.Errorf("gqlgen.yml: models.%s: generated code reads and writes %s as %s; leave it out", name, name, want[0]))
		}
		entry.Model = want
		cfg.Models[name] = entry
	}
	for name, def := range schema.Types {
		target, _ := binding.AliasOf(def)
		if scalars.ByName(target) == nil || scalars.ByName(name) != nil {
			continue // no alias, or a mistake that the compiler of bindings reports
		}
		entry, want := cfg.Models[name], modelOf(cfg, target)
		if len(entry.Model) > 0 && !slices.Equal(entry.Model, want) {
			errs = append(errs, fmt.Errorf("gqlgen.yml: models.%s: the schema says that %s is the same as %s, which is %s; leave it out", name, name, target, want[0]))
		}
		entry.Model = want
		cfg.Models[name] = entry
	}
	return errors.Join(errs...)
}

// modelOf returns the Go type of the scalars that are the same as one of the table: that of its row, or
// that of the project. For built-in scalars without either it returns functions of engine/scalar that
// refuse what does not fit, which package engine/input does for the built-in ones alone.
func modelOf(cfg *config.Config, scalar string) config.StringList {
	s := scalars.ByName(scalar)
	if model := cfg.Models[scalar].Model; len(model) > 0 && s.Model == "" {
		return model
	}
	if s.BuiltIn {
		return config.StringList{scalarPkg + "." + scalar}
	}
	return config.StringList{s.Model}
}
