package binding

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
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

// Variables are all variables that a value is made of, itself included.
func (v *Value) Variables() iter.Seq[*Value] {
	return func(yield func(*Value) bool) { v.each(yield) }
}

func (v *Value) each(yield func(*Value) bool) bool {
	if v.Scope != Constant && v.Scope != Current && v.Scope != Whole && !yield(v) {
		return false
	}
	for _, item := range v.Items {
		if !item.each(yield) {
			return false
		}
	}
	for _, change := range v.Then {
		if change.Of != nil && !change.Of.each(yield) {
			return false
		}
		for _, f := range change.Fields {
			if !f.Of.each(yield) {
				return false
			}
		}
		for _, c := range change.Cases {
			if !c.Then.each(yield) {
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

// parts gives each value in t its meaning.
func (b *bindingCompiler) parts(v *ast.Value, t template) []Part {
	parts := make([]Part, len(t))
	for i, p := range t {
		parts[i].Literal = p.literal
		if p.expr != nil {
			parts[i].Value = b.given(v, p.expr)
		}
	}
	return parts
}

// valueCompiler gives the expressions of one text their meaning.
type valueCompiler struct {
	*bindingCompiler
	text   *ast.Value
	scopes []Scope // those that may stand here
	hand   *atHand // nil: there is no value at hand
	whole  *atHand // what $ speaks of; nil: the same
}

// atHand is the value that bare names and @ speak of; its type is nil when nobody knows it.
type atHand struct{ t *ast.Type }

// requestScopes are the values that are known before the call.
var requestScopes = []Scope{Args, This, Keys, Claims, Request, Env, Config}

// given compiles a variable that a call takes, with its methods.
func (b *bindingCompiler) given(text *ast.Value, e *selection.Expr) *Value {
	return (&valueCompiler{bindingCompiler: b, text: text, scopes: b.scopes}).value(e)
}

func (c *valueCompiler) fault(code Code, offset int, format string, args ...any) *Value {
	c.faults.addIn(code, c.text, offset, format, args...)
	return nil
}

// value compiles an expression. It is nil after a fault.
func (c *valueCompiler) value(e *selection.Expr) *Value {
	v, steps := c.begin(e)
	if v == nil {
		return nil
	}
	v.Place, v.Offset, v.Own = c.text, e.Offset, v.Type
	for _, step := range steps {
		if !c.step(v, step) {
			return nil
		}
	}
	if e.Braces {
		return c.object(v, e)
	}
	return v
}

// begin compiles what an expression begins with, and gives the steps that remain.
func (c *valueCompiler) begin(e *selection.Expr) (*Value, []selection.Step) {
	switch e.Root {
	case selection.Literal:
		return &Value{Literal: asJSON(e)}, e.Steps
	case selection.List:
		return c.items(e), e.Steps
	case selection.Variable:
		return c.variable(e)
	}
	if c.hand == nil && (len(e.Steps) > 0 || !e.Braces) {
		return c.fault(UnknownVariable, e.Offset, "nothing is at hand here; begin with $args%s", quoteScopes(c.scopes)), nil
	}
	return c.current(e), e.Steps
}

// current is the value at hand, or what was at hand before the methods around.
func (c *valueCompiler) current(e *selection.Expr) *Value {
	switch {
	case c.hand == nil:
		return &Value{Scope: Current}
	case e.Dollar && c.whole != nil:
		return &Value{Scope: Whole, Type: c.whole.t}
	}
	return &Value{Scope: Current, Type: c.hand.t}
}

func quoteScopes(scopes []Scope) string {
	names := make([]string, 0, len(scopes))
	for _, s := range scopes[1:] {
		names = append(names, "$"+string(s))
	}
	return " or " + strings.Join(names, ", ")
}

func (c *valueCompiler) items(e *selection.Expr) *Value {
	list := &Value{Items: []*Value{}}
	for _, item := range e.Items {
		v := c.value(item)
		if v == nil {
			return nil
		}
		list.Items = append(list.Items, v)
	}
	return list
}

// variable compiles $scope.name.name: how many of its steps belong to it differs.
func (c *valueCompiler) variable(e *selection.Expr) (*Value, []selection.Step) {
	scope := Scope(e.Name)
	if !slices.Contains(c.scopes, scope) {
		return c.unknown(e), nil
	}
	members := 0
	for members < len(e.Steps) && e.Steps[members].Method == "" {
		members++
	}
	path := make([]string, members)
	for i := range path {
		path[i] = e.Steps[i].Name
	}
	v := &valueAt{c, e.Offset, "$" + strings.Join(append([]string{e.Name}, path...), "."), path}
	if members == 0 && scope != Status {
		return c.fault(UnknownVariable, e.Offset, "$%s is many values; name one of them, such as $%s.name", scope, scope), nil
	}
	return v.of(scope), e.Steps[members:]
}

// scopes are those of all variables.
var scopes = []Scope{Args, This, Keys, Claims, Request, Env, Config, Response, Status}

// Words are the variables and methods of expressions as one writes them: $args, ->first.
func Words() []string {
	var words []string
	for _, s := range scopes {
		words = append(words, "$"+string(s))
	}
	for _, m := range methods {
		words = append(words, "->"+m)
	}
	return words
}

// unknown says that there is no such variable, or not here.
func (c *valueCompiler) unknown(e *selection.Expr) *Value {
	if slices.Contains(scopes, Scope(e.Name)) {
		return c.fault(MisplacedVariable, e.Offset, "$%s is not known here; there is $%s%s", e.Name, c.scopes[0], quoteScopes(c.scopes))
	}
	names := make([]string, len(c.scopes))
	for i, s := range c.scopes {
		names[i] = string(s)
	}
	return c.fault(UnknownVariable, e.Offset, "there is no variable $%s%s", e.Name, DidYouMean(e.Name, names))
}

// valueAt is a variable at its place.
type valueAt struct {
	*valueCompiler
	offset  int
	written string
	path    []string
}

func (p *valueAt) fault(code Code, format string, args ...any) *Value {
	return p.valueCompiler.fault(code, p.offset, format, args...)
}

func (p *valueAt) of(scope Scope) *Value {
	switch scope {
	case Args:
		return p.argument()
	case This:
		if p.field.Batch != nil {
			return p.fault(MisplacedVariable, "%s differs between the parents that a batch asks for together; write $batch.%s, or leave out batch", p.written, p.path[0])
		}
		return p.parentValue(This)
	case Keys:
		if p.field.Batch == nil {
			return p.fault(MisplacedVariable, "%s stands for the keys of a batch, but the field has none; add batch: {maxSize: 100}, or write $this", p.written)
		}
		return p.parentValue(Keys)
	case Request, Response:
		return p.header(scope)
	case Env, Config:
		if len(p.path) > 1 {
			return p.fault(UnknownValue, "%s: a value of $%s is a text, so it has no members", p.written, scope)
		}
	case Status:
		if len(p.path) > 0 {
			return p.fault(UnknownValue, "$status is a number, so it has no members")
		}
		return &Value{Scope: Status, Type: ast.NonNullNamedType("Int", nil)}
	}
	return &Value{Scope: scope, Path: p.path}
}

// header is $request.headers.name or $response.headers.name.
func (p *valueAt) header(scope Scope) *Value {
	if p.path[0] != "headers" || len(p.path) != 2 {
		return p.fault(UnknownValue, "%s: of a %s there are its headers: $%s.headers.name", p.written, scope, scope)
	}
	return &Value{Scope: scope, Path: p.path, Type: ast.NamedType("String", nil)}
}

// argument follows a path through an argument and the input objects in it.
func (p *valueAt) argument() *Value {
	field := p.field.Definition
	arg := field.Arguments.ForName(p.path[0])
	if arg == nil {
		return p.fault(UnknownValue, "%s has no argument %q%s", p.name(), p.path[0], DidYouMean(p.path[0], declared(field.Arguments)))
	}
	p.used[arg.Name] = true
	if v := p.pageArgument(arg); v != nil {
		return v
	}
	t := arg.Type
	for _, name := range p.path[1:] {
		if t = p.member(t, name); t == nil {
			return nil
		}
	}
	p.sendable(&ast.Type{NamedType: t.Name()}, p.text.Position, map[string]bool{})
	return &Value{Scope: Args, Path: p.path, Type: t}
}

// member is the type of an input object's field.
func (p *valueAt) member(t *ast.Type, name string) *ast.Type {
	def := p.schema.Types[t.Name()]
	if isList(t) || def == nil || def.Kind != ast.InputObject {
		p.fault(UnknownValue, "%s: %s is no object, so it has no field %q", p.written, t, name)
		return nil
	}
	inner := def.Fields.ForName(name)
	if inner == nil {
		p.fault(UnknownValue, "%s has no field %q%s", def.Name, name, DidYouMean(name, fieldNames(def)))
		return nil
	}
	return nullableIf(inner.Type, !t.NonNull)
}

// nullableIf is t, nullable when what holds it may be null.
func nullableIf(t *ast.Type, nullable bool) *ast.Type {
	if !nullable || !t.NonNull {
		return t
	}
	loose := *t
	loose.NonNull = false
	return &loose
}

// parentValue is a field of the parent that its own service sent.
func (p *valueAt) parentValue(scope Scope) *Value {
	if p.root {
		return p.fault(MisplacedVariable, "%s has no parent, so there is no $%s; its values are $args and $claims", p.name(), scope)
	}
	if len(p.path) > 1 {
		return p.fault(UnknownParentField, "%s: write one field of %s, such as $%s.%s", p.written, p.field.Object.Name, scope, p.path[0])
	}
	source := p.parentField(p.path[0])
	if source == nil {
		return p.fault(UnknownParentField, "%s has no field %q that its own service sends%s", p.field.Object.Name, p.path[0], DidYouMean(p.path[0], sentFields(p.field.Object)))
	}
	if scope == Keys {
		return p.batchKey(source)
	}
	if isList(source.Type) {
		return p.fault(ListHasNoPlace, "%s is a list, but a call for each parent takes one value; ask for all by batch and {$batch.%s}", p.written, source.Name)
	}
	p.own = append(p.own, source.Name)
	return &Value{Scope: scope, Path: p.path, Type: source.Type}
}

// batchKey makes a field of the parent the one that holds the keys.
func (p *valueAt) batchKey(source *ast.FieldDefinition) *Value {
	batch := p.field.Batch
	if batch.Parent != nil && batch.Parent != source {
		return p.fault(TwoKeys, "%s: a batch has one key, and that is $batch.%s already", p.written, batch.Parent.Name)
	}
	batch.Parent = source
	return &Value{Scope: Keys, Path: p.path, Type: source.Type}
}

// step applies a member or a method to a value.
func (c *valueCompiler) step(v *Value, step selection.Step) bool {
	if step.Method == "" {
		return c.memberOf(v, step)
	}
	if isKeysOf(v) {
		c.fault(BadMethod, step.Offset, "$batch is the keys of a call, which go as they are")
		return false
	}
	change, t := c.method(v, step)
	if change == nil {
		return false
	}
	v.Then, v.Type = append(v.Then, *change), t
	return true
}

func isKeysOf(v *Value) bool { return v.Scope == Keys }

func (c *valueCompiler) memberOf(v *Value, step selection.Step) bool {
	wire, t := step.Name, (*ast.Type)(nil)
	if v.Type != nil {
		at := &valueAt{c, step.Offset, step.Name, nil}
		if t = at.member(v.Type, step.Name); t == nil {
			return false
		}
		wire = c.wireName(v.Type.Name(), step.Name)
	}
	v.Then, v.Type = append(v.Then, Change{Op: Member, Name: wire}), t
	return true
}

// method compiles a method and tells the type of what it gives.
func (c *valueCompiler) method(v *Value, step selection.Step) (*Change, *ast.Type) {
	var element *ast.Type
	list := slices.Contains([]string{"first", "last", "map", "joinNotNull"}, step.Method)
	if list && v.Type != nil {
		if element = v.Type.Elem; element == nil {
			c.fault(BadMethod, step.Offset, "->%s is for lists, but %s is before it", step.Method, v.Type)
			return nil, nil
		}
	}
	switch step.Method {
	case "first", "last", "entries":
		if len(step.Args) > 0 {
			c.fault(BadMethod, step.Offset, "->%s takes no arguments", step.Method)
			return nil, nil
		}
	}
	switch step.Method {
	case "first":
		return &Change{Op: First}, nullableIf2(element)
	case "last":
		return &Change{Op: Last}, nullableIf2(element)
	case "entries":
		return &Change{Op: Entries}, nil
	case "map":
		return c.mapped(step, element)
	case "joinNotNull":
		return c.joined(step), ast.NonNullNamedType("String", nil)
	case "eq":
		return c.equals(step), ast.NonNullNamedType("Boolean", nil)
	case "match":
		return c.matched(v, step)
	}
	c.fault(BadMethod, step.Offset, "there is no method ->%s%s", step.Method, DidYouMean(step.Method, methods))
	return nil, nil
}

// nullableIf2 is the type of what a list may lack.
func nullableIf2(element *ast.Type) *ast.Type {
	if element == nil {
		return nil
	}
	return nullableIf(element, true)
}

func (c *valueCompiler) mapped(step selection.Step, element *ast.Type) (*Change, *ast.Type) {
	if len(step.Args) != 1 {
		c.fault(BadMethod, step.Offset, "->map takes one expression, such as ->map(@.name)")
		return nil, nil
	}
	of := c.within(&atHand{element}).value(step.Args[0])
	if of == nil {
		return nil, nil
	}
	if of.Type == nil {
		return &Change{Op: Each, Of: of}, nil
	}
	return &Change{Op: Each, Of: of}, ast.NonNullListType(of.Type, nil)
}

// with is the compiler of the members of an object that is made of a value.
func (c *valueCompiler) with(hand *atHand) *valueCompiler {
	inner := *c
	inner.hand, inner.whole = hand, nil
	return &inner
}

// within is the compiler of a method's arguments: @ is another value, and $ stays.
func (c *valueCompiler) within(hand *atHand) *valueCompiler {
	inner := *c
	inner.hand, inner.whole = hand, cmp.Or(c.whole, c.hand)
	return &inner
}

func (c *valueCompiler) joined(step selection.Step) *Change {
	if len(step.Args) != 1 || step.Args[0].Root != selection.Literal {
		c.fault(BadMethod, step.Offset, "->joinNotNull takes what stands between the texts, such as ->joinNotNull(\", \")")
		return nil
	}
	separator, isText := step.Args[0].Value.(string)
	if !isText {
		c.fault(BadMethod, step.Args[0].Offset, "->joinNotNull takes a text, such as \", \"")
		return nil
	}
	return &Change{Op: Join, Name: separator}
}

func (c *valueCompiler) equals(step selection.Step) *Change {
	if len(step.Args) != 1 || step.Args[0].Root != selection.Literal {
		c.fault(BadMethod, step.Offset, "->eq takes one literal, such as ->eq(200)")
		return nil
	}
	return &Change{Op: Equal, Equal: asJSON(step.Args[0])}
}

func (c *valueCompiler) matched(v *Value, step selection.Step) (*Change, *ast.Type) {
	change := &Change{Op: Match}
	for _, pair := range step.Args {
		if pair.Root != selection.List || len(pair.Items) != 2 {
			c.fault(BadMethod, pair.Offset, "a case of ->match is a pair: [candidate, result]")
			return nil, nil
		}
		when := ""
		if candidate := pair.Items[0]; !itself(candidate) {
			if candidate.Root != selection.Literal {
				c.fault(BadMethod, candidate.Offset, "a candidate is a literal, or @ for any value")
				return nil, nil
			}
			when = asJSON(candidate)
		}
		then := c.within(&atHand{v.Type}).value(pair.Items[1])
		if then == nil {
			return nil, nil
		}
		change.Cases = append(change.Cases, ValueCase{when, then})
	}
	if len(change.Cases) == 0 {
		c.fault(BadMethod, step.Offset, "->match takes pairs of a candidate and a result, such as [\"a\", \"b\"]")
		return nil, nil
	}
	return change, nil
}

// object compiles { fields } over a value, or over each element of a list of values.
func (c *valueCompiler) object(v *Value, e *selection.Expr) *Value {
	if isKeysOf(v) {
		return c.fault(BadMethod, e.Offset, "$batch is the keys of a call, which go as they are")
	}
	hand := c.hand
	if v.Scope != Current || len(v.Then) > 0 {
		hand = &atHand{v.Type}
	}
	if v.Type != nil && isList(v.Type) {
		element := *e
		element.Root, element.Steps = selection.Current, nil
		of := c.with(&atHand{v.Type.Elem}).value(&element)
		if of == nil {
			return nil
		}
		v.Then, v.Type = append(v.Then, Change{Op: Each, Of: of}), nil
		return v
	}
	change := Change{Op: Object}
	for _, f := range e.Fields {
		of := c.with(hand).value(f.Expr)
		if of == nil {
			return nil
		}
		name := f.Name
		if hand != nil && hand.t != nil && f.Bare() {
			name = c.wireName(hand.t.Name(), f.Name)
		}
		change.Fields = append(change.Fields, ValueField{name, of})
	}
	v.Then, v.Type = append(v.Then, change), nil
	return v
}

// wireName is what services call a field of an input.
func (c *compiler) wireName(typeName, field string) string {
	if def := c.schema.Types[typeName]; def != nil {
		if f := def.Fields.ForName(field); f != nil && f.Directives.ForName("json") != nil {
			return cmp.Or(text(f.Directives.ForName("json"), "name"), field)
		}
	}
	return field
}

// parentField finds a field of the parent that comes with the parent.
func (b *bindingCompiler) parentField(name string) *ast.FieldDefinition {
	f := b.field.Object.Fields.ForName(name)
	if f == nil || !Sent(f) {
		return nil
	}
	return f
}

// Sent tells whether a field's value comes with its object, not by a resolver.
func Sent(f *ast.FieldDefinition) bool {
	return f.Directives.ForName("connect") == nil && !byHand(f) && !strings.HasPrefix(f.Name, "__")
}

// byHand tells whether a field is answered by Go code, wherever it stands.
func byHand(f *ast.FieldDefinition) bool {
	d := f.Directives.ForName("goField")
	return d != nil && (text(d, "forceResolver") == "true" || text(d, "batch") == "true")
}

// unusedArguments refuses arguments that the call does not take: whoever queries would
// think that they have an effect.
func (b *bindingCompiler) unusedArguments() {
	for _, arg := range b.field.Definition.Arguments {
		if !b.used[arg.Name] {
			b.faults.Add(UnusedArgument, arg.Position, "%s does not use its argument %q; write {$args.%s} where its value goes, or remove it",
				b.name(), arg.Name, arg.Name)
		}
	}
}

// sentFields names the fields of a type that come with its objects.
func sentFields(def *ast.Definition) []string {
	var names []string
	for _, f := range def.Fields {
		if Sent(f) {
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

// describe is a value's variable in braces, for people.
func (v *Value) describe() string { return fmt.Sprintf("{%s}", v) }
