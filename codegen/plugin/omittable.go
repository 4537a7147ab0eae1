package plugin

import (
	"errors"
	"fmt"
	"go/types"

	"github.com/99designs/gqlgen/codegen"
)

// checkOmittable refuses inputs whose Go types cannot tell a field that the client left out from
// one that is null: a service would be sent null, and erase what it has. Generated models
// can, so that these are types of the project's own, or fields that say omittable: false.
func (g *generator) checkOmittable(reach *wireTypes) error {
	var errs []error
	for _, o := range g.data.Inputs {
		if !reach.sent[o.Name] {
			continue
		}
		if o.IsMap() {
			errs = append(errs, omittableError(o.Name, o.Definition.Position.Src.Name, o.Definition.Position.Line, "is a map in Go, whose members generated code does not know; leave its model out of gqlgen.yml, or map it to a struct"))
			continue
		}
		for _, f := range o.Fields {
			if advice := omittableAdvice(f); advice != "" {
				at := o.Definition.Fields.ForName(f.Name).Position
				errs = append(errs, omittableError(o.Name+"."+f.Name, at.Src.Name, at.Line, advice))
			}
		}
	}
	return errors.Join(errs...)
}

func omittableError(name, file string, line int, advice string) error {
	return fmt.Errorf("%s:%d: %s %s", file, line, name, advice)
}

// omittableAdvice says what to do about an input's field that may be null and whose Go type has no
// third state for absent; "" where that is no matter.
func omittableAdvice(f *codegen.Field) string {
	switch tr := f.TypeReference; {
	case f.IsResolver:
		return "is read by a resolver (forceResolver), so nothing tells whether the client gave it; leave out forceResolver, or bind by arguments"
	case tr.GQL.NonNull, isOmittable(f), f.FieldDefinition.DefaultValue != nil:
		return ""
	default:
		return fmt.Sprintf("has the Go type %s, which does not tell whether the client left the field out, and a field that is left out would be sent as null; make it graphql.Omittable[%[1]s] in the project's own struct, or leave out omittable: false",
			types.TypeString(tr.GO, (*types.Package).Name))
	}
}
