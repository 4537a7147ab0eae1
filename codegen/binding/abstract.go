package binding

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Choice is how the types of an interface or a union are told apart.
type Choice struct {
	Field string // the member, as the service calls it
	Types []Tagged

	Position *ast.Position
}

// Tagged is a type by the value of the member.
type Tagged struct {
	Tag  string
	Type *ast.Definition
}

// abstract allows a type of several to be read when its discriminator says which it is.
func (b *bindingCompiler) abstract(def *ast.Definition, pos *ast.Position, seen map[string]bool) {
	choice := b.graph.Abstract[def.Name]
	if choice == nil {
		if def.Directives.ForName("discriminator") == nil {
			b.faults.Add(AbstractAnswer, pos, "%s is %s, and nothing says which type a service's answer is; tell by @discriminator(field: \"type\") on %s, or resolve the field by hand in resolvers/ (@goField(forceResolver: true))", def.Name, kindName(def), def.Name)
		}
		return
	}
	for _, t := range choice.Types {
		b.readable(ast.NamedType(t.Type.Name, pos), pos, seen)
	}
}

// discriminators compiles every @discriminator.
func (c *compiler) discriminators() {
	for _, def := range c.types(ast.Interface, ast.Union) {
		d := def.Directives.ForName("discriminator")
		if d == nil || c.broken[d] {
			continue
		}
		choice, before := &Choice{Field: text(d, "field"), Position: d.Position}, len(c.faults)
		if choice.Field == "" {
			c.faults.Add(UnknownDiscriminator, d.Arguments.ForName("field").Value.Position, "field is empty; write the member that tells the types of %s apart, as the service calls it", def.Name)
		}
		if mapping := given(d, "mapping"); mapping != nil {
			choice.Types = c.mapping(def, mapping)
		} else {
			for _, t := range c.possible(def) {
				choice.Types = append(choice.Types, Tagged{t.Name, t})
			}
		}
		c.graph.Abstract[def.Name] = choice
		c.graph.unclear[def.Name] = len(c.faults) > before
	}
}

// possible are the object types of an interface or a union, in the order of their names.
func (c *compiler) possible(def *ast.Definition) []*ast.Definition {
	types := slices.Clone(c.schema.GetPossibleTypes(def))
	return slices.DeleteFunc(slices.SortedFunc(slices.Values(types), byName), func(t *ast.Definition) bool { return t.Kind != ast.Object })
}

// mapping reads {tag: "Type"} or [{value: "tag", type: "Type"}].
func (c *compiler) mapping(def *ast.Definition, v *ast.Value) []Tagged {
	var tagged []Tagged
	seen, before := map[string]bool{}, len(c.faults)
	for _, pair := range c.pairs(v) {
		t := c.schema.Types[pair.of.Raw]
		switch {
		case t == nil || !slices.Contains(c.possible(def), t):
			c.faults.Add(UnknownChoice, pair.of.Position, "%q is no type of %s%s", pair.of.Raw, def.Name, DidYouMean(pair.of.Raw, namesOf(c.possible(def))))
		case seen[pair.tag]:
			c.faults.Add(UnknownChoice, pair.of.Position, "%q stands for a type already; give each type its own value", pair.tag)
		default:
			tagged = append(tagged, Tagged{pair.tag, t})
		}
		seen[pair.tag] = true
	}
	var missing []string
	for _, t := range c.possible(def) {
		if len(c.faults) == before && !slices.ContainsFunc(tagged, func(g Tagged) bool { return g.Type == t }) {
			missing = append(missing, t.Name)
		}
	}
	if len(missing) > 0 {
		c.faults.Add(MissingChoice, v.Position, "%s has %s, for which no value stands; say by the mapping which value does", def.Name, quoteAll(missing))
	}
	return tagged
}

type pair struct {
	tag string
	of  *ast.Value
}

func (c *compiler) pairs(v *ast.Value) []pair {
	var pairs []pair
	if v.Kind == ast.ObjectValue {
		for _, m := range v.Children {
			pairs = append(pairs, pair{m.Name, m.Value})
		}
	}
	for _, element := range elements(v) {
		if v.Kind != ast.ListValue {
			break
		}
		value, t := child(element, "value"), child(element, "type")
		if value == nil || t == nil {
			c.faults.Add(UnknownChoice, element.Position, "a pair of a mapping is written {value: \"tag\", type: \"TypeName\"}")
			continue
		}
		pairs = append(pairs, pair{value.Raw, t})
	}
	return pairs
}

func namesOf(types []*ast.Definition) []string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.Name
	}
	return names
}
