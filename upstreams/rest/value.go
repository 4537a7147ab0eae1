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

// text is the plain form of a scalar; given is false for nil and nil pointers.
// fmt.Stringer is not asked: what is sent must be what was sent in, not what looks
// good in a log.
func text(v any) (s string, given bool, err error) {
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
		return number(v)
	case json.RawMessage:
		return raw(v)
	}
	return reflected(reflect.ValueOf(v))
}

// reflected is text for types based on a scalar, such as generated enums, and for
// pointers.
func reflected(v reflect.Value) (s string, given bool, err error) {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return "", false, nil
	case v.Kind() == reflect.Pointer:
		return text(v.Elem().Interface())
	case v.Kind() == reflect.String:
		return v.String(), true, nil
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool()), true, nil
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), true, nil
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), true, nil
	case v.CanFloat():
		return number(v.Float())
	}
	return "", false, fmt.Errorf("a value of type %s is no scalar", v.Type())
}

// number is the shortest form that reads back the same. As in JavaScript and
// encoding/json, only very small and very large numbers have an exponent, since many
// services read "1e+06" as no integer.
func number(f float64) (s string, given bool, err error) {
	switch abs := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return "", false, errors.New("a value is no finite number")
	case abs != 0 && (abs < 1e-6 || abs >= 1e21):
		return strconv.FormatFloat(f, 'e', -1, 64), true, nil
	}
	return strconv.FormatFloat(f, 'f', -1, 64), true, nil
}

// raw is the text of a scalar in JSON.
func raw(message json.RawMessage) (s string, given bool, err error) {
	if len(message) == 0 {
		return "", false, nil
	}
	switch message[0] {
	case '{', '[':
		return "", false, errors.New("a JSON object or list is no scalar")
	case '"':
		err = json.Unmarshal(message, &s)
		return s, err == nil, err
	}
	var word any
	if err := json.Unmarshal(message, &word); err != nil || word == nil {
		return "", false, err
	}
	return string(message), true, nil
}

// shape is how many values a value holds.
type shape int

const (
	scalar  shape = iota // itself, or none
	list                 // its elements
	members              // those of an encode.Object
)

// pieces are the values that a value holds: itself, elements, or members. A nil list,
// or a nil pointer to one, has none.
type pieces struct {
	shape  shape
	value  any           // itself
	object encode.Object // its members,
	texts  []string      // or its elements,
	other  reflect.Value // in a slice of another type
}

func piecesOf(v any) pieces {
	switch v := v.(type) {
	case encode.Object:
		return pieces{shape: members, object: v}
	case []string:
		return pieces{shape: list, texts: v}
	case nil, string, bool, int, int64, float64, json.RawMessage: // the last is a slice, but no list
		return pieces{value: v}
	}
	value := reflect.ValueOf(v)
	if value.Kind() == reflect.Pointer && value.Type().Elem().Kind() == reflect.Slice {
		if value.IsNil() {
			return pieces{shape: list}
		}
		value = value.Elem()
	}
	if value.Kind() != reflect.Slice {
		return pieces{value: v}
	}
	return pieces{shape: list, other: value}
}

// all ranges over the pieces, with the names of members.
func (p *pieces) all(yield func(name string, v any) bool) {
	for i := range p.len() {
		if !yield(p.at(i)) {
			return
		}
	}
}

func (p *pieces) len() int {
	switch {
	case p.shape == scalar:
		return 1
	case p.shape == members:
		return len(p.object)
	case p.other.IsValid():
		return p.other.Len()
	}
	return len(p.texts)
}

func (p *pieces) at(i int) (name string, v any) {
	switch {
	case p.shape == scalar:
		return "", p.value
	case p.shape == members:
		return p.object[i].Name, p.object[i].Value
	case p.other.IsValid():
		return "", p.other.Index(i).Interface()
	}
	return "", &p.texts[i] // which takes no memory, as the text itself would in an interface
}
