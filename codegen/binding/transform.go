package binding

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/selection"
)

// applyStep applies a member or a method to a value. It reports whether it could.
func (c *valueCompiler) applyStep(v *Value, step selection.Step) bool {
	if step.Method == "" {
		return c.applyMember(v, step)
	}
	if isBatchKeys(v) {
		c.fault(InvalidMethod, step.Offset, "$batch holds the keys of a call, which are sent unchanged")
		return false
	}
	change, t := c.compileMethod(v, step)
	if change == nil {
		return false
	}
	v.Transforms, v.Type = append(v.Transforms, *change), t
	return true
}

func isBatchKeys(v *Value) bool { return v.Scope == Keys }

func (c *valueCompiler) applyMember(v *Value, step selection.Step) bool {
	wire, t := step.Name, (*ast.Type)(nil)
	if v.Type != nil {
		at := &variableCompiler{c, step.Offset, step.Name, nil}
		if t = at.memberType(v.Type, step.Name); t == nil {
			return false
		}
		wire = c.wireName(v.Type.Name(), step.Name)
	}
	v.Transforms, v.Type = append(v.Transforms, Transform{Op: Member, Name: wire}), t
	return true
}

// compileMethod compiles a method. It returns the type of the result, nil if that is not known.
func (c *valueCompiler) compileMethod(v *Value, step selection.Step) (*Transform, *ast.Type) {
	var element *ast.Type
	list := slices.Contains([]string{"first", "last", "map", "joinNotNull"}, step.Method)
	if list && v.Type != nil {
		if element = v.Type.Elem; element == nil {
			c.fault(InvalidMethod, step.Offset, "->%s is for lists, but the value before it is %s", step.Method, v.Type)
			return nil, nil
		}
	}
	switch step.Method {
	case "first", "last", "entries":
		if len(step.Args) > 0 {
			c.fault(InvalidMethod, step.Offset, "->%s takes no arguments", step.Method)
			return nil, nil
		}
	}
	switch step.Method {
	case "first":
		return &Transform{Op: First}, nullableElement(element)
	case "last":
		return &Transform{Op: Last}, nullableElement(element)
	case "entries":
		return &Transform{Op: Entries}, nil
	case "map":
		return c.compileMap(step, element)
	case "joinNotNull":
		return c.compileJoin(step), ast.NonNullNamedType("String", nil)
	case "eq":
		return c.compileEqual(v, step), ast.NonNullNamedType("Boolean", nil)
	case "match":
		return c.compileMatch(v, step)
	}
	c.fault(InvalidMethod, step.Offset, "there is no method ->%s%s", step.Method, DidYouMean(step.Method, methods))
	return nil, nil
}

// nullableElement returns the type of an element that a list may not have.
func nullableElement(element *ast.Type) *ast.Type {
	if element == nil {
		return nil
	}
	return nullableIf(element, true)
}

func (c *valueCompiler) compileMap(step selection.Step, element *ast.Type) (*Transform, *ast.Type) {
	if len(step.Args) != 1 {
		c.fault(InvalidMethod, step.Offset, "->map takes one expression, such as ->map(@.name)")
		return nil, nil
	}
	of := c.inMethod(&contextValue{element}).compileExpression(step.Args[0])
	if of == nil {
		return nil, nil
	}
	if of.Type == nil {
		return &Transform{Op: Map, Inner: of}, nil
	}
	return &Transform{Op: Map, Inner: of}, ast.NonNullListType(of.Type, nil)
}

// inObject returns a compiler for the members of an object that is built of a value: both @ and $
// are that value.
func (c *valueCompiler) inObject(hand *contextValue) *valueCompiler {
	inner := *c
	inner.current, inner.outer = hand, hand
	return &inner
}

// inMethod returns a compiler for the arguments of a method: @ is the value that the method works
// on, and $ keeps its meaning.
func (c *valueCompiler) inMethod(hand *contextValue) *valueCompiler {
	inner := *c
	inner.current = hand
	return &inner
}

func (c *valueCompiler) compileJoin(step selection.Step) *Transform {
	if len(step.Args) != 1 || step.Args[0].Root != selection.Literal {
		c.fault(InvalidMethod, step.Offset, "->joinNotNull takes a separator, such as ->joinNotNull(\", \")")
		return nil
	}
	separator, isText := step.Args[0].Value.(string)
	if !isText {
		c.fault(InvalidMethod, step.Args[0].Offset, "->joinNotNull takes a text as its separator, such as \", \"")
		return nil
	}
	return &Transform{Op: Join, Name: separator}
}

func (c *valueCompiler) compileEqual(v *Value, step selection.Step) *Transform {
	if len(step.Args) != 1 || step.Args[0].Root != selection.Literal {
		c.fault(InvalidMethod, step.Offset, "->eq takes one literal, such as ->eq(200)")
		return nil
	}
	if !c.checkComparable(v, step.Args[0]) {
		return nil
	}
	return &Transform{Op: Equal, Equal: literalToJSON(step.Args[0])}
}

// checkComparable refuses a literal that a value of v's type can never equal.
func (c *valueCompiler) checkComparable(v *Value, literal *selection.Expr) bool {
	if v.Type == nil || isList(v.Type) || acceptsLiteral(literal, nullableIf(c.graph.Resolve(v.Type), true)) {
		return true
	}
	c.fault(WrongConstant, literal.Offset, "%s is not of type %s, so the value never equals it", literalToJSON(literal), v.Type.NamedType)
	return false
}

func (c *valueCompiler) compileMatch(v *Value, step selection.Step) (*Transform, *ast.Type) {
	change := &Transform{Op: Match}
	for _, pair := range step.Args {
		if pair.Root != selection.List || len(pair.Items) != 2 {
			c.fault(InvalidMethod, pair.Offset, "a case of ->match is a pair: [candidate, result]")
			return nil, nil
		}
		when := ""
		if candidate := pair.Items[0]; !isCurrent(candidate) {
			if candidate.Root != selection.Literal {
				c.fault(InvalidMethod, candidate.Offset, invalidCandidate)
				return nil, nil
			}
			if !c.checkComparable(v, candidate) {
				return nil, nil
			}
			when = literalToJSON(candidate)
		}
		then := c.inMethod(&contextValue{v.Type}).compileExpression(pair.Items[1])
		if then == nil {
			return nil, nil
		}
		change.Cases = append(change.Cases, ValueCase{when, then})
	}
	if len(change.Cases) == 0 {
		c.fault(InvalidMethod, step.Offset, "->match takes pairs of a candidate and a result, such as [\"a\", \"b\"]")
		return nil, nil
	}
	return change, nil
}

// compileObject compiles { fields } over a value, or over each element of a list.
func (c *valueCompiler) compileObject(v *Value, e *selection.Expr) *Value {
	if isBatchKeys(v) {
		return c.fault(InvalidMethod, e.Offset, "$batch holds the keys of a call, which are sent unchanged")
	}
	hand := c.current
	if v.Scope != Current || len(v.Transforms) > 0 {
		hand = &contextValue{v.Type}
	}
	if v.Type != nil && isList(v.Type) {
		element := *e
		element.Root, element.Steps = selection.Current, nil
		of := c.inObject(&contextValue{v.Type.Elem}).compileExpression(&element)
		if of == nil {
			return nil
		}
		v.Transforms, v.Type = append(v.Transforms, Transform{Op: Map, Inner: of}), nil
		return v
	}
	change := Transform{Op: Object}
	for _, f := range e.Fields {
		of := c.inObject(hand).compileExpression(f.Expr)
		if of == nil {
			return nil
		}
		name := f.Name
		if hand != nil && hand.t != nil && f.IsShorthand() {
			name = c.wireName(hand.t.Name(), f.Name)
		}
		change.Fields = append(change.Fields, ValueField{name, of})
	}
	v.Transforms, v.Type = append(v.Transforms, change), nil
	return v
}
