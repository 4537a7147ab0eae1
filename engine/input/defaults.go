package input

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// schemaDefaults holds the rewritten default values of a schema. Definitions that contain one are
// copies; the schema itself is unchanged, because introspection shows it.
type schemaDefaults struct {
	fields     map[*ast.FieldDefinition]*ast.FieldDefinition
	directives map[*ast.DirectiveDefinition]*ast.DirectiveDefinition
	filled     map[*ast.FieldDefinition]*filledDefault
	constants  constants
}

// filledDefault is the default of an input object's field, if the executors would not apply it exactly.
type filledDefault struct {
	value      *ast.Value // nil if they apply the one of the schema exactly
	inProgress bool       // it is being rewritten: using it again is a cycle
}

// prepareDefaults checks every default value of the schema, and then rewrites those that the
// executors would not read exactly. It returns the first wrong default, or one that contains itself.
func (r *Coercer) prepareDefaults() *Error {
	if errs := r.checkDefaults(); len(errs) > 0 {
		return errs[0]
	}
	r.defaults = schemaDefaults{
		fields:     map[*ast.FieldDefinition]*ast.FieldDefinition{},
		directives: map[*ast.DirectiveDefinition]*ast.DirectiveDefinition{},
		filled:     map[*ast.FieldDefinition]*filledDefault{},
		constants:  constants{},
	}
	w := &rewriter{reader: r, prefix: constantMark + "default", constants: r.defaults.constants}
	for _, o := range r.objects {
		w.findFilledDefaults(o)
	}
	for _, def := range r.schema.Types {
		w.rewriteFieldDefinitions(def)
	}
	for _, directive := range r.schema.Directives {
		if arguments, changed := w.rewriteArgumentDefinitions(directive.Arguments); changed {
			prepared := *directive
			prepared.Arguments = arguments
			r.defaults.directives[directive] = &prepared
		}
	}
	return w.err
}

// findFilledDefaults sets the filledDefaults of an input object. Their values are those of the schema:
// Coercer.coerceObject, which applies them to variables, needs no rewritten literals.
func (w *rewriter) findFilledDefaults(o *inputObject) {
	for _, def := range o.Fields {
		if value := w.filledDefault(o, def); value != nil {
			if o.filledDefaults == nil {
				o.filledDefaults = map[string]*ast.Value{}
			}
			o.filledDefaults[def.Name] = def.DefaultValue
		}
	}
}

// rewriteFieldDefinitions copies the definitions of fields whose arguments have rewritten defaults.
func (w *rewriter) rewriteFieldDefinitions(def *ast.Definition) {
	for _, field := range def.Fields {
		if arguments, changed := w.rewriteArgumentDefinitions(field.Arguments); changed {
			prepared := *field
			prepared.Arguments = arguments
			w.reader.defaults.fields[field] = &prepared
		}
	}
}

// rewriteArgumentDefinitions returns a copy of defs with rewritten defaults, and reports whether any
// default changed.
func (w *rewriter) rewriteArgumentDefinitions(defs ast.ArgumentDefinitionList) (_ ast.ArgumentDefinitionList, changed bool) {
	defs = slices.Clone(defs)
	for i, def := range defs {
		if def.DefaultValue == nil {
			continue
		}
		if value := w.rewrite(def.DefaultValue, def.Type); value != def.DefaultValue {
			prepared := *def
			prepared.DefaultValue = value
			defs[i], changed = &prepared, true
		}
	}
	return defs, changed
}

// CheckDefaults returns an error for each default value of a schema that does not fit the type of its
// place, in the order of names.
func CheckDefaults(schema *ast.Schema, o Options) []*Error {
	return newCoercer(schema, o).checkDefaults()
}

func (r *Coercer) checkDefaults() (errs []*Error) {
	for _, name := range slices.Sorted(maps.Keys(r.schema.Types)) {
		for _, field := range r.schema.Types[name].Fields {
			place := name + "." + field.Name
			errs = append(errs, r.checkDefault(place, field.DefaultValue, field.Type)...)
			errs = append(errs, r.checkArguments(place, field.Arguments)...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.schema.Directives)) {
		errs = append(errs, r.checkArguments("@"+name, r.schema.Directives[name].Arguments)...)
	}
	return errs
}

func (r *Coercer) checkArguments(place string, defs ast.ArgumentDefinitionList) (errs []*Error) {
	for _, def := range defs {
		errs = append(errs, r.checkDefault(place+"("+def.Name+":)", def.DefaultValue, def.Type)...)
	}
	return errs
}

func (r *Coercer) checkDefault(place string, v *ast.Value, t *ast.Type) (errs []*Error) {
	if v == nil {
		return nil
	}
	c := &checker{reader: r, report: func(wrong *ast.Value, e *Error) {
		err := errorf(textDefault, place, e.Message)
		err.Position = wrong.Position
		errs = append(errs, err)
	}}
	c.check(v, t)
	return errs
}

// formatPosition returns a position in a file in the form in which errors begin with it. It returns ""
// without a file.
func formatPosition(at *ast.Position) string {
	if at == nil || at.Src == nil || at.Src.Name == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d: ", at.Src.Name, at.Line, at.Column)
}
