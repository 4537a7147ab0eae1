// Package input reads what a request says: the literals of its document and the values of
// its variables, by the schema and by the rules of the GraphQL specification (sections 3.5 to
// 3.12, 5.6, 6.1.2 and 6.4.1).
//
// Everything is read once and before any field runs. Rule checks the literals of a document
// and Prepare makes them exact, both when the document is seen for the first time. Variables
// reads the variables of each request. What these let pass, the unmarshalers of both executors
// take, so that no field fails over a value after another field has had its effect. The one
// exception is the specification's own: a null for a variable that may be null, at an argument
// that may not be (NullArgument).
//
// Values are canonical: a Boolean is a bool, an Int an int64, a Float a float64, a String, an ID
// or an enum value a string, a list a []any and an input object a map[string]any. A custom
// scalar keeps the value that was sent, its numbers as they were written.
package input

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// ScalarFunc reads a value of the named scalar as the resolvers' arguments are read, and
// returns the error of one that the scalar does not take. Only the text of a *fault.Error
// is shown to clients. It takes any value of a scalar that it does not know, and is safe for
// concurrent use.
type ScalarFunc func(name string, v any) error

// ScalarsOf returns how the scalars of an executable schema are read, which those that gatehouse
// has generated know; nil for others.
func ScalarsOf(schema any) ScalarFunc {
	known, ok := schema.(interface {
		ReadScalar(name string, v any) error
	})
	if !ok {
		return nil
	}
	return known.ReadScalar
}

// Options are what a Reader needs in addition to the schema.
type Options struct {
	// Scalar reads custom scalars. Nil takes any value for them.
	Scalar ScalarFunc
	// Suggestions adds "Did you mean ...?" to errors, which tells names of the schema to
	// whoever asks. Default false.
	Suggestions bool
}

// Reader reads the input values of one schema. It is safe for concurrent use.
type Reader struct {
	schema      *ast.Schema
	scalar      ScalarFunc
	suggestions bool
	objects     map[string]*object // input objects by name
	defaults    defaults
}

// object is what is known of an input object beforehand.
type object struct {
	*ast.Definition
	oneOf bool
	// fill are the fields whose defaults the executors' own code does not hold exactly, so
	// that they are filled in here.
	fill map[string]*ast.Value
}

// NewReader returns a reader of a schema's values. Its error wraps an *Error about a default
// value of the schema that does not fit its own type.
func NewReader(schema *ast.Schema, o Options) (*Reader, error) {
	r := &Reader{schema: schema, scalar: o.Scalar, suggestions: o.Suggestions, objects: map[string]*object{}}
	if r.scalar == nil {
		r.scalar = func(string, any) error { return nil }
	}
	for name, def := range schema.Types {
		if def.Kind == ast.InputObject {
			r.objects[name] = &object{Definition: def, oneOf: def.Directives.ForName("oneOf") != nil}
		}
	}
	if err := r.prepareDefaults(); err != nil {
		return nil, fmt.Errorf("%s%w", where(err.Position), err)
	}
	return r, nil
}
