package input

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Document is what the operations of a prepared document need of its literals. It is safe for
// concurrent use.
type Document struct {
	// Bytes is about how much memory the preparation added.
	Bytes int

	reader     *Reader
	constants  constants
	operations map[*ast.OperationDefinition]*operation // those with something to look at
}

// operation is what has to be looked at when the variables of an operation have values.
type operation struct {
	arguments  uses     // of fields
	conditions []string // variables that directives need, and that may be null
}

// Prepare rewrites the literals of a document that is valid by Rule and all other rules, so
// that the executors get canonical values from them.
func (r *Reader) Prepare(doc *ast.QueryDocument) *Document {
	p := &preparer{
		rewriter:  rewriter{reader: r, prefix: constantMark, constants: constants{}},
		arguments: map[*ast.Argument]uses{},
	}
	for _, op := range doc.Operations {
		p.directives(op.Directives)
		p.set(op.SelectionSet)
	}
	for _, fragment := range doc.Fragments {
		p.directives(fragment.Directives)
		p.set(fragment.SelectionSet)
	}
	d := &Document{reader: r, Bytes: p.bytes, constants: p.constants, operations: map[*ast.OperationDefinition]*operation{}}
	if len(p.arguments) == 0 {
		return d
	}
	for _, op := range doc.Operations {
		d.operations[op] = p.operation(op)
		d.Bytes += bytesPerUse * len(d.operations[op].arguments.scalars)
	}
	return d
}

// Variables returns the values of an operation's variables, as Reader.Variables does, and
// with them what else the executors have to find among an operation's variables. The
// operation must be of the document.
func (d *Document) Variables(op *ast.OperationDefinition, sent map[string]any) (map[string]any, error) {
	values, err := d.reader.Variables(op, sent)
	if err != nil {
		return nil, err
	}
	maps.Copy(values, d.constants)
	known := d.operations[op]
	if known == nil {
		return values, nil
	}
	for _, name := range known.conditions {
		if isNull(values, name) {
			def := op.VariableDefinitions.ForName(name)
			err := mistake("must not be null, since a directive asks for it")
			err.Variable, err.Position = name, def.Position
			return nil, err
		}
	}
	for _, use := range known.arguments.scalars {
		if err := d.read(use, values); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// read has a custom scalar read its literal, now that the variables in it have values.
func (d *Document) read(use scalarUse, values map[string]any) error {
	v, err := use.value.Value(values)
	if err != nil {
		return err
	}
	if _, err := d.reader.readCustom(use.name, v); err != nil {
		err.Position = use.value.Position
		return err
	}
	return nil
}

// HasNullArguments reports whether a field of the operation may have a NullArgument, with
// values that Variables has returned.
func (d *Document) HasNullArguments(op *ast.OperationDefinition, values map[string]any) bool {
	known := d.operations[op]
	if known == nil {
		return false
	}
	for _, name := range known.arguments.nonNull {
		if isNull(values, name) {
			return true
		}
	}
	return false
}

// NullArgument returns the error of a prepared field that must not be called: one of its
// arguments, or a value in one, may not be null and is a variable that is null. The variable
// was allowed there since it, or its place, has a default, which an explicit null
// replaces (sections 5.8.5 and 6.4.1 of the specification). The error is a *fault.Error.
func NullArgument(field *ast.Field, values map[string]any) error {
	for _, argument := range field.Arguments {
		if name := nullIn(argument.Value, values); name != "" {
			return fault.New(fault.BadUserInput, "argument %q: variable $%s must not be null here", argument.Name, name)
		}
	}
	return nil
}

// NeedsVariables reports whether a prepared field may have a NullArgument with some values.
func NeedsVariables(field *ast.Field) bool {
	needs := func(argument *ast.Argument) bool {
		return firstNonNull(argument.Value, func(string) bool { return true }) != ""
	}
	return slices.ContainsFunc(field.Arguments, needs)
}

// nullIn returns the first variable in a literal that is null where it may not be.
func nullIn(v *ast.Value, values map[string]any) string {
	return firstNonNull(v, func(name string) bool { return isNull(values, name) })
}

// firstNonNull returns the first variable in a prepared literal that stands where no null may
// be, among those that match.
func firstNonNull(v *ast.Value, match func(name string) bool) string {
	if v.Kind == ast.Variable && v.ExpectedType != nil && v.ExpectedType.NonNull && match(v.Raw) {
		return v.Raw
	}
	for _, child := range v.Children {
		if name := firstNonNull(child.Value, match); name != "" {
			return name
		}
	}
	return ""
}

// isNull reports whether a variable has the value null, and not none.
func isNull(values map[string]any, name string) bool {
	v, ok := values[name]
	return ok && v == nil
}
