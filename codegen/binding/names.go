package binding

import (
	"cmp"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
)

// compileWireNames collects the names by which services know fields and values of enums. It refuses
// two fields of a type, or two values of an enum, with the same name, since a decoder could not
// tell them apart.
func (c *compiler) compileWireNames() {
	for _, name := range slices.Sorted(maps.Keys(c.schema.Types)) {
		def := c.schema.Types[name]
		if def.BuiltIn || isOwnDeclaration(def.Position) {
			continue
		}
		seen := map[string]string{}
		for _, v := range membersOf(def) {
			wire := strconv.Quote(v.name)
			switch d := v.directives.ForName("json"); {
			case d == nil:
			case c.invalid[d] || !c.checkWireName(def, d):
				c.graph.invalidNames[name] = true
			case argument(d, "value") != nil:
				wire = scalar.PlainNumber(argumentText(d, "value"))
				c.graph.wire[[2]string{name, v.name}] = wire
				c.graph.literals[[2]string{name, v.name}] = true
			default:
				c.graph.wire[[2]string{name, v.name}] = argumentText(d, "name")
				wire = strconv.Quote(argumentText(d, "name"))
			}
			if other, twice := seen[wire]; twice {
				c.faults.Add(RepeatedWireName, v.position, "%s.%s and %s.%s are both %s to the services; give each its own @json", name, other, name, v.name, wire)
			}
			seen[wire] = v.name
		}
	}
}

// checkWireName checks that a @json has a name, or a value if it is of an enum's value.
func (c *compiler) checkWireName(def *ast.Definition, d *ast.Directive) bool {
	name, value := argument(d, "name"), argument(d, "value")
	switch {
	case value != nil && def.Kind != ast.Enum:
		c.faults.Add(WrongLiteral, value.Position, "a member of an object has a name; write @json(name: %q)", value.Raw)
	case name == nil && value == nil:
		c.faults.Add(WrongLiteral, d.Position, "@json says nothing; write @json(name: \"...\")")
	case name != nil && value != nil:
		c.faults.Add(WrongLiteral, value.Position, "a value of an enum is a text or a number; write name or value")
	default:
		return true
	}
	return false
}

// checkForeignDirectives refuses directives that the schema declares itself, unless gqlgen.yml says
// that they are for other tools: nothing runs them, although a reader of the schema might rely on
// it.
func (c *compiler) checkForeignDirectives() {
	for _, name := range slices.Sorted(maps.Keys(c.schema.Directives)) {
		d := c.schema.Directives[name]
		if !d.Position.Src.BuiltIn && !isOwnDeclaration(d.Position) && !slices.Contains(c.options.InertDirectives, name) {
			c.faults.Add(ForeignDirective, d.Position, "nothing runs @%s; remove it, or name it in gqlgen.yml if it is for other tools: directives: {%s: {skip_runtime: true}}", name, name)
		}
	}
}

// checkResolverNames refuses a type whose resolvers have a taken name: each type with resolvers
// becomes a method of resolvers.Resolver, which already has a field Services.
func (c *compiler) checkResolverNames() {
	for _, object := range c.objectTypes() {
		if strings.EqualFold(object.Name, "services") && object.Kind == ast.Object && slices.ContainsFunc(object.Fields, isResolved) {
			c.faults.Add(TakenGoName, object.Position, "the type %s would be a Go method of resolvers.Resolver, which already has a field Services; rename the type", object.Name)
		}
	}
}

// isResolved reports whether a field has a resolver, generated or handwritten.
func isResolved(f *ast.FieldDefinition) bool {
	return !IsProperty(f) && !strings.HasPrefix(f.Name, "__")
}

// checkFieldNames refuses two fields of a type with the same Go name, and a field whose Go name is
// not valid. For the properties of an object, gqlgen compares names without regard to case and
// underscores.
func (c *compiler) checkFieldNames() {
	for _, def := range c.typesOf(ast.Object, ast.Interface, ast.InputObject) {
		seen, folded := map[string]string{}, c.membershipMethods(def)
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue // introspection fields, which gqlgen adds
			}
			name := goName(f)
			key := strings.ToLower(strings.ReplaceAll(name, "_", ""))
			other, twice := seen[name]
			alike, similar := folded[key]
			switch {
			case !token.IsExported(name) || !token.IsIdentifier(name):
				c.faults.Add(TakenGoName, f.Position, "%s.%s would be %s in Go, which is not a valid name; rename it, or add @goField(name: ...)", def.Name, f.Name, name)
			case twice:
				c.faults.Add(TakenGoName, f.Position, "%s.%s and %s.%s are both %s in Go; rename one of them, or add @goField(name: ...)", def.Name, other, def.Name, f.Name, name)
			case similar && IsProperty(f):
				c.faults.Add(TakenGoName, f.Position, "%s.%s would be %s in Go, which gqlgen does not tell from %s; rename it, or add @goField(name: ...)", def.Name, f.Name, name, alike)
			}
			seen[name] = f.Name
			if IsProperty(f) {
				folded[key] = def.Name + "." + f.Name
			}
		}
	}
}

// membershipMethods returns the methods by which the model of a type implements interfaces and
// unions, by their names in lower case, each with a description for messages.
func (c *compiler) membershipMethods(def *ast.Definition) map[string]string {
	methods := map[string]string{}
	for _, of := range c.schema.GetImplements(def) {
		methods[strings.ToLower("Is"+templates.ToGo(of.Name))] = "the method by which it belongs to " + of.Name
	}
	return methods
}

// checkTypeNames refuses a type whose Go name is not valid, and two types whose models have the same
// Go name, or whose resolvers have.
func (c *compiler) checkTypeNames() {
	models, resolvers := map[string]string{}, map[string]string{}
	for _, def := range c.typesOf(ast.Object, ast.Interface, ast.Union, ast.Enum, ast.InputObject) {
		model, resolver := templates.ToGo(def.Name), templates.UcFirst(def.Name)
		if !token.IsExported(model) || !token.IsIdentifier(model) {
			c.faults.Add(TakenGoName, def.Position, "the type %s would be %s in Go, which is not a valid name; let its name begin with a letter", def.Name, model)
		} else if def.Kind == ast.Object && !token.IsExported(resolver) && slices.ContainsFunc(def.Fields, isResolved) {
			c.faults.Add(TakenGoName, def.Position, "the resolvers of the type %s would be %sResolver in Go, which other packages cannot use; let its name begin with a letter", def.Name, resolver)
		}
		if other, twice := models[model]; twice {
			c.reportTypeName(def, other, model)
		} else if other, twice := resolvers[resolver]; twice {
			c.reportTypeName(def, other, resolver)
		}
		models[model], resolvers[resolver] = def.Name, def.Name
	}
	for _, def := range c.typesOf(ast.Object, ast.Interface, ast.Union, ast.Enum, ast.InputObject) {
		if written, ok := strings.CutPrefix(templates.ToGo(def.Name), "Marshal"); ok && models[written] != "" {
			c.faults.Add(TakenGoName, def.Position, "gqlgen would take the type %s for the function that writes %s; rename one of them", def.Name, models[written])
		}
	}
}

func (c *compiler) reportTypeName(def *ast.Definition, other, name string) {
	c.faults.Add(TakenGoName, def.Position, "the types %s and %s are both %s in Go; rename one of them", other, def.Name, name)
}

// goName returns the name that gqlgen gives a field in Go.
func goName(f *ast.FieldDefinition) string {
	if d := f.Directives.ForName("goField"); d != nil && d.Arguments.ForName("name") != nil {
		return argumentText(d, "name")
	}
	return templates.ToGo(f.Name)
}

type member struct {
	name       string
	directives ast.DirectiveList
	position   *ast.Position
}

// membersOf returns the fields of a type that a service sends or receives, or the values of an
// enum.
func membersOf(def *ast.Definition) []member {
	var members []member
	for _, f := range def.Fields {
		if IsProperty(f) {
			members = append(members, member{f.Name, f.Directives, f.Position})
		}
	}
	for _, v := range def.EnumValues {
		members = append(members, member{v.Name, v.Directives, v.Position})
	}
	return members
}

// checkIDs refuses two bindings with the same name.
func (c *compiler) checkIDs() {
	seen := map[string]*Field{}
	for _, f := range c.graph.Bindings() {
		if f.Entity && f.Definition.Name == "" {
			continue // a binding that addEntity derived from a field
		}
		id := cmp.Or(f.ID, f.Name())
		other := seen[id]
		switch {
		case other == nil:
			seen[id] = f
		case f.ID == "":
			c.faults.Add(RepeatedID, other.Position, "%q is the name of the binding of %s; give this one another id", id, f.Name())
		default:
			c.faults.Add(RepeatedID, f.Position, "%q is already the name of the binding of %s; give this one another id", id, other.Name())
		}
	}
}
