package plugin

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

//go:embed wire.gotpl
var wireText string

var wireTemplate = template.Must(template.New("wire").Parse(wireText))

// wireView is what wire.gotpl shows.
type wireView struct {
	Decode, Encode, Model string // package names with their dots
	Graphql, Auth, Fmt    string
	Guards                []string
	Objects               []objectView
	ReadEnums, SentEnums  []enumView
	Inputs                []objectView
}

type objectView struct {
	Name, GoType string
	Required     []string
	Fields       []fieldView
}

type fieldView struct {
	Wire string // what the service calls it
	Go   string // the struct's field
	Read string // an expression that reads the value from d
	Put  string // a statement that adds the value to o
}

type enumView struct {
	Name, GoType string
	Values       []fieldView // Wire and Go
}

// wire writes graph/wire.gen.go: decoders of what the services answer, and encoders of
// what they are sent.
func (g *generator) wire() ([]byte, error) {
	f := newGoFile(g.graphPkg(), wireLocals)
	reach := g.reachable()
	v := wireView{Graphql: f.use("github.com/99designs/gqlgen/graphql"), Auth: f.use(authPkg), Guards: g.guards()}
	if err := g.wireTypes(f, reach, &v); err != nil {
		return nil, err
	}
	return f.render(g.data.Config.Exec.Package, wireTemplate, v)
}

func (g *generator) wireTypes(f *goFile, reach *reach, v *wireView) error {
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

// guards are the guards that the schema uses, as fields of gqlgen's DirectiveRoot.
func (g *generator) guards() []string {
	var names []string
	for name := range g.data.Config.Schema.Directives {
		if runsAtRunTime(name) {
			names = append(names, strings.ToUpper(name[:1])+name[1:])
		}
	}
	slices.Sort(names)
	return names
}

func (g *generator) decodedObject(f *goFile, o *codegen.Object) (objectView, error) {
	view := objectView{Name: typeName(o.Type), GoType: f.typ(o.Type)}
	for _, field := range o.Fields {
		if !comesWithObject(field) {
			continue
		}
		wire := g.graph.WireName(o.Name, field.Name)
		decoder, err := g.decoderOf(f, field.TypeReference)
		if err != nil {
			return view, err
		}
		if field.TypeReference.GQL.NonNull {
			view.Required = append(view.Required, wire)
		}
		view.Fields = append(view.Fields, fieldView{Wire: wire, Go: field.GoFieldName, Read: g.read(f, decoder)})
	}
	return view, nil
}

// read calls a decoder on d, in the shortest form.
func (g *generator) read(f *goFile, decoder string) string {
	dec := f.use(decodePkg)
	if method, ok := strings.CutPrefix(decoder, "(*"+dec+"Decoder)."); ok {
		return "d." + method + "()"
	}
	for prefix, function := range map[string]string{"ListOf(": "List", "Maybe(": "Nullable", "MaybeNil(": "OrNull"} {
		if inner, ok := unwrap(decoder, dec+prefix); ok {
			return fmt.Sprintf("%s%s(d, %s)", dec, function, inner)
		}
	}
	return decoder + "(d)"
}

// comesWithObject tells whether a service sends the field with its object.
func comesWithObject(f *codegen.Field) bool { return !f.IsResolver && !f.IsReserved() }

func (g *generator) encodedInput(f *goFile, o *codegen.Object) (objectView, error) {
	view := objectView{Name: typeName(o.Type), GoType: f.typ(o.Type)}
	for _, field := range o.Fields {
		put, err := g.put(f, field, g.graph.WireName(o.Name, field.Name))
		if err != nil {
			return view, err
		}
		view.Fields = append(view.Fields, fieldView{Put: put})
	}
	return view, nil
}

// put adds an input's field to the object o, if the client gave it.
func (g *generator) put(f *goFile, field *codegen.Field, wire string) (string, error) {
	expr := "in." + field.GoFieldName
	if omittable(field) {
		encoder, err := g.encoderOf(f, field.TypeReference)
		return fmt.Sprintf("o = %sWithGiven(o, %q, %s, %s)", f.use(encodePkg), wire, expr, encoder), err
	}
	value, err := g.wireValue(f, expr, field.TypeReference)
	return fmt.Sprintf("o = o.With(%q, %s)", wire, value), err
}

// omittable tells whether gqlgen wraps the input's field so that absent differs from null.
func omittable(f *codegen.Field) bool { return f.TypeReference.IsOmittable }

func (g *generator) enum(f *goFile, name string) enumView {
	def := g.data.Config.Schema.Types[name]
	goName := templates.ToGoModelName(name)
	view := enumView{Name: goName, GoType: f.useNamed(g.modelPkg(), g.data.Config.Model.Package) + goName}
	for _, v := range def.EnumValues {
		view.Values = append(view.Values, fieldView{
			Wire: g.graph.WireName(name, v.Name),
			Go:   f.useNamed(g.modelPkg(), g.data.Config.Model.Package) + templates.ToGoModelName(name, v.Name),
		})
	}
	return view
}

// reach is the closure of types that bindings read and send.
type reach struct {
	schema     *ast.Schema
	read, sent map[string]bool
}

func (g *generator) reachable() *reach {
	r := &reach{schema: g.data.Config.Schema, read: map[string]bool{}, sent: map[string]bool{}}
	for _, f := range g.graph.Fields {
		if !f.Done {
			r.reads(g, f.Definition.Type.Name())
		}
		for _, v := range values(&f.Call) {
			if v.Type != nil {
				r.sends(v.Type.Name())
			}
		}
	}
	g.mentioned(r)
	return r
}

func (r *reach) reads(g *generator, name string) {
	if r.read[name] {
		return
	}
	r.read[name] = true
	if def := r.schema.Types[name]; def.Kind == ast.Object {
		for _, f := range g.data.Objects.ByName(name).Fields {
			if comesWithObject(f) {
				r.reads(g, f.TypeReference.Definition.Name)
			}
		}
	}
}

func (r *reach) sends(name string) {
	if r.sent[name] {
		return
	}
	r.sent[name] = true
	if def := r.schema.Types[name]; def.Kind == ast.InputObject {
		for _, f := range def.Fields {
			r.sends(f.Type.Name())
		}
	}
}

// enums are the reached enums in order.
func (r *reach) enums(schema *ast.Schema) []string {
	var names []string
	for name, def := range schema.Types {
		if def.Kind == ast.Enum && (r.read[name] || r.sent[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// values are all variables of a call.
func values(c *binding.Call) []*binding.Value {
	var all []*binding.Value
	add := func(parts []binding.Part) {
		for _, p := range parts {
			if p.Value != nil {
				all = append(all, p.Value)
			}
		}
	}
	add(c.Path)
	for _, p := range slices.Concat(c.Query, c.Headers) {
		add(p.Parts)
	}
	if c.Body != nil {
		all = append(all, c.Body)
	}
	return all
}
