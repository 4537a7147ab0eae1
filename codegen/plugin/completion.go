package plugin

import (
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// entityView is a method that returns the engine.Entity of a type: how objects of the type are
// fetched by their keys.
type entityView struct {
	methodView
	Type        string // in the graph
	GoType      string
	Types       string // the names of the type, and of the interfaces and unions it belongs to
	Guard       string // the function that checks the guards of the call; "" for none
	FieldGuards string // the variable with the guards of the type's fields; "" for none

	NullOnError    bool   // an object that cannot be completed is null
	DefaultOnError string // the function that returns an object in its place; "" for none
}

// completeView is a resolver that completes the objects in a field. The parent's own response
// contains them with some of their fields; the binding of their type fetches the others when the
// client selects them. Its strings are Go text unless said.
type completeView struct {
	Receiver, Name, Field string // Field is Type.field, for comments
	Parent                string
	Function              string // Complete or CompleteEach
	NonNullElements       bool   // the elements of the list are non-null
	Result                string // the Go type of the field in the parent
	GoField               string
	GraphField            string
	Types                 []partialType
	Complete              string // the engine.Completion
}

// partialType is a line of a comment: the fields of a type that come with the parent.
type partialType struct{ Type, Sent string }

// completionMethods fills in the completions of the schema and the entities that they need.
func (g *generator) completionMethods(f *goFile, v *connectView) error {
	for _, c := range g.graph.Completions {
		v.Completions = append(v.Completions, g.completion(f, c))
		v.Engine, v.Context = f.use(enginePkg), f.use("context")
	}
	for _, name := range slices.Sorted(maps.Keys(g.graph.Entities)) {
		if !g.isCompleted(name) {
			continue
		}
		view, err := g.entity(f, g.graph.Entities[name])
		if err != nil {
			return err
		}
		v.Entities = append(v.Entities, view)
		v.Engine = f.use(enginePkg)
	}
	return nil
}

// isCompleted reports whether objects of a type are completed: by a field, or by handwritten code,
// which refers to the method that returns the entity.
func (g *generator) isCompleted(entity string) bool {
	if code, err := parseHandwritten(""); err == nil && code.usesSelector(entityMethod(g.graph.Entities[entity])) {
		return true
	}
	for _, c := range g.graph.Completions {
		if c.Type(entity) != nil {
			return true
		}
	}
	return slices.ContainsFunc(g.graph.Fields, func(f *binding.Field) bool { return f.Completion.Type(entity) != nil })
}

// completion returns the view of one completion.
func (g *generator) completion(f *goFile, c *binding.Completion) completeView {
	field := g.field(c.Object.Name, c.Definition.Name)
	o := g.objectNamed(c.Object.Name)
	v := completeView{
		Receiver: receiver(c.Object.Name), Name: field.GoFieldName, Field: c.Object.Name + "." + field.Name, Parent: f.typ(o.Type),
		Function: "CompleteField", Result: f.typ(field.TypeReference.GO), GoField: field.GoFieldName, GraphField: field.Name,
		Complete: g.completer(f, c, field.TypeReference),
	}
	for _, t := range c.Types {
		v.Types = append(v.Types, partialType{t.Entity.Object.Name, strings.Join(t.Sent, ", ")})
	}
	if c.Definition.Type.Elem != nil {
		v.Function, v.NonNullElements = "CompleteListField", c.Definition.Type.Elem.NonNull
	}
	return v
}

// completer writes the engine.Completion for the value of a field, or for the elements of its
// list. Beyond takes the fields that need no call. For an interface or a union, each possible type
// has a completion of its own.
func (g *generator) completer(f *goFile, c *binding.Completion, tr *config.TypeReference) string {
	if tr.GQL.Elem != nil {
		tr = tr.Elem()
	}
	var members []string
	for _, t := range c.Types {
		beyond := fmt.Sprintf("r.%s(ctx).Completer(%s)", entityMethod(t.Entity), quotedList(t.Sufficient))
		if tr.Definition.Kind == ast.Object {
			return beyond
		}
		members = append(members, fmt.Sprintf("%sNewMemberCompleter[%s](%s),\n", f.use(enginePkg), f.typ(tr.GO), beyond))
	}
	return fmt.Sprintf("%sNewAbstractCompleter(\n%s)", f.use(enginePkg), strings.Join(members, ""))
}

// entityMethod returns the name of the method that returns the entity of a binding.
func entityMethod(b *binding.Field) string {
	return templates.LcFirst(templates.ToGo(b.Object.Name)) + "Entity"
}

// entity returns the view of an entity. Objects are fetched like the values of a join whose
// parents are the incomplete objects themselves, so this is join for a field that gqlgen does not
// have.
func (g *generator) entity(f *goFile, b *binding.Field) (entityView, error) {
	o := g.objectNamed(b.Object.Name)
	field := &codegen.Field{FieldDefinition: b.Definition, Object: o, TypeReference: g.objectType(o)}
	m := methodView{
		goNames: goNames{Context: f.use("context"), Rest: f.use(restPkg), Engine: f.use(enginePkg)},
		Name:    entityMethod(b), Source: b.Source, Template: b.Call.Method + " " + b.Call.Template,
		At: b.Position.Src.Name, Result: f.typ(field.TypeReference.GO),
	}
	w := &callWriter{g: g, f: f, binding: b}
	m.reader = &decoderWriter{g: g, f: f, binding: b, name: bindingName(b, nil), argument: w.responseValue, requestedKey: g.requestedKey(b)}
	m.Rules = g.rulesOf(f, b, m.reader.name)
	var err error
	if m.Call, err = w.call(); err != nil {
		return entityView{}, err
	}
	err = g.join(f, b, field, &m)
	g.decoders = append(g.decoders, m.reader.views...)
	v := entityView{methodView: m, Type: b.Object.Name, GoType: f.typ(o.Type), Types: goStrings(g.typeNames(b.Object))}
	g.entityGuards(f, b, &v)
	if err != nil {
		return v, err
	}
	return v, g.entityOnError(f, b, &v)
}

// typeNames returns the names of a type and of the interfaces and unions that it belongs to.
func (g *generator) typeNames(def *ast.Definition) []string {
	names := []string{def.Name}
	for _, of := range g.data.Schema.GetImplements(def) {
		names = append(names, of.Name)
	}
	slices.Sort(names[1:])
	return names
}

// entityGuards fills in the guards of an entity: those of the field of Query whose call completes
// objects, which would run if a client selected that field, and those of the type's fields, for
// which nothing is fetched when the caller may not see them (decision 0030).
func (g *generator) entityGuards(f *goFile, b *binding.Field, v *entityView) {
	if b.QueryField != nil {
		if guard := g.accessGuardOf(f, b.QueryField.Definition); len(guard.Calls) > 0 {
			guard.Name = f.declare("require"+templates.ToGo(b.Object.Name)+"Guards", "guard of entities of "+b.Object.Name)
			v.Guard = guard.Name
			g.entityGuardFuncs = append(g.entityGuardFuncs, guard)
		}
	}
	fields := fieldGuardsView{Type: b.Object.Name}
	for _, field := range b.Object.Fields {
		if guard := g.accessGuardOf(f, field); len(guard.Calls) > 0 {
			guard.Name = field.Name
			fields.Fields = append(fields.Fields, guard)
		}
	}
	if len(fields.Fields) > 0 {
		fields.Name = f.declare(templates.ToGoPrivate(b.Object.Name)+"FieldGuards", "guards of fields of "+b.Object.Name)
		v.FieldGuards = fields.Name
		g.fieldGuards = append(g.fieldGuards, fields)
	}
}

// objectType returns the type of a nullable object.
func (g *generator) objectType(o *codegen.Object) *config.TypeReference {
	return &config.TypeReference{GQL: ast.NamedType(o.Name, o.Position), GO: types.NewPointer(o.Type), Definition: o.Definition}
}

// completeResult writes the call that completes the objects that a binding's own call has
// returned. It leaves m.Complete empty when they are complete.
func (g *generator) completeResult(f *goFile, b *binding.Field, field *codegen.Field, m *methodView) {
	c := b.Completion
	if c == nil {
		return
	}
	method, must := "CompleteValue", ""
	list := b.Definition.Type.Elem
	switch {
	case m.Join != nil && list != nil:
		method = "CompleteBatchLists"
	case list != nil:
		method = "CompleteList"
	case m.Join != nil:
		method = "CompleteBatch"
	}
	if list != nil {
		must = fmt.Sprintf(", %t", list.NonNull)
	}
	m.Complete = fmt.Sprintf("%s.%s(ctx, found, err%s)", g.completer(f, c, field.TypeReference), method, must)
}
