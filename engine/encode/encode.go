// Package encode turns what a client sent into what a service understands:
// wire values, which are nil, string, bool, int, int64, float64, json.Number,
// json.RawMessage, []any of wire values, and Object. Generated code makes them,
// upstreams/rest writes them. All functions are pure.
package encode

import (
	"bytes"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
)

// Object is a JSON object whose members keep the order of the schema.
type Object []Member

// Member is one name with its wire value.
type Member struct {
	Name  string
	Value any
}

// With returns o with one more member.
func (o Object) With(name string, value any) Object {
	return append(o, Member{Name: name, Value: value})
}

// MarshalJSON writes the members in their order; nil members are written as null,
// since whoever built the object left out what the client left out.
func (o Object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := appendPair(&b, m); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func appendPair(b *bytes.Buffer, m Member) error {
	name, err := json.Marshal(m.Name)
	if err != nil {
		return err
	}
	value, err := json.Marshal(m.Value)
	if err != nil {
		return err
	}
	b.Write(name)
	b.WriteByte(':')
	b.Write(value)
	return nil
}

// Any is the wire value of something that is one already.
func Any[T any](v T) any { return v }

// Opt is the wire value of a nullable: nil for nil, else what element makes of it.
func Opt[T any](v *T, element func(T) any) any {
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

// Given is the wire value of an input field that may be absent: nil when it is.
func Given[T any](v graphql.Omittable[T], element func(T) any) any {
	if !v.IsSet() {
		return nil
	}
	return element(v.Value())
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
