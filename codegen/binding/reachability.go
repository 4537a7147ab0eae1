package binding

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// checkReachability refuses types that no operation can reach through any field, argument or
// fragment, since no client can use them. Two kinds are excepted: scalars, since a file may declare
// all that the generator knows, and types that arguments of directives for other tools have.
func (c *compiler) checkReachability() {
	r := &reachability{schema: c.schema, named: map[string]bool{}, returned: map[string]bool{}}
	for _, root := range []*ast.Definition{c.schema.Query, c.schema.Mutation, c.schema.Subscription} {
		if root != nil {
			r.visitValue(root.Name)
		}
	}
	for _, d := range c.schema.Directives {
		r.visitArguments(d.Arguments)
	}
	for _, def := range c.typesOf(ast.Object, ast.Interface, ast.Union, ast.InputObject, ast.Enum) {
		if !r.named[def.Name] && !isOwnDeclaration(def.Position) {
			c.faults.Add(UnreachableType, def.Position, "no operation can reach %s from Query, Mutation or Subscription; use it for a field or an argument, or remove it", def.Name)
		}
	}
}

// reachability follows a schema from the types at which operations begin.
type reachability struct {
	schema   *ast.Schema
	named    map[string]bool // types whose fields can be selected, or that arguments take
	returned map[string]bool // the types among them that a field can return
}

// visitValue marks a type that a field returns. Of an interface or a union, it marks all possible
// types.
func (r *reachability) visitValue(name string) {
	if r.returned[name] {
		return
	}
	r.returned[name] = true
	r.visitName(name)
	def := r.schema.Types[name]
	if def.IsAbstractType() {
		for _, t := range r.schema.GetPossibleTypes(def) {
			r.visitValue(t.Name)
		}
	}
}

// visitName marks a type that an operation can name, as a fragment names an interface of an object.
func (r *reachability) visitName(name string) {
	if r.named[name] {
		return
	}
	r.named[name] = true
	def := r.schema.Types[name]
	for _, of := range def.Interfaces {
		r.visitName(of)
	}
	for _, f := range def.Fields {
		r.visitValue(f.Type.Name())
		r.visitArguments(f.Arguments)
	}
}

func (r *reachability) visitArguments(args ast.ArgumentDefinitionList) {
	for _, a := range args {
		r.visitValue(a.Type.Name())
	}
}
