package input

import (
	"encoding/json"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
)

// literal returns what a literal without variables says, as a variable would bring it: numbers
// as they are written, enum values as strings.
func literal(v *ast.Value) any {
	switch v.Kind {
	case ast.IntValue, ast.FloatValue:
		return json.Number(v.Raw)
	case ast.BooleanValue:
		return v.Raw == "true"
	case ast.ListValue:
		list := make([]any, len(v.Children))
		for i, child := range v.Children {
			list[i] = literal(child.Value)
		}
		return list
	case ast.ObjectValue:
		object := make(map[string]any, len(v.Children))
		for _, child := range v.Children {
			object[child.Name] = literal(child.Value)
		}
		return object
	case ast.StringValue, ast.BlockValue, ast.EnumValue:
		return v.Raw
	}
	return nil
}

// hasVariable reports whether a variable is in a literal.
func hasVariable(v *ast.Value) bool {
	return v.Kind == ast.Variable ||
		slices.ContainsFunc(v.Children, func(child *ast.ChildValue) bool { return hasVariable(child.Value) })
}

// Rule is the specification's rule "Values of Correct Type" (section 5.6.1), which takes the
// place of gqlparser's. It also has each custom scalar read its literals.
func (r *Reader) Rule() core.Rule {
	return core.Rule{Name: "ValuesOfCorrectType", RuleFunc: func(events *core.Events, report core.AddErrFunc) {
		c := &checker{reader: r, seen: map[*ast.Value]bool{}, report: func(v *ast.Value, e *Error) {
			report(core.Message("%s", e.Message), core.At(v.Position))
		}}
		events.OnVariable(func(_ *core.Walker, def *ast.VariableDefinition) {
			if def.DefaultValue != nil {
				c.check(def.DefaultValue, def.Type)
			}
		})
		events.OnField(func(_ *core.Walker, field *ast.Field) {
			if field.Definition != nil {
				c.arguments(field.Arguments, field.Definition.Arguments)
			}
		})
		events.OnDirective(func(_ *core.Walker, d *ast.Directive) {
			if d.Definition != nil {
				c.arguments(d.Arguments, d.Definition.Arguments)
			}
		})
	}}
}

// checker checks the literals of one document.
type checker struct {
	reader *Reader
	seen   map[*ast.Value]bool // arguments; a fragment is walked for each operation that spreads it
	report func(v *ast.Value, e *Error)
}

func (c *checker) arguments(arguments ast.ArgumentList, defs ast.ArgumentDefinitionList) {
	for _, argument := range arguments {
		if def := defs.ForName(argument.Name); def != nil && !c.seen[argument.Value] {
			c.seen[argument.Value] = true
			c.check(argument.Value, def.Type)
		}
	}
}

// check checks a literal. Where variables may stand is another rule's to say, and so is
// which types there are.
func (c *checker) check(v *ast.Value, t *ast.Type) {
	def := c.reader.schema.Types[t.Name()]
	switch {
	case v.Kind == ast.Variable || def == nil:
	case v.Kind == ast.NullValue:
		if t.NonNull {
			c.unexpected(v, t)
		}
	case t.Elem != nil && v.Kind == ast.ListValue:
		for _, child := range v.Children {
			c.check(child.Value, t.Elem)
		}
	case t.Elem != nil:
		c.check(v, t.Elem)
	case def.Kind == ast.InputObject:
		c.object(v, t)
	case def.IsLeafType():
		c.leaf(v, def)
	}
}

func (c *checker) unexpected(v *ast.Value, t *ast.Type) {
	c.report(v, mistake("Expected value of type %q, found %s.", t, shown(v)))
}

func (c *checker) leaf(v *ast.Value, def *ast.Definition) {
	if hasVariable(v) && builtIns[def.Name] == nil && def.Kind == ast.Scalar {
		return // the scalar reads it when the variable has its value
	}
	if _, err := c.reader.leaf(v, def); err != nil {
		c.report(v, err)
	}
}

func (c *checker) object(v *ast.Value, t *ast.Type) {
	o := c.reader.objects[t.Name()]
	if v.Kind != ast.ObjectValue {
		c.unexpected(v, t)
		return
	}
	for _, def := range o.Fields {
		if def.Type.NonNull && def.DefaultValue == nil && v.Children.ForName(def.Name) == nil {
			c.report(v, mistake("Field %q of required type %q was not provided.", o.Name+"."+def.Name, def.Type))
		}
	}
	for _, child := range v.Children {
		if def := o.Fields.ForName(child.Name); def != nil {
			c.check(child.Value, def.Type)
			continue
		}
		c.report(&ast.Value{Position: child.Position}, mistake("Field %q is not defined by type %q.%s", child.Name, o.Name,
			suggest(c.reader.suggestions, "", child.Name, fieldNames(o.Definition))))
	}
	if o.oneOf {
		c.oneOf(v, o)
	}
}

// oneOf checks the keys of a OneOf input object. That a variable in it may not be null is
// checked with the positions of variables.
func (c *checker) oneOf(v *ast.Value, o *object) {
	if len(v.Children) != 1 {
		c.report(v, mistake("OneOf Input Object %q must specify exactly one key.", o.Name))
		return
	}
	if only := v.Children[0]; only.Value.Kind == ast.NullValue {
		c.report(only.Value, mistake("Field %q must be non-null.", o.Name+"."+only.Name))
	}
}

// leaf reads a literal of a scalar or an enum.
func (r *Reader) leaf(v *ast.Value, def *ast.Definition) (any, *Error) {
	if builtIns[def.Name] != nil {
		return r.readBuiltInLiteral(def.Name, v)
	}
	if def.Kind == ast.Scalar {
		return r.readCustom(def.Name, literal(v))
	}
	if v.Kind != ast.EnumValue {
		return nil, mistake("Enum %q cannot represent non-enum value: %s.%s", def.Name, shown(v),
			suggest(r.suggestions && v.Kind == ast.StringValue, "the enum value", v.Raw, enumNames(def)))
	}
	return readEnum(def, v.Raw, r.suggestions)
}

// shown returns a literal as a message shows it.
func shown(v *ast.Value) string { return scalar.Truncate(v.String()) }
