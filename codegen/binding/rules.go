package binding

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/selection"
)

// ruleScopes are the values that rules can speak of, besides the answer itself.
var ruleScopes = []Scope{Status, Response, Config, Env}

// rules compiles isSuccess and errors of a directive. What it leaves out is taken from
// otherwise.
func (b *bindingCompiler) rules(d *ast.Directive, otherwise Rules) Rules {
	rules := otherwise
	if text := given(d, "isSuccess"); text != nil {
		rules.Success = b.rule(text, false)
	}
	errors := given(d, "errors")
	if text := child(errors, "message"); text != nil {
		rules.Message = b.rule(text, false)
	}
	if text := child(errors, "extensions"); text != nil {
		rules.Extensions = b.rule(text, true)
	}
	return rules
}

// rule compiles an expression over a service's answer. A name alone is a member of it,
// unless an object is wanted.
func (b *bindingCompiler) rule(text *ast.Value, object bool) *Value {
	e, ok := b.expression(text)
	if !ok {
		return nil
	}
	if !object && len(e.Fields) == 1 && len(e.Steps) == 0 && e.Root == selection.Current && e.Fields[0].Bare() {
		e = e.Fields[0].Expr
	}
	if object && !e.Braces {
		b.faults.addIn(BrokenRule, text, e.Offset, "extensions are an object; write name: value, such as code: error.code")
		return nil
	}
	if !object && e.Braces {
		b.faults.addIn(BrokenRule, text, e.Offset, "one value is expected here, not an object; write a path such as error.message")
		return nil
	}
	c := &valueCompiler{bindingCompiler: b, text: text, scopes: ruleScopes, hand: &atHand{}}
	return c.value(e)
}
