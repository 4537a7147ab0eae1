package binding

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
)

// Load parses and validates the sources of a schema, together with the declarations of our
// directives. The error holds Faults.
func Load(sources ...*ast.Source) (*ast.Schema, error) {
	all := slices.Concat([]*ast.Source{validator.Prelude}, DirectiveSources(), sources)
	doc, err := parser.ParseSchemas(all...)
	if err != nil {
		return nil, asFaults(InvalidSyntax, err, sources)
	}
	if err := checkNames(doc); err != nil {
		return nil, err
	}
	schema, err := validator.ValidateSchemaDocument(doc)
	if err != nil {
		return nil, asFaults(InvalidSchema, err, sources)
	}
	return schema, nil
}

// keepObjects removes from the possible types of a schema those that are interfaces. gqlparser counts
// an interface that implements another one among them, but no value is of the type of an interface
// (GraphQL specification, section 3.7).
func keepObjects(schema *ast.Schema) {
	for name, types := range schema.PossibleTypes {
		schema.PossibleTypes[name] = slices.DeleteFunc(types, func(t *ast.Definition) bool { return t.Kind != ast.Object })
	}
}

// checkNames finds types, directives and arguments that are not declared, and arguments and input
// fields that are given twice. gqlparser finds them too, but stops at the first and suggests
// nothing.
func checkNames(doc *ast.SchemaDocument) error {
	n := nameChecker{types: map[string]bool{}, directives: map[string]*ast.DirectiveDefinition{}}
	for _, def := range slices.Concat(doc.Definitions, doc.Extensions) {
		n.types[def.Name] = true
	}
	for _, d := range doc.Directives {
		n.directives[d.Name] = d
	}
	for _, s := range slices.Concat(doc.Schema, doc.SchemaExtension) {
		n.checkUses(s.Directives)
	}
	for _, def := range slices.Concat(doc.Definitions, doc.Extensions) {
		n.checkDefinition(def)
	}
	return n.faults.Err()
}

type nameChecker struct {
	types      map[string]bool
	directives map[string]*ast.DirectiveDefinition
	faults     Faults
}

func (n *nameChecker) checkDefinition(def *ast.Definition) {
	n.checkUses(def.Directives)
	for _, name := range def.Interfaces {
		n.checkType(name, def.Position)
	}
	for i, name := range def.Types {
		n.checkType(name, def.TypePositions[i])
	}
	for _, f := range def.Fields {
		n.checkType(f.Type.Name(), f.Type.Position)
		n.checkUses(f.Directives)
		for _, a := range f.Arguments {
			n.checkType(a.Type.Name(), a.Type.Position)
			n.checkUses(a.Directives)
		}
	}
	for _, v := range def.EnumValues {
		n.checkUses(v.Directives)
	}
}

func (n *nameChecker) checkType(name string, pos *ast.Position) {
	switch {
	case n.types[name]:
	case scalars.ByName(name) != nil:
		n.faults.Add(UndeclaredScalar, pos, "the generator knows the scalar %s, but the schema has to declare it: scalar %s", name, name)
	default:
		n.faults.Add(UnknownType, pos, "there is no type %s%s", name, DidYouMean(name, slices.Sorted(maps.Keys(n.types))))
	}
}

// schemaDirectives returns the names of the directives that a schema can use; the others are for operations.
func (n *nameChecker) schemaDirectives() []string {
	var names []string
	for name, def := range n.directives {
		if slices.ContainsFunc(def.Locations, isSchemaLocation) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func isSchemaLocation(at ast.DirectiveLocation) bool {
	switch at {
	case ast.LocationQuery, ast.LocationMutation, ast.LocationSubscription, ast.LocationField, ast.LocationFragmentDefinition,
		ast.LocationFragmentSpread, ast.LocationInlineFragment, ast.LocationVariableDefinition:
		return false
	}
	return true
}

func (n *nameChecker) checkUses(directives ast.DirectiveList) {
	for _, d := range directives {
		def := n.directives[d.Name]
		if def == nil {
			n.faults.Add(UnknownDirective, d.Position, "there is no directive @%s%s", d.Name, DidYouMean(d.Name, n.schemaDirectives()))
			continue
		}
		n.checkRepeated(asChildValues(d.Arguments))
		for _, arg := range d.Arguments {
			n.checkMembers(arg.Value)
			if def.Arguments.ForName(arg.Name) == nil {
				n.faults.Add(UnknownArgument, arg.Position, "@%s has no argument %q%s", d.Name, arg.Name, DidYouMean(arg.Name, argumentNames(def.Arguments)))
			}
		}
	}
}

// checkMembers finds input fields that a value gives twice.
func (n *nameChecker) checkMembers(v *ast.Value) {
	if v.Kind == ast.ObjectValue {
		n.checkRepeated(v.Children)
	}
	for _, child := range v.Children {
		n.checkMembers(child.Value)
	}
}

func asChildValues(args ast.ArgumentList) ast.ChildValueList {
	list := make(ast.ChildValueList, len(args))
	for i, a := range args {
		list[i] = &ast.ChildValue{Name: a.Name, Position: a.Position}
	}
	return list
}

// checkRepeated reports a second member of the same name.
func (n *nameChecker) checkRepeated(list ast.ChildValueList) {
	seen := map[string]bool{}
	for _, m := range list {
		if seen[m.Name] {
			n.faults.Add(RepeatedArgument, m.Position, "%q is given twice; keep one", m.Name)
		}
		seen[m.Name] = true
	}
}

func argumentNames(args ast.ArgumentDefinitionList) []string {
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = a.Name
	}
	return names
}

// wireName returns the services' name of a field of an input.
func (c *compiler) wireName(typeName, field string) string {
	if def := c.schema.Types[typeName]; def != nil {
		if f := def.Fields.ForName(field); f != nil && f.Directives.ForName("json") != nil {
			return cmp.Or(argumentText(f.Directives.ForName("json"), "name"), field)
		}
	}
	return field
}

// IsProperty reports whether a field's value comes with its object: it is not bound, and has no resolver.
func IsProperty(f *ast.FieldDefinition) bool {
	return f.Directives.ForName("connect") == nil && !isHandwritten(f) && !strings.HasPrefix(f.Name, "__")
}

// isHandwritten reports whether a handwritten resolver answers a field. gqlgen's batch resolvers
// are handwritten too.
func isHandwritten(f *ast.FieldDefinition) bool {
	d := f.Directives.ForName("goField")
	return d != nil && (argumentText(d, "forceResolver") == "true" || argumentText(d, "batch") == "true")
}

// propertyNames returns the names of the fields of a type that come with its objects.
func propertyNames(def *ast.Definition) []string {
	var names []string
	for _, f := range def.Fields {
		if IsProperty(f) {
			names = append(names, f.Name)
		}
	}
	return names
}

func fieldNames(def *ast.Definition) []string {
	names := make([]string, len(def.Fields))
	for i, f := range def.Fields {
		names[i] = f.Name
	}
	return names
}
