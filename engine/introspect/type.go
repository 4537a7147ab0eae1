package introspect

import "github.com/vektah/gqlparser/v2/ast"

// Type is a value of __Type: a type that is defined, or a list or a non-null type around another
// one. A method whose field has no meaning for the kind of type returns nil, which is null.
type Type struct {
	schema *ast.Schema
	def    *ast.Definition // nil for lists and non-null types
	outer  *ast.Type       // the list or the non-null type
}

// definedType returns the type that def defines, nil if def is nil.
func definedType(schema *ast.Schema, def *ast.Definition) *Type {
	if def == nil {
		return nil
	}
	return &Type{schema: schema, def: def}
}

// typeOf returns the type of a field or an argument.
func typeOf(schema *ast.Schema, t *ast.Type) *Type {
	if !t.NonNull && t.Elem == nil {
		return definedType(schema, schema.Types[t.NamedType])
	}
	return &Type{schema: schema, outer: t}
}

// is reports whether the type is defined as one of the kinds.
func (t *Type) is(kinds ...ast.DefinitionKind) bool {
	for _, kind := range kinds {
		if t.def != nil && t.def.Kind == kind {
			return true
		}
	}
	return false
}

// Kind returns a value of __TypeKind.
func (t *Type) Kind() string {
	switch {
	case t.def != nil:
		return string(t.def.Kind)
	case t.outer.NonNull:
		return "NON_NULL"
	}
	return "LIST"
}

// Name returns the name of the type, nil for lists and non-null types.
func (t *Type) Name() *string {
	if t.def == nil {
		return nil
	}
	return &t.def.Name
}

// Description returns the description, nil if there is none.
func (t *Type) Description() *string {
	if t.def == nil {
		return nil
	}
	return optional(t.def.Description)
}

// SpecifiedByURL returns the URL of a scalar's specification, nil if it has none.
func (t *Type) SpecifiedByURL() *string {
	if !t.is(ast.Scalar) {
		return nil
	}
	directive := t.def.Directives.ForName("specifiedBy")
	if directive == nil {
		return nil
	}
	return &directive.Arguments.ForName("url").Value.Raw // the argument is required
}

// Fields returns the fields of an object or an interface.
func (t *Type) Fields(includeDeprecated bool) []Field {
	if !t.is(ast.Object, ast.Interface) {
		return nil
	}
	fields := make([]Field, 0, len(t.def.Fields))
	for _, f := range t.def.Fields {
		if !isIntrospection(f.Name) && (includeDeprecated || !isDeprecated(f.Directives)) {
			fields = append(fields, Field{t.schema, f})
		}
	}
	return fields
}

// Interfaces returns the interfaces that an object or an interface implements.
func (t *Type) Interfaces() []Type {
	if !t.is(ast.Object, ast.Interface) {
		return nil
	}
	interfaces := make([]Type, 0, len(t.def.Interfaces))
	for _, name := range t.def.Interfaces {
		interfaces = append(interfaces, Type{schema: t.schema, def: t.schema.Types[name]})
	}
	return interfaces
}

// PossibleTypes returns the objects of an interface or a union.
func (t *Type) PossibleTypes() []Type {
	if !t.is(ast.Interface, ast.Union) {
		return nil
	}
	types := []Type{}
	for _, def := range t.schema.PossibleTypes[t.def.Name] {
		if def.Kind == ast.Object { // gqlparser counts the interfaces that implement an interface
			types = append(types, Type{schema: t.schema, def: def})
		}
	}
	return types
}

// EnumValues returns the values of an enum.
func (t *Type) EnumValues(includeDeprecated bool) []EnumValue {
	if !t.is(ast.Enum) {
		return nil
	}
	values := make([]EnumValue, 0, len(t.def.EnumValues))
	for _, v := range t.def.EnumValues {
		if includeDeprecated || !isDeprecated(v.Directives) {
			values = append(values, EnumValue{v})
		}
	}
	return values
}

// InputFields returns the fields of an input object.
func (t *Type) InputFields(includeDeprecated bool) []InputValue {
	if !t.is(ast.InputObject) {
		return nil
	}
	values := make([]InputValue, 0, len(t.def.Fields))
	for _, f := range t.def.Fields {
		if includeDeprecated || !isDeprecated(f.Directives) {
			values = append(values, InputValue{t.schema, f.Name, f.Description, f.Type, f.DefaultValue, f.Directives})
		}
	}
	return values
}

// OfType returns the type in a list or a non-null type, nil for others.
func (t *Type) OfType() *Type {
	switch {
	case t.def != nil:
		return nil
	case t.outer.NonNull:
		inner := *t.outer
		inner.NonNull = false
		return typeOf(t.schema, &inner)
	}
	return typeOf(t.schema, t.outer.Elem)
}

// IsOneOf returns whether an input object has exactly one field in each value; nil for types that
// are not input objects.
func (t *Type) IsOneOf() *bool {
	if !t.is(ast.InputObject) {
		return nil
	}
	return new(t.def.Directives.ForName("oneOf") != nil)
}
