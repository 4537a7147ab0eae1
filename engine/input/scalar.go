package input

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// builtIn is a scalar of the specification (section 3.5).
type builtIn struct {
	// read returns the canonical value, and reports whether v fits.
	read func(v any) (any, bool)
	// refusal is the beginning of the message about a value that does not fit; the value follows.
	refusal string
	// literals are the kinds of literals that may fit.
	literals []ast.ValueKind
}

var builtIns = map[string]*builtIn{
	"Int": {
		readInt, "Int cannot represent non 32-bit signed integer value",
		[]ast.ValueKind{ast.IntValue},
	},
	"Float": {
		readFloat, "Float cannot represent non numeric value",
		[]ast.ValueKind{ast.IntValue, ast.FloatValue},
	},
	"String": {
		readString, "String cannot represent a non string value",
		[]ast.ValueKind{ast.StringValue, ast.BlockValue},
	},
	"Boolean": {
		readBoolean, "Boolean cannot represent a non boolean value",
		[]ast.ValueKind{ast.BooleanValue},
	},
	"ID": {
		readID, "ID cannot represent a non-string and non-integer value",
		[]ast.ValueKind{ast.StringValue, ast.BlockValue, ast.IntValue},
	},
}

// readBuiltIn reads a value that a variable holds. What fits the specification may still not
// fit the Go type that a project has for the scalar.
func (r *Reader) readBuiltIn(name string, v any) (any, *Error) {
	read, ok := builtIns[name].read(v)
	if !ok {
		return nil, mistake("%s: %s", builtIns[name].refusal, scalar.Shown(v))
	}
	return r.readCustom(name, read)
}

// readBuiltInLiteral reads a literal of a document, where a number and a string are not the
// same.
func (r *Reader) readBuiltInLiteral(name string, v *ast.Value) (any, *Error) {
	if !slices.Contains(builtIns[name].literals, v.Kind) {
		return nil, mistake("%s: %s", builtIns[name].refusal, shown(v))
	}
	return r.readBuiltIn(name, literal(v))
}

func readInt(v any) (any, bool) {
	n, ok := scalar.Whole(v)
	return n, ok && n >= math.MinInt32 && n <= math.MaxInt32
}

func readFloat(v any) (any, bool) {
	f, ok := float(v)
	return f, ok
}

func readString(v any) (any, bool) {
	_, ok := v.(string)
	return v, ok
}

func readBoolean(v any) (any, bool) {
	_, ok := v.(bool)
	return v, ok
}

// readID takes the digits of a whole number as they are, however many.
func readID(v any) (any, bool) {
	if number, ok := v.(json.Number); ok && isInteger(string(number)) {
		return string(number), true
	}
	if n, ok := scalar.Whole(v); ok {
		return strconv.FormatInt(n, 10), true
	}
	_, ok := v.(string)
	return v, ok
}

// isInteger reports whether text is a JSON number without fraction and exponent.
func isInteger(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

// float returns a number as a float64, and reports whether v is one that is finite.
func float(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		return f, err == nil && scalar.Decimal(v).Valid()
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	}
	return 0, false
}

func readEnum(def *ast.Definition, v any, suggestions bool) (any, *Error) {
	name, ok := v.(string)
	if !ok {
		return nil, mistake("Enum %q cannot represent non-string value: %s.", def.Name, scalar.Shown(v))
	}
	if def.EnumValues.ForName(name) == nil {
		return nil, mistake("Value %s does not exist in %q enum.%s", scalar.Shown(name), def.Name,
			suggest(suggestions, "the enum value", name, enumNames(def)))
	}
	return v, nil
}

func enumNames(def *ast.Definition) []string {
	names := make([]string, len(def.EnumValues))
	for i, value := range def.EnumValues {
		names[i] = value.Name
	}
	return names
}

// readCustom returns the first form of a value that the Go side of a scalar takes: the value itself,
// or, since a function may know gqlgen's numbers alone, the same number as int64 or float64.
func (r *Reader) readCustom(name string, v any) (any, *Error) {
	err := r.scalar(name, v)
	if err == nil {
		return v, nil
	}
	for _, form := range numberForms(v) {
		if r.scalar(name, form) == nil {
			return form, nil
		}
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return nil, mistake("%s", f.Message)
	}
	return nil, mistake("Expected value of type %q, found %s.", name, scalar.Shown(v))
}

func numberForms(v any) (forms []any) {
	number, ok := v.(json.Number)
	if !ok {
		return nil
	}
	if n, err := strconv.ParseInt(string(number), 10, 64); err == nil {
		forms = append(forms, n)
	}
	if f, ok := float(number); ok {
		forms = append(forms, f)
	}
	return forms
}
