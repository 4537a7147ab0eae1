package plugin

import (
	"go/types"
	"slices"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// isRequestScoped reports whether the value of a field may depend on more of the request than the
// operation and the caller, so that requests must not share it. Handwritten code may depend on
// anything; isHandwritten reports it.
func (g *generator) isRequestScoped(o *codegen.Object, f *codegen.Field) bool {
	if isContextual(f.TypeReference) || slices.ContainsFunc(f.Args, func(a *codegen.FieldArgument) bool { return g.takesContextual(a.TypeReference) }) {
		return true
	}
	return slices.ContainsFunc(g.bindingsOf(o, f), g.usesRequest)
}

// bindingsOf returns the bindings whose calls take part in a field: its own, and those that
// complete its objects.
func (g *generator) bindingsOf(o *codegen.Object, f *codegen.Field) (all []*binding.Field) {
	for _, b := range g.graph.Fields {
		if b.Object.Name != o.Name || b.Definition.Name != f.Name {
			continue
		}
		all = append(all, b)
		all = append(all, entitiesOf(b.Completion)...)
	}
	return append(all, entitiesOf(g.graph.Completion(o.Name, f.Name))...)
}

// entitiesOf returns the bindings of a completion, none for nil.
func entitiesOf(c *binding.Completion) (all []*binding.Field) {
	if c == nil {
		return nil
	}
	for _, t := range c.Types {
		all = append(all, t.Entity)
	}
	return all
}

// usesRequest reports whether a binding uses $request, in the call or to read the response.
func (g *generator) usesRequest(b *binding.Field) bool {
	whole := g.graph.FullCall(b)
	return slices.ContainsFunc(slices.Concat(whole.Variables(), b.SelectionVariables), func(v *binding.Value) bool { return v.Scope == binding.Request })
}

// isContextual reports whether code of the project that takes a context marshals or unmarshals the
// values of a type: it may use the request. Code of gqlgen and of gatehouse does not.
func isContextual(tr *config.TypeReference) bool {
	if !tr.IsContext {
		return false
	}
	home := ""
	if tr.Marshaler != nil {
		home = tr.Marshaler.Pkg().Path()
	} else if named, ok := types.Unalias(tr.Target).(*types.Named); ok {
		home = named.Obj().Pkg().Path()
	}
	return home != graphqlPkg && home != scalarPkg
}

// takesContextual reports whether an argument has such a type, or may contain a value of one.
// Inputs may contain each other, so all inputs count for each.
func (g *generator) takesContextual(tr *config.TypeReference) bool {
	return isContextual(tr) || !tr.Definition.IsLeafType() && slices.ContainsFunc(g.data.Inputs, func(o *codegen.Object) bool {
		return slices.ContainsFunc(o.Fields, func(f *codegen.Field) bool { return isContextual(f.TypeReference) })
	})
}
