package input

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// The executors take the value of a literal from ast.Value.Value, which knows neither the types of the
// schema nor numbers of more than 64 bits. So literals are rewritten once, when their document is
// prepared: into the kind of literal that their place requires (the ID 5 becomes "5", and the list
// element 5 becomes [5]), or, if no kind of literal has the exact value, into a constant. A constant is
// a variable whose value is known beforehand; its name begins with constantMark, so that no document
// has a variable of that name. Document.CoerceVariables adds the constants to the variables of each request.

// Estimates of the memory that rewriting adds to a document, in bytes.
const (
	bytesPerChild    = 64  // per default that is added to an input object
	bytesPerConstant = 300 // per constant, with its literal
	bytesPerUse      = 32  // per entry in the uses of an operation
)

// constantMark begins the names of constants. It cannot occur in a GraphQL name.
const constantMark = "#"

// constants are the values of constants by name. They must not be modified, because all operations
// of a document share them.
type constants map[string]any

func isConstant(v *ast.Value) bool {
	return v.Kind == ast.Variable && strings.HasPrefix(v.Raw, constantMark)
}

// rewriter rewrites literals that Rule has accepted.
type rewriter struct {
	reader    *Coercer
	prefix    string // of the constants' names, which is followed by a number
	constants constants
	bytes     int          // estimated size of what was added
	uses      variableUses // in the literal that is being rewritten
	err       *Error       // about a default of the schema that contains itself, nil if none does
}

// variableUses are the uses of variables in a literal that must be checked when the variables have
// values.
type variableUses struct {
	nonNull []string // variables in places that must not be null
	scalars []scalarUse
}

// scalarUse is a literal of a custom scalar that contains variables.
type scalarUse struct {
	name  string // of the scalar
	value *ast.Value
}

func (u *variableUses) isEmpty() bool { return len(u.nonNull)+len(u.scalars) == 0 }

// rewrite returns the literal of which the executors read exactly the coerced value of v in the place
// of a t. It returns v itself if that is such a literal. It never modifies v, which may belong to the
// schema.
func (w *rewriter) rewrite(v *ast.Value, t *ast.Type) *ast.Value {
	def := w.reader.schema.Types[t.Name()]
	switch {
	case v.Kind == ast.Variable:
		return w.rewriteVariable(v, t, nil)
	case v.Kind == ast.NullValue || def == nil:
		return v
	case t.Elem != nil && v.Kind == ast.ListValue:
		return w.rewriteChildren(v, func(child *ast.ChildValue) *ast.Value { return w.rewrite(child.Value, t.Elem) })
	case t.Elem != nil:
		w.bytes += bytesPerConstant
		only := &ast.ChildValue{Value: w.rewrite(v, t.Elem), Position: v.Position}
		return &ast.Value{Kind: ast.ListValue, Children: ast.ChildValueList{only}, Position: v.Position, ExpectedType: t}
	case def.Kind == ast.InputObject:
		return w.rewriteObject(v, w.reader.objects[def.Name])
	case def.Kind == ast.Scalar:
		return w.rewriteScalar(v, def.Name)
	}
	return v
}

// rewriteVariable returns a copy of a variable for a place of type t. When the variable has no value,
// the copy has the value placeDefault, the default of the place, if that is not nil. The variable's own
// default is not needed, because Coercer.CoerceVariables adds it to the values; and the definition that
// gqlparser set may belong to another operation that spreads the same fragment.
func (w *rewriter) rewriteVariable(v *ast.Value, t *ast.Type, placeDefault *ast.Value) *ast.Value {
	if t.NonNull {
		w.uses.nonNull = append(w.uses.nonNull, v.Raw)
	}
	rewritten := *v
	rewritten.ExpectedType, rewritten.VariableDefinition = t, nil
	if placeDefault != nil {
		rewritten.VariableDefinition = &ast.VariableDefinition{Variable: v.Raw, DefaultValue: placeDefault}
	}
	return &rewritten
}

// rewriteChildren rewrites the elements of a list or the fields of an object. It copies v when the first
// of them changes.
func (w *rewriter) rewriteChildren(v *ast.Value, rewrite func(*ast.ChildValue) *ast.Value) *ast.Value {
	rewritten := v
	for i, child := range v.Children {
		value := rewrite(child)
		if value == child.Value {
			continue
		}
		if rewritten == v {
			rewritten = new(*v)
			rewritten.Children = append(ast.ChildValueList(nil), v.Children...)
		}
		changed := *child
		changed.Value = value
		rewritten.Children[i] = &changed
	}
	return rewritten
}

// rewriteObject rewrites the fields of an input object, and adds the defaults of absent fields that the
// executors would not apply exactly.
func (w *rewriter) rewriteObject(v *ast.Value, o *inputObject) *ast.Value {
	rewritten := w.rewriteChildren(v, func(child *ast.ChildValue) *ast.Value {
		def := o.Fields.ForName(child.Name)
		if child.Value.Kind == ast.Variable {
			return w.rewriteVariable(child.Value, def.Type, w.filledDefault(o, def))
		}
		return w.rewrite(child.Value, def.Type)
	})
	var missing ast.ChildValueList
	for _, def := range o.Fields {
		if def.DefaultValue == nil || v.Children.ForName(def.Name) != nil {
			continue
		}
		if value := w.filledDefault(o, def); value != nil {
			missing = append(missing, &ast.ChildValue{Name: def.Name, Value: value, Position: v.Position})
		}
	}
	if missing == nil {
		return rewritten
	}
	w.bytes += len(missing) * bytesPerChild
	filled := *rewritten
	filled.Children = append(filled.Children[:len(filled.Children):len(filled.Children)], missing...)
	return &filled
}

func (w *rewriter) rewriteScalar(v *ast.Value, name string) *ast.Value {
	switch {
	case name == "ID" && v.Kind == ast.IntValue:
		return withKind(v, ast.StringValue)
	case name == "Float" && v.Kind == ast.IntValue:
		return withKind(v, ast.FloatValue)
	case builtIns[name] != nil:
		return v
	case v.Kind == ast.IntValue || v.Kind == ast.FloatValue:
		return w.rewriteNumber(v, name)
	}
	rewritten := w.rewriteUntyped(v)
	if hasVariable(v) {
		w.uses.scalars = append(w.uses.scalars, scalarUse{name, rewritten})
	}
	return rewritten
}

// withKind returns a copy of a literal with another kind.
func withKind(v *ast.Value, kind ast.ValueKind) *ast.Value {
	rewritten := *v
	rewritten.Kind = kind
	return &rewritten
}

// rewriteNumber returns v if the scalar accepts it as an int64, which is what the executors read from
// it, and a constant otherwise.
func (w *rewriter) rewriteNumber(v *ast.Value, name string) *ast.Value {
	if n, err := strconv.ParseInt(v.Raw, 10, 64); err == nil && w.reader.scalar(name, n) == nil {
		return v
	}
	coerced, err := w.reader.coerceCustom(name, json.Number(v.Raw))
	if err != nil { // Rule accepted it, so the scalar's function is not deterministic
		coerced = json.Number(v.Raw)
	}
	return w.newConstant(v, coerced)
}

// rewriteUntyped rewrites the literal of a custom scalar, whose parts have no types.
func (w *rewriter) rewriteUntyped(v *ast.Value) *ast.Value {
	switch v.Kind {
	case ast.Variable:
		return w.rewriteVariable(v, &ast.Type{}, nil)
	case ast.IntValue:
		if _, err := strconv.ParseInt(v.Raw, 10, 64); err != nil {
			return w.newConstant(v, json.Number(v.Raw))
		}
	case ast.FloatValue:
		return w.newConstant(v, json.Number(v.Raw))
	case ast.ListValue:
		if len(v.Children) == 0 {
			return w.newConstant(v, []any{}) // ast.Value returns a nil slice, which encoding/json writes as null
		}
		return w.rewriteChildren(v, func(child *ast.ChildValue) *ast.Value { return w.rewriteUntyped(child.Value) })
	case ast.ObjectValue:
		return w.rewriteChildren(v, func(child *ast.ChildValue) *ast.Value { return w.rewriteUntyped(child.Value) })
	}
	return v
}

// newConstant adds a constant and returns a variable that refers to it, at the position of v.
func (w *rewriter) newConstant(v *ast.Value, value any) *ast.Value {
	name := w.prefix + strconv.Itoa(len(w.constants))
	w.constants[name] = value
	w.bytes += bytesPerConstant
	return &ast.Value{Kind: ast.Variable, Raw: name, Position: v.Position}
}

// filledDefault returns the rewritten default of an input object's field, or nil if the executors apply
// the one of the schema exactly. The first call for a field rewrites the default. All first calls
// happen in NewReader, so that later calls only read.
func (w *rewriter) filledDefault(o *inputObject, def *ast.FieldDefinition) *ast.Value {
	if def.DefaultValue == nil {
		return nil
	}
	known := w.reader.defaults.filled
	f, ok := known[def]
	if !ok {
		f = &filledDefault{inProgress: true}
		known[def] = f
		if value := w.rewrite(def.DefaultValue, def.Type); value != def.DefaultValue || isLostByGqlgen(value) {
			f.value = value
		}
		f.inProgress = false
	}
	if f.inProgress {
		w.err = errorf(textCircularDefault, o.Name, def.Name)
		w.err.Position = def.Position
	}
	w.addConstants(f.value)
	return f.value
}

// isLostByGqlgen reports whether gqlgen's generated code does not apply a default of an input object's
// field exactly: it ignores a default of null, and keeps six digits of a fraction.
func isLostByGqlgen(v *ast.Value) bool { return v.Kind == ast.NullValue || hasFraction(v) }

func hasFraction(v *ast.Value) bool {
	return v.Kind == ast.FloatValue ||
		slices.ContainsFunc(v.Children, func(child *ast.ChildValue) bool { return hasFraction(child.Value) })
}

// addConstants adds the constants in a default of the schema to those of the document. v may be nil.
func (w *rewriter) addConstants(v *ast.Value) {
	if v == nil {
		return
	}
	if isConstant(v) {
		w.constants[v.Raw] = w.reader.defaults.constants[v.Raw]
	}
	for _, child := range v.Children {
		w.addConstants(child.Value)
	}
}
