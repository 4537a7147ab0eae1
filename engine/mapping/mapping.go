// Package mapping evaluates the expressions of bindings over wire values (see engine/encode):
// those that build request bodies, and those that map a service's errors.
//
// Its functions are pure and accept any wire value; an operand that does not fit yields null,
// which is nil. A value may also hold slices of any type, pointers, and types based on scalars. A
// json.RawMessage counts as the value that it contains.
//
// The functions over lists and objects return encode.Absent unchanged. It is a value that the client
// did not send, and the member that would be built from it is left out.
package mapping

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
)

// Normalize returns v in the form that the other functions work with: nil, bool, string, json.Number,
// []any or encode.Object. It converts the outermost value only; elements and members are converted
// when they are used. A value without JSON, such as a NaN, becomes nil.
func Normalize(v any) any {
	switch v := v.(type) {
	case nil, bool, string, json.Number, []any, encode.Object:
		return v
	case json.RawMessage:
		parsed, _ := Parse(v)
		return parsed
	case float64:
		return formatFloat(v)
	}
	return normalizeReflect(reflect.ValueOf(v))
}

// normalizeReflect is Value for the types that need reflection.
func normalizeReflect(v reflect.Value) any {
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		return Normalize(v.Elem().Interface())
	case v.Kind() == reflect.String:
		return v.String()
	case v.Kind() == reflect.Bool:
		return v.Bool()
	case v.CanInt():
		return json.Number(strconv.FormatInt(v.Int(), 10))
	case v.CanUint():
		return json.Number(strconv.FormatUint(v.Uint(), 10))
	case v.CanFloat():
		return formatFloat(v.Float())
	case v.Kind() == reflect.Slice && !v.IsNil():
		return elementsOf(v)
	}
	return nil
}

// formatFloat returns the shortest number that reads back as f; nil for NaN and the infinities,
// which JSON lacks.
func formatFloat(f float64) any {
	text, err := json.Marshal(f)
	if err != nil {
		return nil
	}
	return json.Number(text)
}

func elementsOf(v reflect.Value) []any {
	list := make([]any, v.Len())
	for i := range list {
		list[i] = v.Index(i).Interface()
	}
	return list
}

// Get returns the value at the end of names, each the member of the value before. It returns nil
// if a member is missing, or if there is no object to look in. Of two members with the same name
// the last one counts.
func Get(v any, names ...string) any {
	for _, name := range names {
		object, _ := Normalize(v).(encode.Object)
		v = member(object, name)
	}
	return v
}

// GetOrAbsent is Get for a value that becomes a member itself: it returns encode.Absent if the last
// member is missing, so that a service does not receive a null that the client did not send.
func GetOrAbsent(v any, names ...string) any {
	last := len(names) - 1
	object, _ := Normalize(Get(v, names[:last]...)).(encode.Object)
	if !slices.ContainsFunc(object, func(m encode.Member) bool { return m.Name == names[last] }) {
		return encode.Absent
	}
	return member(object, names[last])
}

func member(o encode.Object, name string) any {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].Name == name {
			return o[i].Value
		}
	}
	return nil
}

// First returns the first element of a list, nil of an empty one.
func First(v any) any {
	if v == encode.Absent {
		return v
	}
	if list, _ := Normalize(v).([]any); len(list) > 0 {
		return list[0]
	}
	return nil
}

// Last returns the last element of a list, nil of an empty one.
func Last(v any) any {
	if v == encode.Absent {
		return v
	}
	if list, _ := Normalize(v).([]any); len(list) > 0 {
		return list[len(list)-1]
	}
	return nil
}

// MapElements is Map for elements that become objects: an element that is null stays null.
func MapElements(v any, fn func(any) any) any {
	return Map(v, func(e any) any { return MapNonNull(e, fn) })
}

// Map returns the list of the results of element for each element. It returns nil for a value that
// is not a list.
func Map(v any, element func(any) any) any {
	if v == encode.Absent {
		return v
	}
	list, ok := Normalize(v).([]any)
	if !ok {
		return nil
	}
	mapped := make([]any, len(list))
	for i, e := range list {
		mapped[i] = element(e)
	}
	return mapped
}

// Match returns the second value of the first pair whose first value equals v, and otherwise if
// there is none.
func Match(v, otherwise any, pairs ...[2]any) any {
	for _, pair := range pairs {
		if Equal(v, pair[0]) {
			return pair[1]
		}
	}
	return otherwise
}

// JoinNotNull joins the texts of the scalars in a list, with separator between them. Nulls are
// left out. It returns nil for a value that is not a list, and for lists that contain lists or
// objects, which have no text.
func JoinNotNull(v any, separator string) any {
	if v == encode.Absent {
		return v
	}
	list, ok := Normalize(v).([]any)
	if !ok {
		return nil
	}
	texts := make([]string, 0, len(list))
	for _, e := range list {
		if e = Normalize(e); e == nil {
			continue
		}
		text, ok := encode.Concat(e).(string)
		if !ok {
			return nil
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, separator)
}

// Entries returns the members of an object as a list of {key, value}. A list is returned as it is,
// since it counts as one of entries; other values yield nil.
func Entries(v any) any {
	if v == encode.Absent {
		return v
	}
	v = Normalize(v)
	if list, ok := v.([]any); ok {
		return list
	}
	object, ok := v.(encode.Object)
	if !ok {
		return nil
	}
	entries := make([]any, len(object))
	for i, m := range object {
		entries[i] = encode.Object{{Name: "key", Value: m.Name}, {Name: "value", Value: m.Value}}
	}
	return entries
}

// Truthy reports whether v counts as true. As in JavaScript, null, false, zero and the empty
// string do not; lists and objects do, even empty ones.
func Truthy(v any) bool {
	switch v := Normalize(v).(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case json.Number:
		return !equalNumbers(v, "0")
	}
	return true
}

// MapNonNull applies fn to an object, or to each element of a list. It returns nil for nil.
func MapNonNull(v any, fn func(any) any) any {
	if v == encode.Absent {
		return v
	}
	switch v = Normalize(v); v.(type) {
	case nil:
		return nil
	case []any:
		return MapElements(v, fn)
	}
	return fn(v)
}

// Apply applies fn to a value, nil or not.
func Apply(v any, fn func(any) any) any { return fn(v) }
