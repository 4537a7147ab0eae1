package binding

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
)

// OnError is what a field, or an object that is completed, has when its service fails to answer.
type OnError struct {
	Mode    OnErrorMode
	Default *ast.Value    // the literal of DefaultOnError
	MaxAge  time.Duration // of StaleOnError
}

// OnErrorMode is a value of onError by its name in a schema.
type OnErrorMode string

// The modes. A binding without onError has FailOnError.
const (
	FailOnError    OnErrorMode = "FAIL"
	NullOnError    OnErrorMode = "NULL"
	DefaultOnError OnErrorMode = "DEFAULT"
	StaleOnError   OnErrorMode = "STALE"
)

// DefaultMaxAge is the default of OnError.MaxAge.
const DefaultMaxAge = 5 * time.Minute

// compileOnError compiles onError, and the arguments that belong to one of its values.
func (b *bindingCompiler) compileOnError(d *ast.Directive) {
	f, mode, literal, staleFor := b.field, argument(d, "onError"), argument(d, "default"), argument(d, "staleFor")
	f.OnError = OnError{Mode: FailOnError}
	if mode != nil {
		f.OnError.Mode = OnErrorMode(mode.Raw)
	}
	if literal != nil && f.OnError.Mode != DefaultOnError {
		b.faults.Add(OnErrorArgument, literal.Position, "the default is for onError: DEFAULT, and %s has %s; write onError: DEFAULT, or leave out the default", b.name(), f.OnError.Mode)
	}
	if staleFor != nil && f.OnError.Mode != StaleOnError {
		b.faults.Add(OnErrorArgument, staleFor.Position, "staleFor is for onError: STALE, and %s has %s; write onError: STALE, or leave out staleFor", b.name(), f.OnError.Mode)
	}
	if mode == nil || f.OnError.Mode == FailOnError {
		return
	}
	if f.Object == b.schema.Mutation {
		b.faults.Add(OnErrorOfMutation, mode.Position, "%s is a mutation, whose failure has to be an error: a client must know whether something was changed; leave out onError", b.name())
		return
	}
	switch f.OnError.Mode {
	case NullOnError:
		b.checkNullOnError(mode)
	case DefaultOnError:
		b.compileDefault(mode, d.Arguments.ForName("default"), literal)
	case StaleOnError:
		b.compileStale(mode, staleFor)
	}
}

// checkNullOnError refuses NULL for a field that cannot be null. Where the objects of a type must not
// be null is known when all bindings are compiled: see checkNullCompletions.
func (b *bindingCompiler) checkNullOnError(mode *ast.Value) {
	if of := b.field.Definition; of.Name != "" && of.Type.NonNull {
		b.faults.Add(NullOnErrorNonNull, mode.Position, "%s is %s, which cannot be null; write %s, or onError: DEFAULT with a default", b.name(), of.Type, strings.TrimSuffix(of.Type.String(), "!"))
	}
}

// compileStale compiles STALE with its bound.
func (b *bindingCompiler) compileStale(mode, staleFor *ast.Value) {
	b.field.OnError.MaxAge = DefaultMaxAge
	if b.field.ReportsSuccess {
		b.faults.Add(NothingStale, mode.Position, "%s says whether this call went well, and an older answer says nothing of it; write a selection, or onError: NULL", b.name())
		return
	}
	if staleFor == nil {
		return
	}
	age, err := time.ParseDuration(staleFor.Raw)
	if err != nil || age <= 0 {
		b.faults.Add(OnErrorArgument, staleFor.Position, "staleFor is %q, which is not a time; write a number with its unit, such as \"30s\", \"5m\" or \"1h\"", staleFor.Raw)
		return
	}
	b.field.OnError.MaxAge = age
}

// compileDefault compiles DEFAULT with its literal, which written is as the schema has it: null too.
func (b *bindingCompiler) compileDefault(mode *ast.Value, written *ast.Argument, literal *ast.Value) {
	if literal == nil {
		if written != nil {
			b.faults.Add(OnErrorArgument, written.Value.Position, "the default is null; write onError: NULL without a default")
			return
		}
		b.faults.Add(OnErrorArgument, mode.Position, "onError: DEFAULT has no default; write default: with a literal of the type %s", b.field.Definition.Type)
		return
	}
	b.field.OnError.Default = literal
	c := &defaultChecker{compiler: b.compiler}
	if b.field.Definition.Name == "" {
		c.keys = b.field.Keys()
	}
	c.check(literal, b.field.Definition.Type)
}

// defaultChecker checks a literal of an output type: what gatehouse would send in place of a service.
type defaultChecker struct {
	*compiler
	// keys are the fields of the outermost object that it has already, since it is being completed. They
	// are consumed there.
	keys []string
}

// check checks that a literal fits a type.
func (c *defaultChecker) check(v *ast.Value, t *ast.Type) {
	def := c.schema.Types[t.Name()]
	switch {
	case v.Kind == ast.NullValue:
		if t.NonNull {
			c.faults.Add(WrongDefault, v.Position, "%s is expected here, not null", t)
		}
	case isList(t) && v.Kind != ast.ListValue:
		c.faults.Add(WrongDefault, v.Position, "%s is expected here, not %s; write a list: [%s]", t, v, v)
	case isList(t):
		for _, element := range v.Children {
			c.check(element.Value, t.Elem)
		}
	case def.Kind == ast.Object && v.Kind == ast.ObjectValue:
		c.checkObject(v, def)
	case def.IsAbstractType() && v.Kind == ast.ObjectValue:
		c.checkAbstract(v, def)
	case def.Kind == ast.Enum && v.Kind == ast.EnumValue && def.EnumValues.ForName(v.Raw) == nil:
		c.faults.Add(WrongDefault, v.Position, "%s has no value %s%s", def.Name, v.Raw, DidYouMean(v.Raw, enumNames(def)))
	case !c.leafFits(v, def):
		c.faults.Add(WrongDefault, v.Position, "%s is expected here, not %s%s", t, v, adviseDefault(v, def))
	}
}

// checkAbstract checks an object of an interface or a union, which names its type.
func (c *defaultChecker) checkAbstract(v *ast.Value, def *ast.Definition) {
	possible := typeNames(c.schema.GetPossibleTypes(def))
	slices.Sort(possible)
	name := v.Children.ForName("__typename")
	switch {
	case name == nil:
		c.faults.Add(WrongDefault, v.Position, "%s has several types; name one: {__typename: %q, ...}", def.Name, possible[0])
	case name.Kind != ast.StringValue || !slices.Contains(possible, name.Raw):
		c.faults.Add(WrongDefault, name.Position, "%s is not a type of %s%s", name, def.Name, DidYouMean(name.Raw, possible))
	default:
		c.checkObject(v, c.schema.Types[name.Raw])
	}
}

// checkObject checks the members of an object.
func (c *defaultChecker) checkObject(v *ast.Value, def *ast.Definition) {
	keys := c.keys
	c.keys = nil
	for _, member := range v.Children {
		f := def.Fields.ForName(member.Name)
		switch {
		case member.Name == "__typename":
			if member.Value.Raw != def.Name {
				c.faults.Add(WrongDefault, member.Value.Position, "the object here is a %s, not a %s", def.Name, member.Value.Raw)
			}
		case f == nil:
			c.faults.Add(WrongDefault, member.Position, "%s has no field %q%s", def.Name, member.Name, DidYouMean(member.Name, propertyNames(def)))
		case !IsProperty(f):
			c.faults.Add(WrongDefault, member.Position, "%s.%s does not come with its object but has a resolver, which is called for the default, too; leave it out", def.Name, f.Name)
		case slices.Contains(keys, f.Name):
			c.faults.Add(WrongDefault, member.Position, "%s.%s is the key of the object, which it has already; leave it out", def.Name, f.Name)
		default:
			c.check(member.Value, f.Type)
		}
	}
	for _, f := range def.Fields {
		if f.Type.NonNull && IsProperty(f) && !slices.Contains(keys, f.Name) && v.Children.ForName(f.Name) == nil {
			c.faults.Add(WrongDefault, v.Position, "%s.%s is missing here, and it is %s, which cannot be null; add it", def.Name, f.Name, f.Type)
		}
	}
}

// leafFits reports whether a literal is a value of a scalar or an enum.
func (c *defaultChecker) leafFits(v *ast.Value, def *ast.Definition) bool {
	isText := v.Kind == ast.StringValue || v.Kind == ast.BlockValue
	isNumber := v.Kind == ast.IntValue || v.Kind == ast.FloatValue
	if def.Kind == ast.Enum {
		return v.Kind == ast.EnumValue
	}
	if def.Kind != ast.Scalar {
		return false
	}
	switch name := c.graph.scalarName(def.Name); name {
	case "ID":
		return isText || v.Kind == ast.IntValue
	case "String":
		return isText
	case "Boolean":
		return v.Kind == ast.BooleanValue
	case "Int":
		return v.Kind == ast.IntValue && isInt32(v.Raw)
	case "Float":
		return isNumber && isFinite(v.Raw)
	case "JSON":
		return isJSON(v)
	default:
		s := scalars.ByName(name)
		return s != nil && (isText || isNumber && s.ReadsType("number") || v.Kind == ast.IntValue && s.ReadsType("integer")) &&
			scalars.Unmarshal(name, literalValue(v)) == nil
	}
}

// literalValue returns a number or a text as the reader of a scalar takes it.
func literalValue(v *ast.Value) any {
	if v.Kind == ast.IntValue || v.Kind == ast.FloatValue {
		return json.Number(v.Raw)
	}
	return v.Raw
}

func isInt32(text string) bool {
	_, err := strconv.ParseInt(text, 10, 32)
	return err == nil
}

func isFinite(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

// isJSON reports whether a literal has a form in JSON, which the name of an enum's value has not.
func isJSON(v *ast.Value) bool {
	return v.Kind != ast.EnumValue && !slices.ContainsFunc(v.Children, func(child *ast.ChildValue) bool { return !isJSON(child.Value) })
}

// adviseDefault returns advice on what to write instead of a literal, "" if there is none.
func adviseDefault(v *ast.Value, def *ast.Definition) string {
	switch {
	case def.Kind == ast.Enum && v.Kind == ast.StringValue && def.EnumValues.ForName(v.Raw) != nil:
		return "; write it without quotes: " + v.Raw
	case def.Kind == ast.Enum:
		return enumValues(def)
	case def.IsCompositeType():
		return "; write an object: {" + strings.Join(propertyNames(def), ": ..., ") + ": ...}"
	}
	return ""
}

func enumNames(def *ast.Definition) []string {
	names := make([]string, len(def.EnumValues))
	for i, v := range def.EnumValues {
		names[i] = v.Name
	}
	return names
}

// checkNullCompletions refuses NULL for the objects of a type that are completed where they must not be
// null.
func (c *compiler) checkNullCompletions() {
	check := func(at *Completion) {
		if at == nil {
			return
		}
		t := at.Definition.Type
		if isList(t) {
			t = t.Elem
		}
		for _, completed := range at.Types {
			if e := completed.Entity; t.NonNull && e.OnError.Mode == NullOnError {
				mode := argument(e.directive(), "onError")
				c.faults.Add(NullOnErrorNonNull, mode.Position, "the objects of %s cannot be null in %s.%s, which is %s; make them nullable there, or write onError: DEFAULT with a default", e.Object.Name, at.Object.Name, at.Definition.Name, at.Definition.Type)
			}
		}
	}
	for _, f := range c.graph.Fields {
		check(f.Completion)
	}
	for _, completion := range c.graph.Completions {
		check(completion)
	}
}

// directive returns the @connect of a binding.
func (f *Field) directive() *ast.Directive {
	switch {
	case f.QueryField != nil:
		return f.QueryField.directive()
	case f.Definition.Name == "":
		return f.Object.Directives.ForName("connect")
	}
	return f.Definition.Directives.ForName("connect")
}
