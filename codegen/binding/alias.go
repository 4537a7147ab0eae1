package binding

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
)

// compileAliases collects the scalars that are others under a name of their own.
func (c *compiler) compileAliases() {
	for _, name := range slices.Sorted(maps.Keys(c.schema.Types)) {
		def := c.schema.Types[name]
		target, d := AliasOf(def)
		switch {
		case d == nil || c.invalid[d]:
		case scalars.ByName(name) != nil:
			c.faults.Add(UnknownScalar, d.Position, "%s is a scalar that the generator knows; leave out @sameAs", name)
		case scalars.ByName(target) == nil:
			c.faults.Add(UnknownScalar, d.Position, "there is no scalar %q that another can be the same as%s", target, DidYouMean(target, scalarNames()))
			c.graph.aliases[name] = "JSON" // one finding is enough
		default:
			c.graph.aliases[name] = target
		}
	}
}

// AliasOf returns the scalar that the @sameAs of a definition names, and the directive, which is nil if there is none.
func AliasOf(def *ast.Definition) (target string, d *ast.Directive) {
	if d = def.Directives.ForName("sameAs"); d == nil || def.Kind != ast.Scalar {
		return "", nil
	}
	return argumentText(d, "scalar"), d
}

// Scalar returns the row of a scalar in the table of scalars. A scalar with @sameAs has the row of the scalar
// that the directive names. It returns nil for other types, and for scalars without a row.
func (g *Graph) Scalar(name string) *scalars.Scalar { return scalars.ByName(g.scalarName(name)) }

func (g *Graph) scalarName(name string) string {
	if target, ok := g.aliases[name]; ok {
		return target
	}
	return name
}

// Resolve returns a type in which a scalar is the one that it is the same as.
func (g *Graph) Resolve(t *ast.Type) *ast.Type {
	if t == nil || g.scalarName(t.Name()) == t.Name() {
		return t
	}
	resolved := *t
	if t.Elem != nil {
		resolved.Elem = g.Resolve(t.Elem)
	} else {
		resolved.NamedType = g.scalarName(t.NamedType)
	}
	return &resolved
}
