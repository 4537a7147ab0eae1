package plugin

import (
	"go/types"
	"slices"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// isRequestScoped tells whether the value of a field may depend on more of the request than who asks
// and what is asked, so that nobody else may have the same answer. Code by hand, which may
// depend on anything, is told of besides.
func (g *generator) isRequestScoped(o *codegen.Object, f *codegen.Field) bool {
	if isContextual(f.TypeReference) || slices.ContainsFunc(f.Args, func(a *codegen.FieldArgument) bool { return g.takesContextual(a.TypeReference) }) {
		return true
	}
	return slices.ContainsFunc(g.bindingsOf(o, f), g.usesRequest)
}

// bindingsOf are the bindings whose calls answer a field: its own, and those that complete
// its objects.
func (g *generator) bindingsOf(o *codegen.Object, f *codegen.Field) (all []*binding.Field) {
	for _, b := range g.graph.Fields {
		if b.Object.Name != o.Name || b.Definition.Name != f.Name {
			continue
		}
		all = append(all, b)
		all = append(all, entitiesOf(b.Completes)...)
	}
	return append(all, entitiesOf(g.graph.Completion(o.Name, f.Name))...)
}

// entitiesOf are the bindings that complete a field's objects.
func entitiesOf(c *binding.Completion) (all []*binding.Field) {
	if c == nil {
		return nil
	}
	for _, t := range c.Types {
		all = append(all, t.Entity)
	}
	return all
}

// usesRequest tells whether a binding takes a value of the client's request: $request, be
// it for its call or for what is read of the answer.
func (g *generator) usesRequest(b *binding.Field) bool {
	whole := b.Call
	whole.Headers = g.headers(b)
	return slices.ContainsFunc(slices.Concat(whole.Variables(), b.Given), func(v *binding.Value) bool { return v.Scope == binding.Request })
}

// isContextual tells whether the values of a type are written, and read, by code of the
// project's own that may look at the request.
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

// takesContextual tells whether an argument is of such a type, or could hold a value of one:
// all input objects count, as they hold each other.
func (g *generator) takesContextual(tr *config.TypeReference) bool {
	return isContextual(tr) || !tr.Definition.IsLeafType() && slices.ContainsFunc(g.data.Inputs, func(o *codegen.Object) bool {
		return slices.ContainsFunc(o.Fields, func(f *codegen.Field) bool { return isContextual(f.TypeReference) })
	})
}
