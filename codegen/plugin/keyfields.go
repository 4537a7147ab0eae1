package plugin

import (
	"slices"

	"github.com/99designs/gqlgen/codegen"
)

// keyFields are the fields of each type that generated code looks at besides those that
// clients select: what calls take from their parents, and what items are told apart by.
type keyFields map[string][]string

func (k keyFields) add(object, field string) {
	if !slices.Contains(k[object], field) {
		k[object] = append(k[object], field)
		slices.Sort(k[object])
	}
}

func (g *generator) keyFields() keyFields {
	k := keyFields{}
	for _, b := range g.graph.All() {
		if asked := g.requestedKey(b); asked != nil {
			k.add(b.Definition.Type.Name(), asked.field)
		}
		for _, name := range b.Own() {
			k.add(b.Object.Name, name)
		}
		if b.Batch == nil {
			continue
		}
		k.add(b.Object.Name, b.Batch.Parent.Name)
		if b.Batch.Item != "" {
			k.add(b.Definition.Type.Name(), b.Batch.Item)
		}
	}
	return k
}

// isHandwritten tells whether code that nobody generates has a part in a field: its resolver, or
// one that its arguments may have.
func (g *generator) isHandwritten(o *codegen.Object, f *codegen.Field) bool {
	if len(f.Args) > 0 && slices.ContainsFunc(g.data.Inputs, (*codegen.Object).HasResolvers) {
		return true
	}
	return f.IsResolver && !g.isBound(o, f)
}
