package binding

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
)

// compileBatch compiles batch: {key, maxSize, maxLength}. The key may name a field of the returned items,
// which this function resolves, or a field of the parent, which settleParentKey resolves once the
// call is known.
func (b *bindingCompiler) compileBatch(d *ast.Directive) {
	arg := d.Arguments.ForName("batch")
	if arg == nil || arg.Value.Kind == ast.NullValue {
		return
	}
	if b.isRootField {
		b.faults.Add(BatchWithoutParents, arg.Value.Position, "%s has no parents to batch; remove batch", b.name())
		return
	}
	size := memberValue(arg.Value, "maxSize")
	b.field.Batch = &Batch{MaxSize: intValue(size), MaxLength: DefaultMaxLength}
	if size != nil && b.field.Batch.MaxSize < 1 {
		b.faults.Add(BatchSize, size.Position, "maxSize is how many keys one call may carry, 1 or more")
	}
	if length := memberValue(arg.Value, "maxLength"); length != nil {
		if b.field.Batch.MaxLength = intValue(length); b.field.Batch.MaxLength < minMaxLength || b.field.Batch.MaxLength > maxMaxLength {
			b.faults.Add(BatchSize, length.Position, "maxLength is how many bytes the URL of a call with several keys may have, %d to %d", minMaxLength, maxMaxLength)
		}
	}
	if key := memberValue(arg.Value, "key"); key != nil && argument(d, "pagination") == nil {
		b.compileItemKey(key)
	}
}

// The bounds of maxLength, in bytes. upstreams/rest refuses calls that are longer than the upper one.
const (
	minMaxLength = 100
	maxMaxLength = 64 << 10
)

// compileItemKey finds the field of the returned items that holds their key.
func (b *bindingCompiler) compileItemKey(key *ast.Value) {
	item := b.schema.Types[b.field.Definition.Type.Name()]
	if item.Kind != ast.Object {
		return // the response is an object of scalars by key, so key names the parent's field
	}
	f := item.Fields.ForName(key.Raw)
	switch {
	case f == nil || !IsProperty(f):
		b.faults.Add(UnknownKey, key.Position, "%s has no field %q that its service sends%s", item.Name, key.Raw, DidYouMean(key.Raw, propertyNames(item)))
	case !b.isKeyType(f.Type) || !f.Type.NonNull:
		b.faults.Add(KeyType, key.Position, "%s.%s is %s, but a key is %s", item.Name, key.Raw, f.Type, keyTypes("!"))
	default:
		b.field.Batch.ItemKey = key.Raw
	}
}

// matchByKey matches the objects of a type's binding by the same field as they are fetched by.
func (b *bindingCompiler) matchByKey(f *ast.FieldDefinition) {
	if !b.isKeyType(f.Type) || !f.Type.NonNull {
		b.faults.Add(KeyType, b.directive.Position, "%s.%s is %s, but the objects of a response are matched by a non-null key: %s", b.field.Object.Name, f.Name, f.Type, keyTypes("!"))
		return
	}
	b.field.Batch.ItemKey = f.Name
}

// settleKeys determines, once the call is compiled, which of the parent's fields holds the keys.
func (b *bindingCompiler) settleKeys(v *ast.Value) {
	batch := b.field.Batch
	if batch == nil {
		b.checkNullKeys(v)
		return
	}
	b.settleParentKey(v)
	if batch.ParentKey == nil {
		return
	}
	b.settleItemKey()
	t, field := batch.ParentKey.Type, b.field.Definition
	if !b.isKeyType(t) && (t.Elem == nil || !b.isKeyType(t.Elem)) {
		b.faults.Add(KeyType, v.Position, "%s.%s is %s, but a key is %s, or a list of them", b.field.Object.Name, batch.ParentKey.Name, t, keyTypes(""))
		return
	}
	if isList(t) && !isList(field.Type) {
		b.faults.Add(KeyListForOneValue, v.Position, "%s.%s is a list of keys, so %s must be a list too", b.field.Object.Name, batch.ParentKey.Name, field.Name)
	}
	if !t.NonNull && field.Type.NonNull {
		b.reportNull(batch.ParentKey)
	}
	if !isList(field.Type) && field.Type.NonNull && b.schema.Types[field.Type.NamedType].IsLeafType() {
		b.faults.Add(PossiblyNull, field.Type.Position, "a service may leave a key out, and then %s is null; make it %s", b.name(), strings.TrimSuffix(field.Type.String(), "!"))
	}
}

// settleItemKey determines how the objects that a type's binding fetches are matched: by the field
// that holds the keys, unless the service's document describes an object with a member for each
// key.
func (b *bindingCompiler) settleItemKey() {
	if b.field.Definition.Name != "" || b.field.Batch.ItemKey != "" {
		return
	}
	answer := responseSchema(b.field, b.graph.Source(b.field.Source))
	if text := argument(b.directive, "selection"); text != nil {
		for _, name := range strings.Split(text.Raw, ".")[1:] {
			answer = propertySchema(answer, name)
		}
	}
	if answer == nil || answer.MemberSchema() == nil || len(answer.Properties) > 0 {
		b.matchByKey(b.field.Batch.ParentKey)
	}
}

// checkNullKeys refuses a non-null field whose call takes a nullable field of the parent: where
// that is null, no call is made and the field is null.
func (b *bindingCompiler) checkNullKeys(v *ast.Value) {
	if !b.field.Definition.Type.NonNull {
		return
	}
	for _, name := range b.parentFields {
		if f := b.field.Object.Fields.ForName(name); !f.Type.NonNull {
			b.reportNull(f)
		}
	}
}

func (b *bindingCompiler) reportNull(key *ast.FieldDefinition) {
	t := b.field.Definition.Type
	b.faults.Add(PossiblyNull, t.Position, "%s.%s may be null, and then %s is null too; make it %s",
		b.field.Object.Name, key.Name, b.name(), strings.TrimSuffix(t.String(), "!"))
}

// settleParentKey finds the parent's field that holds the keys. A call without {$batch.x} carries
// no keys, because its response holds every key there is; then batch.key names the parent's field.
func (b *bindingCompiler) settleParentKey(v *ast.Value) {
	batch := b.field.Batch
	key := memberValue(argument(b.directive, "batch"), "key")
	switch {
	case batch.ParentKey != nil:
		if key != nil && batch.ItemKey == "" && key.Raw != batch.ParentKey.Name && b.schema.Types[b.field.Definition.Type.Name()].IsLeafType() {
			b.faults.Add(SecondKey, key.Position, "the keys of %s are {$batch.%s} in the call; leave out key", b.name(), batch.ParentKey.Name)
		}
	case key == nil:
		b.faults.Add(MissingKeys, v.Position, "the call does not carry the keys of the batch; %s, or name the parent's field with batch: {key: \"field\"} if one response holds them all", b.howToSend("$batch.field"))
	case b.parentProperty(key.Raw) == nil:
		b.faults.Add(UnknownKey, key.Position, "%s has no field %q that its own service sends%s", b.field.Object.Name, key.Raw, DidYouMean(key.Raw, propertyNames(b.field.Object)))
	case batch.MaxSize > 0:
		b.faults.Add(BatchSize, v.Position, "the call carries no keys, so its response holds all of them; leave out maxSize, or %s", b.howToSend("$batch."+key.Raw))
	default:
		batch.ParentKey = b.parentProperty(key.Raw)
	}
}

func (b *bindingCompiler) isKeyType(t *ast.Type) bool {
	s := b.graph.Scalar(t.NamedType)
	return s != nil && s.Key
}

// keyTypes lists the types that a key can have, each followed by suffix: "ID!, String! or Int!".
func keyTypes(suffix string) string {
	names := scalars.Names(func(s *scalars.Scalar) bool { return s.Key })
	last := len(names) - 1
	return strings.Join(names[:last], suffix+", ") + suffix + " or " + names[last] + suffix
}

// scalarNames returns the names of the scalars that bindings read and write, sorted.
func scalarNames() []string {
	return slices.Sorted(slices.Values(scalars.Names(func(*scalars.Scalar) bool { return true })))
}

// checkReadable checks that generated code can read a type, with all fields that come with its
// objects. The set seen holds the types that were visited, so that recursive types end.
func (b *bindingCompiler) checkReadable(t *ast.Type, pos *ast.Position, seen map[string]bool) {
	def := b.schema.Types[t.Name()]
	if seen[def.Name] {
		return
	}
	seen[def.Name] = true
	switch def.Kind {
	case ast.Interface, ast.Union:
		b.checkAbstract(def, pos, seen)
	case ast.Scalar:
		if b.graph.Scalar(def.Name) == nil {
			b.faults.Add(UnknownScalar, pos, "nothing reads the scalar %s from a service's response; write scalar %s @sameAs(scalar: \"String\"), or use one of %s", def.Name, def.Name, joinNames(scalarNames()))
		}
	case ast.Object:
		for _, f := range def.Fields {
			if IsProperty(f) {
				b.checkReadable(f.Type, f.Position, seen)
			}
		}
	}
}

// checkSendable checks that generated code can write a type, with all fields of its inputs.
func (b *bindingCompiler) checkSendable(t *ast.Type, pos *ast.Position, seen map[string]bool) {
	def := b.schema.Types[t.Name()]
	if seen[def.Name] {
		return
	}
	seen[def.Name] = true
	if def.Kind == ast.Scalar && b.graph.Scalar(def.Name) == nil {
		b.faults.Add(UnknownScalar, pos, "nothing writes the scalar %s for a service; write scalar %s @sameAs(scalar: \"String\"), or use one of %s", def.Name, def.Name, joinNames(scalarNames()))
	}
	if def.Kind == ast.InputObject {
		for _, f := range def.Fields {
			b.checkSendable(f.Type, f.Position, seen)
		}
	}
}

// name returns the name of the bound field, for messages.
func (b *bindingCompiler) name() string { return b.field.Name() }

func kindName(def *ast.Definition) string {
	if def.Kind == ast.Union {
		return "a union"
	}
	return "an interface"
}
