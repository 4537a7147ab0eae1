package plugin

import (
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// entityView is a method that says how objects of a type are asked for by their keys.
type entityView struct {
	methodView
	Type   string // in the graph
	GoType string
}

// completeView is a method that completes the object of a field. Its strings are Go text
// unless said.
type completeView struct {
	Receiver, Name, Field string // Field is Type.field, as it is
	Type                  string // of the objects, in the graph
	Parent, Object        string
	Function              string // Complete or CompleteEach
	Must                  bool   // no element of the list may be null
	Held                  string // the type of what a parent holds
	GoField               string
	GraphField            string
	Sent                  string
	SentWords             string // for people
	Entity                string
}

// completes writes the methods by which objects are completed.
func (g *generator) completes(f *goFile, v *connectView) error {
	for _, c := range g.graph.Completions {
		v.Completions = append(v.Completions, g.completion(f, c))
		v.Engine, v.Context = f.use(enginePkg), f.use("context")
	}
	for _, name := range slices.Sorted(maps.Keys(g.graph.Entities)) {
		if !g.completed(name) {
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

// completed tells whether objects of a type are completed anywhere, by code by hand too.
func (g *generator) completed(entity string) bool {
	if code, err := readByHand(ResolversDir); err == nil && code.selects(entityMethod(g.graph.Entities[entity])) {
		return true
	}
	for _, c := range g.graph.Completions {
		if c.Entity.Object.Name == entity {
			return true
		}
	}
	for _, f := range g.graph.Fields {
		if f.Completes != nil && f.Completes.Entity.Object.Name == entity {
			return true
		}
	}
	return false
}

func (g *generator) completion(f *goFile, c *binding.Completion) completeView {
	field := g.field(c.Object.Name, c.Definition.Name)
	o := g.data.Objects.ByName(c.Object.Name)
	v := completeView{
		Receiver: receiver(c.Object.Name), Name: field.GoFieldName, Field: c.Object.Name + "." + field.Name,
		Type: c.Entity.Object.Name, Parent: f.typ(o.Type), Object: f.typ(g.data.Objects.ByName(c.Entity.Object.Name).Type),
		Function: "Complete", Held: f.typ(field.TypeReference.GO), GoField: field.GoFieldName, GraphField: field.Name,
		Sent: goStrings(c.Enough), SentWords: strings.Join(c.Sent, ", "), Entity: entityMethod(c.Entity),
	}
	if c.Definition.Type.Elem != nil {
		v.Function, v.Must = "CompleteEach", c.Definition.Type.Elem.NonNull
	}
	return v
}

// entityMethod names the method that says how objects of a type are asked for.
func entityMethod(b *binding.Field) string {
	return templates.LcFirst(templates.ToGo(b.Object.Name)) + "Entity"
}

// entity writes how objects of a type are asked for: as a join does whose parents are the
// objects themselves.
func (g *generator) entity(f *goFile, b *binding.Field) (entityView, error) {
	o := g.data.Objects.ByName(b.Object.Name)
	field := &codegen.Field{FieldDefinition: b.Definition, Object: o, TypeReference: g.objectType(o)}
	m := methodView{
		goNames: goNames{Context: f.use("context"), Rest: f.use(restPkg), Engine: f.use(enginePkg)},
		Name:    entityMethod(b), Source: b.Source, Template: b.Call.Method + " " + b.Call.Template,
		At: fmt.Sprintf("%s:%d", b.Position.Src.Name, b.Position.Line), Result: f.typ(field.TypeReference.GO),
	}
	w := &callWriter{g: g, f: f, binding: b}
	m.reader = &reader{g: g, f: f, binding: b, name: bindingName(b, nil), given: w.read, asked: g.askedKey(b)}
	m.Rules = g.rulesOf(f, b, m.reader.name)
	var err error
	if m.Call, err = w.call(); err != nil {
		return entityView{}, err
	}
	err = g.join(f, b, field, &m)
	g.decoders = append(g.decoders, m.reader.views...)
	return entityView{m, b.Object.Name, f.typ(o.Type)}, err
}

// objectType is the type of an object that may be null.
func (g *generator) objectType(o *codegen.Object) *config.TypeReference {
	return &config.TypeReference{GQL: ast.NamedType(o.Name, o.Position), GO: types.NewPointer(o.Type), Definition: o.Definition}
}

// completing writes what completes the objects that a field's own call gives: the beginning
// of a call, "" when they come with all of their fields.
func completing(b *binding.Field, m *methodView) {
	c := b.Completes
	if c == nil {
		return
	}
	method, must := "Whole", ""
	list := b.Definition.Type.Elem
	switch {
	case m.Join != nil && list != nil:
		method = "Lists"
	case list != nil:
		method = "List"
	case m.Join != nil:
		method = "All"
	}
	if list != nil {
		must = fmt.Sprintf("%t, ", list.NonNull)
	}
	sent := make([]string, len(c.Enough))
	for i, name := range c.Enough {
		sent[i] = strconv.Quote(name)
	}
	m.Complete = fmt.Sprintf("r.%s(ctx).%s(ctx, found, err, %s%s)", entityMethod(c.Entity), method, must, strings.Join(sent, ", "))
	m.Completed = c.Entity.Object.Name
}
