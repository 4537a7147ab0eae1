package binding

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// Completion is a field at which a service sends objects with only some of their fields, the key
// among them. The bindings of the objects' types fetch the other fields when a client requests
// them.
type Completion struct {
	Object     *ast.Definition
	Definition *ast.FieldDefinition
	Types      []*CompletedType // of an interface or a union the types with a binding, by name; else one
}

// CompletedType is a type whose objects are completed at one field.
type CompletedType struct {
	Entity     *Field
	Sent       []string // the fields of the type that come with the object
	Sufficient []string // Sent, and the bound fields whose calls take nothing but those
}

// Type returns how objects of a type are completed, nil if they are not.
func (c *Completion) Type(object string) *CompletedType {
	if c == nil {
		return nil
	}
	for _, t := range c.Types {
		if t.Entity.Object.Name == object {
			return t
		}
	}
	return nil
}

// Completion returns the completion of a type's field, nil if the field needs none.
func (g *Graph) Completion(object, field string) *Completion {
	for _, c := range g.Completions {
		if c.Object.Name == object && c.Definition.Name == field {
			return c
		}
	}
	return nil
}

// findCompletions finds the fields at which objects come with only some of their fields. It follows
// what every binding reads, together with what the service's document says of the same place.
func (c *compiler) findCompletions() {
	w := &completionFinder{compiler: c, seen: map[visit]bool{}, completions: map[[2]string]*Completion{}}
	for _, f := range c.graph.Bindings() {
		if f.Extraction == nil {
			continue
		}
		w.field = f
		answer := responseSchema(f, c.graph.Source(f.Source))
		if f.Page != nil {
			w.visitPage(f.Page, answer)
			continue
		}
		w.atRoot = true
		w.visitValue(f.Extraction, answer, nil)
	}
	for _, key := range slices.SortedFunc(maps.Keys(w.completions), compareKeys) {
		c.graph.Completions = append(c.graph.Completions, w.completions[key])
	}
}

func compareKeys(a, b [2]string) int { return slices.Compare(a[:], b[:]) }

// responseSchema returns what a source's document says of the response to a binding's call, nil if
// it says nothing.
func responseSchema(f *Field, s *Source) *openapi.Schema {
	op := f.Call.Operation
	if op == nil && s != nil && s.Document != nil {
		op = s.Document.Find(f.Call.Method, f.Call.PathTemplate())
	}
	if op == nil || op.Success() == nil {
		return nil
	}
	return op.Success().JSON().Schema
}

// visit is a type that was reached together with a schema of a document. Both can be recursive, so
// each pair is visited once.
type visit struct {
	typeName string
	schema   *openapi.Schema
}

// location is the field of an object at which a value is.
type location struct {
	object *ast.Definition
	field  *ast.FieldDefinition
}

// completionFinder follows extractions through the schemas of documents.
type completionFinder struct {
	*compiler
	field       *Field
	atRoot      bool // the value is that of the bound field itself, not one inside of it
	seen        map[visit]bool
	completions map[[2]string]*Completion
}

// visitPage follows how the items of a page are read. A connection has the items at two places: in
// its edges and in its nodes.
func (w *completionFinder) visitPage(p *Page, answer *openapi.Schema) {
	w.atRoot = false
	if p.Edge != nil {
		w.visitValue(p.Items, answer, &location{p.Edge, p.Edge.Fields.ForName("node")})
	}
	if nodes := p.Connection.Fields.ForName("nodes"); nodes != nil {
		w.visitValue(p.Items, answer, &location{p.Connection, nodes})
	}
}

// visitValue follows an extraction. The schema s is what the document says of the same place, nil
// if it says nothing; in is the field that holds the value, nil for the bound field.
func (w *completionFinder) visitValue(r *Extraction, s *openapi.Schema, in *location) {
	if r == nil {
		return
	}
	switch r.Op {
	case ByName:
		w.visitType(r.Type, s, in)
	case Object:
		w.visitObject(r, s, in)
	case Member:
		w.visitValue(r.Inner, propertySchema(s, r.Name), in)
	case First, Last, Map:
		w.visitValue(r.Inner, itemSchema(s), in)
	case ByKey:
		w.visitValue(r.Inner, valueSchema(s), in)
	case Entries:
		w.visitValue(r.Inner, entrySchema(s), in)
	}
}

func propertySchema(s *openapi.Schema, name string) *openapi.Schema {
	if s == nil {
		return nil
	}
	if p := s.Property(name); p != nil {
		return p.Schema
	}
	return nil
}

func itemSchema(s *openapi.Schema) *openapi.Schema {
	if s == nil {
		return nil
	}
	return s.Items
}

func valueSchema(s *openapi.Schema) *openapi.Schema {
	if s == nil {
		return nil
	}
	return s.MemberSchema()
}

// entrySchema returns the schema of the entries that ->entries reads from an object.
func entrySchema(s *openapi.Schema) *openapi.Schema {
	value := valueSchema(s)
	if value == nil {
		return nil
	}
	return &openapi.Schema{Properties: []*openapi.Property{{Name: "key", Schema: &openapi.Schema{}}, {Name: "value", Schema: value}}}
}

func (w *completionFinder) visitType(t *ast.Type, s *openapi.Schema, in *location) {
	for ; t.Elem != nil; t = t.Elem {
		s = itemSchema(s)
	}
	def := w.schema.Types[t.NamedType]
	if choice := w.graph.Discriminators[def.Name]; def.IsAbstractType() && choice != nil {
		w.visitAbstract(choice, s, in)
	}
	if def.Kind != ast.Object {
		return
	}
	if s != nil && !s.AllowsAny() && s.Additional == nil && w.isEntity(def) {
		w.recordIncluded(def, in, func(f *ast.FieldDefinition) bool { return s.Property(w.graph.wireOf(f)) != nil })
	}
	w.visitProperties(def, s)
}

// visitProperties follows the fields of a type that come with its objects.
func (w *completionFinder) visitProperties(def *ast.Definition, s *openapi.Schema) {
	at := visit{def.Name, s}
	if w.seen[at] {
		return
	}
	w.seen[at] = true
	defer func(root bool) { w.atRoot = root }(w.atRoot)
	w.atRoot = false
	for _, f := range def.Fields {
		if IsProperty(f) {
			w.visitType(f.Type, propertySchema(s, w.graph.wireOf(f)), &location{def, f})
		}
	}
}

// visitAbstract follows each type of an interface or a union. A selection cannot list the fields of
// those types. So where the document does not describe them either, objects are assumed to come
// with their key alone: a field that is assumed to come, and does not, would be null without an
// error.
func (w *completionFinder) visitAbstract(choice *Discriminator, s *openapi.Schema, in *location) {
	for _, tagged := range choice.Types {
		branch, def := branchFor(s, choice.Member, tagged.Tag), tagged.Type
		if w.isEntity(def) {
			w.recordIncluded(def, in, func(f *ast.FieldDefinition) bool {
				if branch == nil {
					return w.isKeyOf(def, f)
				}
				return branch.Property(w.graph.wireOf(f)) != nil
			})
		}
		w.visitProperties(def, branch)
	}
}

func (w *completionFinder) isKeyOf(def *ast.Definition, f *ast.FieldDefinition) bool {
	entity := w.graph.Entities[def.Name]
	return entity != nil && slices.Contains(entity.Keys(), f.Name)
}

// branchFor returns what a document says of the objects whose discriminator has a value, nil if it
// does not say which objects these are.
func branchFor(s *openapi.Schema, field, tag string) *openapi.Schema {
	if s == nil || s.AllowsAny() || s.Additional != nil {
		return nil
	}
	for _, choice := range s.ChoicesBy(field) {
		if choice.Value == tag {
			return choice.Schema
		}
	}
	if len(s.OneOf) == 0 && (s.Discriminator == nil || s.Discriminator.Property != field) {
		return s
	}
	return nil
}

// wireOf returns the service's name of a field. It reads the directive itself, since the names of
// the schema are collected after bindings are compiled.
func (g *Graph) wireOf(f *ast.FieldDefinition) string {
	if d := f.Directives.ForName("json"); d != nil {
		return argumentText(d, "name")
	}
	return f.Name
}

func (w *completionFinder) visitObject(r *Extraction, s *openapi.Schema, in *location) {
	def := w.schema.Types[r.Type.NamedType]
	if w.isEntity(def) {
		w.recordIncluded(def, in, func(f *ast.FieldDefinition) bool {
			return slices.ContainsFunc(r.Fields, func(read SelectedField) bool { return read.Field == f })
		})
	}
	w.atRoot = false
	for _, f := range r.Fields {
		w.visitValue(f.Extraction, s, &location{def, f.Field})
	}
}

// recordIncluded records which fields of an entity come with its objects at a place. The function
// includes reports whether a field does.
func (w *completionFinder) recordIncluded(def *ast.Definition, in *location, includes func(*ast.FieldDefinition) bool) {
	var sent []string
	all := true
	for _, f := range def.Fields {
		switch {
		case !IsProperty(f):
		case includes(f):
			sent = append(sent, f.Name)
		default:
			all = false
		}
	}
	entity := w.graph.Entities[def.Name]
	if all || entity == nil {
		return
	}
	if w.atRoot && w.field == entity {
		w.checkComplete(def, includes)
		return
	}
	if w.atRoot && w.field.Entity && w.field.Definition.Name != "" {
		return // completing the object would repeat the same call
	}
	for _, key := range entity.Keys() {
		if !slices.Contains(sent, key) {
			name, at := w.field.Name(), w.field.Position
			if in != nil {
				name, at = in.object.Name+"."+in.field.Name, in.field.Position
			}
			w.faults.Add(EntityKey, at, "%s returns %s without %s.%s, the key by which its other fields are fetched; select it, or have the service send it", name, def.Name, def.Name, key)
			return
		}
	}
	if w.refuseNestedList(def, in) {
		return
	}
	if w.atRoot {
		if w.field.Completion == nil {
			w.field.Completion = &Completion{Object: w.field.Object, Definition: w.field.Definition}
		}
		w.addIncluded(w.field.Completion, entity, sent)
		return
	}
	key := [2]string{in.object.Name, in.field.Name}
	if w.completions[key] == nil {
		w.completions[key] = &Completion{Object: in.object, Definition: in.field}
	}
	w.addIncluded(w.completions[key], entity, sent)
}

// addIncluded adds that objects of an entity come to a field with some of their fields. If several
// places of a response lead to the field, only the fields count that come at all of them.
func (w *completionFinder) addIncluded(c *Completion, entity *Field, sent []string) {
	have := c.Type(entity.Object.Name)
	if have == nil {
		have = &CompletedType{Entity: entity, Sent: sent}
		c.Types = append(c.Types, have)
		slices.SortFunc(c.Types, func(a, b *CompletedType) int { return compareNames(a.Entity.Object, b.Entity.Object) })
	}
	have.Sent = slices.DeleteFunc(have.Sent, func(name string) bool { return !slices.Contains(sent, name) })
	have.Sufficient = w.sufficientFields(entity.Object, have.Sent)
}

// refuseNestedList refuses to complete objects in lists of lists, since the generated code joins
// results to a single list.
func (w *completionFinder) refuseNestedList(def *ast.Definition, in *location) bool {
	field, name := w.field.Definition, w.field.Name()
	if !w.atRoot {
		field, name = in.field, in.object.Name+"."+in.field.Name
	}
	if !isList(field.Type) || !isList(field.Type.Elem) {
		return false
	}
	w.faults.Add(BatchedListOfLists, field.Position, "%s is a list of lists, and nothing completes %s in it; have the service send all fields, or resolve it by hand in resolvers/", name, def.Name)
	return true
}

// sufficientFields returns the fields of a type for which its objects need not be completed: those
// that come with the objects, and the bound fields whose calls take nothing but those.
func (w *completionFinder) sufficientFields(def *ast.Definition, sent []string) []string {
	all := slices.Clone(sent)
	for _, f := range w.graph.Fields {
		takes := f.ParentFields()
		if f.Batch != nil && f.Batch.ParentKey != nil { // a batch without a key is reported elsewhere
			takes = append(takes, f.Batch.ParentKey.Name)
		}
		if f.Object == def && !slices.ContainsFunc(takes, func(name string) bool { return !slices.Contains(sent, name) }) {
			all = append(all, f.Definition.Name)
		}
	}
	return all
}

// checkComplete refuses the binding of a type that does not read all of the type's fields.
func (w *completionFinder) checkComplete(def *ast.Definition, includes func(*ast.FieldDefinition) bool) {
	for _, f := range def.Fields {
		if IsProperty(f) && !includes(f) {
			w.faults.Add(IncompleteEntity, f.Position, "%s.%s: the binding of %s at %s:%d does not read this field, and nothing else fetches it; select it there, or bind the field", def.Name, f.Name, def.Name, w.field.Position.Src.Name, w.field.Position.Line)
		}
	}
}
