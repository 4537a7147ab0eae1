package input

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// Rule returns the validation rule "Values of Correct Type" (section 5.6.1 of the specification). It
// replaces the rule of gqlparser, and also has custom scalars check their literals.
func (r *Coercer) Rule() core.Rule {
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
				c.checkArguments(field.Arguments, field.Definition.Arguments)
			}
		})
		events.OnDirective(func(_ *core.Walker, d *ast.Directive) {
			if d.Definition != nil {
				c.checkArguments(d.Arguments, d.Definition.Arguments)
			}
		})
	}}
}

// checker checks the literals of one document.
type checker struct {
	reader *Coercer
	seen   map[*ast.Value]bool // arguments that were checked: a fragment is walked once for each operation that spreads it
	report func(v *ast.Value, e *Error)
}

func (c *checker) checkArguments(arguments ast.ArgumentList, defs ast.ArgumentDefinitionList) {
	for _, argument := range arguments {
		if def := defs.ForName(argument.Name); def != nil && !c.seen[argument.Value] {
			c.seen[argument.Value] = true
			c.check(argument.Value, def.Type)
		}
	}
}

// check checks a literal in the place of an input value of type t. Other rules check the
// positions of variables (section 5.8.5) and unknown types, so check ignores both.
func (c *checker) check(v *ast.Value, t *ast.Type) {
	def := c.reader.schema.Types[t.Name()]
	switch {
	case v.Kind == ast.Variable || def == nil:
	case v.Kind == ast.NullValue:
		if t.NonNull {
			c.reportUnexpected(v, t)
		}
	case t.Elem != nil && v.Kind == ast.ListValue:
		for _, child := range v.Children {
			c.check(child.Value, t.Elem)
		}
	case t.Elem != nil:
		c.check(v, t.Elem)
	case def.Kind == ast.InputObject:
		c.checkObject(v, t)
	case def.IsLeafType():
		c.checkLeaf(v, def)
	}
}

func (c *checker) reportUnexpected(v *ast.Value, t *ast.Type) {
	c.report(v, errorf(textExpectedType, t, formatLiteral(v)))
}

func (c *checker) checkLeaf(v *ast.Value, def *ast.Definition) {
	if hasVariable(v) && builtIns[def.Name] == nil && def.Kind == ast.Scalar {
		return // Document.CoerceVariables checks it when the variable has a value
	}
	if _, err := c.reader.coerceLeafLiteral(v, def); err != nil {
		c.report(v, err)
	}
}

func (c *checker) checkObject(v *ast.Value, t *ast.Type) {
	o := c.reader.objects[t.Name()]
	if v.Kind != ast.ObjectValue {
		c.reportUnexpected(v, t)
		return
	}
	for _, def := range o.Fields {
		if def.Type.NonNull && def.DefaultValue == nil && v.Children.ForName(def.Name) == nil {
			c.report(v, errorf(textMissingField, o.Name+"."+def.Name, def.Type))
		}
	}
	for _, child := range v.Children {
		if def := o.Fields.ForName(child.Name); def != nil {
			c.check(child.Value, def.Type)
			continue
		}
		c.report(&ast.Value{Position: child.Position}, errorf(textUndefinedField, child.Name, o.Name,
			suggestion(c.reader.suggestions, "", child.Name, fieldNames(o.Definition))))
	}
	if o.oneOf {
		c.checkOneOf(v, o)
	}
}

// checkOneOf checks that a OneOf input object has exactly one key, whose value is not null (section
// 3.10.1, September 2025). The rule about the positions of variables checks that a variable in it is
// not nullable.
func (c *checker) checkOneOf(v *ast.Value, o *inputObject) {
	if len(v.Children) != 1 {
		c.report(v, errorf(textOneKey, o.Name))
		return
	}
	if only := v.Children[0]; only.Value.Kind == ast.NullValue {
		c.report(only.Value, errorf(textNullField, o.Name+"."+only.Name))
	}
}

// coerceLeafLiteral coerces a literal of a scalar or an enum.
func (r *Coercer) coerceLeafLiteral(v *ast.Value, def *ast.Definition) (any, *Error) {
	if builtIns[def.Name] != nil {
		return r.coerceBuiltInLiteral(def.Name, v)
	}
	if def.Kind == ast.Scalar {
		return r.coerceCustom(def.Name, literalValue(v))
	}
	if v.Kind != ast.EnumValue {
		return nil, errorf(textNonEnum, def.Name, formatLiteral(v),
			suggestion(r.suggestions && v.Kind == ast.StringValue, "the enum value", v.Raw, enumNames(def)))
	}
	return coerceEnum(def, v.Raw, r.suggestions)
}
