package binding

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/facts"
)

// ListSizeOf reads the @listSize of a field, nil if it has none. Compile has to have checked the
// schema.
func ListSizeOf(field *ast.FieldDefinition) *facts.ListSize {
	if d := field.Directives.ForName("listSize"); d != nil {
		return listSizeOf(d)
	}
	return nil
}

// listSizeOf reads a @listSize.
func listSizeOf(d *ast.Directive) *facts.ListSize {
	size := &facts.ListSize{
		Arguments:  argumentTexts(d, "slicingArguments"),
		Fields:     argumentTexts(d, "sizedFields"),
		RequireOne: argumentText(d, "requireOneSlicingArgument") != "false",
	}
	if v := argument(d, "assumedSize"); v != nil {
		n := intValue(v)
		size.Assumed = &n
	}
	return size
}

// statesListSize returns the facts that a @listSize states.
func statesListSize(uses ast.DirectiveList) []Fact { return []Fact{listSizeFact(listSizeOf(uses[0]))} }

// listSizeFact returns the fact of a size.
func listSizeFact(size *facts.ListSize) Fact {
	var members []string
	if size.Assumed != nil {
		members = append(members, fmt.Sprintf("Assumed: new(%d)", *size.Assumed))
	}
	if size.Max != nil {
		members = append(members, fmt.Sprintf("Max: new(%d)", *size.Max))
	}
	if len(size.Arguments) > 0 {
		members = append(members, fmt.Sprintf("Arguments: %#v", size.Arguments))
	}
	if len(size.Fields) > 0 {
		members = append(members, fmt.Sprintf("Fields: %#v", size.Fields))
	}
	if size.RequireOne {
		members = append(members, "RequireOne: true")
	}
	return Fact{"ListSize", "&facts.ListSize{" + strings.Join(members, ", ") + "}"}
}

// pages returns the pages of the fields that make connections of them.
func (g *Graph) pages() map[*ast.FieldDefinition]*Page {
	pages := map[*ast.FieldDefinition]*Page{}
	for _, f := range g.Fields {
		if f.Page != nil {
			pages[f.Definition] = f.Page
		}
	}
	return pages
}

// listSize returns the size of a connection's lists: what its argument first says, at most the maximum
// of a page.
func (p *Page) listSize() *facts.ListSize {
	size := &facts.ListSize{Assumed: &p.DefaultSize, Max: &p.MaxSize, Arguments: []string{"first"}}
	for _, name := range []string{"edges", "nodes"} {
		if p.Connection.Fields.ForName(name) != nil {
			size.Fields = append(size.Fields, name)
		}
	}
	return size
}

// argumentTexts returns the elements of a directive's argument that is a list of strings.
func argumentTexts(d *ast.Directive, name string) []string {
	var all []string
	for _, v := range listElements(argument(d, name)) {
		all = append(all, v.Raw)
	}
	return all
}

// checkListSizes checks every @listSize.
func (c *compiler) checkListSizes() {
	for _, object := range c.objectTypes() {
		for _, field := range object.Fields {
			if d := field.Directives.ForName("listSize"); d != nil && !c.invalid[d] {
				c.checkListSize(object.Name+"."+field.Name, field, d)
			}
		}
	}
}

// checkListSize checks one @listSize. name is the field's name in messages.
func (c *compiler) checkListSize(name string, field *ast.FieldDefinition, d *ast.Directive) {
	assumed, sliced, sized := argument(d, "assumedSize"), listElements(argument(d, "slicingArguments")), listElements(argument(d, "sizedFields"))
	if assumed == nil && len(sliced) == 0 {
		c.faults.Add(MissingListSize, d.Position, "@listSize has no size; add assumedSize: 100, or name the arguments of %s that set the size in slicingArguments", name)
	}
	if assumed != nil && intValue(assumed) < 0 {
		c.faults.Add(NegativeListSize, assumed.Position, "a list cannot have fewer than 0 elements; write a number that it seldom exceeds")
	}
	if len(sized) == 0 && !isList(field.Type) {
		c.faults.Add(ListSizeWithoutList, d.Position, "%s is %s, which is not a list; name the lists in it in sizedFields, or remove @listSize", name, field.Type)
	}
	for _, v := range sliced {
		c.checkSlicingArgument(name, field, v)
	}
	for _, v := range sized {
		c.checkSizedField(field, v)
	}
}

// checkSlicingArgument follows the path to a slicing argument and checks its type.
func (c *compiler) checkSlicingArgument(name string, field *ast.FieldDefinition, v *ast.Value) {
	path := strings.Split(v.Raw, ".")
	arg := field.Arguments.ForName(path[0])
	if arg == nil {
		c.faults.Add(UnknownSlicingArgument, v.Position, "%s has no argument %q%s", name, path[0], DidYouMean(path[0], argumentNames(field.Arguments)))
		return
	}
	t := arg.Type
	for _, member := range path[1:] {
		def := c.schema.Types[t.Name()]
		if isList(t) || def == nil || def.Kind != ast.InputObject {
			c.faults.Add(UnknownSlicingArgument, v.Position, "%q: %s is not an object, so it has no field %q", v.Raw, t, member)
			return
		}
		inner := def.Fields.ForName(member)
		if inner == nil {
			c.faults.Add(UnknownSlicingArgument, v.Position, "%s has no field %q%s", def.Name, member, DidYouMean(member, fieldNames(def)))
			return
		}
		t = inner.Type
	}
	if !isList(t) && t.NamedType != "Int" {
		c.faults.Add(SlicingArgumentType, v.Position, "%q is %s, but a slicing argument is an Int or a list", v.Raw, t)
	}
}

// checkSizedField checks that a sized field is a list.
func (c *compiler) checkSizedField(field *ast.FieldDefinition, v *ast.Value) {
	def := c.schema.Types[field.Type.Name()]
	if def == nil || len(def.Fields) == 0 {
		c.faults.Add(UnknownSizedField, v.Position, "%s has no fields, so there is no list %q in it; leave out sizedFields", field.Type, v.Raw)
		return
	}
	inner := def.Fields.ForName(v.Raw)
	switch {
	case inner == nil:
		c.faults.Add(UnknownSizedField, v.Position, "%s has no field %q%s", def.Name, v.Raw, DidYouMean(v.Raw, fieldNames(def)))
	case !isList(inner.Type):
		c.faults.Add(ListSizeWithoutList, v.Position, "%s.%s is %s, which is not a list", def.Name, v.Raw, inner.Type)
	}
}
