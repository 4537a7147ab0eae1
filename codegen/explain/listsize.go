package explain

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/engine/facts"
)

// listSizes are the sizes of the lists that a field returns.
type listSizes struct {
	own      Count            // of the field itself; 1 if it is not a list
	children map[string]Count // of fields of the returned object, by the sizedFields of @listSize
}

// listSizes returns the sizes for each parent at a place.
func (w *walker) listSizes(p place, s *selected) listSizes {
	own, children := w.declaredSizes(p, s)
	if s.definition.Type.Elem == nil {
		return listSizes{1, children}
	}
	switch {
	case own != nil:
	case hasKeyList(w.bindings.fields[s.definition]):
		own = new(w.keysPerParent(p, w.bindings.fields[s.definition]))
	default:
		own = new(w.assumedSize(p.object, s.definition))
	}
	return listSizes{own.multiply(w.nestedSize(s.definition.Type)), children}
}

// nestedSize returns the number of values in each element of a list. @listSize cannot limit lists
// within lists.
func (w *walker) nestedSize(t *ast.Type) Count {
	n := Count(1)
	for t = t.Elem; t.Elem != nil; t = t.Elem {
		n = n.multiply(countOf(w.options.ListSize))
	}
	return n
}

// declaredSizes returns the size that the schema declares for a field, or nil, and those that it
// declares for fields of the returned object.
func (w *walker) declaredSizes(p place, s *selected) (own *Count, children map[string]Count) {
	if n, ok := p.listSizes[s.definition.Name]; ok {
		own = &n
	}
	if b := w.bindings.fields[s.definition]; b != nil && b.Page != nil {
		return own, connectionSizes(b.Page, s)
	}
	directive := declaredListSize(w.schema, p.object, s.definition)
	if directive == nil {
		return own, nil
	}
	w.checkSlicingArguments(p.object, directive, s)
	n := w.sliceSize(directive, s)
	if len(directive.Fields) == 0 {
		if n != nil {
			own = n
		}
		return own, nil
	}
	if n == nil {
		n = new(w.assumedSize(p.object, s.definition))
	}
	children = map[string]Count{}
	for _, name := range directive.Fields {
		children[name] = *n
	}
	return own, children
}

// declaredListSize returns the @listSize of a field, or that of the interface field which it
// implements.
func declaredListSize(schema *ast.Schema, object *ast.Definition, field *ast.FieldDefinition) *facts.ListSize {
	if directive := binding.ListSizeOf(field); directive != nil {
		return directive
	}
	for _, name := range object.Interfaces {
		if declared := schema.Types[name].Fields.ForName(field.Name); declared != nil {
			if directive := binding.ListSizeOf(declared); directive != nil {
				return directive
			}
		}
	}
	return nil
}

// sliceSize returns the largest number in the slicing arguments. If there is none, or one is an
// unknown variable, it returns the assumedSize of the directive, which may be nil.
func (w *walker) sliceSize(directive *facts.ListSize, s *selected) *Count {
	var largest *Count
	for _, name := range directive.Arguments {
		value := sliceArgument(s, name)
		n, ok := elementCount(value)
		if _, open := value.(unknown); open {
			largest = nil // it may be larger than all others
			break
		}
		if value != nil && w.isListArgument(s.definition, name) && reflect.TypeOf(value).Kind() != reflect.Slice {
			n, ok = 1, true // a single value stands for a list of one element
		}
		if ok && (largest == nil || countOf(n) > *largest) {
			largest = new(countOf(n))
		}
	}
	if largest == nil && directive.Assumed != nil {
		largest = new(countOf(*directive.Assumed))
	}
	return largest
}

// isListArgument reports whether a slicing argument of a field, with the path into an input, is a list.
func (w *walker) isListArgument(field *ast.FieldDefinition, name string) bool {
	path := strings.Split(name, ".")
	t := field.Arguments.ForName(path[0]).Type
	for _, member := range path[1:] {
		t = w.schema.Types[t.Name()].Fields.ForName(member).Type
	}
	return t.Elem != nil
}

func sliceArgument(s *selected, name string) any {
	path := strings.Split(name, ".")
	return valueAt(s.arguments[path[0]], path[1:])
}

// checkSlicingArguments adds a note if the operation does not give exactly one slicing argument
// where requireOneSlicingArgument demands it.
func (w *walker) checkSlicingArguments(object *ast.Definition, directive *facts.ListSize, s *selected) {
	if !directive.RequireOne || len(directive.Arguments) == 0 {
		return
	}
	count := 0
	for _, name := range directive.Arguments {
		if sliceArgument(s, name) != nil {
			count++
		}
	}
	if count != 1 {
		w.note("%s.%s has %d of its slicing arguments (%s); give it one", object.Name, s.definition.Name, count, strings.Join(directive.Arguments, ", "))
	}
}

// keysPerParent returns the size of the list of keys in each parent of a binding.
func (w *walker) keysPerParent(p place, b *binding.Field) Count {
	key := b.Batch.ParentKey
	if n, ok := p.listSizes[key.Name]; ok {
		return n
	}
	for _, field := range []*ast.FieldDefinition{key, b.Definition} {
		if directive := declaredListSize(w.schema, p.object, field); directive != nil && len(directive.Fields) == 0 && directive.Assumed != nil {
			return countOf(*directive.Assumed)
		}
	}
	return w.assumedSize(p.object, key)
}

// hasKeyList reports whether each parent of a binding has a list of keys.
func hasKeyList(b *binding.Field) bool {
	return b != nil && b.Batch != nil && b.Batch.ParentKey.Type.Elem != nil
}

// assumedSize returns the assumed size of a list, and notes in the plan that it was assumed.
func (w *walker) assumedSize(object *ast.Definition, field *ast.FieldDefinition) Count {
	if name := object.Name + "." + field.Name; !slices.Contains(w.plan.Assumed, name) {
		w.plan.Assumed = append(w.plan.Assumed, name)
	}
	return countOf(w.options.ListSize)
}

func (w *walker) note(format string, args ...any) {
	if note := fmt.Sprintf(format, args...); !slices.Contains(w.plan.Notes, note) {
		w.plan.Notes = append(w.plan.Notes, note)
	}
}
