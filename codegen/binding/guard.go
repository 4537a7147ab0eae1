package binding

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// guardNames are the directives that say who may see a field.
var guardNames = []string{"authenticated", "requiresScopes"}

// guards spreads the guards that stand on types to fields, which is where they run:
// to the fields that return the type, so that nothing is fetched for a refused one, and
// to the type's own fields, so that an interface or a union is no way around them.
// Then it checks interfaces: gqlgen runs the guards of the concrete type alone, so each
// must repeat its interface's (the class of GHSA-mx7m-j9xf-62hw).
func (c *compiler) guards() {
	types := c.objects()
	for _, def := range types {
		for _, field := range def.Fields {
			addGuards(field, def.Directives)
			if returned := c.schema.Types[field.Type.Name()]; returned != nil && returned.IsCompositeType() {
				addGuards(field, returned.Directives)
			}
		}
	}
	for _, def := range types {
		for _, name := range def.Interfaces {
			c.interfaceGuards(def, c.schema.Types[name])
		}
	}
}

// addGuards gives a field the guards among directives that it does not have yet.
func addGuards(field *ast.FieldDefinition, directives ast.DirectiveList) {
	if strings.HasPrefix(field.Name, "__") {
		return
	}
	for _, guard := range guardsOf(directives) {
		if !hasGuard(field.Directives, guard) {
			field.Directives = append(field.Directives, guard)
		}
	}
}

func (c *compiler) interfaceGuards(def, abstract *ast.Definition) {
	if abstract == nil {
		return
	}
	for _, promised := range abstract.Fields {
		field := def.Fields.ForName(promised.Name)
		if field == nil {
			continue
		}
		for _, guard := range guardsOf(promised.Directives) {
			if !hasGuard(field.Directives, guard) {
				c.faults.Add(MissingGuard, field.Position, "%s.%s lacks the guard %s of %s.%s, and would be a way around it; repeat it here",
					def.Name, field.Name, written(guard), abstract.Name, promised.Name)
			}
		}
	}
}

// Guards are the guards of a field as the schema writes them, once Compile has spread them.
func Guards(field *ast.FieldDefinition) []string {
	var guards []string
	for _, guard := range guardsOf(field.Directives) {
		guards = append(guards, written(guard))
	}
	return guards
}

func guardsOf(directives ast.DirectiveList) ast.DirectiveList {
	var guards ast.DirectiveList
	for _, name := range guardNames {
		guards = append(guards, directives.ForNames(name)...)
	}
	return guards
}

// hasGuard tells whether guard stands among directives, or one that implies it.
func hasGuard(directives ast.DirectiveList, guard *ast.Directive) bool {
	for _, d := range guardsOf(directives) {
		if d.Name == guard.Name && written(d) == written(guard) || guard.Name == "authenticated" {
			return true
		}
	}
	return false
}

// written is a directive as the schema writes it.
func written(d *ast.Directive) string {
	if len(d.Arguments) == 0 {
		return "@" + d.Name
	}
	args := make([]string, len(d.Arguments))
	for i, a := range d.Arguments {
		args[i] = a.Name + ": " + a.Value.String()
	}
	return "@" + d.Name + "(" + strings.Join(args, ", ") + ")"
}
