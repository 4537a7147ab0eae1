package input

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
)

// CoerceVariables coerces the values that a client sent for the variables of an operation, as
// CoerceVariableValues in section 6.1.2 of the specification: the result has the variables that were
// sent or have a default, and no others. It may modify and reuse the lists and maps in sent. The
// operation must be valid for the schema. The error is an *Error about the first wrong value.
func (r *Coercer) CoerceVariables(op *ast.OperationDefinition, sent map[string]any) (map[string]any, error) {
	values := make(map[string]any, len(op.VariableDefinitions))
	for _, def := range op.VariableDefinitions {
		v, ok := sent[def.Variable]
		var err *Error
		switch {
		case ok:
			v, err = r.coerce(def.Type, v)
		case def.DefaultValue != nil:
			v, err = r.coerce(def.Type, literalValue(def.DefaultValue))
		case def.Type.NonNull:
			err = errorf(textUndefined)
		default:
			continue // a variable without a value differs from one that is null
		}
		if err != nil {
			err.Variable, err.Position = def.Variable, def.Position
			return nil, err
		}
		values[def.Variable] = v
	}
	return values, nil
}

// coerce returns the coerced form of a value of type t, by the input coercion rules of section 3.
func (r *Coercer) coerce(t *ast.Type, v any) (any, *Error) {
	switch {
	case v == nil && t.NonNull:
		return nil, errorf(textNull)
	case v == nil:
		return nil, nil
	case t.Elem != nil:
		return r.coerceList(t.Elem, v)
	}
	if builtIns[t.NamedType] != nil {
		return r.coerceBuiltIn(t.NamedType, v)
	}
	def := r.schema.Types[t.NamedType]
	switch def.Kind {
	case ast.InputObject:
		return r.coerceObject(r.objects[t.NamedType], v)
	case ast.Enum:
		return coerceEnum(def, v, r.suggestions)
	}
	return r.coerceCustom(t.NamedType, v)
}

// coerceList coerces the elements of a list in place. A value that is not a list becomes the only
// element of one (section 3.11).
func (r *Coercer) coerceList(element *ast.Type, v any) (any, *Error) {
	list, ok := v.([]any)
	if !ok {
		only, err := r.coerce(element, v)
		return []any{only}, err
	}
	for i := range list {
		coerced, err := r.coerce(element, list[i])
		if err != nil {
			return nil, err.within(ast.PathIndex(i))
		}
		list[i] = coerced
	}
	return list, nil
}

// coerceObject coerces the fields of an input object in place (section 3.10). It takes them in the
// order of the schema, so that the same request always has the same error.
func (r *Coercer) coerceObject(o *inputObject, v any) (any, *Error) {
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, errorf(textNotObject, o.Name, scalar.Describe(v))
	}
	if err := r.checkFieldNames(o, fields); err != nil {
		return nil, err
	}
	for _, def := range o.Fields {
		sent, ok := fields[def.Name]
		if !ok {
			if def.Type.NonNull && def.DefaultValue == nil {
				return nil, errorf(textUndefined).within(ast.PathName(def.Name))
			}
			continue
		}
		coerced, err := r.coerce(def.Type, sent)
		if err != nil {
			return nil, err.within(ast.PathName(def.Name))
		}
		fields[def.Name] = coerced
	}
	if o.oneOf {
		return fields, checkOneOf(o, fields)
	}
	return fields, r.fillDefaults(o, fields)
}

// checkFieldNames returns an error if there are fields that the input object does not define.
func (r *Coercer) checkFieldNames(o *inputObject, fields map[string]any) *Error {
	known := 0
	for _, def := range o.Fields {
		if _, ok := fields[def.Name]; ok {
			known++
		}
	}
	if known == len(fields) {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if o.Fields.ForName(name) == nil {
			err := errorf(textUnknownField)
			if question := suggestion(r.suggestions, "", name, fieldNames(o.Definition)); question != "" {
				err.Message += "." + question
			}
			return err.within(ast.PathName(name))
		}
	}
	return nil
}

func fieldNames(def *ast.Definition) []string {
	names := make([]string, len(def.Fields))
	for i, field := range def.Fields {
		names[i] = field.Name
	}
	return names
}

// checkOneOf checks that a OneOf input object has exactly one field, and that its value is not null
// (section 3.10.1, September 2025).
func checkOneOf(o *inputObject, fields map[string]any) *Error {
	if len(fields) != 1 {
		return errorf(textOneField, o.Name)
	}
	for name, v := range fields {
		if v == nil {
			return errorf(textNull).within(ast.PathName(name))
		}
	}
	return nil
}

// fillDefaults adds the defaults of absent fields that the executors would not apply exactly. The
// executors themselves apply the others.
func (r *Coercer) fillDefaults(o *inputObject, fields map[string]any) *Error {
	for name, value := range o.filledDefaults {
		if _, ok := fields[name]; ok {
			continue
		}
		coerced, err := r.coerce(o.Fields.ForName(name).Type, literalValue(value))
		if err != nil {
			return err.within(ast.PathName(name))
		}
		fields[name] = coerced
	}
	return nil
}
