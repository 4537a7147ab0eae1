package front

import (
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// conditional refuses a null for a variable in @skip or @include. Validation lets it pass
// where the variable has a default, which an explicit null replaces; executors throw then,
// or take it for false, and a client could see which plans others have had made.
func conditional(op *graphql.OperationContext) error {
	var nulls map[string]bool
	for _, v := range op.Operation.VariableDefinitions {
		if value, given := op.Variables[v.Variable]; given && value == nil && v.Type.NamedType == "Boolean" {
			if nulls == nil {
				nulls = map[string]bool{}
			}
			nulls[v.Variable] = true
		}
	}
	if len(nulls) == 0 {
		return nil
	}
	c := conditions{doc: op.Doc, nulls: nulls, seen: map[string]bool{}}
	if c.set(op.Operation.SelectionSet); c.null == "" {
		return nil
	}
	return fault.New(fault.BadUserInput, "variable $%s: must not be null, since @skip or @include asks for it", c.null)
}

// conditions looks for variables that are null through an operation and its fragments.
type conditions struct {
	doc   *ast.QueryDocument
	nulls map[string]bool
	seen  map[string]bool // fragments
	null  string          // a variable that is found
}

func (c *conditions) set(set ast.SelectionSet) {
	for _, selected := range set {
		switch s := selected.(type) {
		case *ast.Field:
			c.directives(s.Directives)
			c.set(s.SelectionSet)
		case *ast.InlineFragment:
			c.directives(s.Directives)
			c.set(s.SelectionSet)
		case *ast.FragmentSpread:
			c.directives(s.Directives)
			c.fragment(s.Name)
		}
	}
}

func (c *conditions) fragment(name string) {
	if c.seen[name] {
		return
	}
	c.seen[name] = true
	c.set(c.doc.Fragments.ForName(name).SelectionSet)
}

func (c *conditions) directives(list ast.DirectiveList) {
	for _, d := range list {
		on := d.Arguments.ForName("if")
		if (d.Name == "skip" || d.Name == "include") && on != nil && on.Value.Kind == ast.Variable && c.nulls[on.Value.Raw] {
			c.null = on.Value.Raw
		}
	}
}
