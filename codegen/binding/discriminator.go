package binding

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Discriminator is how the types of an interface or a union are told apart: by the value of a member.
type Discriminator struct {
	Member string // the member, by the service's name
	Types  []TaggedType

	Position *ast.Position
}

// TaggedType is a type with the value of the member that stands for it.
type TaggedType struct {
	Tag  string
	Type *ast.Definition
}

// checkAbstract checks that an interface or a union has a discriminator, and that generated code
// can read each of its types.
func (b *bindingCompiler) checkAbstract(def *ast.Definition, pos *ast.Position, seen map[string]bool) {
	choice := b.graph.Discriminators[def.Name]
	if choice == nil {
		if def.Directives.ForName("discriminator") == nil {
			b.faults.Add(UndeterminedType, pos, "%s is %s, and nothing tells which type an object of the service has; add @discriminator(field: \"type\") to %s, or resolve the field by hand in resolvers/ (@goField(forceResolver: true))", def.Name, kindName(def), def.Name)
		}
		return
	}
	for _, t := range choice.Types {
		b.checkReadable(ast.NamedType(t.Type.Name, pos), pos, seen)
	}
}

// compileDiscriminators compiles every @discriminator.
func (c *compiler) compileDiscriminators() {
	for _, def := range c.typesOf(ast.Interface, ast.Union) {
		d := def.Directives.ForName("discriminator")
		if d == nil || c.invalid[d] {
			continue
		}
		choice, before := &Discriminator{Member: argumentText(d, "field"), Position: d.Position}, len(c.faults)
		if choice.Member == "" {
			c.faults.Add(MissingDiscriminator, d.Arguments.ForName("field").Value.Position, "field is empty; write the service's name of the member that tells the types of %s apart", def.Name)
		}
		if mapping := argument(d, "mapping"); mapping != nil {
			choice.Types = c.readMapping(def, mapping)
		} else {
			for _, t := range c.possibleTypes(def) {
				choice.Types = append(choice.Types, TaggedType{t.Name, t})
			}
		}
		c.graph.Discriminators[def.Name] = choice
		c.graph.invalidNames[def.Name] = len(c.faults) > before
	}
}

// possibleTypes returns the object types of an interface or a union in the order of their names.
func (c *compiler) possibleTypes(def *ast.Definition) []*ast.Definition {
	types := slices.Clone(c.schema.GetPossibleTypes(def))
	return slices.DeleteFunc(slices.SortedFunc(slices.Values(types), compareNames), func(t *ast.Definition) bool { return t.Kind != ast.Object })
}

// readMapping reads {tag: "Type"} or [{value: "tag", type: "Type"}]. Without faults, every possible
// type has a value.
func (c *compiler) readMapping(def *ast.Definition, v *ast.Value) []TaggedType {
	var tagged []TaggedType
	seen, before := map[string]bool{}, len(c.faults)
	for _, pair := range c.readPairs(v) {
		t := c.schema.Types[pair.typeName.Raw]
		switch {
		case t == nil || !slices.Contains(c.possibleTypes(def), t):
			c.faults.Add(InvalidMapping, pair.typeName.Position, "%q is not a type of %s%s", pair.typeName.Raw, def.Name, DidYouMean(pair.typeName.Raw, typeNames(c.possibleTypes(def))))
		case seen[pair.value]:
			c.faults.Add(InvalidMapping, pair.typeName.Position, "%q already stands for a type; give each type its own value", pair.value)
		default:
			tagged = append(tagged, TaggedType{pair.value, t})
		}
		seen[pair.value] = true
	}
	var missing []string
	for _, t := range c.possibleTypes(def) {
		if len(c.faults) == before && !slices.ContainsFunc(tagged, func(g TaggedType) bool { return g.Type == t }) {
			missing = append(missing, t.Name)
		}
	}
	if len(missing) > 0 {
		c.faults.Add(UnmappedType, v.Position, "%s has %s, and the mapping has no value for it; add one", def.Name, joinNames(missing))
	}
	return tagged
}

type mappingPair struct {
	value    string
	typeName *ast.Value
}

func (c *compiler) readPairs(v *ast.Value) []mappingPair {
	var pairs []mappingPair
	if v.Kind == ast.ObjectValue {
		for _, m := range v.Children {
			pairs = append(pairs, mappingPair{m.Name, m.Value})
		}
	}
	for _, element := range listElements(v) {
		if v.Kind != ast.ListValue {
			break
		}
		value, t := memberValue(element, "value"), memberValue(element, "type")
		if value == nil || t == nil {
			c.faults.Add(InvalidMapping, element.Position, "a pair of a mapping is written {value: \"tag\", type: \"TypeName\"}")
			continue
		}
		pairs = append(pairs, mappingPair{value.Raw, t})
	}
	return pairs
}

func typeNames(types []*ast.Definition) []string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.Name
	}
	return names
}
