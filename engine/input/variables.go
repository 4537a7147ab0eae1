package input

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
)

// Variables returns the values of an operation's variables by section 6.1.2 of the
// specification: those that were sent or have a default. Values that were not asked for are
// left out. Lists and input objects that were sent may be changed and become part of the
// result. The operation must be valid for the schema; its error is an *Error.
func (r *Reader) Variables(op *ast.OperationDefinition, sent map[string]any) (map[string]any, error) {
	values := make(map[string]any, len(op.VariableDefinitions))
	for _, def := range op.VariableDefinitions {
		v, ok := sent[def.Variable]
		var err *Error
		switch {
		case ok:
			v, err = r.value(def.Type, v)
		case def.DefaultValue != nil:
			v, err = r.value(def.Type, literal(def.DefaultValue))
		case def.Type.NonNull:
			err = mistake("must be defined")
		default:
			continue // a variable without a value is not the same as one that is null
		}
		if err != nil {
			err.Variable, err.Position = def.Variable, def.Position
			return nil, err
		}
		values[def.Variable] = v
	}
	return values, nil
}

// value reads a value of a type into the canonical one.
func (r *Reader) value(t *ast.Type, v any) (any, *Error) {
	switch {
	case v == nil && t.NonNull:
		return nil, mistake("cannot be null")
	case v == nil:
		return nil, nil
	case t.Elem != nil:
		return r.list(t.Elem, v)
	}
	if builtIns[t.NamedType] != nil {
		return r.readBuiltIn(t.NamedType, v)
	}
	def := r.schema.Types[t.NamedType]
	switch def.Kind {
	case ast.InputObject:
		return r.object(r.objects[t.NamedType], v)
	case ast.Enum:
		return readEnum(def, v, r.suggestions)
	}
	return r.readCustom(t.NamedType, v)
}

// list reads the elements of a list. A value that is not a list becomes the only element of one.
func (r *Reader) list(element *ast.Type, v any) (any, *Error) {
	list, ok := v.([]any)
	if !ok {
		one, err := r.value(element, v)
		return []any{one}, err
	}
	for i := range list {
		read, err := r.value(element, list[i])
		if err != nil {
			return nil, err.below(ast.PathIndex(i))
		}
		list[i] = read
	}
	return list, nil
}

// object reads the fields of an input object, in the schema's order so that of several
// mistakes it is always the same that is told.
func (r *Reader) object(o *object, v any) (any, *Error) {
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, mistake("must be a %s, not %s", o.Name, scalar.Shown(v))
	}
	if err := r.knownFields(o, fields); err != nil {
		return nil, err
	}
	for _, def := range o.Fields {
		sent, ok := fields[def.Name]
		if !ok {
			if def.Type.NonNull && def.DefaultValue == nil {
				return nil, mistake("must be defined").below(ast.PathName(def.Name))
			}
			continue
		}
		read, err := r.value(def.Type, sent)
		if err != nil {
			return nil, err.below(ast.PathName(def.Name))
		}
		fields[def.Name] = read
	}
	if o.oneOf {
		return fields, oneOf(o, fields)
	}
	return fields, r.fillDefaults(o, fields)
}

// knownFields refuses fields that the input object does not have.
func (r *Reader) knownFields(o *object, fields map[string]any) *Error {
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
			err := mistake("unknown field")
			if question := suggest(r.suggestions, "", name, fieldNames(o.Definition)); question != "" {
				err.Message += "." + question
			}
			return err.below(ast.PathName(name))
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

// oneOf checks that exactly one field of a OneOf input object has a value.
func oneOf(o *object, fields map[string]any) *Error {
	if len(fields) != 1 {
		return mistake("must have exactly one field, as every %s", o.Name)
	}
	for name, v := range fields {
		if v == nil {
			return mistake("cannot be null").below(ast.PathName(name))
		}
	}
	return nil
}

// fillDefaults adds the defaults that the executors would not read exactly.
func (r *Reader) fillDefaults(o *object, fields map[string]any) *Error {
	for name, value := range o.fill {
		if _, ok := fields[name]; ok {
			continue
		}
		read, err := r.value(o.Fields.ForName(name).Type, literal(value))
		if err != nil {
			return err.below(ast.PathName(name))
		}
		fields[name] = read
	}
	return nil
}
