package cost

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/facts"
)

// DefaultListSize is the default of Options.ListSize.
const DefaultListSize = 100

// Options are the assumptions of a Model. The zero value is ready to use.
type Options struct {
	// ListSize is the number of elements of a list that neither @listSize nor its arguments limit.
	// Default DefaultListSize.
	ListSize int
}

// Model is what the parts of a schema cost. It does not change, and is safe for concurrent use.
type Model struct {
	schema     *ast.Schema
	table      facts.Table
	listSize   int64
	types      map[string]*typeModel
	inputs     map[string]*inputModel
	directives map[string][]*place // arguments of directives that cost something, by the directive
	sized      map[string]*sizedFields
}

// typeModel is what values of a type cost.
type typeModel struct {
	name     string
	weight   Cost // of a value; of an abstract type the greatest of its possible types
	object   bool // has no other possible types
	possible []string
	fields   map[string]*fieldModel // nil for leaves
}

// fieldModel is what a field costs. For a field of an interface, everything is the greatest of the
// types that implement it.
type fieldModel struct {
	coordinate string
	weight     Cost
	arguments  []*place // that cost something
	value      *typeModel
	lists      int // around the value
	sizes      []*listSize
	sized      *sizedFields // the lists of the value that sizes of the field limit; nil for none
}

// sizedFields are names of fields that one @listSize limits. There is one for each set of names.
type sizedFields struct {
	names []string
}

func (s *sizedFields) has(name string) bool { return s != nil && slices.Contains(s.names, name) }

// New returns the model of a schema by what is stated about its parts.
func New(schema *ast.Schema, table facts.Table, o Options) *Model {
	if o.ListSize <= 0 {
		o.ListSize = DefaultListSize
	}
	m := &Model{
		schema: schema, table: table, listSize: int64(o.ListSize),
		types: map[string]*typeModel{}, inputs: map[string]*inputModel{},
		directives: map[string][]*place{}, sized: map[string]*sizedFields{},
	}
	m.addInputs()
	for name, def := range schema.Types {
		if def.Kind != ast.InputObject {
			m.types[name] = &typeModel{name: name}
		}
	}
	for name, t := range m.types {
		m.describe(t, schema.Types[name])
	}
	for name, t := range m.types {
		if def := schema.Types[name]; def.IsCompositeType() {
			m.addFields(t, def)
		}
	}
	for name, def := range schema.Directives {
		m.directives[name] = m.places(def.Arguments, func(argument string) string { return "@" + name + "(" + argument + ":)" })
	}
	return m
}

// describe sets the weight of a type, which is never negative (section 7.1).
func (m *Model) describe(t *typeModel, def *ast.Definition) {
	switch def.Kind {
	case ast.Interface, ast.Union:
		for _, object := range m.schema.GetPossibleTypes(def) {
			t.possible = append(t.possible, object.Name)
			t.weight = max(t.weight, m.weight(object.Name, One))
		}
		slices.Sort(t.possible)
	case ast.Object:
		t.object, t.possible, t.weight = true, []string{def.Name}, max(m.weight(def.Name, One), 0)
	default:
		t.weight = max(m.weight(def.Name, 0), 0)
	}
}

// weight returns the weight of a part of the schema, byDefault if none is stated.
func (m *Model) weight(coordinate string, byDefault Cost) Cost {
	if w := m.table[coordinate].Weight; w != nil {
		return Of(*w)
	}
	return byDefault
}

func (m *Model) addFields(t *typeModel, def *ast.Definition) {
	t.fields = make(map[string]*fieldModel, len(def.Fields))
	for _, field := range def.Fields {
		f := m.field(def, field)
		t.fields[field.Name] = f
		if t.object {
			continue
		}
		for _, object := range t.possible {
			other := m.schema.Types[object]
			if own := other.Fields.ForName(field.Name); own != nil {
				f.include(m.field(other, own))
			}
		}
		f.sized = m.sizedOf(f.sizes)
	}
}

// field returns the model of a field as the type def alone has it.
func (m *Model) field(def *ast.Definition, field *ast.FieldDefinition) *fieldModel {
	f := &fieldModel{coordinate: def.Name + "." + field.Name, value: m.types[field.Type.Name()], lists: listDepth(field.Type)}
	byDefault := Cost(0)
	if valueDef := m.schema.Types[field.Type.Name()]; valueDef != nil && valueDef.IsCompositeType() {
		byDefault = One
	}
	f.weight = m.weight(f.coordinate, byDefault)
	f.arguments = m.places(field.Arguments, func(argument string) string { return f.coordinate + "(" + argument + ":)" })
	if f.value == nil { // the schema is not valid
		f.value = &typeModel{name: field.Type.Name()}
	}
	f.sizes = []*listSize{m.listSizeOf(def, field)}
	f.sized = m.sizedOf(f.sizes)
	return f
}

// include raises the costs of an interface's field to those of the field of a type that implements it.
func (f *fieldModel) include(own *fieldModel) {
	f.weight = max(f.weight, own.weight)
	for _, p := range own.arguments {
		i := slices.IndexFunc(f.arguments, func(known *place) bool { return known.name == p.name })
		if i < 0 {
			f.arguments, i = append(f.arguments, &place{name: p.name, input: p.input, byDefault: p.byDefault}), len(f.arguments)
		}
		known := *f.arguments[i]
		known.once, known.perObject = max(known.once, p.once), max(known.perObject, p.perObject)
		f.arguments[i] = &known
	}
	if !slices.ContainsFunc(f.sizes, own.sizes[0].equal) {
		f.sizes = append(f.sizes, own.sizes[0])
	}
}

// sizedOf returns the fields that sizes limit, nil for none.
func (m *Model) sizedOf(sizes []*listSize) *sizedFields {
	var names []string
	for _, s := range sizes {
		if s != nil {
			names = append(names, s.Fields...)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	names = slices.Compact(names)
	key := strings.Join(names, " ")
	if m.sized[key] == nil {
		m.sized[key] = &sizedFields{names}
	}
	return m.sized[key]
}

// listDepth returns the number of lists around the named type in t.
func listDepth(t *ast.Type) int {
	n := 0
	for ; t.Elem != nil; t = t.Elem {
		n++
	}
	return n
}
