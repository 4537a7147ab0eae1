package explain

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// part is a selection set of the operation and the path in the response that it selects at.
type part struct {
	path string
	set  ast.SelectionSet
}

// selected is a field of an object with everything that the operation selects from it. Aliases that
// are resolved together are one selected field.
type selected struct {
	id         string // unique among the fields of an object
	definition *ast.FieldDefinition
	arguments  map[string]any
	paths      []string // one for each alias
	parts      []part
}

// partsOf returns the parts that select from the field's value if that is of the type object.
// returned is the declared type of the field; where object is only one of its types, the paths name
// it.
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

// collect merges what parts select on objects of one type (GraphQL specification, section 6.3.2,
// CollectFields).
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
	byID   map[string]*selected // by id
	spread map[string]bool      // names of fragments that have been collected
	fields []*selected
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

// isOfType reports whether the objects are of a type, which may be abstract. "" is any type.
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

// idOf returns the id of a field. Fields with the same id are resolved once. Two aliases of a field
// have the same id if their arguments are the same and their call is batched or only reads; other
// root fields, handwritten fields and connections are resolved for each alias.
func (c *collector) idOf(f *ast.Field, s *selected) string {
	arguments, _ := json.Marshal(s.arguments)
	id := f.Name + string(arguments)
	b := c.bindings.fields[s.definition]
	if b == nil && c.isHandwritten(c.object, s.definition) || b != nil && (c.object == c.root || b.Page != nil) && !c.isRead(b) {
		id += " as " + f.Alias
	}
	return id
}
