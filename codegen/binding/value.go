package binding

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// parts gives each value in t its meaning.
func (b *bindingCompiler) parts(v *ast.Value, t template) []Part {
	parts := make([]Part, len(t))
	for i, p := range t {
		parts[i].Literal = p.literal
		if p.scope != "" {
			parts[i].Value = b.value(v, p)
		}
	}
	return parts
}

// value gives a variable its meaning; nil when it has none, which is a fault.
func (b *bindingCompiler) value(v *ast.Value, p piece) *Value {
	switch Scope(p.scope) {
	case Args:
		return b.argument(v, p)
	case This:
		if b.field.Batch != nil {
			b.at(v, p, "%s differs between the parents that a batch asks for together; write $batch.%s, or leave out batch", p.variable(), p.path[0])
			return nil
		}
		return b.parentValue(v, p, This)
	case Keys:
		if b.field.Batch == nil {
			b.at(v, p, "%s stands for the keys of a batch, but the field has none; add batch: {maxSize: 100}, or write $this", p.variable())
			return nil
		}
		return b.parentValue(v, p, Keys)
	case Claims:
		return &Value{Scope: Claims, Path: p.path}
	}
	b.at(v, p, "there is no variable $%s%s", p.scope, didYouMean(p.scope, []string{"args", "this", "batch", "claims"}))
	return nil
}

// argument follows a path through an argument and the input objects in it.
func (b *bindingCompiler) argument(v *ast.Value, p piece) *Value {
	field := b.field.Definition
	arg := field.Arguments.ForName(p.path[0])
	if arg == nil {
		b.at(v, p, "%s.%s has no argument %q%s", b.field.Object.Name, field.Name, p.path[0], didYouMean(p.path[0], argumentNames(field)))
		return nil
	}
	t := arg.Type
	for _, name := range p.path[1:] {
		def := b.schema.Types[t.Name()]
		if isList(t) || def == nil || def.Kind != ast.InputObject {
			b.at(v, p, "%s: %s is no object, so it has no field %q", p.variable(), t, name)
			return nil
		}
		inner := def.Fields.ForName(name)
		if inner == nil {
			b.at(v, p, "%s has no field %q%s", def.Name, name, didYouMean(name, fieldNames(def)))
			return nil
		}
		t = nullableIf(inner.Type, !t.NonNull)
	}
	return &Value{Scope: Args, Path: p.path, Type: t}
}

// nullableIf is t, nullable when what holds it may be null.
func nullableIf(t *ast.Type, nullable bool) *ast.Type {
	if !nullable || !t.NonNull {
		return t
	}
	loose := *t
	loose.NonNull = false
	return &loose
}

// parentValue is a field of the parent that its own service sent.
func (b *bindingCompiler) parentValue(v *ast.Value, p piece, scope Scope) *Value {
	if b.root {
		b.at(v, p, "%s.%s has no parent, so there is no $%s; its values are $args and $claims", b.field.Object.Name, b.field.Definition.Name, p.scope)
		return nil
	}
	if len(p.path) > 1 {
		b.at(v, p, "%s: write one field of %s, such as $%s.%s", p.variable(), b.field.Object.Name, p.scope, p.path[0])
		return nil
	}
	source := b.parentField(p.path[0])
	if source == nil {
		b.at(v, p, "%s has no field %q that its own service sends%s", b.field.Object.Name, p.path[0], didYouMean(p.path[0], sentFields(b.field.Object)))
		return nil
	}
	if scope == Keys {
		b.field.Batch.Parent = source
	}
	return &Value{Scope: scope, Path: p.path, Type: source.Type}
}

// parentField finds a field of the parent that comes with the parent.
func (b *bindingCompiler) parentField(name string) *ast.FieldDefinition {
	f := b.field.Object.Fields.ForName(name)
	if f == nil || !sent(f) {
		return nil
	}
	return f
}

// sent tells whether a field's value comes with its object, not by a resolver.
func sent(f *ast.FieldDefinition) bool {
	return f.Directives.ForName("connect") == nil && f.Directives.ForName("goField") == nil && !strings.HasPrefix(f.Name, "__")
}

func sentFields(def *ast.Definition) []string {
	var names []string
	for _, f := range def.Fields {
		if sent(f) {
			names = append(names, f.Name)
		}
	}
	return names
}

func argumentNames(f *ast.FieldDefinition) []string {
	names := make([]string, len(f.Arguments))
	for i, a := range f.Arguments {
		names[i] = a.Name
	}
	return names
}

func fieldNames(def *ast.Definition) []string {
	names := make([]string, len(def.Fields))
	for i, f := range def.Fields {
		names[i] = f.Name
	}
	return names
}
