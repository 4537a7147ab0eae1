package input

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// preparer rewrites the literals of one document.
type preparer struct {
	rewriter
	arguments map[*ast.Argument]uses // those with something to look at
}

func (p *preparer) set(set ast.SelectionSet) {
	for _, selected := range set {
		switch s := selected.(type) {
		case *ast.Field:
			p.field(s)
			p.directives(s.Directives)
			p.set(s.SelectionSet)
		case *ast.InlineFragment:
			p.directives(s.Directives)
			p.set(s.SelectionSet)
		case *ast.FragmentSpread:
			p.directives(s.Directives)
		}
	}
}

func (p *preparer) field(f *ast.Field) {
	if prepared, ok := p.reader.defaults.fields[f.Definition]; ok {
		f.Definition = prepared
		p.borrowDefaults(prepared.Arguments)
	}
	p.rewriteArguments(f.Arguments, f.Definition.Arguments)
}

func (p *preparer) directives(list ast.DirectiveList) {
	for _, d := range list {
		if prepared, ok := p.reader.defaults.directives[d.Definition]; ok {
			d.Definition = prepared
			p.borrowDefaults(prepared.Arguments)
		}
		p.rewriteArguments(d.Arguments, d.Definition.Arguments)
	}
}

func (p *preparer) borrowDefaults(defs ast.ArgumentDefinitionList) {
	for _, def := range defs {
		p.borrow(def.DefaultValue)
	}
}

func (p *preparer) rewriteArguments(list ast.ArgumentList, defs ast.ArgumentDefinitionList) {
	for _, argument := range list {
		p.uses = uses{}
		argument.Value = p.rewrite(argument.Value, defs.ForName(argument.Name).Type)
		if !p.uses.empty() {
			p.arguments[argument] = p.uses
		}
	}
}

// operation finds what has to be looked at in an operation, with each of its fragments once.
func (p *preparer) operation(op *ast.OperationDefinition) *operation {
	c := &collector{arguments: p.arguments, op: op, seen: map[*ast.FragmentDefinition]bool{}}
	c.directives(op.Directives)
	c.set(op.SelectionSet)
	return &c.found
}

// collector goes through one operation.
type collector struct {
	arguments map[*ast.Argument]uses
	op        *ast.OperationDefinition
	seen      map[*ast.FragmentDefinition]bool
	found     operation
}

func (c *collector) set(set ast.SelectionSet) {
	for _, selected := range set {
		switch s := selected.(type) {
		case *ast.Field:
			c.add(s.Arguments, &c.found.arguments.nonNull)
			c.directives(s.Directives)
			c.set(s.SelectionSet)
		case *ast.InlineFragment:
			c.directives(s.Directives)
			c.set(s.SelectionSet)
		case *ast.FragmentSpread:
			c.directives(s.Directives)
			if !c.seen[s.Definition] {
				c.seen[s.Definition] = true
				c.directives(s.Definition.Directives)
				c.set(s.Definition.SelectionSet)
			}
		}
	}
}

func (c *collector) directives(list ast.DirectiveList) {
	for _, d := range list {
		c.add(d.Arguments, &c.found.conditions)
	}
}

// add notes what is known of arguments: in nonNull the variables that may be null in this
// operation, each once.
func (c *collector) add(list ast.ArgumentList, nonNull *[]string) {
	for _, argument := range list {
		known := c.arguments[argument]
		c.found.arguments.scalars = append(c.found.arguments.scalars, known.scalars...)
		for _, name := range known.nonNull {
			def := c.op.VariableDefinitions.ForName(name)
			if !def.Type.NonNull && !slices.Contains(*nonNull, name) {
				*nonNull = append(*nonNull, name)
			}
		}
	}
}
