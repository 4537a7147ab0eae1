package plugin

import (
	"go/types"
	"maps"
	"slices"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
)

// scalarView is a scalar with gqlgen's functions that read it, one for each of its Go types.
type scalarView struct {
	Name  string
	Reads []string
}

// takesAll are the functions and types that take every value which the specification allows
// for its own scalars, so that a value need not be read to know whether it fits.
var takesAll = setOf(
	graphqlPkg+".UnmarshalID", graphqlPkg+".UnmarshalString", graphqlPkg+".UnmarshalBoolean", graphqlPkg+".UnmarshalFloat", graphqlPkg+".UnmarshalFloatContext",
	graphqlPkg+".UnmarshalInt", graphqlPkg+".UnmarshalInt32", graphqlPkg+".UnmarshalInt64", scalarPkg+".UnmarshalInt",
)

// takesAny reports whether a function or type takes every value there is. A scalar of the project's
// own needs one of these to be left out: gqlgen maps one that has no Go type to String, which
// refuses lists and objects.
func takesAny(reader string) bool {
	if reader == graphqlPkg+".UnmarshalAny" {
		return true
	}
	return slices.ContainsFunc(scalars.Table, func(s scalars.Scalar) bool { return s.Model == reader && s.ReadsAny() })
}

// scalars returns the scalars of arguments whose Go code decides which values fit. Those whose
// functions may use a context are left out: there is none before fields are resolved.
func (g *generator) scalars() []scalarView {
	reads := map[string]map[string]string{} // by the scalar, and by what reads it
	for _, name := range slices.Sorted(maps.Keys(g.data.ReferencedTypes)) {
		tr := g.data.ReferencedTypes[name]
		reader := scalarReader(tr)
		if reader == "" || isContextual(tr) || takesAny(reader) || tr.Definition.BuiltIn && takesAll[reader] {
			continue
		}
		if reads[tr.Definition.Name] == nil {
			reads[tr.Definition.Name] = map[string]string{}
		}
		if _, ok := reads[tr.Definition.Name][reader]; !ok { // the first one is that of the non-null type, which makes no pointer
			reads[tr.Definition.Name][reader] = tr.UnmarshalFunc()
		}
	}
	var list []scalarView
	for _, name := range slices.Sorted(maps.Keys(reads)) {
		list = append(list, scalarView{name, slices.Sorted(maps.Values(reads[name]))})
	}
	return list
}

// scalarReader returns the name of the function or the type that unmarshals a scalar, "" for other
// types.
func scalarReader(tr *config.TypeReference) string {
	switch {
	case tr.Definition.Kind != ast.Scalar || tr.GQL.Elem != nil || tr.UnmarshalFunc() == "":
		return ""
	case tr.Unmarshaler != nil:
		return tr.Unmarshaler.Pkg().Path() + "." + tr.Unmarshaler.Name()
	case tr.IsMarshaler:
		return types.TypeString(tr.Target, nil)
	}
	return ""
}
