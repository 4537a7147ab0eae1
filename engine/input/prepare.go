package input

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// preparer rewrites the literals of one document.
type preparer struct {
	rewriter
	arguments map[*ast.Argument]variableUses // those with uses that must be checked
}

func (p *preparer) prepareSelectionSet(set ast.SelectionSet) {
	for _, selected := range set {
		switch s := selected.(type) {
		case *ast.Field:
			p.prepareField(s)
			p.prepareDirectives(s.Directives)
			p.prepareSelectionSet(s.SelectionSet)
		case *ast.InlineFragment:
			p.prepareDirectives(s.Directives)
			p.prepareSelectionSet(s.SelectionSet)
		case *ast.FragmentSpread:
			p.prepareDirectives(s.Directives)
		}
	}
}

// prepareField rewrites the arguments of a field. If a default of the field's definition was
// rewritten, the field gets the copy of the definition with the rewritten default.
func (p *preparer) prepareField(f *ast.Field) {
	if prepared, ok := p.reader.defaults.fields[f.Definition]; ok {
		f.Definition = prepared
		p.addDefaultConstants(prepared.Arguments)
	}
	p.rewriteArguments(f.Arguments, f.Definition.Arguments)
}

// prepareDirectives rewrites the arguments of directives, as prepareField does those of a field.
func (p *preparer) prepareDirectives(list ast.DirectiveList) {
	for _, d := range list {
		if prepared, ok := p.reader.defaults.directives[d.Definition]; ok {
			d.Definition = prepared
			p.addDefaultConstants(prepared.Arguments)
		}
		p.rewriteArguments(d.Arguments, d.Definition.Arguments)
	}
}

func (p *preparer) addDefaultConstants(defs ast.ArgumentDefinitionList) {
	for _, def := range defs {
		p.addConstants(def.DefaultValue)
	}
}

// rewriteArguments rewrites the literals of arguments in place, and records the uses in them.
func (p *preparer) rewriteArguments(list ast.ArgumentList, defs ast.ArgumentDefinitionList) {
	for _, argument := range list {
		p.uses = variableUses{}
		argument.Value = p.rewrite(argument.Value, defs.ForName(argument.Name).Type)
		if !p.uses.isEmpty() {
			p.arguments[argument] = p.uses
		}
	}
}

// collectUses returns the uses in an operation and the fragments that it spreads, each fragment once.
func (p *preparer) collectUses(op *ast.OperationDefinition) *operationUses {
	c := &usesCollector{arguments: p.arguments, op: op, seen: map[*ast.FragmentDefinition]bool{}}
	c.addDirectives(op.Directives)
	c.addSelectionSet(op.SelectionSet)
	return &c.found
}

// usesCollector walks one operation and collects its uses.
type usesCollector struct {
	arguments map[*ast.Argument]variableUses
	op        *ast.OperationDefinition
	seen      map[*ast.FragmentDefinition]bool
	found     operationUses
}

func (c *usesCollector) addSelectionSet(set ast.SelectionSet) {
	for _, selected := range set {
		switch s := selected.(type) {
		case *ast.Field:
			c.add(s.Arguments, &c.found.arguments.nonNull)
			c.addDirectives(s.Directives)
			c.addSelectionSet(s.SelectionSet)
		case *ast.InlineFragment:
			c.addDirectives(s.Directives)
			c.addSelectionSet(s.SelectionSet)
		case *ast.FragmentSpread:
			c.addDirectives(s.Directives)
			if !c.seen[s.Definition] {
				c.seen[s.Definition] = true
				c.addDirectives(s.Definition.Directives)
				c.addSelectionSet(s.Definition.SelectionSet)
			}
		}
	}
}

func (c *usesCollector) addDirectives(list ast.DirectiveList) {
	for _, d := range list {
		c.add(d.Arguments, &c.found.conditions)
	}
}

// add adds the uses in a list of arguments. It adds the variables in non-null places to nonNull, if
// their types in this operation are nullable, each once.
func (c *usesCollector) add(list ast.ArgumentList, nonNull *[]string) {
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
