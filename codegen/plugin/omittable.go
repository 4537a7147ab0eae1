package plugin

import (
	"errors"
	"fmt"
	"go/types"

	"github.com/99designs/gqlgen/codegen"
)

// checkOmittable returns an error for each input whose Go type does not distinguish an omitted
// field from null: a service would get null, and erase what it has. Generated models do, so these
// are types of the project, or fields with omittable: false.
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

// omittableError returns an error with a position and advice.
func omittableError(name, file string, line int, advice string) error {
	return fmt.Errorf("%s:%d: %s %s", file, line, name, advice)
}

// omittableAdvice returns what to write instead for a nullable field of an input whose Go type
// does not distinguish omitted from null, "" for other fields.
func omittableAdvice(f *codegen.Field) string {
	switch tr := f.TypeReference; {
	case f.IsResolver:
		return "is read by a resolver (forceResolver), so it is not known whether the client sent it; leave out forceResolver, or bind by arguments"
	case tr.GQL.NonNull, isOmittable(f), f.FieldDefinition.DefaultValue != nil:
		return ""
	default:
		return fmt.Sprintf("has the Go type %s, which does not say whether the client left the field out, and a field that is left out would be sent as null; make it graphql.Omittable[%[1]s] in the project's own struct, or leave out omittable: false",
			types.TypeString(tr.GO, (*types.Package).Name))
	}
}
