package input

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// ast.Value gives the executors what a literal says, and knows neither types nor numbers of
// more than 64 bits. So literals are rewritten once: into the kind that its place asks for, and
// where no kind of literal gives the value, into a variable whose value is known, a constant.

// About what rewriting adds to the memory of a document, in bytes.
const (
	bytesPerChild    = 64  // of an input object
	bytesPerConstant = 300 // with its literal
	bytesPerUse      = 32  // of an operation
)

// constantMark begins the names of constants. No name of a document has it.
const constantMark = "#"

// constants are values by the names of variables that stand for them. The values are never
// changed, since all operations of a document share them.
type constants map[string]any

func isConstant(v *ast.Value) bool {
	return v.Kind == ast.Variable && strings.HasPrefix(v.Raw, constantMark)
}

// rewriter rewrites literals that were checked.
type rewriter struct {
	reader    *Reader
	prefix    string // of the constants' names
	constants constants
	bytes     int // of what was added
	uses      uses
	err       *Error // a default of the schema that contains itself
}

// uses are the variables that have to be looked at when they have values.
type uses struct {
	nonNull []string // those at places where no null may be
	scalars []scalarUse
}

// scalarUse is a literal of a custom scalar with variables in it.
type scalarUse struct {
	name  string
	value *ast.Value
}

func (u *uses) empty() bool { return len(u.nonNull)+len(u.scalars) == 0 }

// rewrite returns the literal from which the executors make the canonical value of a type: v
// itself where it is one. It never changes v, which the schema may hold.
func (w *rewriter) rewrite(v *ast.Value, t *ast.Type) *ast.Value {
	def := w.reader.schema.Types[t.Name()]
	switch {
	case v.Kind == ast.Variable:
		return w.variable(v, t, nil)
	case v.Kind == ast.NullValue || def == nil:
		return v
	case t.Elem != nil && v.Kind == ast.ListValue:
		return w.children(v, func(child *ast.ChildValue) *ast.Value { return w.rewrite(child.Value, t.Elem) })
	case t.Elem != nil:
		w.bytes += bytesPerConstant
		only := &ast.ChildValue{Value: w.rewrite(v, t.Elem), Position: v.Position}
		return &ast.Value{Kind: ast.ListValue, Children: ast.ChildValueList{only}, Position: v.Position, ExpectedType: t}
	case def.Kind == ast.InputObject:
		return w.object(v, w.reader.objects[def.Name])
	case def.Kind == ast.Scalar:
		return w.scalar(v, def.Name)
	}
	return v
}

// variable returns a variable that stands for a default of its place when it has no value. Its
// own default is among the values by then; the one that gqlparser notes may belong to
// another operation with the same fragment.
func (w *rewriter) variable(v *ast.Value, t *ast.Type, placeDefault *ast.Value) *ast.Value {
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

// children rewrites the elements of a list or the fields of an object.
func (w *rewriter) children(v *ast.Value, rewrite func(*ast.ChildValue) *ast.Value) *ast.Value {
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

// object rewrites the fields of an input object, and fills in the defaults that the
// executors would not read exactly.
func (w *rewriter) object(v *ast.Value, o *object) *ast.Value {
	rewritten := w.children(v, func(child *ast.ChildValue) *ast.Value {
		def := o.Fields.ForName(child.Name)
		if child.Value.Kind == ast.Variable {
			return w.variable(child.Value, def.Type, w.fill(o, def))
		}
		return w.rewrite(child.Value, def.Type)
	})
	var missing ast.ChildValueList
	for _, def := range o.Fields {
		if def.DefaultValue == nil || v.Children.ForName(def.Name) != nil {
			continue
		}
		if value := w.fill(o, def); value != nil {
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

func (w *rewriter) scalar(v *ast.Value, name string) *ast.Value {
	switch {
	case name == "ID" && v.Kind == ast.IntValue:
		return as(v, ast.StringValue)
	case name == "Float" && v.Kind == ast.IntValue:
		return as(v, ast.FloatValue)
	case builtIns[name] != nil:
		return v
	case v.Kind == ast.IntValue || v.Kind == ast.FloatValue:
		return w.number(v, name)
	}
	rewritten := w.any(v)
	if hasVariable(v) {
		w.uses.scalars = append(w.uses.scalars, scalarUse{name, rewritten})
	}
	return rewritten
}

// as returns a literal of the same text as another kind.
func as(v *ast.Value, kind ast.ValueKind) *ast.Value {
	rewritten := *v
	rewritten.Kind = kind
	return &rewritten
}

// number rewrites a number of a custom scalar, which was checked.
func (w *rewriter) number(v *ast.Value, name string) *ast.Value {
	if n, err := strconv.ParseInt(v.Raw, 10, 64); err == nil && w.reader.scalar(name, n) == nil {
		return v
	}
	read, err := w.reader.readCustom(name, json.Number(v.Raw))
	if err != nil { // only a scalar that changes its mind
		read = json.Number(v.Raw)
	}
	return w.constant(v, read)
}

// any rewrites what is inside of a custom scalar, where there are no types.
func (w *rewriter) any(v *ast.Value) *ast.Value {
	switch v.Kind {
	case ast.Variable:
		return w.variable(v, &ast.Type{}, nil)
	case ast.IntValue:
		if _, err := strconv.ParseInt(v.Raw, 10, 64); err != nil {
			return w.constant(v, json.Number(v.Raw))
		}
	case ast.FloatValue:
		return w.constant(v, json.Number(v.Raw))
	case ast.ListValue:
		if len(v.Children) == 0 {
			return w.constant(v, []any{}) // ast.Value makes a nil slice of it, which is null in JSON
		}
		return w.children(v, func(child *ast.ChildValue) *ast.Value { return w.any(child.Value) })
	case ast.ObjectValue:
		return w.children(v, func(child *ast.ChildValue) *ast.Value { return w.any(child.Value) })
	}
	return v
}

// constant returns a variable that always has the value.
func (w *rewriter) constant(v *ast.Value, value any) *ast.Value {
	name := w.prefix + strconv.Itoa(len(w.constants))
	w.constants[name] = value
	w.bytes += bytesPerConstant
	return &ast.Value{Kind: ast.Variable, Raw: name, Position: v.Position}
}

// fill returns the default of an input object's field where the executors would not read the
// schema's own exactly, nil elsewhere. The first call for a field rewrites it: that is while
// the reader is made.
func (w *rewriter) fill(o *object, def *ast.FieldDefinition) *ast.Value {
	if def.DefaultValue == nil {
		return nil
	}
	known := w.reader.defaults.fills
	f, ok := known[def]
	if !ok {
		f = &fill{open: true}
		known[def] = f
		if value := w.rewrite(def.DefaultValue, def.Type); value != def.DefaultValue || isLost(value) {
			f.value = value
		}
		f.open = false
	}
	if f.open {
		w.err = mistake("%s.%s: the default value contains itself, by way of the defaults of its own fields", o.Name, def.Name)
		w.err.Position = def.Position
	}
	w.borrow(f.value)
	return f.value
}

// isLost reports whether gqlgen's generated code lacks a default of an input object: it has
// none for null, and six digits of a fraction.
func isLost(v *ast.Value) bool { return v.Kind == ast.NullValue || hasFraction(v) }

func hasFraction(v *ast.Value) bool {
	return v.Kind == ast.FloatValue ||
		slices.ContainsFunc(v.Children, func(child *ast.ChildValue) bool { return hasFraction(child.Value) })
}

// borrow adds the constants of a default of the schema to those of the document.
func (w *rewriter) borrow(v *ast.Value) {
	if v == nil {
		return
	}
	if isConstant(v) {
		w.constants[v.Raw] = w.reader.defaults.constants[v.Raw]
	}
	for _, child := range v.Children {
		w.borrow(child.Value)
	}
}
