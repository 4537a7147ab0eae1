package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/input"
)

// unknown is the value of a variable, by its name, that has neither a value nor a default.
type unknown string

// MarshalJSON returns a JSON object that no value of GraphQL encodes to.
func (u unknown) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"$": string(u)})
}

// checkDeclared returns an error for a value whose variable no operation of the document declares.
func checkDeclared(doc *ast.QueryDocument, values map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		known := slices.ContainsFunc(doc.Operations, func(op *ast.OperationDefinition) bool {
			return op.VariableDefinitions.ForName(name) != nil
		})
		if !known {
			return fmt.Errorf("no operation declares the variable $%s, which was given a value", name)
		}
	}
	return nil
}

// readVariables returns the values of an operation's variables, including defaults. Variables
// without either are left out.
func readVariables(inputs *input.Coercer, op *ast.OperationDefinition, provided map[string]any) (map[string]any, error) {
	withValues := *op
	withValues.VariableDefinitions = nil
	for _, v := range op.VariableDefinitions {
		if _, ok := provided[v.Variable]; ok || v.DefaultValue != nil {
			withValues.VariableDefinitions = append(withValues.VariableDefinitions, v)
		}
	}
	variables, err := requestVariables(provided)
	if err != nil {
		return nil, fmt.Errorf("the variables are not JSON: %w", err)
	}
	values, err := inputs.CoerceVariables(&withValues, variables)
	if err != nil {
		return nil, fmt.Errorf("%s: the variables do not fit: %w", title(string(op.Operation), op.Name), err)
	}
	return values, nil
}

// requestVariables returns the variables in the form in which a request brings them. The result is
// a copy for one operation, whose types decide how it is coerced.
func requestVariables(provided map[string]any) (variables map[string]any, err error) {
	text, err := json.Marshal(provided)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return variables, decoder.Decode(&variables)
}

// isIncluded reports whether a selection may be part of the operation: @skip and @include exclude
// it only if their condition is known.
func (w *walker) isIncluded(directives ast.DirectiveList) bool {
	for _, d := range directives {
		condition, known := w.value(argument(d.Arguments, "if")).(bool)
		if known && (d.Name == "skip" && condition || d.Name == "include" && !condition) {
			return false
		}
	}
	return true
}

func argument(args ast.ArgumentList, name string) *ast.Value {
	if arg := args.ForName(name); arg != nil {
		return arg.Value
	}
	return nil
}

// argumentValues returns the values of a field's arguments, including defaults.
func (w *walker) argumentValues(def *ast.FieldDefinition, provided ast.ArgumentList) map[string]any {
	values := map[string]any{}
	for _, arg := range def.Arguments {
		if v := argument(provided, arg.Name); v != nil {
			values[arg.Name] = w.coerce(w.value(v), arg.Type)
		} else if arg.DefaultValue != nil {
			values[arg.Name] = w.coerce(w.value(arg.DefaultValue), arg.Type)
		}
	}
	return values
}

// coerce returns a value in the form that all values of a type have which the gateway takes for the
// same (sections 3.5 to 3.12 of the specification): a single value is a list of one, a number is an
// ID, and the fields of an input object have their defaults.
func (w *walker) coerce(value any, t *ast.Type) any {
	if _, open := value.(unknown); open || value == nil {
		return value
	}
	if t.Elem != nil {
		list, ok := value.([]any)
		if !ok {
			return []any{w.coerce(value, t.Elem)}
		}
		all := make([]any, len(list))
		for i, element := range list {
			all[i] = w.coerce(element, t.Elem)
		}
		return all
	}
	switch v := value.(type) {
	case json.Number:
		if t.NamedType == "ID" {
			return v.String()
		}
	case map[string]any:
		if def := w.schema.Types[t.NamedType]; def.Kind == ast.InputObject {
			return w.coerceObject(v, def)
		}
	}
	return value
}

// coerceObject is coerce for an input object.
func (w *walker) coerceObject(value map[string]any, def *ast.Definition) map[string]any {
	all := map[string]any{}
	for _, f := range def.Fields {
		if v, ok := value[f.Name]; ok {
			all[f.Name] = w.coerce(v, f.Type)
		} else if f.DefaultValue != nil {
			all[f.Name] = w.coerce(w.value(f.DefaultValue), f.Type)
		}
	}
	return all
}

// value returns the value of a literal or a variable in the types of encoding/json. A variable of
// unknown value is returned as unknown.
func (w *walker) value(v *ast.Value) any {
	if v == nil {
		return nil
	}
	switch v.Kind {
	case ast.Variable:
		if value, ok := w.values[v.Raw]; ok {
			return value
		}
		return unknown(v.Raw)
	case ast.IntValue, ast.FloatValue:
		return json.Number(v.Raw)
	case ast.BooleanValue:
		return v.Raw == "true"
	case ast.NullValue:
		return nil
	case ast.ListValue:
		list := make([]any, len(v.Children))
		for i, child := range v.Children {
			list[i] = w.value(child.Value)
		}
		return list
	case ast.ObjectValue:
		object := map[string]any{}
		for _, child := range v.Children {
			object[child.Name] = w.value(child.Value)
		}
		return object
	}
	return v.Raw
}

// valueAt follows a path into an input object. It returns nil where the path ends early, and an
// unknown that it meets on the way.
func valueAt(value any, path []string) any {
	for _, name := range path {
		object, ok := value.(map[string]any)
		if !ok {
			if _, unknown := value.(unknown); unknown {
				return value
			}
			return nil
		}
		value = object[name]
	}
	return value
}

// elementCount returns the number of elements that a slicing argument asks for: its value, or the
// length of a list. ok is false if that is not known.
func elementCount(value any) (n int, ok bool) {
	if list := reflect.ValueOf(value); list.Kind() == reflect.Slice {
		return list.Len(), true
	}
	n, err := strconv.Atoi(fmt.Sprint(value))
	return n, err == nil && n >= 0
}
