package cost

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/facts"
)

// place is an argument or a field of an input object, and what a value costs there. An argument costs
// its weight and what the fields of input objects in it cost (section 5.3.2.2). Without a weight, an
// input object costs 1 and a leaf nothing (section 7.1). Null, and no value without a default, cost
// nothing.
type place struct {
	name      string
	once      Cost // of any value
	perObject Cost // of each input object in the value
	input     *inputModel
	byDefault *ast.Value // nil for none
}

// inputModel is what the fields of an input object cost.
type inputModel struct {
	fields []*place // that cost something
	all    map[string]*ast.FieldDefinition
}

func (m *Model) addInputs() {
	for name, def := range m.schema.Types {
		if def.Kind == ast.InputObject {
			m.inputs[name] = &inputModel{all: map[string]*ast.FieldDefinition{}}
		}
	}
	for name, input := range m.inputs {
		for _, field := range m.schema.Types[name].Fields {
			input.all[field.Name] = field
			if p := m.place(name+"."+field.Name, field.Name, field.Type, field.DefaultValue); p != nil {
				input.fields = append(input.fields, p)
			}
		}
	}
}

// places returns the arguments that cost something.
func (m *Model) places(defs ast.ArgumentDefinitionList, coordinate func(argument string) string) []*place {
	var all []*place
	for _, def := range defs {
		if p := m.place(coordinate(def.Name), def.Name, def.Type, def.DefaultValue); p != nil {
			all = append(all, p)
		}
	}
	return all
}

// place returns nil for a place where nothing costs anything.
func (m *Model) place(coordinate, name string, t *ast.Type, byDefault *ast.Value) *place {
	p := &place{name: name, once: m.weight(coordinate, 0), input: m.inputs[t.Name()], byDefault: byDefault}
	if p.input != nil && m.table[coordinate].Weight == nil {
		p.perObject = One
	}
	if p.once == 0 && p.input == nil {
		return nil
	}
	return p
}

// value is the value of an argument or of a part of one: a literal of a document, or, if literal is nil,
// a coerced value of a variable.
type value struct {
	literal *ast.Value
	any     any
}

// absent is the value that is not given.
type absent struct{}

// Unknown is the value of a variable that may have any value. It is for estimates without a request:
// conditions keep what they may keep, and slicing arguments limit nothing.
type Unknown struct{}

// resolve returns the value itself if it is a variable of the request.
func (v value) resolve(variables map[string]any) value {
	if v.literal == nil {
		return v
	}
	switch v.literal.Kind {
	case ast.NullValue:
		return value{}
	case ast.Variable:
		given, ok := variables[v.literal.Raw]
		if !ok {
			return value{any: absent{}}
		}
		return value{any: given}
	}
	return v
}

// or returns the default of a place if v, which has been resolved, is absent.
func (v value) or(byDefault *ast.Value) value {
	if _, ok := v.any.(absent); !ok {
		return v
	}
	if byDefault == nil {
		return value{}
	}
	return value{literal: byDefault}.resolve(nil)
}

func (v value) isNull() bool { return v.literal == nil && v.any == nil }

// elements returns the elements of a list, and false for another value.
func (v value) elements() (list []value, ok bool) {
	if v.literal != nil {
		if v.literal.Kind != ast.ListValue {
			return nil, false
		}
		for _, child := range v.literal.Children {
			list = append(list, value{literal: child.Value})
		}
		return list, true
	}
	given, ok := v.any.([]any)
	for _, element := range given {
		list = append(list, value{any: element})
	}
	return list, ok
}

// length returns the number of elements of a list, and false for another value.
func (v value) length() (int64, bool) {
	if v.literal != nil {
		return int64(len(v.literal.Children)), v.literal.Kind == ast.ListValue
	}
	list, ok := v.any.([]any)
	return int64(len(list)), ok
}

// member returns the value of a field of an input object, and false if v is not an object.
func (v value) member(name string, variables map[string]any) (member value, ok bool) {
	if v.literal != nil {
		if v.literal.Kind != ast.ObjectValue {
			return value{}, false
		}
		if child := v.literal.Children.ForName(name); child != nil {
			return value{literal: child}.resolve(variables), true
		}
		return value{any: absent{}}, true
	}
	fields, ok := v.any.(map[string]any)
	if !ok {
		return value{}, false
	}
	if member, ok := fields[name]; ok {
		return value{any: member}, true
	}
	return value{any: absent{}}, true
}

// integer returns a number, and false if v is not one.
func (v value) integer() (int64, bool) {
	if v.literal != nil {
		n, err := strconv.ParseInt(v.literal.Raw, 10, 64)
		return n, err == nil && v.literal.Kind == ast.IntValue
	}
	switch n := v.any.(type) {
	case int64:
		return n, true
	case int:
		return int64(n), true
	case json.Number:
		parsed, err := n.Int64()
		return parsed, err == nil
	}
	return 0, false
}

// maxDepth bounds the nesting of the values that are looked into. Defaults in a schema may nest without
// end, if the schema was not checked.
const maxDepth = 1000

// cost returns what a value costs in a place.
func (p *place) cost(v value, variables map[string]any, depth int) Cost {
	v = v.resolve(variables).or(p.byDefault)
	if v.isNull() || depth > maxDepth {
		return 0
	}
	if _, unknown := v.any.(Unknown); unknown {
		return max(p.once, 0).plus(p.perObject)
	}
	c := p.once
	if p.input != nil {
		c = c.plus(p.objects(v, variables, depth))
	}
	return c
}

// objects returns what the input objects in a value cost.
func (p *place) objects(v value, variables map[string]any, depth int) Cost {
	v = v.resolve(variables)
	if list, ok := v.elements(); ok && depth <= maxDepth {
		var c Cost
		for _, element := range list {
			c = c.plus(p.objects(element, variables, depth+1))
		}
		return c
	}
	if _, unknown := v.any.(Unknown); unknown {
		return p.perObject
	}
	if _, isObject := v.member("", nil); !isObject {
		return 0
	}
	c := p.perObject
	for _, field := range p.input.fields {
		member, _ := v.member(field.name, variables)
		c = c.plus(field.cost(member, variables, depth+1))
	}
	return c
}

// argumentOf returns the value that a field or a directive is given for an argument.
func argumentOf(list ast.ArgumentList, name string) value {
	if a := list.ForName(name); a != nil {
		return value{literal: a.Value}
	}
	return value{any: absent{}}
}

// listSize is the @listSize of a field. A nil one is that of a list of unknown size.
type listSize struct {
	*facts.ListSize
	arguments []slicingArgument
}

// slicingArgument is an argument, or a field of an input object below it, that limits a list.
type slicingArgument struct {
	name      string
	byDefault *ast.Value
	isList    bool
	members   []*ast.FieldDefinition
}

// listSizeOf returns the @listSize of a field, or that of the interface's field which it implements.
func (m *Model) listSizeOf(def *ast.Definition, field *ast.FieldDefinition) *listSize {
	declared := m.table.OfField(def.Name, field.Name).ListSize
	for i := 0; declared == nil && i < len(def.Interfaces); i++ {
		declared = m.table.OfField(def.Interfaces[i], field.Name).ListSize
	}
	if declared == nil {
		return nil
	}
	s := &listSize{ListSize: declared}
	for _, path := range declared.Arguments {
		if a, ok := m.slicingArgument(field, strings.Split(path, ".")); ok {
			s.arguments = append(s.arguments, a)
		}
	}
	return s
}

func (m *Model) slicingArgument(field *ast.FieldDefinition, path []string) (a slicingArgument, ok bool) {
	def := field.Arguments.ForName(path[0])
	if def == nil {
		return a, false
	}
	a, t := slicingArgument{name: path[0], byDefault: def.DefaultValue}, def.Type
	for _, name := range path[1:] {
		input := m.inputs[t.Name()]
		if input == nil || input.all[name] == nil {
			return a, false
		}
		a.members, t = append(a.members, input.all[name]), input.all[name].Type
	}
	a.isList = t.Elem != nil
	return a, true
}

// equal reports whether two fields have the same @listSize.
func (s *listSize) equal(other *listSize) bool {
	if s == nil || other == nil {
		return s == other
	}
	return s.ListSize == other.ListSize
}

// limit is what a slicing argument limits a list to.
type limit int

const (
	notGiven limit = iota // or null, or negative
	given
	unknown // given, but the number is not known
)

// limit returns the number in a slicing argument.
func (a *slicingArgument) limit(list ast.ArgumentList, variables map[string]any) (n int64, l limit) {
	v := argumentOf(list, a.name).resolve(variables).or(a.byDefault)
	for _, member := range a.members {
		if _, ok := v.any.(Unknown); ok {
			return 0, unknown
		}
		inner, ok := v.member(member.Name, variables)
		if !ok {
			return 0, notGiven
		}
		v = inner.or(member.DefaultValue)
	}
	if _, ok := v.any.(Unknown); ok {
		return 0, unknown
	}
	if v.isNull() {
		return 0, notGiven
	}
	n, ok := v.length()
	if !ok && a.isList {
		n, ok = 1, true // a single value stands for a list of one (GraphQL specification, section 3.11)
	}
	if !ok {
		n, ok = v.integer()
	}
	if !ok || n < 0 {
		return 0, notGiven
	}
	return n, given
}

// size returns the number of elements of a field's list with these arguments, and how many slicing
// arguments are given. The largest of several counts (section 8.2); AssumedSize counts if none is given.
func (m *Model) size(s *listSize, list ast.ArgumentList, variables map[string]any) (n int64, arguments int) {
	if s == nil {
		return m.listSize, 0
	}
	n, open := -1, false
	for i := range s.arguments {
		number, l := s.arguments[i].limit(list, variables)
		if l != notGiven {
			arguments++
		}
		open = open || l == unknown
		if l == given {
			n = max(n, number)
		}
	}
	switch {
	case open && s.Max != nil:
		n = int64(*s.Max)
	case n >= 0 && !open:
	case s.Assumed != nil:
		n = max(n, int64(*s.Assumed))
	default:
		n = max(n, m.listSize)
	}
	if s.Max != nil {
		n = min(n, int64(*s.Max))
	}
	return n, arguments
}
