package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
)

// formatScalar returns a scalar as text; ok is false for nil and nil pointers. It does not
// use fmt.Stringer: what is sent must be the value itself, and not its form for a log.
func formatScalar(v any) (s string, ok bool, err error) {
	switch v := v.(type) {
	case nil:
		return "", false, nil
	case string:
		return v, true, nil
	case *string:
		if v == nil {
			return "", false, nil
		}
		return *v, true, nil
	case bool:
		return strconv.FormatBool(v), true, nil
	case int:
		return strconv.Itoa(v), true, nil
	case int64:
		return strconv.FormatInt(v, 10), true, nil
	case float64:
		return formatFloat(v)
	case json.RawMessage:
		return formatRaw(v)
	}
	return formatReflected(reflect.ValueOf(v))
}

// formatReflected is formatScalar for pointers and for types based on a scalar, such as
// generated enums.
func formatReflected(v reflect.Value) (s string, ok bool, err error) {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return "", false, nil
	case v.Kind() == reflect.Pointer:
		return formatScalar(v.Elem().Interface())
	case v.Kind() == reflect.String:
		return v.String(), true, nil
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool()), true, nil
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), true, nil
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), true, nil
	case v.CanFloat():
		return formatFloat(v.Float())
	}
	return "", false, fmt.Errorf("a value of type %s is not a scalar", v.Type())
}

// formatFloat returns the shortest text that parses to the same number. As in JavaScript
// and encoding/json, only very small and very large numbers have an exponent: many
// services do not accept "1e+06" as an integer.
func formatFloat(f float64) (s string, ok bool, err error) {
	switch abs := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return "", false, errors.New("a value is not a finite number")
	case abs != 0 && (abs < 1e-6 || abs >= 1e21):
		return strconv.FormatFloat(f, 'e', -1, 64), true, nil
	}
	return strconv.FormatFloat(f, 'f', -1, 64), true, nil
}

// formatRaw returns the text of a scalar in JSON.
func formatRaw(message json.RawMessage) (s string, ok bool, err error) {
	if len(message) == 0 {
		return "", false, nil
	}
	switch message[0] {
	case '{', '[':
		return "", false, errors.New("a JSON object or list is not a scalar")
	case '"':
		err = json.Unmarshal(message, &s)
		return s, err == nil, err
	}
	var value any
	if err := json.Unmarshal(message, &value); err != nil || value == nil {
		return "", false, err
	}
	return string(message), true, nil
}

// kind tells scalars, lists and objects apart.
type kind int

const (
	scalar kind = iota // the value itself, or nothing
	list               // the elements of a slice
	object             // the members of an encode.Object
)

// parts are the scalars that a value consists of: the value itself, its elements, or its
// members. A nil slice, or a nil pointer to one, has no parts. One of the fields besides
// kind is set.
type parts struct {
	kind    kind
	value   any           // a scalar
	members encode.Object // of an object
	strings []string      // the elements of a list of strings
	slice   reflect.Value // a list of another type
}

func partsOf(v any) parts {
	switch v := v.(type) {
	case encode.Object:
		return parts{kind: object, members: v}
	case []string:
		return parts{kind: list, strings: v}
	case nil, string, bool, int, int64, float64, json.RawMessage: // the last is a slice, but not a list
		return parts{value: v}
	}
	value := reflect.ValueOf(v)
	if value.Kind() == reflect.Pointer && value.Type().Elem().Kind() == reflect.Slice {
		if value.IsNil() {
			return parts{kind: list}
		}
		value = value.Elem()
	}
	if value.Kind() != reflect.Slice {
		return parts{value: v}
	}
	return parts{kind: list, slice: value}
}

// all is an iterator over the parts, with the names of members; "" for other parts.
func (p *parts) all(yield func(name string, v any) bool) {
	for i := range p.len() {
		if !yield(p.at(i)) {
			return
		}
	}
}

func (p *parts) len() int {
	switch {
	case p.kind == scalar:
		return 1
	case p.kind == object:
		return len(p.members)
	case p.slice.IsValid():
		return p.slice.Len()
	}
	return len(p.strings)
}

func (p *parts) at(i int) (name string, v any) {
	switch {
	case p.kind == scalar:
		return "", p.value
	case p.kind == object:
		return p.members[i].Name, p.members[i].Value
	case p.slice.IsValid():
		return "", p.slice.Index(i).Interface()
	}
	return "", &p.strings[i] // a pointer: converting the string to an interface would allocate
}
