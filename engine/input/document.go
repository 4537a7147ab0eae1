package input

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Document holds what must be done for a prepared document when the variables of a request are known.
// It is safe for concurrent use.
type Document struct {
	// Bytes is an estimate of the memory that the preparation added, in bytes.
	Bytes int

	reader     *Coercer
	constants  constants
	operations map[*ast.OperationDefinition]*operationUses // empty if no literal has any
}

// operationUses are the uses of variables in an operation that must be checked when the variables have
// values.
type operationUses struct {
	arguments  variableUses // in the arguments of fields
	conditions []string     // nullable variables in non-null arguments of directives
}

// Prepare rewrites the literals in doc, so that the executors read the exact coerced values from them.
// The document must be valid by Rule and all other validation rules, and must not be in use.
func (r *Coercer) Prepare(doc *ast.QueryDocument) *Document {
	p := &preparer{
		rewriter:  rewriter{reader: r, prefix: constantMark, constants: constants{}},
		arguments: map[*ast.Argument]variableUses{},
	}
	for _, op := range doc.Operations {
		p.prepareDirectives(op.Directives)
		p.prepareSelectionSet(op.SelectionSet)
	}
	for _, fragment := range doc.Fragments {
		p.prepareDirectives(fragment.Directives)
		p.prepareSelectionSet(fragment.SelectionSet)
	}
	d := &Document{reader: r, Bytes: p.bytes, constants: p.constants, operations: map[*ast.OperationDefinition]*operationUses{}}
	if len(p.arguments) == 0 {
		return d
	}
	for _, op := range doc.Operations {
		d.operations[op] = p.collectUses(op)
		d.Bytes += bytesPerUse * len(d.operations[op].arguments.scalars)
	}
	return d
}

// CoerceVariables coerces the variables of an operation of the document, as Coercer.CoerceVariables does. It adds
// the document's constants to the result, and checks the literals that contain variables: the error
// of a condition that is null, or of a value that a custom scalar does not accept, is an *Error.
func (d *Document) CoerceVariables(op *ast.OperationDefinition, sent map[string]any) (map[string]any, error) {
	values, err := d.reader.CoerceVariables(op, sent)
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
			err := errorf(textNullDirectiveArgument)
			err.Variable, err.Position = name, def.Position
			return nil, err
		}
	}
	for _, use := range known.arguments.scalars {
		if err := d.checkScalarUse(use, values); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// checkScalarUse checks the literal of a custom scalar with the values of the variables in it.
func (d *Document) checkScalarUse(use scalarUse, values map[string]any) error {
	v, err := use.value.Value(values)
	if err != nil {
		return err
	}
	if _, err := d.reader.coerceCustom(use.name, v); err != nil {
		err.Position = use.value.Position
		return err
	}
	return nil
}

// HasNullArguments reports whether CheckNullArguments may return an error for some field of the operation.
// values must be those that CoerceVariables has returned.
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

// CheckNullArguments returns an error if a field of a prepared document must not be resolved because a
// variable is null in a place that must not be null: an argument, or a value in one. Validation
// allows a nullable variable there if the variable or its place has a default (section 5.8.5 of the
// specification), but an explicit null overrides the default and then is an error of the field
// (section 6.4.1). The error is a *fault.Error.
func CheckNullArguments(field *ast.Field, values map[string]any) error {
	for _, argument := range field.Arguments {
		if name := nullIn(argument.Value, values); name != "" {
			return fault.New(fault.BadUserInput, "argument %q: variable $%s must not be null here", argument.Name, name)
		}
	}
	return nil
}

// MayHaveNullArgument reports whether CheckNullArguments may return an error for a prepared field, with any values
// of the variables.
func MayHaveNullArgument(field *ast.Field) bool {
	mayBeNull := func(argument *ast.Argument) bool {
		return firstNonNull(argument.Value, func(string) bool { return true }) != ""
	}
	return slices.ContainsFunc(field.Arguments, mayBeNull)
}

// nullIn returns the first variable in a literal that is null in a non-null place, "" if there is none.
func nullIn(v *ast.Value, values map[string]any) string {
	return firstNonNull(v, func(name string) bool { return isNull(values, name) })
}

// firstNonNull returns the first variable in a prepared literal that is in a non-null place and matches,
// "" if there is none.
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

// isNull reports whether a variable has the value null. It returns false for a variable without a value.
func isNull(values map[string]any, name string) bool {
	v, ok := values[name]
	return ok && v == nil
}
