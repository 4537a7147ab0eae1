package input

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// builtIn is a scalar of the specification (sections 3.5.1 to 3.5.5).
type builtIn struct {
	// coerce returns the coerced value, and reports whether v fits.
	coerce func(v any) (any, bool)
	// message begins the message about a value that does not fit, which follows after a colon.
	message string
	// literals are the kinds of literals that may fit.
	literals []ast.ValueKind
}

var builtIns = map[string]*builtIn{
	"Int": {
		coerceInt, textInt,
		[]ast.ValueKind{ast.IntValue},
	},
	"Float": {
		coerceFloat, textFloat,
		[]ast.ValueKind{ast.IntValue, ast.FloatValue},
	},
	"String": {
		coerceString, textString,
		[]ast.ValueKind{ast.StringValue, ast.BlockValue},
	},
	"Boolean": {
		coerceBoolean, textBoolean,
		[]ast.ValueKind{ast.BooleanValue},
	},
	"ID": {
		coerceID, textID,
		[]ast.ValueKind{ast.StringValue, ast.BlockValue, ast.IntValue},
	},
}

// coerceBuiltIn coerces the value of a variable. A value that fits the specification may still not
// fit the Go type that a project maps the scalar to, so the scalar's own function checks it as well.
func (r *Coercer) coerceBuiltIn(name string, v any) (any, *Error) {
	coerced, ok := builtIns[name].coerce(v)
	if !ok {
		return nil, errorf("%s: %s", builtIns[name].message, scalar.Describe(v))
	}
	return r.coerceCustom(name, coerced)
}

// coerceBuiltInLiteral coerces a literal. Its kind must be one of those that fit: unlike the value of
// a variable, a literal is never coerced from one kind to another.
func (r *Coercer) coerceBuiltInLiteral(name string, v *ast.Value) (any, *Error) {
	if !slices.Contains(builtIns[name].literals, v.Kind) {
		return nil, errorf("%s: %s", builtIns[name].message, formatLiteral(v))
	}
	return r.coerceBuiltIn(name, literalValue(v))
}

func coerceInt(v any) (any, bool) {
	n, ok := scalar.ToInt64(v)
	return n, ok && n >= math.MinInt32 && n <= math.MaxInt32
}

func coerceFloat(v any) (any, bool) {
	f, ok := scalar.ToFloat(v)
	return f, ok
}

func coerceString(v any) (any, bool) {
	_, ok := v.(string)
	return v, ok
}

func coerceBoolean(v any) (any, bool) {
	_, ok := v.(bool)
	return v, ok
}

func coerceID(v any) (any, bool) {
	id, ok := scalar.ToID(v)
	return id, ok
}

func coerceEnum(def *ast.Definition, v any, suggestions bool) (any, *Error) {
	name, ok := v.(string)
	if !ok {
		return nil, errorf(textNonStringEnum, def.Name, scalar.Describe(v))
	}
	if def.EnumValues.ForName(name) == nil {
		return nil, errorf(textUnknownEnumValue, scalar.Describe(name), def.Name,
			suggestion(suggestions, "the enum value", name, enumNames(def)))
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

// coerceCustom returns the first form of a value that the scalar's function accepts: the value
// itself, or, because the function may only know the numbers that gqlgen passes, the same number as
// an int64 or a float64.
func (r *Coercer) coerceCustom(name string, v any) (any, *Error) {
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
		return nil, errorf("%s", f.Message)
	}
	return nil, errorf(textExpectedType, name, scalar.Describe(v))
}

func numberForms(v any) (forms []any) {
	number, ok := v.(json.Number)
	if !ok {
		return nil
	}
	if n, err := strconv.ParseInt(string(number), 10, 64); err == nil {
		forms = append(forms, n)
	}
	if f, ok := scalar.ToFloat(number); ok {
		forms = append(forms, f)
	}
	return forms
}
