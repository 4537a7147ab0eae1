package binding

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
	"github.com/gatehouse-graphql/gatehouse/codegen/selection"
	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
)

// Extraction describes how a value is read from a response. It is a small program, a tree of
// operations without loops or branches other than ->match, from which the decoders of a field are
// generated.
type Extraction struct {
	Op       Op
	Type     *ast.Type       // the type of the value that is read
	Name     string          // Member: its name. Join: the separator
	Inner    *Extraction     // how the value there is read: of the member, the first or last element, or each element
	Fields   []SelectedField // Object: in the order of the selection
	Cases    []MatchCase     // Match: in order, the first that matches counts
	Literal  string          // Literal and Equal: as JSON
	Variable *Value          // Given: a value of the request

	text   *ast.Value // the text that it is compiled from, and the place in it
	offset int
}

// Op is an operation of an Extraction or of a Change.
type Op int

// The operations.
const (
	ByName      Op = iota // read a value by its type: the fields of objects are matched by name
	Object                // read the selected fields of an object
	Member                // go into a member
	First                 // go to the first element of a list
	Last                  // go to the last element of a list
	Map                   // read a list, each element alike
	Entries               // read an object's members as a list of entries, each alike
	Join                  // read a list of scalars as one text
	Match                 // read the result of the first case that matches
	Equal                 // read whether the value equals a literal
	ByKey                 // read an object whose members are the keys of a batch, each value alike
	Literal               // read a literal, whatever the response is
	FromRequest           // read a value of the request, whatever the response is
)

// SelectedField is a field that a selection reads.
type SelectedField struct {
	Field      *ast.FieldDefinition
	Extraction *Extraction
}

// MatchCase is a candidate of ->match with its result.
type MatchCase struct {
	When string // as JSON; "" matches any value
	Then string // as JSON; "" is the value itself
}

// String returns a short form for tests and messages.
func (r *Extraction) String() string {
	switch r.Op {
	case ByName:
		return r.Type.String()
	case Object:
		fields := make([]string, len(r.Fields))
		for i, f := range r.Fields {
			fields[i] = f.Field.Name + ": " + f.Extraction.String()
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case Member:
		return "." + r.Name + " " + r.Inner.String()
	case Join:
		return fmt.Sprintf("join(%q, %s)", r.Name, r.Inner)
	case Match:
		return fmt.Sprintf("match%v", r.Cases)
	case Equal:
		return "eq(" + r.Literal + ")"
	case Literal:
		return r.Literal
	case FromRequest:
		return r.Variable.sourceText()
	}
	return fmt.Sprintf("%s(%s)", map[Op]string{First: "first", Last: "last", Map: "each", Entries: "entries", ByKey: "keyed"}[r.Op], r.Inner)
}

// Wire returns the member of the enclosing object in which a field's value is. It returns "" if the
// value depends on the object as a whole, or on a missing member: a decoder calls the code of a
// member only where the member is present.
func (r *Extraction) Wire() string {
	if r.Op == Member && !r.ReadsNull() {
		return r.Name
	}
	return ""
}

// ReadsNull reports whether the extraction turns null, or a missing member, into a value. Only ->eq
// and ->match do.
func (r *Extraction) ReadsNull() bool {
	switch r.Op {
	case Member, First, Last:
		return r.Inner.ReadsNull()
	}
	return r.Op == Match || r.Op == Equal
}

// extractionCompiler compiles the expressions of one text into extractions. It compiles a path from
// its outermost step to its innermost, as the decoder will run it; the type that is expected at the
// end is passed through unchanged until ->map or a list takes its element.
type extractionCompiler struct {
	*bindingCompiler
	text        *ast.Value
	expectsKeys bool // the path ends at an object whose members are the keys of a batch
}

// parseExpression parses a text as an expression and reports a mistake at its place.
func (b *bindingCompiler) parseExpression(text *ast.Value) (*selection.Expr, bool) {
	e, err := selection.Parse(text.Raw)
	if err != nil {
		offset := 0
		if broken, ok := err.(*selection.Error); ok {
			offset = broken.Offset
		}
		b.faults.addInText(InvalidExpression, text, offset, "%v", err)
	}
	return e, err == nil
}

func (r *extractionCompiler) fault(code Code, offset int, format string, args ...any) *Extraction {
	r.faults.addInText(code, r.text, offset, format, args...)
	return nil
}

func (r *extractionCompiler) node(op Op, offset int, t *ast.Type) *Extraction {
	return &Extraction{Op: op, Type: t, text: r.text, offset: offset}
}

// compileExpression compiles one expression, whose value has type t. It returns nil after a fault.
func (r *extractionCompiler) compileExpression(e *selection.Expr, t *ast.Type) *Extraction {
	switch e.Root {
	case selection.Literal, selection.List:
		return r.compileLiteral(e, t)
	case selection.Variable:
		return r.compileVariable(e, t)
	}
	return r.compileSteps(e, e.Steps, t)
}

// compileSteps compiles the steps of a path, the outermost first, and then the fields in braces
// behind it.
func (r *extractionCompiler) compileSteps(e *selection.Expr, steps []selection.Step, t *ast.Type) *Extraction {
	if len(steps) == 0 {
		return r.compileLeaf(e, t)
	}
	step, rest := steps[0], steps[1:]
	if step.Method == "" {
		return r.compileStep(Member, step, t, func(n *Extraction) { n.Name = step.Name }, e, rest)
	}
	return r.compileMethod(e, step, rest, t)
}

// compileStep compiles one step. The steps behind it read the value that it leads to.
func (r *extractionCompiler) compileStep(op Op, step selection.Step, t *ast.Type, fill func(*Extraction), e *selection.Expr, rest []selection.Step) *Extraction {
	n := r.node(op, step.Offset, t)
	fill(n)
	if n.Inner = r.compileSteps(e, rest, t); n.Inner == nil {
		return nil
	}
	return n
}

// methods names the methods of expressions, for messages.
var methods = []string{"first", "last", "map", "match", "joinNotNull", "eq", "entries"}

func (r *extractionCompiler) compileMethod(e *selection.Expr, step selection.Step, rest []selection.Step, t *ast.Type) *Extraction {
	if r.expectsKeys && step.Method != "first" && step.Method != "last" {
		r.expectsKeys = false // this method and the rest apply to each value of the object
		return r.compileStep(ByKey, step, t, func(*Extraction) {}, e, append([]selection.Step{step}, rest...))
	}
	none := func(*Extraction) {}
	switch step.Method {
	case "first", "last", "entries":
		if len(step.Args) > 0 {
			return r.fault(InvalidMethod, step.Offset, "->%s takes no arguments", step.Method)
		}
	}
	switch step.Method {
	case "first":
		return r.compileStep(First, step, t, none, e, rest)
	case "last":
		return r.compileStep(Last, step, t, none, e, rest)
	case "map":
		return r.compileMap(Map, e, step, rest, t)
	case "entries":
		return r.compileMap(Entries, e, step, rest, t)
	}
	switch {
	case !slices.Contains(methods, step.Method):
		return r.fault(InvalidMethod, step.Offset, "there is no method ->%s%s", step.Method, DidYouMean(step.Method, methods))
	case len(rest) > 0 || e.HasBraces:
		return r.fault(InvalidMethod, step.Offset, "->%s ends its path; nothing can follow it", step.Method)
	}
	switch step.Method {
	case "joinNotNull":
		return r.compileJoin(step, nil, t)
	case "match":
		return r.compileMatch(step, t)
	}
	return r.compileEqual(step, t)
}

// compileMap compiles ->map(expr) and ->entries, whose results are lists. A method may follow:
// ->first and ->last, which are moved in front of the expression, so that only one element is read,
// and ->joinNotNull.
func (r *extractionCompiler) compileMap(op Op, e *selection.Expr, step selection.Step, rest []selection.Step, t *ast.Type) *Extraction {
	element := &selection.Expr{Offset: step.Offset, Fields: e.Fields, HasBraces: e.HasBraces}
	switch {
	case op == Map && len(step.Args) != 1:
		return r.fault(InvalidMethod, step.Offset, "->map takes one expression, such as ->map(@.name)")
	case op == Map && isCurrent(step.Args[0]):
	case op == Map && step.Args[0].Root == selection.Current && step.Args[0].IsEnclosing:
		return r.fault(InvalidMethod, step.Args[0].Offset, "$ is the object around the list, and elements are read from themselves; write @ for the element")
	case op == Map && len(rest) > 0 && step.Args[0].Root != selection.Current:
		return r.fault(InvalidMethod, step.Args[0].Offset, "every element becomes the same value; write the value alone, without ->%s", rest[0].Method)
	case op == Map:
		if e.HasBraces {
			return r.fault(InvalidMethod, step.Offset, "write the fields inside of ->map(@ { ... })")
		}
		element = step.Args[0]
	}
	switch {
	case len(rest) == 0:
		return r.compileList(op, step, element, t)
	case op == Map && rest[0].Method == "joinNotNull" && len(rest) == 1:
		return r.compileJoin(rest[0], element, t)
	case op == Map && rest[0].Method == "joinNotNull":
		return r.fault(InvalidMethod, rest[0].Offset, "->joinNotNull ends its path; nothing can follow it")
	case op == Map && (rest[0].Method == "first" || rest[0].Method == "last"):
		all := &selection.Expr{Offset: element.Offset, Root: element.Root, Name: element.Name, Fields: element.Fields, HasBraces: element.HasBraces}
		return r.compileSteps(all, append([]selection.Step{rest[0]}, append(slices.Clone(element.Steps), rest[1:]...)...), t)
	}
	return r.fault(InvalidMethod, rest[0].Offset, "->%s returns a list; only ->first, ->last or ->joinNotNull can follow", step.Method)
}

// compileList compiles a list whose elements are read alike.
func (r *extractionCompiler) compileList(op Op, step selection.Step, element *selection.Expr, t *ast.Type) *Extraction {
	if !isList(t) {
		return r.fault(InvalidMethod, step.Offset, "->%s returns a list, but %s is expected here", step.Method, t)
	}
	n := r.node(op, step.Offset, t)
	if n.Inner = r.compileExpression(element, t.Elem); n.Inner == nil {
		return nil
	}
	return n
}

// compileJoin compiles ->joinNotNull(separator). The expression element says how each element is
// read; nil reads it as a text.
func (r *extractionCompiler) compileJoin(step selection.Step, element *selection.Expr, t *ast.Type) *Extraction {
	if named := r.graph.scalarName(t.NamedType); named != "String" && named != "ID" {
		return r.fault(InvalidMethod, step.Offset, "->joinNotNull returns a text, but %s is expected here", t)
	}
	if len(step.Args) != 1 || step.Args[0].Root != selection.Literal {
		return r.fault(InvalidMethod, step.Offset, "->joinNotNull takes a separator, such as ->joinNotNull(\", \")")
	}
	separator, isText := step.Args[0].Value.(string)
	if !isText {
		return r.fault(InvalidMethod, step.Args[0].Offset, "->joinNotNull takes a text as its separator, such as \", \"")
	}
	n := r.node(Join, step.Offset, t)
	n.Name = separator
	n.Inner = r.node(ByName, step.Offset, &ast.Type{NamedType: "String", Position: t.Position})
	if element != nil {
		n.Inner = r.compileExpression(element, n.Inner.Type)
	}
	if n.Inner == nil {
		return nil
	}
	return n
}

// compileEqual compiles ->eq(literal).
func (r *extractionCompiler) compileEqual(step selection.Step, t *ast.Type) *Extraction {
	if r.graph.scalarName(t.NamedType) != "Boolean" {
		return r.fault(InvalidMethod, step.Offset, "->eq returns a Boolean, but %s is expected here", t)
	}
	if len(step.Args) != 1 || step.Args[0].Root != selection.Literal {
		return r.fault(InvalidMethod, step.Offset, "->eq takes one literal, such as ->eq(\"done\")")
	}
	n := r.node(Equal, step.Offset, t)
	n.Literal = literalToJSON(step.Args[0])
	return n
}

// compileMatch compiles ->match([candidate, result], ...).
func (r *extractionCompiler) compileMatch(step selection.Step, t *ast.Type) *Extraction {
	if !r.schema.Types[t.Name()].IsLeafType() || isList(t) {
		return r.fault(InvalidMethod, step.Offset, "->match returns a scalar or a value of an enum, but %s is expected here", t)
	}
	n := r.node(Match, step.Offset, t)
	n.Inner = r.node(ByName, step.Offset, t)
	for _, pair := range step.Args {
		c, ok := r.compileMatchCase(pair, t)
		if !ok {
			return nil
		}
		n.Cases = append(n.Cases, c)
	}
	if len(n.Cases) == 0 {
		return r.fault(InvalidMethod, step.Offset, "->match takes pairs of a candidate and a result, such as [\"a\", \"ACTIVE\"]")
	}
	if last := n.Cases[len(n.Cases)-1]; t.NonNull && last.When != "" {
		return r.fault(InvalidMethod, step.Offset, "%s is never null, but a value that matches no candidate has no result; end with [@, result], or make it %s", t, strings.TrimSuffix(t.String(), "!"))
	}
	return n
}

func (r *extractionCompiler) compileMatchCase(pair *selection.Expr, t *ast.Type) (c MatchCase, ok bool) {
	if pair.Root != selection.List || len(pair.Items) != 2 {
		r.fault(InvalidMethod, pair.Offset, "a case of ->match is a pair: [candidate, result]")
		return c, false
	}
	candidate, result := pair.Items[0], pair.Items[1]
	if !isCurrent(candidate) {
		if candidate.Root != selection.Literal {
			r.fault(InvalidMethod, candidate.Offset, invalidCandidate)
			return c, false
		}
		c.When = literalToJSON(candidate)
	}
	if isCurrent(result) {
		return c, true
	}
	c.Then, ok = r.literalJSON(result, t)
	return c, ok
}

// invalidCandidate is the message for a candidate of ->match that is not a literal.
const invalidCandidate = "a candidate is a literal, or @ for any value"

// isCurrent reports whether an expression is @ alone: the value that a method works on.
func isCurrent(e *selection.Expr) bool {
	return e.Root == selection.Current && !e.IsEnclosing && len(e.Steps) == 0 && !e.HasBraces
}

// compileLiteral compiles $(literal).
func (r *extractionCompiler) compileLiteral(e *selection.Expr, t *ast.Type) *Extraction {
	if len(e.Steps) > 0 || e.HasBraces {
		return r.fault(InvalidExpression, e.Offset, "nothing can follow a literal")
	}
	n := r.node(Literal, e.Offset, t)
	var ok bool
	if n.Literal, ok = r.literalJSON(e, t); !ok {
		return nil
	}
	return n
}

// literalJSON returns a literal as JSON that a decoder of type t can read.
func (r *extractionCompiler) literalJSON(e *selection.Expr, t *ast.Type) (string, bool) {
	if e.Root != selection.Literal && e.Root != selection.List {
		r.fault(InvalidExpression, e.Offset, "a literal is expected here, such as \"text\" or 12")
		return "", false
	}
	if def := r.schema.Types[t.Name()]; def.Kind == ast.Enum && !isList(t) {
		if name, isText := e.Value.(string); isText {
			return r.enumJSON(e, def, name)
		}
	}
	if !acceptsLiteral(e, r.graph.Resolve(t)) {
		r.fault(WrongConstant, e.Offset, "%s is not of type %s", literalToJSON(e), t)
		return "", false
	}
	return literalToJSON(e), true
}

// enumJSON returns a value of an enum as the services write it. The expression has its name in the
// graph.
func (r *extractionCompiler) enumJSON(e *selection.Expr, def *ast.Definition, name string) (string, bool) {
	v := def.EnumValues.ForName(name)
	if v == nil {
		r.fault(WrongConstant, e.Offset, "%s has no value %q%s", def.Name, name, DidYouMean(name, enumNames(def)))
		return "", false
	}
	return enumLiteral(v), true
}

// enumLiteral returns a value of an enum as services write it, in JSON. It reads the directive itself, since the
// names of the schema are collected after bindings are compiled.
func enumLiteral(v *ast.EnumValueDefinition) string {
	d := v.Directives.ForName("json")
	switch {
	case d == nil:
		return marshalJSON(v.Name)
	case argument(d, "value") != nil:
		return scalar.PlainNumber(argumentText(d, "value"))
	}
	return marshalJSON(argumentText(d, "name"))
}

// acceptsLiteral reports whether a type has the value of a literal.
func acceptsLiteral(e *selection.Expr, t *ast.Type) bool {
	if e.Root == selection.List {
		fits := func(item *selection.Expr) bool {
			return (item.Root == selection.Literal || item.Root == selection.List) && t.Elem != nil && acceptsLiteral(item, t.Elem)
		}
		return t.NamedType == "JSON" || t.Elem != nil && !slices.ContainsFunc(e.Items, func(i *selection.Expr) bool { return !fits(i) })
	}
	switch v := e.Value.(type) {
	case nil:
		return !t.NonNull
	case bool:
		return readsType(t, "boolean", false)
	case string:
		return readsType(t, "string", t.NamedType != "")
	case json.Number:
		return readsType(t, numberType(v), false)
	}
	return false
}

// readsType reports whether a scalar is read from a JSON type; otherwise is the result for all
// other types.
func readsType(t *ast.Type, jsonType string, otherwise bool) bool {
	if s := scalars.ByName(t.NamedType); s != nil {
		return s.ReadsType(jsonType)
	}
	return otherwise
}

// numberType returns the JSON type of a number.
func numberType(n json.Number) string {
	if strings.ContainsAny(string(n), ".eE") {
		return "number"
	}
	return "integer"
}

// literalToJSON returns a literal as JSON.
func literalToJSON(e *selection.Expr) string {
	if e.Root != selection.List {
		return marshalJSON(e.Value)
	}
	items := make([]string, len(e.Items))
	for i, item := range e.Items {
		items[i] = literalToJSON(item)
	}
	return "[" + strings.Join(items, ",") + "]"
}

func marshalJSON(v any) string {
	text, _ := json.Marshal(v) // no value of a literal can fail
	return string(text)
}

// compileVariable compiles a variable, whose value comes with the request and not with the
// response.
func (r *extractionCompiler) compileVariable(e *selection.Expr, t *ast.Type) *Extraction {
	if !slices.Contains(scopes, Scope(e.Name)) {
		return r.fault(UnknownVariable, e.Offset, "there is no variable $%s; a member of the response is written $.%s", e.Name, e.Name)
	}
	v := r.compileValue(r.text, e)
	if v == nil {
		return nil
	}
	if v.Scope == Keys {
		return r.fault(MisplacedVariable, e.Offset, "$%s.%s holds all keys of a call, but a response is read once for all of them; name the member that holds the key", v.Scope, strings.Join(v.Path, "."))
	}
	if v.Type != nil && !isAssignable(r.graph.Resolve(v.Type), r.graph.Resolve(t)) {
		return r.fault(WrongConstant, e.Offset, "%s is %s, which does not fit %s", v, v.Type, t)
	}
	n := r.node(FromRequest, e.Offset, t)
	n.Variable = v
	r.field.SelectionVariables = slices.AppendSeq(r.field.SelectionVariables, v.Variables())
	return n
}

// isAssignable reports whether a value of type v can be used where t is expected.
func isAssignable(v, t *ast.Type) bool {
	if t.NonNull && !v.NonNull {
		return false
	}
	if v.Elem != nil || t.Elem != nil {
		return v.Elem != nil && t.Elem != nil && isAssignable(v.Elem, t.Elem)
	}
	text := []string{"ID", "String"}
	return v.NamedType == t.NamedType || slices.Contains(text, v.NamedType) && slices.Contains(text, t.NamedType)
}

// compileLeaf compiles the end of a path, with the fields in braces behind it.
func (r *extractionCompiler) compileLeaf(e *selection.Expr, t *ast.Type) *Extraction {
	if r.expectsKeys {
		r.expectsKeys = false
		n := r.node(ByKey, e.Offset, t)
		n.Inner = r.compileLeaf(e, t)
		return n
	}
	if !e.HasBraces {
		r.checkReadable(t, r.text.Position, map[string]bool{})
		return r.node(ByName, e.Offset, t)
	}
	if isList(t) {
		n := r.node(Map, e.Offset, t)
		if n.Inner = r.compileLeaf(e, t.Elem); n.Inner == nil {
			return nil
		}
		return n
	}
	return r.compileObject(e, t)
}

// compileObject compiles { fields }.
func (r *extractionCompiler) compileObject(e *selection.Expr, t *ast.Type) *Extraction {
	def := r.schema.Types[t.NamedType]
	if def.Kind != ast.Object {
		return r.fault(InvalidExpression, e.Offset, "fields are selected here, but %s", noFields(def, e))
	}
	n := r.node(Object, e.Offset, t)
	for _, f := range e.Fields {
		if of := r.compileSelectedField(def, f); of != nil {
			n.Fields = append(n.Fields, *of)
		}
	}
	if len(n.Fields) < len(e.Fields) {
		return nil
	}
	return n
}

// noFields explains why a type has no fields to select, and what to write instead.
func noFields(def *ast.Definition, e *selection.Expr) string {
	switch {
	case def.IsAbstractType():
		return fmt.Sprintf("%s is %s, whose types are read by name; write the path without braces", def.Name, kindName(def))
	case len(e.Fields) == 1:
		return fmt.Sprintf("%s has none; write $.%s for that member alone", def.Name, e.Fields[0].Name)
	}
	return def.Name + " has none; write a path such as $.name"
}

// suggestField returns advice on a name that is not a field. It may be meant as a member of the
// response.
func (r *extractionCompiler) suggestField(def *ast.Definition, f selection.Field) string {
	switch {
	case f.IsShorthand() && f.Expr.HasBraces:
		return fmt.Sprintf("; for a member of the response write $.%s { ... }", f.Name)
	case f.IsShorthand() && f.Name == strings.TrimSpace(r.text.Raw):
		return fmt.Sprintf("; for a member of the response write $.%s", f.Name)
	}
	return DidYouMean(f.Name, propertyNames(def))
}

// compileSelectedField compiles a field of { fields }. A name without a path reads the member that
// the field has elsewhere too: that of its @json, else that of its name.
func (r *extractionCompiler) compileSelectedField(def *ast.Definition, f selection.Field) *SelectedField {
	field := def.Fields.ForName(f.Name)
	switch {
	case field == nil:
		r.fault(UnknownSelectedField, f.Offset, "%s has no field %q%s", def.Name, f.Name, r.suggestField(def, f))
		return nil
	case !IsProperty(field):
		r.fault(UnknownSelectedField, f.Offset, "%s.%s has a call of its own; leave it out here", def.Name, f.Name)
		return nil
	}
	e := f.Expr
	if d := field.Directives.ForName("json"); d != nil && f.IsShorthand() && !r.invalid[d] {
		renamed := *e
		renamed.Steps = slices.Clone(e.Steps)
		renamed.Steps[0].Name = argumentText(d, "name")
		e = &renamed
	}
	of := r.compileExpression(e, field.Type)
	if of == nil {
		return nil
	}
	return &SelectedField{field, of}
}
