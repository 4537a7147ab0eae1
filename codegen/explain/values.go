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

// unknown is the value of a variable that nobody has given.
type unknown string

// MarshalJSON writes what no other value is.
func (u unknown) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"$": string(u)})
}

// checkDeclared refuses values for variables that no operation of a document has.
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

// readVariables are the values of an operation's variables, defaults included. Those that
// have none are left out.
func readVariables(inputs *input.Reader, op *ast.OperationDefinition, given map[string]any) (map[string]any, error) {
	told := *op
	told.VariableDefinitions = nil
	for _, v := range op.VariableDefinitions {
		if _, ok := given[v.Variable]; ok || v.DefaultValue != nil {
			told.VariableDefinitions = append(told.VariableDefinitions, v)
		}
	}
	sent, err := requestVariables(given)
	if err != nil {
		return nil, fmt.Errorf("the variables are not JSON: %w", err)
	}
	values, err := inputs.Variables(&told, sent)
	if err != nil {
		return nil, fmt.Errorf("%s: the variables do not fit: %w", title(string(op.Operation), op.Name), err)
	}
	return values, nil
}

// requestVariables returns variables as a request brings them. They are a copy for one operation, which
// reads them in its own way.
func requestVariables(given map[string]any) (sent map[string]any, err error) {
	text, err := json.Marshal(given)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return sent, decoder.Decode(&sent)
}

// isIncluded tells whether a selection is part of the operation: unless a directive surely
// says no, it is.
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

// argumentValues are the values that a field gets, defaults included.
func (w *walker) argumentValues(def *ast.FieldDefinition, given ast.ArgumentList) map[string]any {
	values := map[string]any{}
	for _, arg := range def.Arguments {
		if v := argument(given, arg.Name); v != nil {
			values[arg.Name] = w.value(v)
		} else if arg.DefaultValue != nil {
			values[arg.Name] = w.value(arg.DefaultValue)
		}
	}
	return values
}

// value is what a literal or a variable stands for, as JSON; unknown where it is not known.
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

// valueAt follows the rest of a path into an input object; nil where it does not lead on.
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

// elementCount is how many elements a slicing argument asks for, if that can be told.
func elementCount(value any) (n int, ok bool) {
	if list := reflect.ValueOf(value); list.Kind() == reflect.Slice {
		return list.Len(), true
	}
	n, err := strconv.Atoi(fmt.Sprint(value))
	return n, err == nil && n >= 0
}
