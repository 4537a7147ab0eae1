// Package mapping computes with wire values (see engine/encode) what expressions of
// bindings say: bodies of requests, and what a service's errors mean. Its functions are
// pure and take any wire value, whatever was expected: what they cannot use reads as
// null, which is nil.
//
// A value may also hold slices of any type, pointers and types based on scalars. A
// json.RawMessage counts as what it says.
package mapping

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
)

// Value is v in the form that the other functions work with: nil, bool, string,
// json.Number, []any or encode.Object. Only the outermost value is brought to it. What
// has no JSON is nil.
func Value(v any) any {
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

func normalizeReflect(v reflect.Value) any {
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		return Value(v.Elem().Interface())
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

// formatFloat has the digits that read back the same; JSON has no other numbers.
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

// Path is the value at the end of names, each a member of the one before. It is nil
// when one is missing, or when there is no object to look in. Of several members with
// the same name the last counts, as everywhere.
func Path(v any, names ...string) any {
	for _, name := range names {
		object, _ := Value(v).(encode.Object)
		v = member(object, name)
	}
	return v
}

// Pick is Path for members of an object that is made: it is encode.Absent when the last
// one is missing, so that a service is not told null where nobody said so.
func Pick(v any, names ...string) any {
	last := len(names) - 1
	object, _ := Value(Path(v, names[:last]...)).(encode.Object)
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

// First is the first element of a list; nil of an empty one, and encode.Absent of that, as
// all that is made of one value.
func First(v any) any {
	if v == encode.Absent {
		return v
	}
	if list, _ := Value(v).([]any); len(list) > 0 {
		return list[0]
	}
	return nil
}

// Last is the last element of a list; nil of an empty one.
func Last(v any) any {
	if v == encode.Absent {
		return v
	}
	if list, _ := Value(v).([]any); len(list) > 0 {
		return list[len(list)-1]
	}
	return nil
}

// MapOf is Map for objects that are made of each; null stays null.
func MapOf(v any, made func(any) any) any {
	return Map(v, func(e any) any { return MapNonNull(e, made) })
}

// Map is the list of what element makes of each; nil of what is no list.
func Map(v any, element func(any) any) any {
	if v == encode.Absent {
		return v
	}
	list, ok := Value(v).([]any)
	if !ok {
		return nil
	}
	mapped := make([]any, len(list))
	for i, e := range list {
		mapped[i] = element(e)
	}
	return mapped
}

// Match is the second of the first pair whose first equals v, and otherwise when none
// does.
func Match(v, otherwise any, pairs ...[2]any) any {
	for _, pair := range pairs {
		if Equal(v, pair[0]) {
			return pair[1]
		}
	}
	return otherwise
}

// JoinNotNull writes the scalars of a list one after the other, with separator between,
// leaving out nulls: "" when there are no others. It is nil of what is no list, or has
// lists and objects, which have no text.
func JoinNotNull(v any, separator string) any {
	if v == encode.Absent {
		return v
	}
	list, ok := Value(v).([]any)
	if !ok {
		return nil
	}
	texts := make([]string, 0, len(list))
	for _, e := range list {
		if e = Value(e); e == nil {
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

// Entries is the list of an object's members, each as {key, value}. A list is one of
// entries already; anything else is nil.
func Entries(v any) any {
	if v == encode.Absent {
		return v
	}
	v = Value(v)
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

// Truthy tells whether v counts as yes. No are null, false, zero and the empty string,
// as in JavaScript; lists and objects are yes even when they are empty.
func Truthy(v any) bool {
	switch v := Value(v).(type) {
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

// MapNonNull applies made to an object, or to each element of a list. It returns nil for nil.
func MapNonNull(v any, made func(any) any) any {
	if v == encode.Absent {
		return v
	}
	switch v = Value(v); v.(type) {
	case nil:
		return nil
	case []any:
		return MapOf(v, made)
	}
	return made(v)
}

// Apply is what made makes of a value, nil or not.
func Apply(v any, made func(any) any) any { return made(v) }
