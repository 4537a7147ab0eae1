// Package input coerces the input values of requests: the literals of a document and the values of
// its variables, by the types of the schema and by the rules of the GraphQL specification (October
// 2021 and September 2025; sections 3.5 to 3.12 for each type, 5.6 for literals, 6.1.2 for variables
// and 6.4.1 for the arguments of fields).
//
// Every value is coerced once and before any field is resolved:
//
//  1. Coercer.Rule checks the literals of a document during validation.
//  2. Coercer.Prepare rewrites the literals that the executors would not read exactly. Both happen once
//     for a document, which may be cached afterwards.
//  3. Document.CoerceVariables coerces the variables of each request.
//
// The unmarshalers of both executors accept every value that has passed these steps, so that no field
// fails because of a value after another field has had a side effect. The one exception is required
// by the specification: a null for a nullable variable in the place of a non-null argument. See
//
//	See CheckNullArguments.
//
// A coerced Boolean is a bool, an Int an int64, a Float a float64, a String, an ID or an enum value a
// string, a list a []any and an input object a map[string]any. The value of a custom scalar stays as it
// was sent, with its numbers as they were written.
package input

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// ScalarFunc unmarshals a value of the named scalar like the argument of a resolver, and returns the
// error. Only the message of a *fault.Error is shown to clients. It accepts every value of a scalar
// that it does not know. It must be safe for concurrent use.
type ScalarFunc func(name string, v any) error

// ScalarsOf returns the ScalarFunc of an executable schema that gatehouse generated, and nil for other
// schemas.
func ScalarsOf(schema any) ScalarFunc {
	known, ok := schema.(interface {
		ReadScalar(name string, v any) error
	})
	if !ok {
		return nil
	}
	return known.ReadScalar
}

// Options are the settings of a Coercer.
type Options struct {
	// Scalar checks the values of scalars. If it is nil, custom scalars accept every value.
	Scalar ScalarFunc
	// Suggestions adds "Did you mean ...?" to errors. It discloses names of the schema to clients.
	// Default false.
	Suggestions bool
}

// Coercer coerces the input values of one schema. It is safe for concurrent use.
type Coercer struct {
	schema      *ast.Schema
	scalar      ScalarFunc
	suggestions bool
	objects     map[string]*inputObject // by name
	defaults    schemaDefaults
}

// inputObject is the definition of an input object, with what is derived from it in advance.
type inputObject struct {
	*ast.Definition
	oneOf bool
	// filledDefaults are the defaults, by field, that the executors' generated code would not
	// apply exactly. They are added to each value instead. It is nil when there are none.
	filledDefaults map[string]*ast.Value
}

// NewCoercer returns a Coercer for a schema. Its error wraps an *Error about a default value in the
// schema that does not fit the type of its place, or that contains itself.
func NewCoercer(schema *ast.Schema, o Options) (*Coercer, error) {
	r := newCoercer(schema, o)
	if err := r.prepareDefaults(); err != nil {
		return nil, fmt.Errorf("%s%w", formatPosition(err.Position), err)
	}
	return r, nil
}

// newCoercer returns a Coercer whose defaults are neither checked nor prepared.
func newCoercer(schema *ast.Schema, o Options) *Coercer {
	r := &Coercer{schema: schema, scalar: o.Scalar, suggestions: o.Suggestions, objects: map[string]*inputObject{}}
	if r.scalar == nil {
		r.scalar = func(string, any) error { return nil }
	}
	for name, def := range schema.Types {
		if def.Kind == ast.InputObject {
			r.objects[name] = &inputObject{Definition: def, oneOf: def.Directives.ForName("oneOf") != nil}
		}
	}
	return r
}
