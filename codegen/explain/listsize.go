package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// listSizes are those of the lists that a field brings.
type listSizes struct {
	own   Count            // of the field itself; 1 when it is no list
	children map[string]Count // of fields of what it returns, told by sizedFields
}

// listSizes finds out how many values a field has in each parent.
func (w *walker) listSizes(p place, s *selected) listSizes {
	told, below := w.declaredSizes(p, s)
	if s.definition.Type.Elem == nil {
		return listSizes{1, below}
	}
	switch {
	case told != nil:
	case hasKeyList(w.bindings.fields[s.definition]):
		told = new(w.keysPerParent(p, w.bindings.fields[s.definition]))
	default:
		told = new(w.assumedSize(p.object, s.definition))
	}
	return listSizes{told.multiply(w.nestedSize(s.definition.Type)), below}
}

// nestedSize is how many values an element of a list has: lists in lists are never told of.
func (w *walker) nestedSize(t *ast.Type) Count {
	n := Count(1)
	for t = t.Elem; t.Elem != nil; t = t.Elem {
		n = n.multiply(Count(w.options.ListSize))
	}
	return n
}

// declaredSizes is the size that the schema gives a field, nil for none, and those it gives fields
// below.
func (w *walker) declaredSizes(p place, s *selected) (own *Count, below map[string]Count) {
	if n, ok := p.listSizes[s.definition.Name]; ok {
		own = &n
	}
	if b := w.bindings.fields[s.definition]; b != nil && b.Page != nil {
		return own, connectionSizes(b.Page, s)
	}
	said := declaredListSize(w.schema, p.object, s.definition)
	if said == nil {
		return own, nil
	}
	w.checkSlicingArguments(p.object, said, s)
	n := w.sliceSize(said, s)
	if len(said.Fields) == 0 {
		if n != nil {
			own = n
		}
		return own, nil
	}
	if n == nil {
		n = new(w.assumedSize(p.object, s.definition))
	}
	below = map[string]Count{}
	for _, name := range said.Fields {
		below[name] = *n
	}
	return own, below
}

// declaredListSize is the @listSize of a field, or that of an interface's field which it is.
func declaredListSize(schema *ast.Schema, object *ast.Definition, field *ast.FieldDefinition) *binding.ListSize {
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

// sliceSize is the largest number that the slicing arguments ask for, else the assumed one.
func (w *walker) sliceSize(said *binding.ListSize, s *selected) *Count {
	var largest *Count
	for _, name := range said.Arguments {
		value := sliceArgument(s, name)
		n, ok := elementCount(value)
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
	return valueAt(s.arguments[path[0]], path[1:])
}

// checkSlicingArguments notes an operation that gives too many slicing arguments, or none.
func (w *walker) checkSlicingArguments(object *ast.Definition, said *binding.ListSize, s *selected) {
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

// keysPerParent is how many keys the list in each parent of a binding has.
func (w *walker) keysPerParent(p place, b *binding.Field) Count {
	key := b.Batch.Parent
	if n, ok := p.listSizes[key.Name]; ok {
		return n
	}
	for _, field := range []*ast.FieldDefinition{key, b.Definition} {
		if said := declaredListSize(w.schema, p.object, field); said != nil && len(said.Fields) == 0 && said.Assumed != nil {
			return Count(*said.Assumed)
		}
	}
	return w.assumedSize(p.object, key)
}

// hasKeyList tells whether each parent of a binding has a list of keys.
func hasKeyList(b *binding.Field) bool {
	return b != nil && b.Batch != nil && b.Batch.Parent.Type.Elem != nil
}

// assumedSize gives the size of a list that nothing is known of, and notes it.
func (w *walker) assumedSize(object *ast.Definition, field *ast.FieldDefinition) Count {
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
