package explain

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// part is a selection set of the operation, and where in the answer it selects.
type part struct {
	path string
	set  ast.SelectionSet
}

// selected is a field of an object, with all that the operation selects of it: several
// aliases of one value are one.
type selected struct {
	id         string // tells the fields of an object apart
	definition *ast.FieldDefinition
	arguments  map[string]any
	paths      []string // one for each alias
	parts      []part
}

// partsOf are the parts that select of what the field returns, for one type of several.
func (s *selected) partsOf(returned, object *ast.Definition) []part {
	if returned == object {
		return s.parts
	}
	parts := slices.Clone(s.parts)
	for i := range parts {
		parts[i].path += "<" + object.Name + ">"
	}
	return parts
}

// collect puts together what is selected of objects of one type.
func (w *walker) collect(object *ast.Definition, parts []part) []*selected {
	c := &collector{walker: w, object: object, byID: map[string]*selected{}, spread: map[string]bool{}}
	for _, p := range parts {
		c.set(p)
	}
	return c.fields
}

type collector struct {
	*walker
	object *ast.Definition
	byID  map[string]*selected // by id
	spread map[string]bool      // fragments that are in
	fields    []*selected
}

func (c *collector) set(p part) {
	for _, selection := range p.set {
		switch it := selection.(type) {
		case *ast.Field:
			if !strings.HasPrefix(it.Name, "__") && c.isIncluded(it.Directives) {
				c.field(p.path, it)
			}
		case *ast.InlineFragment:
			if c.isIncluded(it.Directives) && c.isOfType(it.TypeCondition) {
				c.set(part{p.path, it.SelectionSet})
			}
		case *ast.FragmentSpread:
			if !c.spread[it.Name] && c.isIncluded(it.Directives) && c.isOfType(it.Definition.TypeCondition) {
				c.spread[it.Name] = true
				c.set(part{p.path, it.Definition.SelectionSet})
			}
		}
	}
}

// isOfType tells whether the objects are of a type, which may be abstract; "" is any.
func (c *collector) isOfType(name string) bool {
	return name == "" || name == c.object.Name ||
		slices.Contains(c.schema.GetPossibleTypes(c.schema.Types[name]), c.object)
}

func (c *collector) field(above string, f *ast.Field) {
	definition := c.object.Fields.ForName(f.Name)
	s := &selected{definition: definition, arguments: c.argumentValues(definition, f.Arguments)}
	s.id = c.idOf(f, s)
	if before := c.byID[s.id]; before != nil {
		s = before
	} else {
		c.byID[s.id] = s
		c.fields = append(c.fields, s)
	}
	path := strings.TrimPrefix(above+"."+f.Alias, ".")
	if !slices.Contains(s.paths, path) {
		s.paths = append(s.paths, path)
	}
	s.parts = append(s.parts, part{path, f.SelectionSet})
}

// idOf is the same for fields which are answered once. What is answered at the root, by
// hand or by pages is so for each alias.
func (c *collector) idOf(f *ast.Field, s *selected) string {
	arguments, _ := json.Marshal(s.arguments)
	id := f.Name + string(arguments)
	b := c.bindings.fields[s.definition]
	if c.object == c.root || b == nil && c.isHandwritten(c.object, s.definition) || b != nil && b.Page != nil {
		id += " as " + f.Alias
	}
	return id
}
