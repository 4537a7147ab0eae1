// Package scalars is the table of the scalars that bindings read from services and write to them:
// one row for each, with everything that the generator, the checks and the documentation know of it.
//
// A new scalar takes three edits:
//
//   - engine/scalar: its Go type, which writes values into responses and reads those of clients.
//   - engine/decode/scalar.go: a method of Decoder with the scalar's name, which reads the values
//     of services.
//   - Table, in this package: its row.
//
// The tests of this package check the three against each other and write docs/scalars.md.
package scalars

import (
	"slices"
	"strings"
)

// The packages whose types and functions the rows name.
const (
	gqlgenPkg = "github.com/99designs/gqlgen/graphql."
	scalarPkg = "github.com/gatehouse-graphql/gatehouse/engine/scalar."
)

// Scalar is a row of Table. Types are those of JSON as OpenAPI names them: string, integer,
// number, boolean. An integer is not implied by number.
type Scalar struct {
	Name string // in GraphQL, and of the method of decode.Decoder that reads it

	// BuiltIn is whether the scalar is one of the GraphQL specification (section 3.5), which a
	// schema does not declare.
	BuiltIn bool

	// SpecifiedBy is the URL of the scalar's definition, as in @specifiedBy; "" for none.
	SpecifiedBy string

	// GoType is the type of its values in Go, as docs name it.
	GoType string

	// Model is the entry of the scalar in gqlgen's models: a type, or X for the functions MarshalX
	// and UnmarshalX. It is "" for scalars that a project may map as it likes.
	Model string

	// Append is the function of engine/plan that writes the value into a response.
	Append string

	// Encode is the function of engine/encode that returns the value as a call carries it.
	// [T] stands for the Go type that instantiates the function.
	Encode string

	// Reads are the JSON types that the scalar is read from; nil for any.
	Reads []string

	// Writes are the JSON types that a call can send it as: first the one that Encode returns,
	// then the ones that encode.NumbersAt or encode.StringsAt converts it to where a document asks for
	// that. It is nil for any.
	Writes []string

	// Formats are the formats of strings in OpenAPI that the scalar stands for; nil for any.
	Formats []string

	// Key is whether objects of a batch can be matched by its values.
	Key bool

	// Identity is whether an object that was fetched by such a value must carry the same value.
	// A String need not: it may be an alias or a slug.
	Identity bool

	// From and NotFrom say in docs what it is read from and what it refuses.
	From, NotFrom string

	// Examples and Refused are JSON values that the scalar takes and refuses from a service.
	Examples, Refused []string
}

// ByName returns the row of a scalar, nil for any other type.
func ByName(name string) *Scalar {
	if i := slices.IndexFunc(Table, func(s Scalar) bool { return s.Name == name }); i >= 0 {
		return &Table[i]
	}
	return nil
}

// Names returns the names of the scalars for which include reports true, in the order of Table.
func Names(include func(*Scalar) bool) (names []string) {
	for i := range Table {
		if include(&Table[i]) {
			names = append(names, Table[i].Name)
		}
	}
	return names
}

// ReadsAny reports whether the scalar is read from every JSON type.
func (s *Scalar) ReadsAny() bool { return s.Reads == nil }

// ReadsType reports whether the scalar is read from a JSON type.
func (s *Scalar) ReadsType(jsonType string) bool {
	return s.ReadsAny() || slices.Contains(s.Reads, jsonType)
}

// WritesType reports whether a call can send the scalar as a JSON type.
func (s *Scalar) WritesType(jsonType string) bool {
	return s.Writes == nil || slices.Contains(s.Writes, jsonType)
}

// EncodedAs returns the JSON type of what Encode returns, "" where it can be any.
func (s *Scalar) EncodedAs() string {
	if s.Writes == nil {
		return ""
	}
	return s.Writes[0]
}

// MarshalFunc returns the function that writes the values of a scalar whose Model is not a type.
func (s *Scalar) MarshalFunc() string {
	i := strings.LastIndexByte(s.Model, '.') + 1
	return s.Model[:i] + "Marshal" + s.Model[i:]
}

// Declaration returns the SDL that declares the scalar, "" for a built-in one.
func (s *Scalar) Declaration() string {
	switch {
	case s.BuiltIn:
		return ""
	case s.SpecifiedBy == "":
		return "scalar " + s.Name
	}
	return "scalar " + s.Name + ` @specifiedBy(url: "` + s.SpecifiedBy + `")`
}
