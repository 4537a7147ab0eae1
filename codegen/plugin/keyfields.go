package plugin

import (
	"slices"

	"github.com/99designs/gqlgen/codegen"
)

// keyFields are, by type, the fields that generated code reads although no client selects them:
// those that calls use of their parents, and those by which items are matched. The executor passes
// them to the projection, or decoders would skip them.
type keyFields map[string][]string

func (k keyFields) add(object, field string) {
	if !slices.Contains(k[object], field) {
		k[object] = append(k[object], field)
		slices.Sort(k[object])
	}
}

// keyFields returns the key fields of all bindings.
func (g *generator) keyFields() keyFields {
	k := keyFields{}
	for _, b := range g.graph.Bindings() {
		if asked := g.requestedKey(b); asked != nil {
			k.add(b.Definition.Type.Name(), asked.field)
		}
		for _, name := range b.ParentFields() {
			k.add(b.Object.Name, name)
		}
		if b.Batch == nil {
			continue
		}
		k.add(b.Object.Name, b.Batch.ParentKey.Name)
		if b.Batch.ItemKey != "" {
			k.add(b.Definition.Type.Name(), b.Batch.ItemKey)
		}
	}
	return k
}

// isHandwritten reports whether handwritten code takes part in a field: its resolver, or a
// resolver of an input that its arguments may contain.
func (g *generator) isHandwritten(o *codegen.Object, f *codegen.Field) bool {
	if len(f.Args) > 0 && slices.ContainsFunc(g.data.Inputs, (*codegen.Object).HasResolvers) {
		return true
	}
	return f.IsResolver && !g.isBound(o, f)
}
