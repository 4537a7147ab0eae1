// Package selection parses mapping expressions: which part of a response a field is, what a request
// body consists of, when a call succeeded. The grammar is a subset of Apollo's JSONSelection in
// which the shape of every result is known without running the expression:
//
//	$.items { id name: full_name address: { street city } }
//	state->match(["a", "ACTIVE"], [@, "OTHER"])
//	$args.input { name email }
//
// The whole grammar, with # comments and white space between tokens:
//
//	Document  = "{" FieldList "}" | Path | FieldList
//	Path      = ( "$" | "@" | "$" Name | "$(" Argument ")" | Key ) { Step } [ "{" FieldList "}" ]
//	Step      = "." Key | "->" Name [ "(" [ Argument { "," Argument } ] ")" ] | "?"
//	FieldList = { Field [ "," ] }
//	Field     = Key ":" ( Path | "{" FieldList "}" ) | Path
//	Argument  = Path | "[" [ Argument { "," Argument } ] "]" | String | Number | "true" | "false" | "null"
//	Key       = Name | String
//
// The package knows no types. Package binding gives an expression its meaning for a schema.
package selection

import (
	"fmt"
	"slices"
)

// Root is the kind of value that an expression starts from.
type Root int

// The roots.
const (
	// Kinds of roots.
	Current  Root = iota // $, @ or a bare name: the current value
	Variable             // $args, $status and so on
	Literal              // $(12), or a literal among a method's arguments
	List                 // [a, b] among a method's arguments or in a literal
)

// Expr is an expression that computes one value.
type Expr struct {
	Offset      int // of its first byte in the text
	Root        Root
	IsEnclosing bool   // a Current written as $: the enclosing object, which stays the same in the arguments of methods
	Name        string // of a Variable, without its $
	Value       any    // of a Literal: nil, bool, string or json.Number
	Items       []*Expr
	Steps       []Step
	Fields      []Field // of an object that is built from the value; nil without braces
	HasBraces   bool    // whether the expression has braces, which may be empty
}

// Step leads from one value to the next, by a member or by a method.
type Step struct {
	Offset   int
	Name     string // of the member; "" for a method
	Method   string // without its arrow; "" for a member
	Args     []*Expr
	Optional bool // followed by ?: the value may be absent
}

// Field is a member of an object that an expression builds.
type Field struct {
	Offset int
	Name   string
	Expr   *Expr
}

// Error is a syntax error.
type Error struct {
	Offset  int
	Message string
}

// Error returns the text without a place, because only the caller knows where the expression
// stands.
func (e *Error) Error() string { return e.Message }

// IsShorthand reports whether the field is written as a name alone, not as alias: value.
func (f Field) IsShorthand() bool {
	return f.Expr.Offset == f.Offset && f.Expr.Root == Current && len(f.Expr.Steps) > 0 && f.Expr.Steps[0].Name == f.Name
}

// Parse parses an expression. Its error is an *Error. A text that starts with a name and is not a
// path is a list of fields: "id name" means { id name }.
func Parse(text string) (*Expr, error) { return ParsePart(text, 0) }

// ParsePart parses the expression that starts at an offset of a text and extends to its end. All
// offsets of the result count from the start of the text.
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

// suggestion returns what to write instead of the syntax that other languages have for the next
// character.
func (p *parser) suggestion() string {
	switch p.peek() {
	case '[':
		return "; the first of a list is ->first, the last ->last"
	case '=', '!':
		return "; values are compared by ->eq(12)"
	}
	return ""
}

// maxDepth bounds the nesting of an expression, and with it the recursion of the parser.
const maxDepth = 64

// parser is a recursive descent parser at one position of the text. It reports a syntax error by a
// panic with an *Error, which the exported functions recover: nearly every method can fail, and
// error results would hide the grammar.
type parser struct {
	text  string
	pos   int
	depth int
}

// fail panics with a syntax error at the current position.
func (p *parser) fail(format string, args ...any) { p.failAt(p.pos, format, args...) }

// failAt panics with a syntax error at an offset.
func (p *parser) failAt(offset int, format string, args ...any) {
	panic(&Error{offset, fmt.Sprintf(format, args...)})
}

// document parses a whole text: a path, or fields without braces.
//
// A text that starts with a name can be either. It is parsed as fields, and if the result is one
// field without a name, that was a path: a.b, say, or a->first. In contrast, the only field of "a"
// has a name, so "a" means { a }.
func (p *parser) document() *Expr {
	p.skipSpace()
	start := p.pos
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
	return &Expr{Offset: start, Fields: p.named(fields), HasBraces: true}
}

// object parses { fields } as an object that is built from the current value.
func (p *parser) object() *Expr {
	e := &Expr{Offset: p.pos, HasBraces: true}
	e.Fields = p.braces()
	return e
}

// braces parses { fields }.
func (p *parser) braces() []Field {
	p.enter()
	p.pos++
	fields := p.named(p.fields(true))
	p.depth--
	return fields
}

// enter counts a level of nesting.
func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail("the expression nests deeper than %d", maxDepth)
	}
}

// fields parses fields up to the closing brace if closed is set, and otherwise to the end of the
// text.
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

// field parses name, name { }, alias: value, or a path. Of a path the name of the result is "".
func (p *parser) field() Field {
	start := p.pos
	if c := p.peek(); c == '$' || c == '@' {
		return Field{Offset: start, Expr: p.expr()}
	}
	name := p.key()
	p.skipSpace()
	if p.peek() == ':' {
		p.pos++
		p.skipSpace()
		return Field{Offset: start, Name: name, Expr: p.value()}
	}
	e := &Expr{Offset: start, Steps: []Step{{Offset: start, Name: name}}}
	p.steps(e)
	if len(e.Steps) > 1 {
		name = ""
	}
	return Field{Offset: start, Name: name, Expr: e}
}

// named returns fields that all have names. A path with braces contributes the fields in its
// braces: a.b { c d } among fields means c: a.b.c d: a.b.d. A path without braces has no name that
// it could contribute, which is an error.
func (p *parser) named(fields []Field) []Field {
	named := []Field{}
	for _, f := range fields {
		switch {
		case f.Name != "":
			named = append(named, f)
		case !f.Expr.HasBraces:
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

// rejectUnnamed reports a path among fields that has no name. If it is the only field, the braces
// around it may be the mistake.
func (p *parser) rejectUnnamed(path string, offset int, only bool) {
	if only {
		p.failAt(offset, "a path in braces needs a name; write name: %s, or the path without braces", path)
	}
	p.failAt(offset, "a path among fields needs a name; write name: %s", path)
}

// pathEnd returns the offset behind a path that starts a field. It parses the path again.
func (p *parser) pathEnd(f Field) int {
	probe := &parser{text: p.text, pos: f.Offset}
	probe.value()
	return probe.pos
}

// flatten returns the fields in the braces of a path as fields of the value that the path starts
// from.
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

// rebaseSteps returns steps that are moved from the braces of base to before it. There, $ in the
// arguments of methods means another object, so each $ becomes the path of base: in a.b { c:
// l->map($.x) } it is a.b, and in c: a.b.l->map(...) it has to be written out.
func rebaseSteps(steps []Step, base *Expr) []Step {
	moved := slices.Clone(steps)
	for i, s := range moved {
		moved[i].Args = rebaseAll(s.Args, base)
	}
	return moved
}

// rebaseAll returns expressions whose $ is replaced by the path of base, also in their arguments.
func rebaseAll(list []*Expr, base *Expr) []*Expr {
	moved := slices.Clone(list)
	for i, e := range moved {
		other := *e
		other.Items, other.Steps = rebaseAll(e.Items, base), rebaseSteps(e.Steps, base)
		if e.Root == Current && e.IsEnclosing {
			other.Root, other.Name, other.Value = base.Root, base.Name, base.Value
			other.Steps = append(slices.Clone(base.Steps), other.Steps...)
		}
		moved[i] = &other
	}
	return moved
}

// value parses what follows the colon of a field.
func (p *parser) value() *Expr {
	switch c := p.peek(); {
	case c == '{':
		return p.object()
	case c == '$' || c == '@':
		return p.expr()
	case c == '[' || c == '-' || c >= '0' && c <= '9':
		p.fail("a literal is written $(%s)", p.excerpt())
	}
	start := p.pos
	e := &Expr{Offset: start, Steps: []Step{{Offset: start, Name: p.key()}}}
	p.steps(e)
	return e
}

// excerpt returns the next characters of the text, for a message.
func (p *parser) excerpt() string {
	end := p.pos
	for end < len(p.text) && end < p.pos+20 && p.text[end] != ' ' && p.text[end] != '\n' && p.text[end] != '}' {
		end++
	}
	return p.text[p.pos:end]
}

// expr parses a path that starts with $ or @.
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
		e.IsEnclosing = true
	}
	p.steps(e)
	return e
}

// steps parses .member, ->method(args), ? and { fields } for as long as one follows. Braces end the
// path. Space before something else is not consumed: it separates fields.
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
			e.Fields, e.HasBraces = p.braces(), true
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

// method parses ->name with its arguments, if there are any.
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

// arguments parses values that are separated by commas, up to the closing character.
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

// argument parses a literal, a list or a path.
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

// word parses true, false, null, or a path that starts with a name.
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

// expect consumes a closing character.
func (p *parser) expect(closing byte) {
	if p.skipSpace(); p.peek() != closing {
		p.fail("a %q is missing before %s", string(closing), p.describeNext())
	}
	p.pos++
}

// Argument is a value for a parameter of a call.
type Argument struct {
	Field
	In string // the location of the parameter, such as "query"; "" if the text does not name it
}

// ParseArguments parses pairs of a parameter's name and its value, as in (ids: $batch.id, limit:
// 100, body: { name: $args.name }). Unlike the fields of an expression, these may be literals. The
// location of a parameter can precede its name, as in (path.id: $args.id). Parsing starts at an
// offset of the text, behind the opening parenthesis, and end is the offset behind the closing one.
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

// parameter parses name: value or location.name: value.
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

// toError returns the syntax error that a parser panicked with, or nil if it did not panic. It
// passes on other panics.
func toError(r any) error {
	if r == nil {
		return nil
	}
	if e, ok := r.(*Error); ok {
		return e
	}
	panic(r)
}
