package explain

import (
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/cost"
)

// addCost adds to a plan what the operation costs, with these values of its variables. A variable that is
// not among them may have any value.
func addCost(p *Plan, model *cost.Model, op *ast.OperationDefinition, values map[string]any) {
	variables := make(map[string]any, len(op.VariableDefinitions))
	for _, v := range op.VariableDefinitions {
		variables[v.Variable] = cost.Unknown{}
		if value, ok := values[v.Variable]; ok {
			variables[v.Variable] = value
		}
	}
	fields, total, err := model.Fields(op, variables)
	p.Cost = Cost{Estimated: total.Cost(), Field: total.Field, Type: total.Type}
	for _, f := range fields {
		p.Cost.Fields = append(p.Cost.Fields, FieldCost{f.Path, f.Field, min(Count(f.Runs), maxCount), f.Cost.Field, f.Cost.Type})
	}
	if slicing, ok := errors.AsType[*cost.SlicingError](err); ok {
		p.Notes = append(p.Notes, fmt.Sprintf("the gateway refuses the operation where it limits costs: %s", slicing))
	}
}

// costText returns the lines about the cost, the first one with the total.
func (p *Plan) costText() []string {
	lines := []string{fmt.Sprintf("cost at most %s: %s for fields, %s for values", p.Cost.Estimated, p.Cost.Field, p.Cost.Type)}
	rows := make([][]string, len(p.Cost.Fields))
	for i, f := range p.Cost.Fields {
		rows[i] = []string{f.Path, f.Field, plural(f.Times, "time", "times"), f.Cost.String() + " + " + f.Type.String()}
	}
	for _, line := range alignColumns(rows) {
		lines = append(lines, "  "+line)
	}
	return lines
}
