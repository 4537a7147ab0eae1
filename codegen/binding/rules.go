package binding

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/selection"
)

// ruleScopes are the scopes of variables in rules, in addition to the response itself.
var ruleScopes = []Scope{Status, Response, Config, Env}

// compileRules compiles isSuccess and errors of a directive. A rule that the directive does not
// give is taken from otherwise.
func (b *bindingCompiler) compileRules(d *ast.Directive, otherwise Rules) Rules {
	rules := otherwise
	if list := argument(d, "nullOn"); list != nil {
		rules.NullOn = b.compileNullOn(list)
	}
	if text := argument(d, "isSuccess"); text != nil {
		rules.Success = b.compileScalarRule(text, "isSuccess", "Boolean", "$status->eq(200)")
	}
	errors := argument(d, "errors")
	if text := memberValue(errors, "message"); text != nil {
		rules.Message = b.compileScalarRule(text, "a message", "String", "error.message")
	}
	if text := memberValue(errors, "extensions"); text != nil {
		rules.Extensions = b.compileExtensions(text)
	}
	return rules
}

// compileNullOn compiles a list of statuses.
func (b *bindingCompiler) compileNullOn(list *ast.Value) []int {
	var statuses []int
	for _, v := range listElements(list) {
		status, err := strconv.Atoi(v.Raw)
		if err != nil || status < 400 || status > 499 {
			b.faults.Add(InvalidRule, v.Position, "nullOn has the statuses with which the service says that there is no value, from 400 to 499, such as 404; %s is another one", v.Raw)
			continue
		}
		statuses = append(statuses, status)
	}
	slices.Sort(statuses)
	return slices.Compact(statuses)
}

// checkNullOn refuses a binding's own nullOn where its field cannot be null, or is a Boolean that says whether
// the call succeeded. The nullOn of its source has no effect there.
func (b *bindingCompiler) checkNullOn(d *ast.Directive) {
	f, own := b.field, argument(d, "nullOn")
	cannotBeNull := f.Definition.Name != "" && f.Definition.Type.NonNull && f.Page == nil && !(f.Batch != nil && isList(f.Definition.Type))
	switch {
	case !cannotBeNull && !f.ReportsSuccess:
		return
	case own != nil && f.ReportsSuccess:
		b.faults.Add(UselessNullOn, own.Position, "%s is true if the call succeeded, so it has no value that could be absent; write isSuccess, or a selection", b.name())
	case own != nil:
		b.faults.Add(UselessNullOn, own.Position, "%s is %s, which cannot be null; write %s, or leave out nullOn", b.name(), f.Definition.Type, strings.TrimSuffix(f.Definition.Type.String(), "!"))
	}
	f.Rules.NullOn = nil
}

// compileScalarRule compiles an expression whose value is a scalar. A name alone is a member of the
// response.
func (b *bindingCompiler) compileScalarRule(text *ast.Value, what, named, example string) *Value {
	e, ok := b.parseExpression(text)
	if !ok {
		return nil
	}
	if len(e.Fields) == 1 && len(e.Steps) == 0 && e.Root == selection.Current && e.Fields[0].IsShorthand() {
		e = e.Fields[0].Expr
	}
	if e.HasBraces {
		b.faults.addInText(InvalidRule, text, e.Offset, "%s is one value, not an object; write a path such as %s", what, example)
		return nil
	}
	v := b.compileRule(text, e)
	if v != nil && !v.canBe(named) {
		b.faults.addInText(InvalidRule, text, e.Offset, "%s is a %s, and this value has another type; write for example %s", what, named, example)
		return nil
	}
	return v
}

// canBe reports whether a value may be of a scalar type, as far as the type of the value is known.
// Null has no type, and is allowed: the rule then has no result.
func (v *Value) canBe(named string) bool {
	last := len(v.Transforms) - 1
	switch {
	case last >= 0 && v.Transforms[last].Op == Match:
		return !slices.ContainsFunc(v.Transforms[last].Cases, func(c ValueCase) bool { return !c.Then.canBe(named) })
	case last < 0 && v.Scope == Constant && v.Items == nil:
		return v.LiteralType() == named || v.Literal == "null"
	}
	return v.Type == nil || v.Type.NamedType == named
}

// compileExtensions compiles an expression whose value is an object.
func (b *bindingCompiler) compileExtensions(text *ast.Value) *Value {
	e, ok := b.parseExpression(text)
	if !ok {
		return nil
	}
	if !e.HasBraces {
		b.faults.addInText(InvalidRule, text, e.Offset, "extensions are an object; write name: value, such as code: error.code")
		return nil
	}
	for _, f := range e.Fields {
		if f.Name == "service" || f.Name == "http" {
			b.faults.addInText(InvalidRule, text, f.Offset, "extensions.%s is set by the gateway; give this another name", f.Name)
		}
	}
	return b.compileRule(text, e)
}

// compileRule compiles an expression over a service's response.
func (b *bindingCompiler) compileRule(text *ast.Value, e *selection.Expr) *Value {
	answer := &contextValue{}
	c := &valueCompiler{bindingCompiler: b, text: text, scopes: ruleScopes, current: answer, outer: answer}
	return c.compileExpression(e)
}
