package input

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// defaults are the default values of a schema that had to be rewritten. The schema itself is
// left as it is, since introspection shows it.
type defaults struct {
	fields     map[*ast.FieldDefinition]*ast.FieldDefinition
	directives map[*ast.DirectiveDefinition]*ast.DirectiveDefinition
	fills      map[*ast.FieldDefinition]*fill
	constants  constants
}

// fill is the rewritten default of an input object's field.
type fill struct {
	value *ast.Value // nil where it is the schema's own
	open  bool       // being rewritten: meeting it again is a cycle
}

// prepareDefaults checks every default value of the schema, then rewrites those that the
// executors would not read exactly.
func (r *Reader) prepareDefaults() *Error {
	if err := r.checkDefaults(); err != nil {
		return err
	}
	r.defaults = defaults{
		fields:     map[*ast.FieldDefinition]*ast.FieldDefinition{},
		directives: map[*ast.DirectiveDefinition]*ast.DirectiveDefinition{},
		fills:      map[*ast.FieldDefinition]*fill{},
		constants:  constants{},
	}
	w := &rewriter{reader: r, prefix: constantMark + "default", constants: r.defaults.constants}
	for _, o := range r.objects {
		w.fills(o)
	}
	for _, def := range r.schema.Types {
		w.fieldDefinitions(def)
	}
	for _, directive := range r.schema.Directives {
		if arguments, changed := w.argumentDefinitions(directive.Arguments); changed {
			prepared := *directive
			prepared.Arguments = arguments
			r.defaults.directives[directive] = &prepared
		}
	}
	return w.err
}

// fills notes which defaults of an input object's fields are to be filled in.
func (w *rewriter) fills(o *object) {
	for _, def := range o.Fields {
		if value := w.fill(o, def); value != nil {
			if o.fill == nil {
				o.fill = map[string]*ast.Value{}
			}
			o.fill[def.Name] = def.DefaultValue
		}
	}
}

// fieldDefinitions makes new definitions of the fields whose arguments have rewritten defaults.
func (w *rewriter) fieldDefinitions(def *ast.Definition) {
	for _, field := range def.Fields {
		if arguments, changed := w.argumentDefinitions(field.Arguments); changed {
			prepared := *field
			prepared.Arguments = arguments
			w.reader.defaults.fields[field] = &prepared
		}
	}
}

func (w *rewriter) argumentDefinitions(defs ast.ArgumentDefinitionList) (_ ast.ArgumentDefinitionList, changed bool) {
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

// checkDefaults returns the first mistake in the schema's default values.
func (r *Reader) checkDefaults() *Error {
	for _, name := range slices.Sorted(maps.Keys(r.schema.Types)) {
		for _, field := range r.schema.Types[name].Fields {
			place := name + "." + field.Name
			if err := r.checkDefault(place, field.DefaultValue, field.Type); err != nil {
				return err
			}
			if err := r.checkArguments(place, field.Arguments); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.schema.Directives)) {
		if err := r.checkArguments("@"+name, r.schema.Directives[name].Arguments); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) checkArguments(place string, defs ast.ArgumentDefinitionList) *Error {
	for _, def := range defs {
		if err := r.checkDefault(place+"("+def.Name+":)", def.DefaultValue, def.Type); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) checkDefault(place string, v *ast.Value, t *ast.Type) (err *Error) {
	if v == nil {
		return nil
	}
	c := &checker{reader: r, report: func(wrong *ast.Value, e *Error) {
		if err == nil {
			err = mistake("%s: the default value does not fit: %s", place, e.Message)
			err.Position = wrong.Position
		}
	}}
	c.check(v, t)
	return err
}

// where returns a place in a file as errors begin with it.
func where(at *ast.Position) string {
	if at == nil || at.Src == nil || at.Src.Name == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d: ", at.Src.Name, at.Line, at.Column)
}
