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
			b.at(MisplacedVariable, v, p, "%s differs between the parents that a batch asks for together; write $batch.%s, or leave out batch", p.variable(), p.path[0])
			return nil
		}
		return b.parentValue(v, p, This)
	case Keys:
		if b.field.Batch == nil {
			b.at(MisplacedVariable, v, p, "%s stands for the keys of a batch, but the field has none; add batch: {maxSize: 100}, or write $this", p.variable())
			return nil
		}
		return b.parentValue(v, p, Keys)
	case Claims:
		return &Value{Scope: Claims, Path: p.path}
	}
	b.at(UnknownVariable, v, p, "there is no variable $%s%s", p.scope, DidYouMean(p.scope, []string{"args", "this", "batch", "claims"}))
	return nil
}

// argument follows a path through an argument and the input objects in it.
func (b *bindingCompiler) argument(v *ast.Value, p piece) *Value {
	field := b.field.Definition
	arg := field.Arguments.ForName(p.path[0])
	if arg == nil {
		b.at(UnknownValue, v, p, "%s.%s has no argument %q%s", b.field.Object.Name, field.Name, p.path[0], DidYouMean(p.path[0], declared(field.Arguments)))
		return nil
	}
	b.used[arg.Name] = true
	t := arg.Type
	for _, name := range p.path[1:] {
		def := b.schema.Types[t.Name()]
		if isList(t) || def == nil || def.Kind != ast.InputObject {
			b.at(UnknownValue, v, p, "%s: %s is no object, so it has no field %q", p.variable(), t, name)
			return nil
		}
		inner := def.Fields.ForName(name)
		if inner == nil {
			b.at(UnknownValue, v, p, "%s has no field %q%s", def.Name, name, DidYouMean(name, fieldNames(def)))
			return nil
		}
		t = nullableIf(inner.Type, !t.NonNull)
	}
	b.sendable(&ast.Type{NamedType: t.Name()}, v.Position, map[string]bool{})
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
		b.at(MisplacedVariable, v, p, "%s has no parent, so there is no $%s; its values are $args and $claims", b.name(), p.scope)
		return nil
	}
	if len(p.path) > 1 {
		b.at(UnknownParentField, v, p, "%s: write one field of %s, such as $%s.%s", p.variable(), b.field.Object.Name, p.scope, p.path[0])
		return nil
	}
	source := b.parentField(p.path[0])
	if source == nil {
		b.at(UnknownParentField, v, p, "%s has no field %q that its own service sends%s", b.field.Object.Name, p.path[0], DidYouMean(p.path[0], sentFields(b.field.Object)))
		return nil
	}
	if scope == Keys {
		return b.batchKey(v, p, source)
	}
	if isList(source.Type) {
		b.at(ListHasNoPlace, v, p, "%s is a list, but a call for each parent takes one value; ask for all by batch and {$batch.%s}", p.variable(), source.Name)
		return nil
	}
	b.own = append(b.own, source.Name)
	return &Value{Scope: scope, Path: p.path, Type: source.Type}
}

// batchKey makes a field of the parent the one that holds the keys.
func (b *bindingCompiler) batchKey(v *ast.Value, p piece, source *ast.FieldDefinition) *Value {
	batch := b.field.Batch
	if batch.Parent != nil && batch.Parent != source {
		b.at(TwoKeys, v, p, "%s: a batch has one key, and that is $batch.%s already", p.variable(), batch.Parent.Name)
		return nil
	}
	batch.Parent = source
	return &Value{Scope: Keys, Path: p.path, Type: source.Type}
}

// parentField finds a field of the parent that comes with the parent.
func (b *bindingCompiler) parentField(name string) *ast.FieldDefinition {
	f := b.field.Object.Fields.ForName(name)
	if f == nil || !Sent(f) {
		return nil
	}
	return f
}

// Sent tells whether a field's value comes with its object, not by a resolver.
func Sent(f *ast.FieldDefinition) bool {
	return f.Directives.ForName("connect") == nil && !byHand(f) && !strings.HasPrefix(f.Name, "__")
}

// byHand tells whether a field is answered by Go code, wherever it stands.
func byHand(f *ast.FieldDefinition) bool {
	d := f.Directives.ForName("goField")
	return d != nil && (text(d, "forceResolver") == "true" || text(d, "batch") == "true")
}

// unusedArguments refuses arguments that the call does not take: whoever queries would
// think that they have an effect.
func (b *bindingCompiler) unusedArguments() {
	for _, arg := range b.field.Definition.Arguments {
		if !b.used[arg.Name] {
			b.faults.Add(UnusedArgument, arg.Position, "%s.%s does not use its argument %q; write {$args.%s} where its value goes, or remove it",
				b.field.Object.Name, b.field.Definition.Name, arg.Name, arg.Name)
		}
	}
}

// sentFields names the fields of a type that come with its objects.
func sentFields(def *ast.Definition) []string {
	var names []string
	for _, f := range def.Fields {
		if Sent(f) {
			names = append(names, f.Name)
		}
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
