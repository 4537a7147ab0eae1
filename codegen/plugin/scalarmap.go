package plugin

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"
)

// scalarTypes are the Go types of the scalars that decoders and encoders know.
var scalarTypes = map[string]string{
	"ID":       graphqlPkg + ".ID",
	"Int":      scalarPkg + ".Int",
	"Int64":    scalarPkg + ".Int64",
	"Decimal":  scalarPkg + ".Decimal",
	"DateTime": scalarPkg + ".DateTime",
	"Date":     scalarPkg + ".Date",
	"UUID":     scalarPkg + ".UUID",
	"URL":      scalarPkg + ".URL",
	"JSON":     scalarPkg + ".JSON",
}

// mapScalars maps a schema's scalars to the Go types that generated code reads and writes. A
// project that maps one to another type is told so: its answers could not be read.
func mapScalars(cfg *config.Config, schema *ast.Schema) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(scalarTypes)) {
		def, want := schema.Types[name], config.StringList{scalarTypes[name]}
		if def == nil || def.Kind != ast.Scalar {
			continue
		}
		entry := cfg.Models[name]
		if len(entry.Model) > 0 && !slices.Equal(entry.Model, want) {
			errs = append(errs, fmt.Errorf("gqlgen.yml: models.%s: generated code reads and writes %s as %s; leave it out", name, name, want[0]))
		}
		entry.Model = want
		cfg.Models[name] = entry
	}
	return errors.Join(errs...)
}
