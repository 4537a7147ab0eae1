package binding

import (
	"iter"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Keys returns the fields of a type by which the type's binding fetches its objects.
func (f *Field) Keys() []string {
	if f.Batch != nil {
		return []string{f.Batch.ParentKey.Name}
	}
	return f.ParentFields()
}

// compileEntity compiles the @connect of a type.
func (c *compiler) compileEntity(object *ast.Definition) {
	d := object.Directives.ForName("connect")
	if d == nil || c.invalid[d] {
		return
	}
	if object.Kind != ast.Object || c.isRoot(object) {
		c.faults.Add(EntityRoot, d.Position, "%s has no key by which it could be fetched; bind its fields", object.Name)
		return
	}
	if v := argument(d, "pagination"); v != nil {
		c.faults.Add(EntityRoot, v.Position, "the binding of a type returns one object for each key, not pages; bind a field of Query")
		return
	}
	if v := argument(d, "entity"); v != nil {
		c.faults.Add(EntityRoot, v.Position, "entity is for fields of Query; the binding of a type always fetches by its key, so leave it out")
		return
	}
	of := &ast.FieldDefinition{Type: ast.NamedType(object.Name, d.Position), Position: d.Position}
	f := c.compileBinding(c.newField(object, of, d), d)
	if f == nil {
		return
	}
	if len(f.Keys()) == 0 || f.Batch != nil && !f.Call.CarriesKeys() {
		c.faults.Add(EntityKey, d.Position, "the call takes no key of %s; write {$this.id}, or {$batch.id} with batch: {maxSize: 100}", object.Name)
		return
	}
	c.graph.Entities[object.Name] = f
}

// isEntity reports whether a type has a binding, so that its objects can be completed.
func (c *compiler) isEntity(def *ast.Definition) bool {
	return def.Directives.ForName("connect") != nil || slices.ContainsFunc(slices.Collect(c.entityRoots()), func(f *ast.FieldDefinition) bool {
		return f.Type.NamedType == def.Name
	})
}

// entityRoots returns the fields of Query that are bound with entity: true.
func (c *compiler) entityRoots() iter.Seq[*ast.FieldDefinition] {
	return func(yield func(*ast.FieldDefinition) bool) {
		if c.schema.Query == nil {
			return
		}
		for _, f := range c.schema.Query.Fields {
			d := f.Directives.ForName("connect")
			if d != nil && argumentText(d, "entity") == "true" && !yield(f) {
				return
			}
		}
	}
}

// compileEntityFields adds a binding of the returned type for each field that is bound with entity:
// true.
func (c *compiler) compileEntityFields() {
	for _, f := range c.graph.Fields {
		v := argument(f.Definition.Directives.ForName("connect"), "entity")
		if v == nil || v.Raw != "true" {
			continue
		}
		def := c.schema.Types[f.Definition.Type.Name()]
		switch {
		case f.Object != c.schema.Query || isList(f.Definition.Type) || f.Definition.Type.NonNull || def.Kind != ast.Object:
			c.faults.Add(EntityRoot, v.Position, "entity: true is for a field of Query that returns one object, or null when there is none")
		case c.graph.Entities[def.Name] != nil:
			c.faults.Add(RepeatedEntity, v.Position, "%s is already completed by the binding at %s:%d; keep one", def.Name, c.graph.Entities[def.Name].Position.Src.Name, c.graph.Entities[def.Name].Position.Line)
		default:
			c.addEntity(f, def, v)
		}
	}
}

// addEntity derives the binding of a type from the binding of a field of Query. Each argument of
// the field becomes the field of the type of the same name, which is the key.
func (c *compiler) addEntity(f *Field, def *ast.Definition, v *ast.Value) {
	entity := *f
	entity.Object, entity.Entity, entity.QueryField = def, true, f
	entity.Definition = &ast.FieldDefinition{Type: f.Definition.Type, Position: f.Definition.Position}
	before := len(c.faults)
	entity.Call = f.Call.mapValues(func(value *Value) *Value { return c.keyForArgument(def, value, v) })
	if len(c.faults) > before {
		return
	}
	if len(f.SelectionVariables) > 0 {
		c.faults.AddAtValue(EntityKey, f.SelectionVariables[0], "%s has a value for %s, but not where the type is completed, so entity: true cannot read it; select a member of the response, or remove entity", f.SelectionVariables[0], f.Name())
		return
	}
	if len(entity.Keys()) == 0 {
		c.faults.Add(EntityKey, v.Position, "the call takes no key of %s in its path or query; bind the type itself: type %s @connect(...)", def.Name, def.Name)
		return
	}
	if left := slices.IndexFunc(entity.Call.Variables(), isArgument); left >= 0 {
		arg := entity.Call.Variables()[left]
		c.faults.AddAtValue(EntityKey, arg, "%s is an argument in the body or inside of another value, where a key cannot replace it; bind the type itself: type %s @connect(...)", arg, def.Name)
		return
	}
	f.Entity = true
	c.graph.Entities[def.Name] = &entity
}

func isArgument(v *Value) bool { return v.Scope == Args }

// keyForArgument replaces an argument by the field of the same name of the object that is fetched.
func (c *compiler) keyForArgument(def *ast.Definition, value *Value, v *ast.Value) *Value {
	if value.Scope != Args {
		return value
	}
	field := def.Fields.ForName(value.Path[0])
	if field == nil || !IsProperty(field) || len(value.Path) > 1 || isList(field.Type) {
		c.faults.Add(EntityKey, v.Position, "%s is not a field of %s that its service sends, so it cannot be the key; name the arguments like the fields of the key%s", value, def.Name, DidYouMean(value.Path[0], propertyNames(def)))
		return value
	}
	key := *value
	key.Scope, key.Type = This, field.Type
	return &key
}

// mapValues returns a copy of the call whose values in path, query, headers and cookies are
// replaced. The body keeps its values.
func (c Call) mapValues(other func(*Value) *Value) Call {
	parts := func(list []Part) []Part {
		changed := slices.Clone(list)
		for i, p := range changed {
			if p.Value != nil {
				changed[i].Value = other(p.Value)
			}
		}
		return changed
	}
	params := func(list []Param) []Param {
		changed := slices.Clone(list)
		for i, p := range changed {
			changed[i].Parts = parts(p.Parts)
		}
		return changed
	}
	c.Path, c.Query, c.Headers, c.Cookies = parts(c.Path), params(c.Query), params(c.Headers), params(c.Cookies)
	return c
}
