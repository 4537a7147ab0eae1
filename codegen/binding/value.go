package binding

import (
	"fmt"
	"iter"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/selection"
)

// Scope says where a value comes from.
type Scope string

// The scopes of values.
const (
	Args     Scope = "args"     // the field's arguments
	This     Scope = "this"     // a field of the parent
	Keys     Scope = "batch"    // a field of all parents of a batch
	Claims   Scope = "claims"   // the caller's token
	Request  Scope = "request"  // the client's request: headers
	Env      Scope = "env"      // the gateway's environment
	Config   Scope = "config"   // the source's config in gateway.yaml
	Response Scope = "response" // the service's answer: headers
	Status   Scope = "status"   // the answer's HTTP status

	Constant Scope = ""  // a literal
	Current  Scope = "@" // the value at hand: an element in ->map, the answer in errors
	Whole    Scope = "$" // in a method's arguments: what was at hand before it
)

// Value is one that is known when a call is made or has failed, in the form in which the
// services read it: a variable, a literal or the value at hand, and what is made of it.
type Value struct {
	Scope   Scope
	Path    []string   // of an argument and its members, a parent's field, a claim, a header
	Type    *ast.Type  // nil where the schema does not say it
	Own     *ast.Type  // of the variable itself, whatever Then makes of it; nil likewise
	Literal string     // of a Constant, as JSON
	Then    []Change   // in order
	Items   []*Value   // of a Constant that is a list
	Place   *ast.Value // the text that it stands in
	Offset  int        // in that text
}

// Change makes another value of one.
type Change struct {
	Op     Op          // Member, First, Last, Each, Entries, Join, Match, Equal or Object
	Name   string      // Member: its name. Join: what stands between the texts
	Of     *Value      // Each: what an element becomes
	Cases  []ValueCase // Match
	Equal  string      // Equal: a literal as JSON
	Fields []ValueField
}

// ValueCase is a candidate of ->match, "" for any value, with what the value is then.
type ValueCase struct {
	When string
	Then *Value
}

// ValueField is a member of an object that is made.
type ValueField struct {
	Name string
	Of   *Value
}

// Plain tells whether the value is a variable as it is.
func (v *Value) Plain() bool { return len(v.Then) == 0 && v.Scope != Constant }

// LiteralType is the scalar as which a literal is written; "" for null, and for what is no
// literal.
func (v *Value) LiteralType() string {
	switch json := v.Literal; {
	case v.Scope != Constant || v.Items != nil || len(v.Then) > 0 || json == "null":
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

// Variables are all variables that a value is made of, itself included.
func (v *Value) Variables() iter.Seq[*Value] {
	return func(yield func(*Value) bool) { v.visitVariables(yield) }
}

func (v *Value) visitVariables(yield func(*Value) bool) bool {
	if v.Scope != Constant && v.Scope != Current && v.Scope != Whole && !yield(v) {
		return false
	}
	for _, item := range v.Items {
		if !item.visitVariables(yield) {
			return false
		}
	}
	for _, change := range v.Then {
		if change.Of != nil && !change.Of.visitVariables(yield) {
			return false
		}
		for _, f := range change.Fields {
			if !f.Of.visitVariables(yield) {
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

// String writes a variable as a schema does.
func (v *Value) String() string {
	return "$" + strings.Join(append([]string{string(v.Scope)}, v.Path...), ".")
}

// sourceText is the value as it stands in the schema, in which no two differ that are written
// alike.
func (v *Value) sourceText() string {
	if v.Plain() || v.Place == nil {
		return v.String()
	}
	return v.Place.Raw[v.Offset:]
}

// compileParts gives each value in t its meaning.
func (b *bindingCompiler) compileParts(v *ast.Value, t template) []Part {
	parts := make([]Part, len(t))
	for i, p := range t {
		parts[i].Literal = p.literal
		if p.expr != nil {
			parts[i].Value = b.compileValue(v, p.expr)
		}
	}
	return parts
}

// valueCompiler gives the expressions of one text their meaning.
type valueCompiler struct {
	*bindingCompiler
	text    *ast.Value
	scopes  []Scope       // those that may stand here
	current *contextValue // what @ and bare names speak of; nil: there is no value at hand
	outer   *contextValue // what $ speaks of: the object around a method's arguments; nil: there is none
}

// contextValue is the value that bare names and @ speak of; its type is nil when nobody knows it.
type contextValue struct{ t *ast.Type }

// compileValue compiles a variable that a call takes, with its methods.
func (b *bindingCompiler) compileValue(text *ast.Value, e *selection.Expr) *Value {
	return (&valueCompiler{bindingCompiler: b, text: text, scopes: b.scopes}).compileExpression(e)
}

func (c *valueCompiler) fault(code Code, offset int, format string, args ...any) *Value {
	c.faults.addInText(code, c.text, offset, format, args...)
	return nil
}

// compileExpression compiles an expression. It is nil after a fault.
func (c *valueCompiler) compileExpression(e *selection.Expr) *Value {
	v, steps := c.compileRoot(e)
	if v == nil {
		return nil
	}
	v.Place, v.Offset, v.Own = c.text, e.Offset, v.Type
	for _, step := range steps {
		if !c.applyStep(v, step) {
			return nil
		}
	}
	if e.Braces {
		return c.compileObject(v, e)
	}
	return v
}

// compileRoot compiles what an expression begins with, and gives the steps that remain.
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
	case c.current == nil && (len(e.Steps) > 0 || !e.Braces):
		return c.fault(UnknownVariable, e.Offset, "%s", c.adviseVariable(e)), nil
	case e.Dollar && c.current != nil && c.outer == nil:
		return c.fault(UnknownVariable, e.Offset, "$ is the object around, which there is none of here; the value that the method works on is @"), nil
	}
	return c.currentValue(e), e.Steps
}

// currentValue is the value at hand, or what was at hand before the methods around.
func (c *valueCompiler) currentValue(e *selection.Expr) *Value {
	switch {
	case c.current == nil:
		return &Value{Scope: Current}
	case e.Dollar && c.outer != c.current:
		return &Value{Scope: Whole, Type: c.outer.t}
	}
	return &Value{Scope: Current, Type: c.current.t}
}

// adviseVariable says what to write instead of a name alone, which speaks of no value here.
func (c *valueCompiler) adviseVariable(e *selection.Expr) string {
	name := ""
	if len(e.Steps) > 0 {
		name = e.Steps[0].Name
	}
	switch {
	case strings.HasPrefix(c.text.Raw[min(e.Offset, len(c.text.Raw)):], "'"), strings.HasPrefix(c.text.Raw[min(e.Offset, len(c.text.Raw)):], "\""):
		return fmt.Sprintf("a text is written $(%q)", name)
	case c.field != nil && c.field.Definition.Arguments.ForName(name) != nil:
		return fmt.Sprintf("%q names no value; did you mean $args.%s?", name, name)
	}
	return "nothing is at hand here; begin with $args" + quoteScopes(c.scopes)
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

// parentProperty finds a field of the parent that comes with the parent.
func (b *bindingCompiler) parentProperty(name string) *ast.FieldDefinition {
	f := b.field.Object.Fields.ForName(name)
	if f == nil || !Sent(f) {
		return nil
	}
	return f
}

// checkUnusedArguments refuses arguments that the call does not take: whoever queries would
// think that they have an effect.
func (b *bindingCompiler) checkUnusedArguments() {
	for _, arg := range b.field.Definition.Arguments {
		if !b.usedArguments[arg.Name] {
			b.faults.Add(UnusedArgument, arg.Position, "%s does not use its argument %q; %s, or remove it", b.name(), arg.Name, b.howToSend("$args."+arg.Name))
		}
	}
}

// howToSend says how the call is given a value.
func (b *bindingCompiler) howToSend(variable string) string {
	if op := b.field.Call.Operation; op != nil {
		return fmt.Sprintf("write %s(parameter: %s) with the name of what it fills", op.ID, variable)
	}
	return fmt.Sprintf("write {%s} where its value goes", variable)
}
