// Package encode converts values of the graph into wire values, which are what calls to services
// carry: nil, string, bool, int, int64, float64, json.Number, json.RawMessage, []any of wire
// values, and Object. Generated code builds them and upstreams/rest writes them, as JSON or as
// text. All functions are pure.
//
// Functions come in two forms. X(v, element) converts now; XOf(element) returns a function that
// converts later, so that they nest.
package encode

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
)

// Object is a JSON object. Its members keep the order of the schema.
type Object []Member

// Member is a name with its wire value.
type Member struct {
	Name  string
	Value any
}

// Absent stands for a member that the client did not send, not even as null. It is not a wire
// value: Object.With leaves the member out.
var Absent any = absent{}

type absent struct{}

// With returns o with one more member, or o itself if value is Absent.
func (o Object) With(name string, value any) Object {
	if value == Absent {
		return o
	}
	return append(o, Member{Name: name, Value: value})
}

// MarshalJSON writes the members in their order, those whose value is nil as null.
func (o Object) MarshalJSON() ([]byte, error) {
	return appendObject(make([]byte, 0, memberSize*len(o)), o)
}

// memberSize is about the length of a member in JSON, in bytes.
const memberSize = 24

func appendObject(b []byte, o Object) (_ []byte, err error) {
	b = append(b, '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendValue(b, m.Name); err != nil {
			return nil, err
		}
		if b, err = appendValue(append(b, ':'), m.Value); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// appendValue appends the JSON of a wire value. It writes objects and lists itself: encoding/json
// calls MarshalJSON and then checks its result, once for each object around it, so that its time
// grows with the square of the depth.
func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case Object:
		return appendObject(b, v)
	case []any:
		if v != nil {
			return appendList(b, v)
		}
	}
	text, err := json.Marshal(v)
	return append(b, text...), err
}

func appendList(b []byte, vs []any) (_ []byte, err error) {
	b = append(b, '[')
	for i, v := range vs {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendValue(b, v); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// Any returns v, which is a wire value already.
func Any[T any](v T) any { return v }

// Ptr returns nil for nil, and the wire value of *v otherwise.
func Ptr[T any](v *T, element func(T) any) any {
	if v == nil {
		return nil
	}
	return element(*v)
}

// List returns the wire value of a list, nil for a nil one.
func List[T any](vs []T, element func(T) any) any {
	if vs == nil {
		return nil
	}
	out := make([]any, len(vs))
	for i, v := range vs {
		out[i] = element(v)
	}
	return out
}

// WithOmittable returns o with one more member if the client sent the input field, even as null, and o
// itself otherwise. JSON Merge Patch (RFC 7396) depends on the difference.
func WithOmittable[T any](o Object, name string, v graphql.Omittable[T], element func(T) any) Object {
	if !v.IsSet() {
		return o
	}
	return o.With(name, element(v.Value()))
}

// String returns the wire value of a scalar or an enum that is a string.
func String[T ~string](v T) any { return string(v) }

// DateTime returns the wire value of a DateTime, in the form of RFC 3339.
func DateTime(v time.Time) any { return v.Format(time.RFC3339Nano) }

// JSON returns the wire value of a JSON scalar, nil for an empty one.
func JSON[T ~[]byte](v T) any {
	if len(v) == 0 {
		return nil
	}
	return json.RawMessage(v)
}

// PtrOf returns an encoder of values that may be nil; see Ptr.
func PtrOf[T any](element func(T) any) func(*T) any {
	return func(v *T) any { return Ptr(v, element) }
}

// ListOf returns an encoder of lists; see List.
func ListOf[T any](element func(T) any) func([]T) any {
	return func(vs []T) any { return List(vs, element) }
}

// IfNotNil returns what get returns of v, and nil if v is nil.
func IfNotNil[T any](v *T, get func(*T) any) any {
	if v == nil {
		return nil
	}
	return get(v)
}

// Concat returns the texts of parts one after the other. It returns nil if a part is null, a list
// or an object: a text with a gap in it must not be sent.
func Concat(parts ...any) any {
	var b strings.Builder
	for _, part := range parts {
		s, ok := plainText(part)
		if !ok {
			return nil
		}
		b.WriteString(s)
	}
	return b.String()
}

// ConcatOrAbsent is Concat for the value of a member: it returns Absent if a part is Absent.
func ConcatOrAbsent(parts ...any) any {
	for _, part := range parts {
		if _, ok := part.(absent); ok { // comparing the parts could panic
			return Absent
		}
	}
	return Concat(parts...)
}

// plainText returns the text of a scalar's wire value, as paths and headers write it.
func plainText(part any) (string, bool) {
	switch part := part.(type) {
	case string:
		return part, true
	case json.RawMessage:
		var s string
		if json.Unmarshal(part, &s) == nil && part[0] == '"' {
			return s, true
		}
	}
	b, err := json.Marshal(part)
	if err != nil || string(b) == "null" || b[0] == '[' || b[0] == '{' {
		return "", false
	}
	return string(b), true
}

// Key returns the text of a key of a batch, nil for nil.
func Key[T ~int | ~int64 | ~string](v *T) *string {
	if v == nil {
		return nil
	}
	text := formatKey(*v)
	return &text
}

// formatKey returns the text of a key.
func formatKey[T ~int | ~int64 | ~string](v T) string {
	switch v := any(v).(type) {
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// Keys returns the texts of keys of a batch, nil for nil.
func Keys[T ~int | ~int64 | ~string](vs []T) []string {
	if vs == nil {
		return nil
	}
	texts := make([]string, len(vs))
	for i, v := range vs {
		texts[i] = formatKey(v)
	}
	return texts
}

// NumberKeys returns keys of a batch as JSON numbers.
func NumberKeys(keys []string) any {
	numbers := make([]json.Number, len(keys))
	for i, key := range keys {
		numbers[i] = json.Number(key)
	}
	return numbers
}

// NonNil returns the keys that are not nil.
func NonNil[T any](vs []*T) []T {
	if vs == nil {
		return nil
	}
	out := make([]T, 0, len(vs))
	for _, v := range vs {
		if v != nil {
			out = append(out, *v)
		}
	}
	return out
}

// JSONText returns the JSON of a wire value as a text, for parameters that a service reads as
// JSON. It returns nil for nil, since a null parameter is left out.
func JSONText(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		return invalid{err}
	}
	if string(text) == "null" {
		return nil
	}
	return string(text)
}

// ASCII returns a text that JSONText has written with every other character than ASCII escaped: many
// servers do not read UTF-8 in headers.
func ASCII(jsonText any) any {
	text, ok := jsonText.(string)
	if !ok {
		return jsonText
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// ParseJSONText is the inverse of JSONText for a JSON scalar: it returns the wire value whose text it
// is.
func ParseJSONText(text any) any {
	if s, ok := text.(string); ok {
		return json.RawMessage(s)
	}
	return text
}

// invalid is the value of JSONText for what has no JSON. It is not a wire value, so that the call
// that carries it fails with the error.
type invalid struct{ error }

// Fields returns the members of an encoded input object, none for null.
func Fields(v any) Object {
	o, _ := v.(Object)
	return o
}
