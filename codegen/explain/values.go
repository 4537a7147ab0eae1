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
			values[arg.Name] = w.value(v)
		} else if arg.DefaultValue != nil {
			values[arg.Name] = w.value(arg.DefaultValue)
		}
	}
	return values
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
