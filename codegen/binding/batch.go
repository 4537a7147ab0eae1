package binding

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// batch reads batch: {key, maxSize}.
func (b *bindingCompiler) batch(d *ast.Directive) {
	arg := d.Arguments.ForName("batch")
	if arg == nil || arg.Value.Kind == ast.NullValue {
		return
	}
	if b.root {
		b.fault(arg.Value.Position, "%s.%s has no parents to batch; remove batch", b.field.Object.Name, b.field.Definition.Name)
		return
	}
	b.field.Batch = &Batch{MaxSize: number(child(arg.Value, "maxSize"))}
	if size := child(arg.Value, "maxSize"); size != nil && b.field.Batch.MaxSize < 1 {
		b.fault(size.Position, "maxSize is how many keys one call may carry, 1 or more")
	}
	key := child(arg.Value, "key")
	if key == nil {
		return
	}
	item := b.schema.Types[b.field.Definition.Type.Name()]
	if item == nil || item.Kind != ast.Object {
		return // the answer is a map of scalars; key names the parent's field
	}
	if f := item.Fields.ForName(key.Raw); f == nil || !sent(f) {
		b.fault(key.Position, "%s has no field %q that its service sends%s", item.Name, key.Raw, didYouMean(key.Raw, sentFields(item)))
		return
	} else if !isKey(f.Type) || !f.Type.NonNull {
		b.fault(key.Position, "%s.%s is %s, but a key is ID!, String! or Int!", item.Name, key.Raw, f.Type)
	}
	b.field.Batch.Item = key.Raw
}

// keysUsed settles, once the call is known, which of the parent's fields holds the keys.
func (b *bindingCompiler) keysUsed(v *ast.Value) {
	batch := b.field.Batch
	if batch == nil {
		return
	}
	if batch.Parent == nil {
		b.keysOfWholeAnswer(v)
	}
	if batch.Parent == nil {
		return
	}
	t := batch.Parent.Type
	if isList(t) && !isList(b.field.Definition.Type) {
		b.fault(v.Position, "%s.%s is a list of keys, so %s must be a list too", b.field.Object.Name, batch.Parent.Name, b.field.Definition.Name)
	}
	if inner := t; !isKey(inner) && (inner.Elem == nil || !isKey(inner.Elem)) {
		b.fault(v.Position, "%s.%s is %s, but a key is an ID, a String or an Int, or a list of them", b.field.Object.Name, batch.Parent.Name, t)
	}
}

// keysOfWholeAnswer is for calls that carry no keys since their answer holds them all:
// batch.key names the parent's field then.
func (b *bindingCompiler) keysOfWholeAnswer(v *ast.Value) {
	var name string
	d := b.field.Definition.Directives.ForName("connect")
	if key := child(d.Arguments.ForName("batch").Value, "key"); key != nil {
		name = key.Raw
	}
	if name == "" {
		b.fault(v.Position, "the batch's keys stand nowhere in the call; write {$batch.field} into its query, or name the parent's field by batch: {key: \"field\"} when one answer holds them all")
		return
	}
	if b.field.Batch.Parent = b.parentField(name); b.field.Batch.Parent == nil {
		b.fault(v.Position, "%s has no field %q that its own service sends%s", b.field.Object.Name, name, didYouMean(name, sentFields(b.field.Object)))
	}
}

func isKey(t *ast.Type) bool {
	switch t.NamedType {
	case "ID", "String", "Int":
		return true
	}
	return false
}

// result checks that the answer can be read into the field's type.
func (b *bindingCompiler) result() {
	seen := map[string]bool{}
	b.readable(b.field.Definition.Type, b.field.Position, seen)
	t := b.field.Definition.Type
	if b.field.Batch != nil && isList(t) && isList(t.Elem) {
		b.fault(b.field.Position, "%s.%s is a list of lists, which a batch cannot answer; resolve it by hand in resolvers/", b.field.Object.Name, b.field.Definition.Name)
	}
}

// readable follows the fields that come with an answer.
func (b *bindingCompiler) readable(t *ast.Type, pos *ast.Position, seen map[string]bool) {
	def := b.schema.Types[t.Name()]
	if def == nil || seen[def.Name] {
		return
	}
	seen[def.Name] = true
	switch def.Kind {
	case ast.Interface, ast.Union:
		b.fault(pos, "%s is %s, and nothing says which type a service's answer is; resolve the field by hand in resolvers/ (@goField(forceResolver: true))", def.Name, kindName(def))
	case ast.Object:
		for _, f := range def.Fields {
			if sent(f) {
				b.readable(f.Type, f.Position, seen)
			}
		}
	}
}

func kindName(def *ast.Definition) string {
	if def.Kind == ast.Union {
		return "a union"
	}
	return "an interface"
}
