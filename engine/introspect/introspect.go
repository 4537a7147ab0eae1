// Package introspect has what clients can see of a schema: its introspection, which gqlgen's
// executor answers with the types of this package, and its SDL, which Print writes.
//
// It promises that both show the same, that nothing is published which the gateway does not do
// (Publish), and that introspection answers as graphql-js does: a field that has no meaning for a
// kind of type is null (GraphQL specification, section 4.2). Everything may be used concurrently
// once Publish has returned.
package introspect

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Publish removes from a schema what gqlparser declares in every schema and the gateway does not
// do, and what the schema declares although no transport serves it; it returns the schema.
// Validation refuses then what introspection does not show:
//
//   - @defer and the root type of subscriptions, because a response over HTTP has one part;
//   - @deprecated on directives, a proposal that the specification of September 2025 does not have,
//     and for which gqlparser's __Directive has no fields.
//
// The scalars of the specification get the descriptions of graphql-js, of which gqlparser has older ones.
func Publish(schema *ast.Schema) *ast.Schema {
	delete(schema.Directives, "defer")
	hideSubscriptions(schema)
	if d := schema.Directives["deprecated"]; d != nil {
		d.Locations = slices.DeleteFunc(d.Locations, func(l ast.DirectiveLocation) bool { return l == ast.LocationDirectiveDefinition })
	}
	if d := schema.Types["__DirectiveLocation"]; d != nil {
		d.EnumValues = slices.DeleteFunc(d.EnumValues, func(v *ast.EnumValueDefinition) bool { return v.Name == string(ast.LocationDirectiveDefinition) })
	}
	for name, text := range scalarDescriptions {
		if d := schema.Types[name]; d != nil && d.BuiltIn {
			d.Description = text
		}
	}
	return schema
}

// scalarDescriptions are the descriptions that clients and editors know from graphql-js.
var scalarDescriptions = map[string]string{
	"Float": "The `Float` scalar type represents signed double-precision fractional values as specified by [IEEE 754](https://en.wikipedia.org/wiki/IEEE_floating_point).",
	"ID": "The `ID` scalar type represents a unique identifier, often used to refetch an object or as key for a cache. " +
		"The ID type appears in a JSON response as a String; however, it is not intended to be human-readable. " +
		"When expected as an input type, any string (such as `\"4\"`) or integer (such as `4`) input value will be accepted as an ID.",
	"String": "The `String` scalar type represents textual data, represented as UTF-8 character sequences. " +
		"The String type is most often used by GraphQL to represent free-form human-readable text.",
}

// hideSubscriptions removes the root type of subscriptions, which no field returns.
func hideSubscriptions(schema *ast.Schema) {
	root := schema.Subscription
	if root == nil {
		return
	}
	schema.Subscription = nil
	delete(schema.Types, root.Name)
	for name, possible := range schema.PossibleTypes {
		schema.PossibleTypes[name] = slices.DeleteFunc(possible, func(def *ast.Definition) bool { return def == root })
	}
}

// errDisabled is the error of a resolver that is called although introspection is switched off.
// The gateway refuses such an operation before it runs.
var errDisabled = errors.New("introspection is switched off")

// SchemaOf returns the value of the field __schema.
func SchemaOf(schema *ast.Schema, disabled bool) (*Schema, error) {
	if disabled {
		return nil, errDisabled
	}
	return &Schema{schema}, nil
}

// TypeOf returns the value of the field __type, nil if the schema has no such type.
func TypeOf(schema *ast.Schema, name string, disabled bool) (*Type, error) {
	if disabled {
		return nil, errDisabled
	}
	def := schema.Types[name]
	if def == nil || isUnused(schema, def) {
		return nil, nil
	}
	return definedType(schema, def), nil
}

// Schema is a value of __Schema.
type Schema struct{ schema *ast.Schema }

// Description returns the description of the schema, nil if it has none.
func (s *Schema) Description() *string { return optional(s.schema.Description) }

// Types returns all types in the order of their names. Scalars of the specification that nothing
// uses are left out, as the specification demands (section 3.5).
func (s *Schema) Types() []Type {
	var types []Type
	for _, def := range sortedTypes(s.schema) {
		types = append(types, Type{schema: s.schema, def: def})
	}
	return types
}

// sortedTypes returns the types that clients can see, in the order of their names.
func sortedTypes(schema *ast.Schema) []*ast.Definition {
	used := usedTypes(schema)
	var defs []*ast.Definition
	for _, name := range slices.Sorted(maps.Keys(schema.Types)) {
		if !optionalScalars[name] || used[name] {
			defs = append(defs, schema.Types[name])
		}
	}
	return defs
}

// optionalScalars are the scalars of the specification that introspection itself does not use.
var optionalScalars = map[string]bool{"Int": true, "Float": true, "ID": true}

// isUnused reports whether a type is a scalar of the specification that nothing uses.
func isUnused(schema *ast.Schema, def *ast.Definition) bool {
	return optionalScalars[def.Name] && !usedTypes(schema)[def.Name]
}

// usedTypes returns the names of the types that a field or an argument has.
func usedTypes(schema *ast.Schema) map[string]bool {
	used := map[string]bool{}
	arguments := func(args ast.ArgumentDefinitionList) {
		for _, a := range args {
			used[a.Type.Name()] = true
		}
	}
	for _, def := range schema.Types {
		for _, f := range def.Fields {
			used[f.Type.Name()] = true
			arguments(f.Arguments)
		}
	}
	for _, d := range schema.Directives {
		arguments(d.Arguments)
	}
	return used
}

// QueryType returns the root type of queries.
func (s *Schema) QueryType() *Type { return definedType(s.schema, s.schema.Query) }

// MutationType returns the root type of mutations, nil if there are none.
func (s *Schema) MutationType() *Type { return definedType(s.schema, s.schema.Mutation) }

// SubscriptionType returns the root type of subscriptions, nil if there are none.
func (s *Schema) SubscriptionType() *Type { return definedType(s.schema, s.schema.Subscription) }

// Directives returns all directives in the order of their names.
func (s *Schema) Directives() []Directive {
	var directives []Directive
	for _, name := range slices.Sorted(maps.Keys(s.schema.Directives)) {
		directives = append(directives, Directive{s.schema, s.schema.Directives[name]})
	}
	return directives
}

// Directive is a value of __Directive.
type Directive struct {
	schema *ast.Schema
	def    *ast.DirectiveDefinition
}

// Name returns the name without the at sign.
func (d *Directive) Name() string { return d.def.Name }

// Description returns the description, nil if there is none.
func (d *Directive) Description() *string { return optional(d.def.Description) }

// IsRepeatable reports whether one place may have the directive several times.
func (d *Directive) IsRepeatable() bool { return d.def.IsRepeatable }

// Locations returns where the directive may be used.
func (d *Directive) Locations() []string {
	locations := make([]string, len(d.def.Locations))
	for i, l := range d.def.Locations {
		locations[i] = string(l)
	}
	return locations
}

// Args returns the arguments, an empty list if there are none.
func (d *Directive) Args(includeDeprecated bool) []InputValue {
	return arguments(d.schema, d.def.Arguments, includeDeprecated)
}

// Field is a value of __Field.
type Field struct {
	schema *ast.Schema
	def    *ast.FieldDefinition
}

// Name returns the name of the field.
func (f *Field) Name() string { return f.def.Name }

// Description returns the description, nil if there is none.
func (f *Field) Description() *string { return optional(f.def.Description) }

// Type returns the type of the field.
func (f *Field) Type() *Type { return typeOf(f.schema, f.def.Type) }

// IsDeprecated reports whether the field is deprecated.
func (f *Field) IsDeprecated() bool { return isDeprecated(f.def.Directives) }

// DeprecationReason returns why the field is deprecated, nil if it is not.
func (f *Field) DeprecationReason() *string { return deprecationReason(f.def.Directives) }

// Args returns the arguments, an empty list if there are none.
func (f *Field) Args(includeDeprecated bool) []InputValue {
	return arguments(f.schema, f.def.Arguments, includeDeprecated)
}

// InputValue is a value of __InputValue: an argument or a field of an input object.
type InputValue struct {
	schema      *ast.Schema
	name        string
	description string
	typ         *ast.Type
	value       *ast.Value
	directives  ast.DirectiveList
}

// arguments returns the arguments that clients see, not nil.
func arguments(schema *ast.Schema, args ast.ArgumentDefinitionList, includeDeprecated bool) []InputValue {
	values := make([]InputValue, 0, len(args))
	for _, a := range args {
		if includeDeprecated || !isDeprecated(a.Directives) {
			values = append(values, InputValue{schema, a.Name, a.Description, a.Type, a.DefaultValue, a.Directives})
		}
	}
	return values
}

// Name returns the name of the argument or field.
func (v *InputValue) Name() string { return v.name }

// Description returns the description, nil if there is none.
func (v *InputValue) Description() *string { return optional(v.description) }

// Type returns the type of the argument or field.
func (v *InputValue) Type() *Type { return typeOf(v.schema, v.typ) }

// DefaultValue returns the default value as a literal of GraphQL, nil if there is none.
func (v *InputValue) DefaultValue() *string {
	if v.value == nil {
		return nil
	}
	return new(literal(v.value))
}

// IsDeprecated reports whether the argument or field is deprecated.
func (v *InputValue) IsDeprecated() bool { return isDeprecated(v.directives) }

// DeprecationReason returns why the argument or field is deprecated, nil if it is not.
func (v *InputValue) DeprecationReason() *string { return deprecationReason(v.directives) }

// EnumValue is a value of __EnumValue.
type EnumValue struct{ def *ast.EnumValueDefinition }

// Name returns the name of the value.
func (v *EnumValue) Name() string { return v.def.Name }

// Description returns the description, nil if there is none.
func (v *EnumValue) Description() *string { return optional(v.def.Description) }

// IsDeprecated reports whether the value is deprecated.
func (v *EnumValue) IsDeprecated() bool { return isDeprecated(v.def.Directives) }

// DeprecationReason returns why the value is deprecated, nil if it is not.
func (v *EnumValue) DeprecationReason() *string { return deprecationReason(v.def.Directives) }

// optional returns nil for a text that is not there.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// isDeprecated reports whether the directives of a place deprecate it. As in graphql-js, a reason
// that is null does not.
func isDeprecated(directives ast.DirectiveList) bool { return deprecationReason(directives) != nil }

// defaultReason is the reason of @deprecated without one (GraphQL specification, section 3.13.3).
const defaultReason = "No longer supported"

// deprecationReason returns the reason of @deprecated, nil without the directive.
func deprecationReason(directives ast.DirectiveList) *string {
	d := directives.ForName("deprecated")
	if d == nil {
		return nil
	}
	reason := d.Arguments.ForName("reason")
	switch {
	case reason == nil:
		return new(defaultReason)
	case reason.Value.Kind == ast.NullValue:
		return nil
	}
	return &reason.Value.Raw
}

// isIntrospection reports whether a name is reserved for introspection.
func isIntrospection(name string) bool { return strings.HasPrefix(name, "__") }
