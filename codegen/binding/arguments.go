package binding

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
	"github.com/gatehouse-graphql/gatehouse/engine/input"
)

// checkDirectives checks the arguments of all uses of our directives. gqlparser checks their names
// and leaves their values unchecked, so each value is checked against its type as GraphQL checks a
// value in a query. A directive with a wrong value is entered in c.invalid, and is not compiled.
func (c *compiler) checkDirectives() {
	c.checkDirectiveArguments(c.schema.SchemaDirectives)
	for _, name := range slices.Sorted(maps.Keys(c.schema.Types)) {
		def := c.schema.Types[name]
		c.checkDirectiveArguments(def.Directives)
		for _, f := range def.Fields {
			c.checkDirectiveArguments(f.Directives)
			for _, a := range f.Arguments {
				c.checkDirectiveArguments(a.Directives)
			}
		}
		for _, v := range def.EnumValues {
			c.checkDirectiveArguments(v.Directives)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.schema.Directives)) {
		for _, a := range c.schema.Directives[name].Arguments {
			c.checkDirectiveArguments(a.Directives)
		}
	}
}

func (c *compiler) checkDirectiveArguments(directives ast.DirectiveList) {
	for _, d := range directives {
		if d.Definition == nil || !isOwnDeclaration(d.Definition.Position) {
			continue
		}
		before := len(c.faults)
		for _, arg := range d.Arguments {
			c.checkLiteral(arg.Value, d.Definition.Arguments.ForName(arg.Name).Type)
			if arg.Name != "default" { // of any type, whose fields may have the names of arguments
				c.checkNotEmpty(d.Name, arg.Name, arg.Value)
			}
		}
		c.invalid[d] = len(c.faults) > before
	}
}

// meaninglessWhenEmpty are the arguments of our directives, and members of these, that say nothing when
// they are empty. Other empty arguments have checks of their own.
var meaninglessWhenEmpty = map[string]bool{
	"source.openapi": true, "source.http": true, "source.headers": true, "source.value": true, "source.errors": true,
	"connect.headers": true, "connect.value": true, "connect.errors": true, "connect.id": true,
	"json.name": true, "listSize.sizedFields": true,
}

// checkNotEmpty refuses an empty text, list or object in an argument of a directive, and in its
// members, if that says nothing.
func (c *compiler) checkNotEmpty(directive, name string, v *ast.Value) {
	isEmpty := len(v.Children) == 0
	switch v.Kind {
	case ast.ObjectValue, ast.ListValue:
	case ast.StringValue, ast.BlockValue:
		isEmpty = v.Raw == ""
	default:
		isEmpty = false
	}
	if isEmpty && meaninglessWhenEmpty[directive+"."+name] {
		c.faults.Add(EmptyArgument, v.Position, "%s is empty here, which says nothing; write what is meant, or leave it out", name)
	}
	for _, child := range v.Children {
		c.checkNotEmpty(directive, cmp.Or(child.Name, name), child.Value)
	}
}

// checkDefaultValues checks the default values of the schema with the gateway's own reader, which
// would otherwise refuse them when the gateway starts.
func (c *compiler) checkDefaultValues() {
	options := input.Options{Suggestions: true, Scalar: scalars.Unmarshal}
	wrong := input.CheckDefaults(c.schema, options)
	if len(wrong) == 0 { // a default value may still contain itself
		_, err := input.NewCoercer(c.schema, options)
		if cycle, ok := errors.AsType[*input.Error](err); ok {
			wrong = append(wrong, cycle)
		}
	}
	for _, e := range wrong {
		c.faults.Add(WrongLiteral, e.Position, "%s", e.Message)
	}
}

// checkLiteral checks that v is of type t.
func (c *compiler) checkLiteral(v *ast.Value, t *ast.Type) {
	def := c.schema.Types[t.Name()]
	switch {
	case v.Kind == ast.NullValue:
		if t.NonNull {
			c.faults.Add(WrongLiteral, v.Position, "%s is expected here, not null", t)
		}
	case isList(t):
		c.checkListLiteral(v, t)
	case def.Kind == ast.InputObject && v.Kind == ast.ObjectValue:
		c.checkObjectLiteral(v, def)
	case !literalFits(v, def):
		c.faults.Add(WrongLiteral, v.Position, "%s is expected here, not %s%s", describeExpected(t), v, adviseLiteral(v, def))
	}
}

// checkListLiteral checks the elements of a list. As in GraphQL, a single value stands for a list
// of one element.
func (c *compiler) checkListLiteral(v *ast.Value, t *ast.Type) {
	if v.Kind != ast.ListValue {
		c.checkLiteral(v, t.Elem)
		return
	}
	for _, element := range v.Children {
		c.checkLiteral(element.Value, t.Elem)
	}
}

func (c *compiler) checkObjectLiteral(v *ast.Value, def *ast.Definition) {
	for _, member := range v.Children {
		f := def.Fields.ForName(member.Name)
		if f == nil {
			c.faults.Add(UnknownArgument, member.Position, "there is no %q here%s", member.Name, DidYouMean(member.Name, fieldNames(def)))
			continue
		}
		c.checkLiteral(member.Value, f.Type)
	}
	for _, f := range def.Fields {
		if f.Type.NonNull && v.Children.ForName(f.Name) == nil {
			c.faults.Add(WrongLiteral, v.Position, "%q is missing here", f.Name)
		}
	}
}

// literalFits reports whether a literal is of a leaf type that the vocabulary uses.
func literalFits(v *ast.Value, def *ast.Definition) bool {
	switch def.Name {
	case "String":
		return v.Kind == ast.StringValue || v.Kind == ast.BlockValue
	case "Int":
		return v.Kind == ast.IntValue
	case "Boolean":
		return v.Kind == ast.BooleanValue
	case "JSONLiteral":
		return v.Kind == ast.IntValue || v.Kind == ast.FloatValue || v.Kind == ast.BooleanValue
	case "DiscriminatorMapping":
		return v.Kind == ast.ObjectValue || v.Kind == ast.ListValue
	case "ConnectDefault":
		return true
	case "CostWeight":
		return v.Kind == ast.StringValue || v.Kind == ast.IntValue || v.Kind == ast.FloatValue
	}
	return v.Kind == ast.EnumValue && def.EnumValues.ForName(v.Raw) != nil
}

// describeExpected returns what a literal of a type is, for messages.
func describeExpected(t *ast.Type) string {
	switch t.Name() {
	case "JSONLiteral":
		return "a number or a Boolean"
	case "CostWeight":
		return "a number"
	case "DiscriminatorMapping":
		return `a mapping, {film: "Film"} or [{value: "film", type: "Film"}],`
	}
	return t.String()
}

// adviseLiteral returns advice on what to write instead of a literal, "" if there is none.
func adviseLiteral(v *ast.Value, def *ast.Definition) string {
	if def.Name == "JSONLiteral" && (v.Kind == ast.StringValue || v.Kind == ast.BlockValue) {
		return fmt.Sprintf("; a text is @json(name: %q)", v.Raw)
	}
	return enumValues(def)
}

// enumValues returns advice that lists the values of an enum. It returns "" for other types.
func enumValues(def *ast.Definition) string {
	if def.Kind != ast.Enum {
		return ""
	}
	names := make([]string, len(def.EnumValues))
	for i, v := range def.EnumValues {
		names[i] = v.Name
	}
	return "; write " + strings.Join(names, " or ")
}

// argumentText returns the raw value of a directive's argument, "" if the argument is not given.
func argumentText(d *ast.Directive, name string) string {
	if arg := d.Arguments.ForName(name); arg != nil {
		return arg.Value.Raw
	}
	return ""
}

// memberValue returns a member of an input object's literal, nil if it is absent or null.
func memberValue(v *ast.Value, name string) *ast.Value {
	if v == nil {
		return nil
	}
	m := v.Children.ForName(name)
	if m == nil || m.Kind == ast.NullValue {
		return nil
	}
	return m
}

// listElements returns the elements of a list's literal. A single value is a list of one.
func listElements(v *ast.Value) []*ast.Value {
	switch {
	case v == nil:
		return nil
	case v.Kind != ast.ListValue:
		return []*ast.Value{v}
	}
	all := make([]*ast.Value, len(v.Children))
	for i, child := range v.Children {
		all[i] = child.Value
	}
	return all
}

// impliedText returns an expression that the schema does not write but implies. Faults in it are
// reported at the directive, since there is no text to point into.
func impliedText(text string, at *ast.Position) *ast.Value {
	return &ast.Value{Raw: text, Kind: ast.Variable, Position: at}
}

func intValue(v *ast.Value) int {
	if v == nil {
		return 0
	}
	n, _ := strconv.Atoi(v.Raw)
	return n
}

// joinNames joins names for a message: a, b and c.
func joinNames(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
