// Package explain computes, from the schema and its bindings alone, which calls an operation makes:
// to which services, in how many rounds, and how many of them at most.
//
// It works in two steps. The walker (walker.go) follows the text of an operation down the types and
// creates a visit for each field whose value does not come with its object. The counter
// (counter.go) then groups the visits that share calls, as the gateway does when it runs them, and
// counts the calls of each group. Text formats the result.
package explain

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/engine/cost"
	"github.com/gatehouse-graphql/gatehouse/engine/input"
)

// DefaultListSize is the number of elements that is assumed for a list of unknown size.
const DefaultListSize = 100

// Options are the assumptions of a plan. The zero value is ready to use.
type Options struct {
	// ListSize is the number of elements of a list whose size neither @listSize nor an argument
	// limits. Default DefaultListSize.
	ListSize int
	// Variables are the values of the operations' variables, as encoding/json decodes them. A
	// variable without a value here and without a default can have any value: @skip and @include
	// that depend on it keep the field, and a slicing argument that depends on it limits nothing.
	Variables map[string]any
	// IsHandwritten reports whether handwritten code resolves a field although the schema does not show
	// that. Nil means that there are no such fields.
	IsHandwritten func(object, field string) bool
}

// Operations plans every operation of a document, in the order of its text. graph is what
// binding.Compile has compiled from schema. The error joins all mistakes in the document, one a
// line, each with the name of the source, line and column.
func Operations(schema *ast.Schema, graph *binding.Graph, source *ast.Source, o Options) ([]*Plan, error) {
	if o.ListSize <= 0 {
		o.ListSize = DefaultListSize
	}
	inputs, err := input.NewCoercer(schema, input.Options{Suggestions: true}) // without custom scalars: their Go code is not linked here
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
	costs := cost.New(schema, binding.CostFacts(schema, graph), cost.Options{ListSize: o.ListSize})
	var plans []*Plan
	for _, op := range doc.Operations {
		p, err := planOperation(schema, inputs, b, costs, op, o)
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// planOperation walks one operation and counts its calls.
func planOperation(schema *ast.Schema, inputs *input.Coercer, b bindings, costs *cost.Model, op *ast.OperationDefinition, o Options) (*Plan, error) {
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
	addCost(w.plan, costs, op, values)
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
