package blocklist

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
	"github.com/gatehouse-graphql/gatehouse/internal/suggest"
)

// coordinate names a field of a type (GraphQL specification, section 3.14, Schema Coordinates).
type coordinate struct{ typeName, field string }

// String returns the coordinate as the specification writes it.
func (c coordinate) String() string { return c.typeName + "." + c.field }

func parseCoordinate(text string) (coordinate, error) {
	typeName, field, ok := strings.Cut(text, ".")
	if !ok || typeName == "" || field == "" || strings.ContainsAny(field, ".(") {
		return coordinate{}, fmt.Errorf("%q is not a field: write its type and its name, like Mutation.createOrder", text)
	}
	return coordinate{typeName, field}, nil
}

// fieldsOf returns the coordinates under which documents may select one of some fields. The error begins
// with the setting of the first field that the schema lacks.
func fieldsOf(schema *ast.Schema, fields []string) (map[coordinate]bool, error) {
	all := map[coordinate]bool{}
	for i, text := range fields {
		c, err := parseCoordinate(text)
		if err == nil {
			err = addField(all, schema, c)
		}
		if err != nil {
			return nil, fmt.Errorf("fields[%d]: %w", i, err)
		}
	}
	return all, nil
}

// addField adds the coordinates under which documents may select a field: of an object's, also those of
// its interfaces; of an interface's, also those of all objects that implement it, with their other
// interfaces.
func addField(all map[coordinate]bool, schema *ast.Schema, c coordinate) error {
	definition := schema.Types[c.typeName]
	if definition == nil {
		return fmt.Errorf("the schema has no type %q%s", c.typeName, suggest.DidYouMean(c.typeName, slices.Sorted(maps.Keys(schema.Types))))
	}
	if definition.Fields.ForName(c.field) == nil || definition.Kind == ast.InputObject {
		return fmt.Errorf("the schema has no field %q%s", c, suggest.DidYouMean(c.String(), coordinatesOf(definition)))
	}
	all[c] = true
	for _, object := range schema.GetPossibleTypes(definition) {
		all[coordinate{object.Name, c.field}] = true
		for _, name := range object.Interfaces {
			if schema.Types[name].Fields.ForName(c.field) != nil {
				all[coordinate{name, c.field}] = true
			}
		}
	}
	return nil
}

// coordinatesOf returns the coordinates of the fields that clients may select of a type.
func coordinatesOf(definition *ast.Definition) (all []string) {
	for _, f := range definition.Fields {
		if definition.Kind != ast.InputObject && !strings.HasPrefix(f.Name, "__") {
			all = append(all, coordinate{definition.Name, f.Name}.String())
		}
	}
	return all
}

// selected returns for each entry whether the operation selects one of its fields. @skip and @include are
// ignored, since blocking too much is better than too little.
func (l *List) selected(op *execute.Operation) []bool {
	s := selection{list: l, entries: make([]bool, len(l.entries))}
	s.add(op.Operation.SelectionSet)
	return s.entries
}

// selection collects the entries of the fields that an operation selects. It goes through each fragment
// once, however often the document spreads it.
type selection struct {
	list      *List
	fragments map[string]bool // that were added
	entries   []bool
}

func (s *selection) add(set ast.SelectionSet) {
	for _, selected := range set {
		switch selected := selected.(type) {
		case *ast.Field:
			if selected.ObjectDefinition != nil {
				for _, i := range s.list.fields[coordinate{selected.ObjectDefinition.Name, selected.Name}] {
					s.entries[i] = true
				}
			}
			s.add(selected.SelectionSet)
		case *ast.InlineFragment:
			s.add(selected.SelectionSet)
		case *ast.FragmentSpread:
			if s.fragments[selected.Name] {
				continue
			}
			if s.fragments == nil {
				s.fragments = map[string]bool{}
			}
			s.fragments[selected.Name] = true
			if selected.Definition != nil { // as validation has set it
				s.add(selected.Definition.SelectionSet)
			}
		}
	}
}
