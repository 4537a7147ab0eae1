// Package selection reads the text of mapping expressions: which part of an answer a field
// is, what a body is made of, when a call went well. The grammar is a subset of Apollo's
// JSONSelection whose shape is known without running it:
//
//	$.items { id name: full_name address: { street city } }
//	state->match(["a", "ACTIVE"], [@, "OTHER"])
//	$args.input { name email }
//
// The package knows no types: what an expression means for a schema is said by package
// binding.
package selection

import (
	"fmt"
	"slices"
)

// Root is where an expression begins.
type Root int

// The roots.
const (
	Current  Root = iota // $, @ or a bare name: the value at hand
	Variable             // $args, $status and so on
	Literal              // $(12), or a literal among a method's arguments
	List                 // [a, b] among a method's arguments or in a literal
)

// Expr is how one value is made.
type Expr struct {
	Offset int // of its first byte in the text
	Root   Root
	Dollar bool   // of a Current: written $, the object around, which a method's arguments leave as it was
	Name   string // of a Variable, without its $
	Value  any    // of a Literal: nil, bool, string or json.Number
	Items  []*Expr
	Steps  []Step
	Fields []Field // of an object that is made of the value at hand; nil without braces
	Braces bool    // whether there are any, even with nothing in them
}

// Step leads from one value to the next: to a member, or through a method.
type Step struct {
	Offset   int
	Name     string // of the member; "" for a method
	Method   string // without its arrow; "" for a member
	Args     []*Expr
	Optional bool // ?: the value may be missing
}

// Field is a member of an object that an expression makes.
type Field struct {
	Offset int
	Name   string
	Expr   *Expr
}

// Error is a mistake in the text.
type Error struct {
	Offset int
	Text   string
}

// Error gives the text; the place is for whoever knows where the expression stands.
func (e *Error) Error() string { return e.Text }

// Bare tells whether the field is a name alone, not alias: value.
func (f Field) Bare() bool {
	return f.Expr.Offset == f.Offset && f.Expr.Root == Current && len(f.Expr.Steps) > 0 && f.Expr.Steps[0].Name == f.Name
}

// Parse reads an expression. Its error is an *Error. What begins with a name and is no path
// is a list of fields: "id name" is { id name }.
func Parse(text string) (*Expr, error) { return ParsePart(text, 0) }

// ParsePart reads the expression that begins at an offset of a text and takes the rest of
// it. Every offset counts from the beginning of the text.
func ParsePart(text string, from int) (expr *Expr, err error) {
	p := &parser{text: text, pos: from}
	defer func() {
		if err = toError(recover()); err != nil {
			expr = nil
		}
	}()
	expr = p.document()
	if p.skipSpace(); p.pos < len(text) {
		p.fail("unexpected %s%s", p.describeNext(), p.suggestion())
	}
	return expr, nil
}

// suggestion says what to write for what other languages have here.
func (p *parser) suggestion() string {
	switch p.peek() {
	case '[':
		return "; the first of a list is ->first, the last ->last"
	case '=', '!':
		return "; values are compared by ->eq(12)"
	}
	return ""
}

// maxDepth bounds how deep an expression may nest.
const maxDepth = 64

// parser stands at one place of the text. Its mistakes are panics with an *Error, which
// Parse recovers.
type parser struct {
	text  string
	pos   int
	depth int
}

func (p *parser) fail(format string, args ...any) { p.failAt(p.pos, format, args...) }

func (p *parser) failAt(offset int, format string, args ...any) {
	panic(&Error{offset, fmt.Sprintf(format, args...)})
}

// document reads a whole text: one path, or fields without their braces.
func (p *parser) document() *Expr {
	p.skipSpace()
	from := p.pos
	switch {
	case p.pos == len(p.text):
		p.fail("nothing is selected; write $ for the whole value, or name fields")
	case p.peek() == '{':
		return p.object()
	case p.peek() == '$' || p.peek() == '@':
		return p.expr()
	}
	fields := p.fields(false)
	if one := fields[0]; len(fields) == 1 && one.Name == "" {
		return one.Expr
	}
	return &Expr{Offset: from, Fields: p.named(fields), Braces: true}
}

// object reads { fields }, made of the value at hand.
func (p *parser) object() *Expr {
	e := &Expr{Offset: p.pos, Braces: true}
	e.Fields = p.braces()
	return e
}

// braces reads { fields }.
func (p *parser) braces() []Field {
	p.enter()
	p.pos++
	fields := p.named(p.fields(true))
	p.depth--
	return fields
}

func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail("the expression nests deeper than %d", maxDepth)
	}
}

// fields reads fields up to the closing brace, or to the end of the text.
func (p *parser) fields(closed bool) []Field {
	var fields []Field
	for {
		p.skipSpace()
		switch {
		case p.pos == len(p.text) && closed:
			p.fail("a { without its }")
		case p.pos == len(p.text):
			return fields
		case p.peek() == '}' && closed:
			p.pos++
			return fields
		}
		fields = append(fields, p.field())
		if p.skipSpace(); p.peek() == ',' {
			p.pos++
		}
	}
}

// field reads name, name { }, alias: value or a path. A path's name is "".
func (p *parser) field() Field {
	from := p.pos
	if c := p.peek(); c == '$' || c == '@' {
		return Field{Offset: from, Expr: p.expr()}
	}
	name := p.key()
	p.skipSpace()
	if p.peek() == ':' {
		p.pos++
		p.skipSpace()
		return Field{Offset: from, Name: name, Expr: p.value()}
	}
	e := &Expr{Offset: from, Steps: []Step{{Offset: from, Name: name}}}
	p.steps(e)
	if len(e.Steps) > 1 {
		name = ""
	}
	return Field{Offset: from, Name: name, Expr: e}
}

// named spreads the paths among fields: a.b { c } is c: a.b.c. A path that makes no fields
// has no name to go by.
func (p *parser) named(fields []Field) []Field {
	named := []Field{}
	for _, f := range fields {
		switch {
		case f.Name != "":
			named = append(named, f)
		case !f.Expr.Braces:
			p.rejectUnnamed(p.text[f.Offset:p.pathEnd(f)], f.Offset, len(fields) == 1)
		default:
			named = append(named, flatten(f.Expr)...)
		}
	}
	for i, f := range named {
		for _, other := range named[:i] {
			if other.Name == f.Name {
				p.failAt(f.Offset, "%q is selected twice; keep one, or give one another name", f.Name)
			}
		}
	}
	return named
}

// rejectUnnamed refuses a path among fields, where it may be meant to stand alone.
func (p *parser) rejectUnnamed(path string, offset int, only bool) {
	if only {
		p.failAt(offset, "a path in braces needs a name; write name: %s, or the path without braces", path)
	}
	p.failAt(offset, "a path among fields needs a name; write name: %s", path)
}

// pathEnd is where the steps of a path without fields end.
func (p *parser) pathEnd(f Field) int {
	probe := &parser{text: p.text, pos: f.Offset}
	probe.value()
	return probe.pos
}

// flatten gives the fields of a path as fields of what the path begins with.
func flatten(e *Expr) []Field {
	fields := make([]Field, len(e.Fields))
	for i, f := range e.Fields {
		inner := *f.Expr
		if inner.Root == Current {
			inner.Root, inner.Name, inner.Value = e.Root, e.Name, e.Value
			inner.Steps = append(append([]Step{}, e.Steps...), rebaseSteps(inner.Steps, e)...)
		}
		fields[i] = Field{f.Offset, f.Name, &inner}
	}
	return fields
}

// rebaseSteps gives steps whose methods' arguments speak of another object around: $ is what
// base leads to.
func rebaseSteps(steps []Step, base *Expr) []Step {
	moved := slices.Clone(steps)
	for i, s := range moved {
		moved[i].Args = rebaseAll(s.Args, base)
	}
	return moved
}

func rebaseAll(list []*Expr, base *Expr) []*Expr {
	moved := slices.Clone(list)
	for i, e := range moved {
		other := *e
		other.Items, other.Steps = rebaseAll(e.Items, base), rebaseSteps(e.Steps, base)
		if e.Root == Current && e.Dollar {
			other.Root, other.Name, other.Value = base.Root, base.Name, base.Value
			other.Steps = append(slices.Clone(base.Steps), other.Steps...)
		}
		moved[i] = &other
	}
	return moved
}

// value reads what stands behind a field's colon.
func (p *parser) value() *Expr {
	switch c := p.peek(); {
	case c == '{':
		return p.object()
	case c == '$' || c == '@':
		return p.expr()
	case c == '[' || c == '-' || c >= '0' && c <= '9':
		p.fail("a literal is written $(%s)", p.excerpt())
	}
	from := p.pos
	e := &Expr{Offset: from, Steps: []Step{{Offset: from, Name: p.key()}}}
	p.steps(e)
	return e
}

// excerpt is a short piece of the text, for a message.
func (p *parser) excerpt() string {
	end := p.pos
	for end < len(p.text) && end < p.pos+20 && p.text[end] != ' ' && p.text[end] != '\n' && p.text[end] != '}' {
		end++
	}
	return p.text[p.pos:end]
}

// expr reads a path that begins with $ or @.
func (p *parser) expr() *Expr {
	e := &Expr{Offset: p.pos}
	at := p.peek() == '@'
	p.pos++
	switch {
	case at:
	case p.peek() == '(':
		p.pos++
		p.skipSpace()
		e = p.argument()
		e.Offset--
		p.expect(')')
	case isNameStart(p.peek()):
		e.Root, e.Name = Variable, p.name()
	default:
		e.Dollar = true
	}
	p.steps(e)
	return e
}

// steps reads .member, ->method(args), ? and { fields }, as long as there are any.
func (p *parser) steps(e *Expr) {
	for {
		before := p.pos
		p.skipSpace()
		switch {
		case p.peek() == '.':
			p.pos++
			p.skipSpace()
			e.Steps = append(e.Steps, Step{Offset: p.pos, Name: p.key()})
		case p.peek() == '-':
			e.Steps = append(e.Steps, p.method())
		case p.peek() == '?':
			p.optional(e)
		case p.peek() == '{':
			e.Fields, e.Braces = p.braces(), true
			return
		default:
			p.pos = before
			return
		}
	}
}

func (p *parser) optional(e *Expr) {
	if len(e.Steps) == 0 {
		p.fail("a ? stands behind what may be missing")
	}
	p.pos++
	e.Steps[len(e.Steps)-1].Optional = true
}

// method reads ->name, with its arguments if it has any.
func (p *parser) method() Step {
	if len(p.text) < p.pos+2 || p.text[p.pos+1] != '>' {
		p.fail("unexpected %s", p.describeNext())
	}
	p.pos += 2
	p.skipSpace()
	s := Step{Offset: p.pos, Method: p.name()}
	p.skipSpace()
	if p.peek() == '(' {
		p.pos++
		s.Args = p.arguments(')')
	}
	return s
}

// arguments reads values with commas between them up to the closing bracket.
func (p *parser) arguments(closing byte) []*Expr {
	list := []*Expr{}
	for {
		p.skipSpace()
		if p.peek() == closing {
			p.pos++
			return list
		}
		if len(list) > 0 {
			p.comma(closing)
		}
		list = append(list, p.argument())
	}
}

func (p *parser) comma(closing byte) {
	if p.peek() != ',' {
		p.fail("a comma or %q is missing before %s", string(closing), p.describeNext())
	}
	p.pos++
	p.skipSpace()
}

// argument reads a literal, a list, or a path.
func (p *parser) argument() *Expr {
	p.skipSpace()
	e := &Expr{Offset: p.pos}
	switch c := p.peek(); {
	case c == '$' || c == '@':
		return p.expr()
	case c == '[':
		p.enter()
		p.pos++
		e.Root, e.Items = List, p.arguments(']')
		p.depth--
	case c == '"' || c == '\'':
		e.Root, e.Value = Literal, p.quoted()
	case c == '-' || c >= '0' && c <= '9':
		e.Root, e.Value = Literal, p.number()
	case isNameStart(c):
		return p.word(e)
	default:
		p.fail("a value is expected here, not %s", p.describeNext())
	}
	return e
}

// word reads true, false, null, or a path that begins with a name.
func (p *parser) word(e *Expr) *Expr {
	name := p.name()
	switch name {
	case "true", "false":
		e.Root, e.Value = Literal, name == "true"
	case "null":
		e.Root = Literal
	default:
		e.Steps = []Step{{Offset: e.Offset, Name: name}}
		p.steps(e)
	}
	return e
}

func (p *parser) expect(closing byte) {
	if p.skipSpace(); p.peek() != closing {
		p.fail("a %q is missing before %s", string(closing), p.describeNext())
	}
	p.pos++
}

// Argument is a value that is given to a parameter of a call.
type Argument struct {
	Field
	In string // where the parameter stands, such as "query"; "" when the text does not say it
}

// ParseArguments reads name: value pairs up to the end of a text, which may hold literals
// as they are and objects: (ids: $batch.id, limit: 100, body: { name: $args.name }). Where
// the parameter stands may be written before its name: (path.id: $args.id). It begins at an
// offset, behind the bracket, and returns the offset behind the closing one.
func ParseArguments(text string, from int) (args []Argument, end int, err error) {
	p := &parser{text: text, pos: from}
	defer func() { err = toError(recover()) }()
	for {
		p.skipSpace()
		if p.peek() == ')' {
			return args, p.pos + 1, nil
		}
		if len(args) > 0 {
			p.comma(')')
		}
		args = append(args, p.parameter())
	}
}

// parameter reads name: value or place.name: value.
func (p *parser) parameter() Argument {
	a := Argument{Field: Field{Offset: p.pos, Name: p.key()}}
	if p.peek() == '.' {
		p.pos++
		a.In, a.Name = a.Name, p.key()
	}
	p.expect(':')
	if p.skipSpace(); p.peek() == '{' {
		a.Expr = p.object()
	} else {
		a.Expr = p.argument()
	}
	return a
}

// toError is the mistake that a parser stopped at, nil when there was none.
func toError(r any) error {
	if r == nil {
		return nil
	}
	if broken, ours := r.(*Error); ours {
		return broken
	}
	panic(r)
}
