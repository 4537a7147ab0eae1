package plugin

import (
	"cmp"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

//go:embed codec.gotpl
var codecText string

var codecTemplate = newTemplate("codec", codecText)

// codecView is the data of codec.gotpl.
type codecView struct {
	Decode, Encode, Model string // names of packages, each with its dot
	Objects               []objectView
	Abstract              []abstractView
	ReadEnums, SentEnums  []enumView
	Inputs                []objectView
}

// objectView is an object type to decode, or an input to encode.
type objectView struct {
	Name, GoType string
	Type         string // in the graph
	Fields       []fieldView
}

// abstractView is an interface or a union. Field is the member whose value determines the type.
type abstractView struct {
	Name, GoType, Field string
	Types               []taggedView
}

// taggedView is a type of an abstractView: its tag and the function that decodes it.
type taggedView struct{ Tag, Decoder string }

// fieldView is a field of an object. Its strings are Go text, except Name and Wire.
type fieldView struct {
	Name        string // in the graph
	Wire        string // the service's name for it
	WholeObject bool   // the value is read from the whole object, not from one member
	Required    bool   // the type is non-null
	Go          string // the struct's field
	Read        string // an expression that reads the value from d
	Put         string // a statement that adds the value to o
}

// enumView is an enum, whose values have names in Go and on the wire.
type enumView struct {
	Name, GoType string
	Values       []fieldView // Wire, Go, Read (what EnumText returns) and Put (what a call sends)
	Literals     bool        // not all values are texts
}

// codec writes graph/codec.gen.go: a decoder for each type that bindings read by name, and an
// encoder for each type that they send.
func (g *generator) codec() ([]byte, error) {
	f := g.newFile(g.graphPkg(), codecLocals)
	reach := g.findWireTypes()
	v := codecView{}
	if err := g.codecTypes(f, reach, &v); err != nil {
		return nil, err
	}
	return f.render(g.data.Config.Exec.Package, codecTemplate, v)
}

// codecTypes fills in the types that have to be decoded and encoded.
func (g *generator) codecTypes(f *goFile, reach *wireTypes, v *codecView) error {
	for _, o := range g.data.Objects {
		if reach.read[o.Name] {
			view, err := g.decodedObject(f, o)
			if err != nil {
				return err
			}
			v.Objects = append(v.Objects, view)
			v.Decode = f.use(decodePkg)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.graph.Discriminators)) {
		if reach.read[name] {
			v.Abstract = append(v.Abstract, g.abstract(f, name))
			v.Decode = f.use(decodePkg)
		}
	}
	if err := g.checkOmittable(reach); err != nil {
		return err
	}
	for _, o := range g.data.Inputs {
		if reach.sent[o.Name] {
			view, err := g.encodedInput(f, o)
			if err != nil {
				return err
			}
			v.Inputs = append(v.Inputs, view)
			v.Encode = f.use(encodePkg)
		}
	}
	for _, name := range reach.enums(g.data.Config.Schema) {
		if reach.read[name] {
			v.ReadEnums = append(v.ReadEnums, g.enum(f, name))
			v.Decode = f.use(decodePkg)
		}
		if reach.sent[name] {
			v.SentEnums = append(v.SentEnums, g.enum(f, name))
		}
	}
	return nil
}

// abstract returns the view of an interface or a union.
func (g *generator) abstract(f *goFile, name string) abstractView {
	choice := g.graph.Discriminators[name]
	model := f.useNamed(g.modelPkg(), g.data.Config.Model.Package)
	view := abstractView{Name: g.codecName(name), GoType: model + templates.ToGoModelName(name), Field: choice.Member}
	for _, t := range choice.Types {
		view.Types = append(view.Types, taggedView{t.Tag, "Decode" + g.codecName(t.Type.Name)})
	}
	return view
}

// decodedObject returns the view of an object type with the fields that services send.
func (g *generator) decodedObject(f *goFile, o *codegen.Object) (objectView, error) {
	view := objectView{Name: g.codecName(o.Name), GoType: f.typ(o.Type), Type: o.Name}
	for _, field := range o.Fields {
		if !g.isSent(o.Name, field) {
			continue
		}
		decoder, err := g.decoderOf(f, field.TypeReference)
		if err != nil {
			return view, err
		}
		view.Fields = append(view.Fields, fieldView{
			Name:     field.Name,
			Wire:     g.graph.WireName(o.Name, field.Name),
			Required: field.TypeReference.GQL.NonNull,
			Go:       field.GoFieldName,
			Read:     g.read(f, decoder),
		})
	}
	return view, nil
}

// read writes a call of a decoder on d, in the shortest form.
func (g *generator) read(f *goFile, decoder string) string {
	dec := f.use(decodePkg)
	if method, ok := strings.CutPrefix(decoder, "(*"+dec+"Decoder)."); ok {
		return "d." + method + "()"
	}
	for prefix, function := range map[string]string{"ListOf(": "List", "PtrOf(": "Ptr", "NullOf(": "Null"} {
		if inner, ok := unwrap(decoder, dec+prefix); ok {
			return fmt.Sprintf("%s%s(d, %s)", dec, function, inner)
		}
	}
	return decoder + "(d)"
}

// isSent reports whether a service sends a field, or a part of its value, with the object. The
// others are fetched by calls of their own.
func (g *generator) isSent(object string, f *codegen.Field) bool {
	return !f.IsResolver && !f.IsReserved() || g.graph.Completion(object, f.Name) != nil
}

// encodedInput returns the view of an input object.
func (g *generator) encodedInput(f *goFile, o *codegen.Object) (objectView, error) {
	view := objectView{Name: g.codecName(o.Name), GoType: f.typ(o.Type)}
	for _, field := range o.Fields {
		put, err := g.put(f, field, g.graph.WireName(o.Name, field.Name))
		if err != nil {
			return view, err
		}
		view.Fields = append(view.Fields, fieldView{Put: put})
	}
	return view, nil
}

// put writes a statement that adds a field of an input to the object o, unless the client omitted
// it.
func (g *generator) put(f *goFile, field *codegen.Field, wire string) (string, error) {
	expr := "in." + field.GoFieldName
	if isOmittable(field) {
		encoder, err := g.encoderOf(f, field.TypeReference)
		return fmt.Sprintf("o = %sWithOmittable(o, %q, %s, %s)", f.use(encodePkg), wire, expr, encoder), err
	}
	value, err := g.wireValue(f, expr, field.TypeReference)
	return fmt.Sprintf("o = o.With(%q, %s)", wire, value), err
}

// isOmittable reports whether the Go type of an input's field is graphql.Omittable, which
// distinguishes an omitted field from null.
func isOmittable(f *codegen.Field) bool { return f.TypeReference.IsOmittable }

// enum returns the view of an enum.
func (g *generator) enum(f *goFile, name string) enumView {
	def := g.data.Config.Schema.Types[name]
	goName := templates.ToGoModelName(name)
	view := enumView{Name: g.codecName(name), GoType: f.useNamed(g.modelPkg(), g.data.Config.Model.Package) + goName}
	for _, v := range def.EnumValues {
		literal := g.graph.WireLiteral(name, v.Name)
		text, isText := g.graph.WireName(name, v.Name), strings.HasPrefix(literal, `"`)
		view.Literals = view.Literals || !isText
		if isText {
			literal, text = strconv.Quote(text), `"`+text
		}
		view.Values = append(view.Values, fieldView{
			Wire: g.graph.WireName(name, v.Name), Read: strconv.Quote(text), Put: literal,
			Go: f.useNamed(g.modelPkg(), g.data.Config.Model.Package) + templates.ToGoModelName(name, v.Name),
		})
	}
	return view
}

// wireTypes are the types that bindings read from responses and send in requests, with all types
// in them.
type wireTypes struct {
	schema     *ast.Schema
	read, sent map[string]bool
}

// findWireTypes finds the types that are read by name at the end of a selection, those of
// variables in calls, and those that handwritten code uses.
func (g *generator) findWireTypes() *wireTypes {
	r := &wireTypes{schema: g.data.Config.Schema, read: map[string]bool{}, sent: map[string]bool{}}
	for _, f := range g.graph.Bindings() {
		r.markExtraction(g, f.Extraction)
		if f.Page != nil {
			r.markExtraction(g, f.Page.Items)
		}
		for _, v := range f.Call.Variables() {
			if t := cmp.Or(v.VariableType, v.Type); t != nil {
				r.markSent(t.Name())
			}
		}
		for _, name := range encodedArguments(f) {
			r.markSent(f.Definition.Arguments.ForName(name).Type.Name())
		}
	}
	g.markHandwritten(r)
	return r
}

// encodedArguments returns the arguments of which a body takes members. They are encoded as a
// whole first, since only the encoded object shows which members the client omitted.
func encodedArguments(f *binding.Field) []string {
	if f.Call.Body == nil {
		return nil
	}
	var names []string
	for v := range f.Call.Body.Variables() {
		if v.Scope == binding.Args && len(v.Path) > 1 {
			names = append(names, v.Path[0])
		}
	}
	return names
}

// markExtraction marks the types that an extraction reads by name.
func (r *wireTypes) markExtraction(g *generator, read *binding.Extraction) {
	if read == nil {
		return
	}
	switch read.Op {
	case binding.ByName, binding.Match, binding.Literal, binding.FromRequest:
		r.markRead(g, read.Type.Name())
	}
	r.markExtraction(g, read.Inner)
	for _, f := range read.Fields {
		r.markExtraction(g, f.Extraction)
	}
}

// markRead marks a type, and all types in it, as read from responses.
func (r *wireTypes) markRead(g *generator, name string) {
	if r.read[name] {
		return
	}
	r.read[name] = true
	switch def := r.schema.Types[name]; def.Kind {
	case ast.Object:
		for _, f := range g.objectNamed(name).Fields {
			if g.isSent(name, f) {
				r.markRead(g, f.TypeReference.Definition.Name)
			}
		}
	case ast.Interface, ast.Union:
		for _, t := range g.graph.Discriminators[name].Types {
			r.markRead(g, t.Type.Name)
		}
	}
}

// markSent marks a type, and all types in it, as sent in requests.
func (r *wireTypes) markSent(name string) {
	if r.sent[name] {
		return
	}
	r.sent[name] = true
	if def := r.schema.Types[name]; def.Kind == ast.InputObject {
		for _, f := range def.Fields {
			r.markSent(f.Type.Name())
		}
	}
}

// enums returns the enums that are read or sent, sorted by name.
func (r *wireTypes) enums(schema *ast.Schema) []string {
	var names []string
	for name, def := range schema.Types {
		if def.Kind == ast.Enum && (r.read[name] || r.sent[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
