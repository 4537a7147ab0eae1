package binding

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/facts"
)

// maxWeight is the largest weight, and minWeight the smallest step between weights. Sums of weights are
// exact between them.
const (
	maxWeight = 1e9
	minWeight = 1e-6
)

// weightSyntax is what a weight looks like: a Float of GraphQL.
var weightSyntax = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// weightOf returns the weight of a @cost. Compile has to have checked the schema.
func weightOf(d *ast.Directive) float64 {
	weight, _ := strconv.ParseFloat(argumentText(d, "weight"), 64)
	return weight
}

// statesWeight returns the facts that a @cost states.
func statesWeight(uses ast.DirectiveList) []Fact {
	text := strconv.FormatFloat(weightOf(uses[0]), 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0" // so that new makes a float64 of it
	}
	return []Fact{{"Weight", fmt.Sprintf("new(%s)", text)}}
}

// checkWeights checks every @cost.
func (c *compiler) checkWeights() {
	for _, def := range c.typesOf(ast.Object, ast.Interface, ast.Enum, ast.Scalar, ast.InputObject) {
		c.checkWeight(def.Directives)
		for _, field := range def.Fields {
			if d := field.Directives.ForName("cost"); d != nil && def.Kind == ast.Interface {
				c.faults.Add(CostOfInterface, d.Position, "%s.%s is a field of an interface, which costs what the most expensive of the types does that implement it; move @cost to them%s", def.Name, field.Name, c.implementing(def))
				c.invalid[d] = true
			}
			c.checkWeight(field.Directives)
			for _, a := range field.Arguments {
				c.checkWeight(a.Directives)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.schema.Directives)) {
		for _, a := range c.schema.Directives[name].Arguments {
			c.checkWeight(a.Directives)
		}
	}
}

// CostFacts returns what a schema states about costs, as generated code has it. graph is what Compile
// has compiled from schema.
func CostFacts(schema *ast.Schema, graph *Graph) facts.Table {
	table, pages := facts.Table{}, graph.pages()
	(&compiler{schema: schema}).eachPart(func(coordinate string, field *ast.FieldDefinition, directives ast.DirectiveList) {
		var stated facts.Facts
		if d := directives.ForName("cost"); d != nil {
			stated.Weight = new(weightOf(d))
		}
		switch d := directives.ForName("listSize"); {
		case pages[field] != nil:
			stated.ListSize = pages[field].listSize()
		case d != nil:
			stated.ListSize = listSizeOf(d)
		}
		if stated.Weight != nil || stated.ListSize != nil {
			table[coordinate] = stated
		}
	})
	return table
}

// implementing returns the names of the object types that implement an interface, for messages.
func (c *compiler) implementing(def *ast.Definition) string {
	var names []string
	for _, object := range c.schema.GetPossibleTypes(def) {
		names = append(names, object.Name)
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + joinNames(names)
}

// checkWeight checks the @cost among some directives, if there is one.
func (c *compiler) checkWeight(directives ast.DirectiveList) {
	d := directives.ForName("cost")
	if d == nil || c.invalid[d] {
		return
	}
	v := argument(d, "weight")
	weight, err := strconv.ParseFloat(v.Raw, 64)
	switch {
	case !weightSyntax.MatchString(v.Raw) || err != nil && !math.IsInf(weight, 0):
		c.faults.Add(InvalidWeight, v.Position, "%q is not a number; write one such as weight: \"2.5\"%s", v.Raw, suggestWeight(v.Raw))
	case math.Abs(weight) > maxWeight:
		c.faults.Add(InvalidWeight, v.Position, "a weight is between -1000000000 and 1000000000, not %s", v.Raw)
	case weight != 0 && math.Abs(weight) < minWeight:
		c.faults.Add(InvalidWeight, v.Position, "a weight is a multiple of 0.000001, not %s; costs are counted in millionths", v.Raw)
	default:
		return
	}
	c.invalid[d] = true
}

// suggestWeight returns a question after the number that a text was probably meant to be, "" for none.
func suggestWeight(text string) string {
	meant := strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(text), "+"), ",", ".")
	if strings.HasPrefix(meant, ".") {
		meant = "0" + meant
	}
	meant = strings.TrimSuffix(meant, ".")
	if meant == text || !weightSyntax.MatchString(meant) {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", meant)
}
