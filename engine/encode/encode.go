// Package encode turns what a client sent into what a service understands:
// wire values, which are nil, string, bool, int, int64, float64, json.Number,
// json.RawMessage, []any of wire values, and Object. Generated code makes them,
// upstreams/rest writes them. All functions are pure.
package encode

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// Object is a JSON object whose members keep the order of the schema.
type Object []Member

// Member is one name with its wire value.
type Member struct {
	Name  string
	Value any
}

// Absent is no wire value: it stands for a member that nobody gave, not even as null.
var Absent any = absent{}

type absent struct{}

// With returns o with one more member, unless the value is Absent.
func (o Object) With(name string, value any) Object {
	if value == Absent {
		return o
	}
	return append(o, Member{Name: name, Value: value})
}

// MarshalJSON writes the members in their order; nil members are written as null,
// since whoever built the object left out what the client left out.
func (o Object) MarshalJSON() ([]byte, error) {
	return appendObject(make([]byte, 0, memberSize*len(o)), o)
}

// memberSize is about how long a member is.
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

// appendValue appends the JSON of a wire value. Objects and lists are not left to
// encoding/json: for each object it would read again what it has got from the one inside.
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

// Any is the wire value of something that is one already.
func Any[T any](v T) any { return v }

// Ptr is the wire value of a nullable: nil for nil, else what element makes of it.
func Ptr[T any](v *T, element func(T) any) any {
	if v == nil {
		return nil
	}
	return element(*v)
}

// List is the wire value of a list: nil for a nil one.
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

// WithGiven returns o with one more member when the client sent that field, even as
// null; an absent field is left out. The difference is what JSON Merge Patch
// (RFC 7396) is about.
func WithGiven[T any](o Object, name string, v graphql.Omittable[T], element func(T) any) Object {
	if !v.IsSet() {
		return o
	}
	return o.With(name, element(v.Value()))
}

// Text is the wire value of an ID, an enum or a Decimal.
func Text[T ~string](v T) any { return string(v) }

// Time is the wire value of a DateTime.
func Time(v time.Time) any { return v.Format(time.RFC3339Nano) }

// Raw is the wire value of a JSON scalar.
func Raw[T ~[]byte](v T) any {
	if len(v) == 0 {
		return nil
	}
	return json.RawMessage(v)
}

// PtrOf makes of an encoder one that takes nil for null.
func PtrOf[T any](element func(T) any) func(*T) any {
	return func(v *T) any { return Ptr(v, element) }
}

// ListOf makes of an encoder of elements one of lists.
func ListOf[T any](element func(T) any) func([]T) any {
	return func(vs []T) any { return List(vs, element) }
}

// In is the wire value of something inside v: nil when v is.
func In[T any](v *T, get func(*T) any) any {
	if v == nil {
		return nil
	}
	return get(v)
}

// Concat writes parts one after the other; nil when one of them is, since a text with a
// hole in it is no text. Lists and objects have no text either.
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

// plainText is the plain form of a scalar's wire value.
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

// Key is the text of a value that serves as a batch's key; nil of nil.
func Key[T ~int | ~int64 | ~string](v *T) *string {
	if v == nil {
		return nil
	}
	text := formatKey(*v)
	return &text
}

// formatKey is the text of a key.
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

// Keys are the texts of values that serve as a batch's keys; nil of nil.
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

// NumberKeys are keys that are numbers, as JSON has them.
func NumberKeys(keys []string) any {
	numbers := make([]json.Number, len(keys))
	for i, key := range keys {
		numbers[i] = json.Number(key)
	}
	return numbers
}

// NonNil leaves out the nulls of a list of keys.
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

// JSONText is the JSON of a wire value as a text, for the parameters of a call that are
// written so: nil for nil, since a null stands for what was not given.
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

// JSONOfText returns the wire value of a JSON scalar that JSONText has written as text.
func JSONOfText(text any) any {
	if s, ok := text.(string); ok {
		return json.RawMessage(s)
	}
	return text
}

// invalid is no wire value, so that a call which is given it fails.
type invalid struct{ error }

// Fields are the members of an encoded input, none for null.
func Fields(v any) Object {
	o, _ := v.(Object)
	return o
}
