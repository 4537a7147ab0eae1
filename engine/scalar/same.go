package scalar

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

// The functions of this file are for scalars that @sameAs makes the same as a built-in one. Package
// engine/input coerces the built-in ones by their names; gqlgen's own functions would convert what
// does not fit, such as 5 to a text.

// MarshalString returns the marshaler of a String.
func MarshalString(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalString reads a String (GraphQL specification, section 3.5.3).
func UnmarshalString(v any) (string, error) {
	text, ok := v.(string)
	if !ok {
		return "", inputError("%s is not a string", Describe(v))
	}
	return text, nil
}

// MarshalBoolean returns the marshaler of a Boolean.
func MarshalBoolean(b bool) graphql.Marshaler { return graphql.MarshalBoolean(b) }

// UnmarshalBoolean reads a Boolean (section 3.5.4).
func UnmarshalBoolean(v any) (bool, error) {
	b, ok := v.(bool)
	if !ok {
		return false, inputError("%s is not true or false", Describe(v))
	}
	return b, nil
}

// MarshalFloat returns the marshaler of a Float, which fails if f is not finite.
func MarshalFloat(f float64) graphql.ContextMarshaler { return graphql.MarshalFloatContext(f) }

// UnmarshalFloat reads a Float: a finite number (section 3.5.2). It takes a context since MarshalFloat
// needs one, and does not use it.
func UnmarshalFloat(_ context.Context, v any) (float64, error) {
	f, ok := ToFloat(v)
	if !ok {
		return 0, inputError("%s is not a number that a Float can have", Describe(v))
	}
	return f, nil
}

// ToFloat returns v as a float64, and reports whether v is a finite number.
func ToFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		return f, err == nil && Decimal(v).Valid()
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	}
	return 0, false
}

// MarshalID returns the marshaler of an ID.
func MarshalID(id string) graphql.Marshaler { return graphql.MarshalID(id) }

// UnmarshalID reads an ID: a string or a whole number.
func UnmarshalID(v any) (string, error) {
	id, ok := ToID(v)
	if !ok {
		return "", inputError("%s is neither a string nor a whole number", Describe(v))
	}
	return id, nil
}

// ToID returns the text of an ID, which is a string or an integer (section 3.5.5), and reports
// whether v is one. It keeps the digits of an integer as they are, so that one of any length is exact.
func ToID(v any) (string, bool) {
	if number, ok := v.(json.Number); ok && isInteger(string(number)) {
		return string(number), true
	}
	if n, ok := ToInt64(v); ok {
		return strconv.FormatInt(n, 10), true
	}
	text, ok := v.(string)
	return text, ok
}

// isInteger reports whether the text of a JSON number has neither a fraction nor an exponent.
func isInteger(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}
