package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// sizes are those of the lists that a field brings.
type sizes struct {
	own   Count            // of the field itself; 1 when it is no list
	below map[string]Count // of fields of what it returns, told by sizedFields
}

// size finds out how many values a field has in each parent.
func (w *walker) size(p place, s *selected) sizes {
	told, below := w.told(p, s)
	if s.definition.Type.Elem == nil {
		return sizes{1, below}
	}
	switch {
	case told != nil:
	case listOfKeys(w.bindings.fields[s.definition]):
		told = new(w.keys(p, w.bindings.fields[s.definition]))
	default:
		told = new(w.assume(p.object, s.definition))
	}
	return sizes{told.times(w.inner(s.definition.Type)), below}
}

// inner is how many values an element of a list has: lists in lists are never told of.
func (w *walker) inner(t *ast.Type) Count {
	n := Count(1)
	for t = t.Elem; t.Elem != nil; t = t.Elem {
		n = n.times(Count(w.options.ListSize))
	}
	return n
}

// told is the size that the schema gives a field, nil for none, and those it gives fields
// below.
func (w *walker) told(p place, s *selected) (own *Count, below map[string]Count) {
	if n, ok := p.sized[s.definition.Name]; ok {
		own = &n
	}
	if b := w.bindings.fields[s.definition]; b != nil && b.Page != nil {
		return own, sizesOf(b.Page, s)
	}
	said := listSize(w.schema, p.object, s.definition)
	if said == nil {
		return own, nil
	}
	w.requireOne(p.object, said, s)
	n := w.sliced(said, s)
	if len(said.Fields) == 0 {
		if n != nil {
			own = n
		}
		return own, nil
	}
	if n == nil {
		n = new(w.assume(p.object, s.definition))
	}
	below = map[string]Count{}
	for _, name := range said.Fields {
		below[name] = *n
	}
	return own, below
}

// listSize is the @listSize of a field, or that of an interface's field which it is.
func listSize(schema *ast.Schema, object *ast.Definition, field *ast.FieldDefinition) *binding.ListSize {
	if said := binding.ListSizeOf(field); said != nil {
		return said
	}
	for _, name := range object.Interfaces {
		if promised := schema.Types[name].Fields.ForName(field.Name); promised != nil {
			if said := binding.ListSizeOf(promised); said != nil {
				return said
			}
		}
	}
	return nil
}

// sliced is the largest number that the slicing arguments ask for, else the assumed one.
func (w *walker) sliced(said *binding.ListSize, s *selected) *Count {
	var largest *Count
	for _, name := range said.Arguments {
		value := sliceArgument(s, name)
		n, ok := elements(value)
		if _, open := value.(unknown); open {
			largest = nil // which may be larger than any
			break
		}
		if ok && (largest == nil || Count(n) > *largest) {
			largest = new(Count(n))
		}
	}
	if largest == nil && said.Assumed != nil {
		largest = new(Count(*said.Assumed))
	}
	return largest
}

func sliceArgument(s *selected, name string) any {
	path := strings.Split(name, ".")
	return inside(s.arguments[path[0]], path[1:])
}

// requireOne notes an operation that gives too many slicing arguments, or none.
func (w *walker) requireOne(object *ast.Definition, said *binding.ListSize, s *selected) {
	if !said.RequireOne || len(said.Arguments) == 0 {
		return
	}
	count := 0
	for _, name := range said.Arguments {
		if sliceArgument(s, name) != nil {
			count++
		}
	}
	if count != 1 {
		w.note("%s.%s has %d of its slicing arguments (%s); give it one", object.Name, s.definition.Name, count, strings.Join(said.Arguments, ", "))
	}
}

// keys is how many keys the list in each parent of a binding has.
func (w *walker) keys(p place, b *binding.Field) Count {
	key := b.Batch.Parent
	if n, ok := p.sized[key.Name]; ok {
		return n
	}
	for _, field := range []*ast.FieldDefinition{key, b.Definition} {
		if said := listSize(w.schema, p.object, field); said != nil && len(said.Fields) == 0 && said.Assumed != nil {
			return Count(*said.Assumed)
		}
	}
	return w.assume(p.object, key)
}

// listOfKeys tells whether each parent of a binding has a list of keys.
func listOfKeys(b *binding.Field) bool {
	return b != nil && b.Batch != nil && b.Batch.Parent.Type.Elem != nil
}

// assume gives the size of a list that nothing is known of, and notes it.
func (w *walker) assume(object *ast.Definition, field *ast.FieldDefinition) Count {
	if name := object.Name + "." + field.Name; !slices.Contains(w.plan.Assumed, name) {
		w.plan.Assumed = append(w.plan.Assumed, name)
	}
	return Count(w.options.ListSize)
}

func (w *walker) note(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(w.plan.Notes, note) {
		w.plan.Notes = append(w.plan.Notes, note)
	}
}
