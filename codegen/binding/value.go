package binding

import (
	"fmt"
	"iter"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/selection"
)

// Scope is where a value comes from.
type Scope string

// The scopes of values.
const (
	Args     Scope = "args"     // the field's arguments
	This     Scope = "this"     // a field of the parent
	Keys     Scope = "batch"    // a field of all parents of a batch
	Claims   Scope = "claims"   // the caller's token
	Request  Scope = "request"  // the headers of the client's request
	Env      Scope = "env"      // the gateway's environment
	Config   Scope = "config"   // the source's config in gateway.yaml
	Response Scope = "response" // the headers of the service's response
	Status   Scope = "status"   // the HTTP status of the response

	Constant Scope = ""  // a literal
	Current  Scope = "@" // the current value: an element in ->map, the response in errors
	Outer    Scope = "$" // in the arguments of a method, the value outside of the method
)

// Value is a value of a call or of a rule, in the form in which services read it. It begins with a
// variable, a literal or the current value, which its changes then transform in order: $args.id,
// $args.tags->joinNotNull(","), @.name { first last }.
type Value struct {
	Scope        Scope
	Path         []string    // to the member of an argument, the parent's field, the claim, the header
	Type         *ast.Type   // of the result; nil if the schema does not determine it
	VariableType *ast.Type   // of the variable before any change; nil likewise
	Literal      string      // of a Constant, as JSON
	Transforms   []Transform // in order
	Items        []*Value    // of a Constant that is a list
	Concat       []Part      // of a Constant that is a text of several parts; null if one of them is null
	Text         *ast.Value  // the text that it is written in
	Offset       int         // in bytes of that text
}

// Transform is one step that transforms a value: a member, a method, or { fields }.
type Transform struct {
	Op     Op          // Member, First, Last, Each, Entries, Join, Match, Equal or Object
	Name   string      // Member: its name. Join: the separator
	Inner  *Value      // Each: the value that each element becomes
	Cases  []ValueCase // Match: in order, the first that matches counts
	Equal  string      // Equal: a literal as JSON
	Fields []ValueField
}

// ValueCase is a candidate of ->match with its result. The candidate is JSON; "" matches any value.
type ValueCase struct {
	When string
	Then *Value
}

// ValueField is a member of an object that a binding builds.
type ValueField struct {
	Name  string
	Value *Value
}

// IsPlain reports whether the value is a variable without changes.
func (v *Value) IsPlain() bool { return len(v.Transforms) == 0 && v.Scope != Constant }

// LiteralType returns the scalar type of a literal: Boolean, String, Float or Int. It returns "" for
// null, and for a value that is not a literal.
func (v *Value) LiteralType() string {
	switch json := v.Literal; {
	case v.Scope != Constant || v.Items != nil || v.Concat != nil || len(v.Transforms) > 0 || json == "null":
		return ""
	case json == "true" || json == "false":
		return "Boolean"
	case json[0] == '"':
		return "String"
	case strings.ContainsAny(json, ".eE"):
		return "Float"
	}
	return "Int"
}

// Variables returns all variables in a value: itself, and those in its changes.
func (v *Value) Variables() iter.Seq[*Value] {
	return func(yield func(*Value) bool) { v.visitVariables(yield) }
}

func (v *Value) visitVariables(yield func(*Value) bool) bool {
	if v.Scope != Constant && v.Scope != Current && v.Scope != Outer && !yield(v) {
		return false
	}
	for _, part := range v.Concat {
		if part.Value != nil && !part.Value.visitVariables(yield) {
			return false
		}
	}
	for _, item := range v.Items {
		if !item.visitVariables(yield) {
			return false
		}
	}
	for _, change := range v.Transforms {
		if change.Inner != nil && !change.Inner.visitVariables(yield) {
			return false
		}
		for _, f := range change.Fields {
			if !f.Value.visitVariables(yield) {
				return false
			}
		}
		for _, c := range change.Cases {
			if !c.Then.visitVariables(yield) {
				return false
			}
		}
	}
	return true
}

// String returns a variable as a schema writes it.
func (v *Value) String() string {
	return "$" + strings.Join(append([]string{string(v.Scope)}, v.Path...), ".")
}

// sourceText returns the value as the schema writes it. Two values with the same text are equal.
func (v *Value) sourceText() string {
	if v.IsPlain() || v.Text == nil {
		return v.String()
	}
	return v.Text.Raw[v.Offset:]
}

// compileParts compiles the values in a template.
func (b *bindingCompiler) compileParts(v *ast.Value, t template) []Part {
	parts := make([]Part, len(t))
	for i, p := range t {
		parts[i].Literal = p.literal
		switch {
		case p.expr != nil:
			parts[i].Value = b.compileValue(v, p.expr)
		case p.json != nil:
			parts[i].Value = b.compileJSON(v, p.json)
		}
	}
	return parts
}

// valueCompiler compiles the expressions of one text into values.
type valueCompiler struct {
	*bindingCompiler
	text    *ast.Value
	scopes  []Scope       // the scopes that the text may use
	current *contextValue // what @ and names without a root mean; nil if they mean nothing here
	outer   *contextValue // what $ means; nil if it means nothing here
}

// contextValue is the value that @ or $ stands for. Its type is nil if it is not known.
type contextValue struct{ t *ast.Type }

// compileValue compiles a value that a call sends.
func (b *bindingCompiler) compileValue(text *ast.Value, e *selection.Expr) *Value {
	return (&valueCompiler{bindingCompiler: b, text: text, scopes: b.scopes}).compileExpression(e)
}

func (c *valueCompiler) fault(code Code, offset int, format string, args ...any) *Value {
	c.faults.addInText(code, c.text, offset, format, args...)
	return nil
}

// compileExpression compiles an expression. It returns nil after a fault.
func (c *valueCompiler) compileExpression(e *selection.Expr) *Value {
	v, steps := c.compileRoot(e)
	if v == nil {
		return nil
	}
	v.Text, v.Offset, v.VariableType = c.text, e.Offset, v.Type
	for _, step := range steps {
		if !c.applyStep(v, step) {
			return nil
		}
	}
	if e.HasBraces {
		return c.compileObject(v, e)
	}
	return v
}

// compileRoot compiles the beginning of an expression. It returns the steps that remain.
func (c *valueCompiler) compileRoot(e *selection.Expr) (*Value, []selection.Step) {
	switch e.Root {
	case selection.Literal:
		return &Value{Literal: literalToJSON(e)}, e.Steps
	case selection.List:
		return c.compileItems(e), e.Steps
	case selection.Variable:
		return c.compileVariable(e)
	}
	switch {
	case c.current == nil && (len(e.Steps) > 0 || !e.HasBraces):
		return c.fault(UnknownVariable, e.Offset, "%s", c.adviseVariable(e)), nil
	case e.IsEnclosing && c.current != nil && c.outer == nil:
		return c.fault(UnknownVariable, e.Offset, "$ is the object around the value, and there is none here; write @ for the value that the method works on"), nil
	}
	return c.currentValue(e), e.Steps
}

// currentValue returns the value that @ or $ stands for.
func (c *valueCompiler) currentValue(e *selection.Expr) *Value {
	switch {
	case c.current == nil:
		return &Value{Scope: Current}
	case e.IsEnclosing && c.outer != c.current:
		return &Value{Scope: Outer, Type: c.outer.t}
	}
	return &Value{Scope: Current, Type: c.current.t}
}

// adviseVariable returns advice on a name without a root, which means nothing here.
func (c *valueCompiler) adviseVariable(e *selection.Expr) string {
	name := ""
	if len(e.Steps) > 0 {
		name = e.Steps[0].Name
	}
	switch {
	case strings.HasPrefix(c.text.Raw[min(e.Offset, len(c.text.Raw)):], "'"), strings.HasPrefix(c.text.Raw[min(e.Offset, len(c.text.Raw)):], "\""):
		return fmt.Sprintf("a text is written $(%q)", name)
	case c.field != nil && c.field.Definition.Arguments.ForName(name) != nil:
		return fmt.Sprintf("%q is not a value; did you mean $args.%s?", name, name)
	}
	return "an expression has to begin with a variable here: $args" + quoteScopes(c.scopes)
}

func (c *valueCompiler) compileItems(e *selection.Expr) *Value {
	list := &Value{Items: []*Value{}}
	for _, item := range e.Items {
		v := c.compileExpression(item)
		if v == nil {
			return nil
		}
		list.Items = append(list.Items, v)
	}
	return list
}

// parentProperty returns a field that comes with the parent, nil if there is none of that name.
func (b *bindingCompiler) parentProperty(name string) *ast.FieldDefinition {
	f := b.field.Object.Fields.ForName(name)
	if f == nil || !IsProperty(f) {
		return nil
	}
	return f
}

// checkUnusedArguments refuses arguments that the call does not take, since clients would expect
// them to have an effect.
func (b *bindingCompiler) checkUnusedArguments() {
	for _, arg := range b.field.Definition.Arguments {
		if !b.usedArguments[arg.Name] {
			b.faults.Add(UnusedArgument, arg.Position, "%s does not use its argument %q; %s, or remove it", b.name(), arg.Name, b.howToSend("$args."+arg.Name))
		}
	}
}

// howToSend returns advice on how to send a variable in the call.
func (b *bindingCompiler) howToSend(variable string) string {
	if op := b.field.Call.Operation; op != nil {
		return fmt.Sprintf("write %s(parameter: %s) with the name of the parameter", op.ID, variable)
	}
	return fmt.Sprintf("write {%s} where its value goes", variable)
}
