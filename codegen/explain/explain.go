// Package explain tells, from the schema and its bindings alone, which calls an operation
// makes: to which services, in how many rounds, and how many of them at the worst.
//
// The walk (walk.go) follows an operation's text and notes a visit for each field that is
// not a plain member of its object. The count (count.go) puts visits together that share
// calls, and says how many calls they make. Text describes the result.
package explain

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/engine/input"
)

// DefaultListSize is how many elements are counted for a list that nothing is known of.
const DefaultListSize = 100

// Options say what a plan assumes. The zero value is of use.
type Options struct {
	// ListSize is how many elements a list has where neither @listSize nor an argument
	// tells. Default 100.
	ListSize int
	// Variables are those of the operations, as JSON gives them. A variable that has
	// neither a value here nor a default may be anything: @skip and @include with it let
	// the field be, and a slicing argument with it says no size.
	Variables map[string]any
	// ByHand tells of fields that are answered by Go code although the schema does not
	// say so. Nil: there are none.
	ByHand func(object, field string) bool
}

// Operations plans every operation of a document, in the order of its text, for a schema
// that binding.Compile has compiled into graph. Mistakes in the document come together, a
// line for each with the name of the source, line and column.
func Operations(schema *ast.Schema, graph *binding.Graph, source *ast.Source, o Options) ([]*Plan, error) {
	if o.ListSize <= 0 {
		o.ListSize = DefaultListSize
	}
	inputs, err := input.NewReader(schema, input.Options{Suggestions: true}) // custom scalars are read in Go, which is not here
	if err != nil {
		return nil, err
	}
	doc, err := parseDocument(schema, inputs, source)
	if err != nil {
		return nil, err
	}
	if err := checkDeclared(doc, o.Variables); err != nil {
		return nil, err
	}
	b := bindings{graph: graph, fields: map[*ast.FieldDefinition]*binding.Field{}}
	for _, f := range graph.Fields {
		b.fields[f.Definition] = f
	}
	var plans []*Plan
	for _, op := range doc.Operations {
		p, err := planOperation(schema, inputs, b, op, o)
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// planOperation walks one operation, then counts.
func planOperation(schema *ast.Schema, inputs *input.Reader, b bindings, op *ast.OperationDefinition, o Options) (*Plan, error) {
	values, err := readVariables(inputs, op, o.Variables)
	if err != nil {
		return nil, err
	}
	w := &walker{
		schema: schema, bindings: b, options: o, values: values,
		operation: op, root: rootOf(schema, op), plan: &Plan{Operation: string(op.Operation), Name: op.Name, ListSize: o.ListSize},
	}
	if err := w.walk(); err != nil {
		return nil, err
	}
	countCalls(w.plan, w.visits)
	return w.plan, nil
}

func rootOf(schema *ast.Schema, op *ast.OperationDefinition) *ast.Definition {
	switch op.Operation {
	case ast.Mutation:
		return schema.Mutation
	case ast.Subscription:
		return schema.Subscription
	}
	return schema.Query
}
