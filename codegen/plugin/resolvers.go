package plugin

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/templates"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

//go:embed resolvers.gotpl
var resolversText string

var resolversTemplate = newTemplate("resolvers", resolversText, guardsText)

// connectView is the data of resolvers.gotpl.
type connectView struct {
	Graph        string // package name with its dot
	Sources      []string
	Types        []typeView
	Methods      []methodView
	Rules        []rulesView
	Defaults     []defaultView
	Decoders     []decoderView
	Completions  []completeView
	Entities     []entityView
	EntityGuards []guardView
	FieldGuards  []fieldGuardsView
	Config       []configView // the settings that bindings use
	Environment  []string
	goNames
	Upstreams string
}

// configView are the keys that bindings use of the config of a source.
type configView struct {
	Source string
	Keys   []string
}

// typeView is an object type with resolvers.
type typeView struct{ Name, GoName, Resolver string }

// methodView is a generated resolver. Its strings are Go text unless said.
type methodView struct {
	goNames
	Receiver, Name string
	Field          string // Type.field, for comments
	At             string // file:line of the binding, for comments
	Source         string // the service; not Go
	Template       string // method, path and query as the schema writes them, for comments
	Batching       string // how many calls are made for the parents, for comments; "" without parents
	Params, Result string
	Call           string // builds the call
	Fetch          string // makes the call and decodes the response
	Complete       string // completes the objects of the result; "" when they are complete
	Rules          string // the variable with the binding's rules; "" when it has none
	Join           *joinView
	Page           *pageView
	SuccessOnly    bool // the result is whether the call succeeded
	HasBody        bool // the response may have a body, which is the result then
	NonNull        bool
	OnError        string // the function that the results pass through when the service has failed; "" for none
	Fail           string // what the method of a page returns after an error
	Stale          bool   // the value may be an older one

	reader *decoderWriter
}

// goNames are the names of packages in a generated file, each with its dot.
type goNames struct{ Context, Rest, Engine, Decode string }

// resolvers writes resolvers/connect.gen.go: a resolver for each binding, and what these need.
func (g *generator) resolvers() ([]byte, error) {
	f := g.newFile(ResolversDir, locals)
	g.reserve(f)
	v := connectView{Graph: f.useNamed(g.graphPkg(), g.data.Config.Exec.Package), Types: g.resolverTypes()}
	for _, s := range g.graph.Sources {
		v.Sources = append(v.Sources, s.Name)
	}
	for _, b := range g.graph.Fields {
		m, err := g.method(f, b)
		if err != nil {
			return nil, err
		}
		v.Methods = append(v.Methods, m)
	}
	if err := g.completionMethods(f, &v); err != nil {
		return nil, err
	}
	v.Config, v.Environment = g.settings()
	v.Rules, v.Decoders, v.Defaults = g.rules, g.decoders, g.defaults
	v.EntityGuards, v.FieldGuards = g.entityGuardFuncs, g.fieldGuards
	if len(v.Decoders) > 0 {
		v.Decode = f.use(decodePkg)
	}
	v.Upstreams = f.use(upstreamsPkg)
	return f.render(ResolversDir, resolversTemplate, v)
}

// reserve keeps imports and declarations from the names of parameters, which would hide them, and
// from names that the project's own code uses.
func (g *generator) reserve(f *goFile) {
	for _, name := range []string{"Resolver", "Requirements"} {
		f.avoid[name] = true
	}
	for _, t := range g.resolverTypes() {
		f.avoid[t.Resolver] = true
	}
	for _, o := range g.data.Objects {
		for _, field := range o.Fields {
			for _, a := range field.Args {
				f.avoid[a.VarName] = true
			}
		}
	}
}

// resolverTypes returns the types for which gqlgen requires resolvers.
func (g *generator) resolverTypes() []typeView {
	var all []typeView
	for _, objects := range []codegen.Objects{g.data.Objects, g.data.Inputs} {
		for _, o := range objects {
			if o.HasResolvers() && !strings.HasPrefix(o.Name, "__") {
				all = append(all, typeView{Name: o.Name, GoName: templates.UcFirst(o.Name), Resolver: receiver(o.Name)})
			}
		}
	}
	return all
}

// receiver returns the name of the type whose methods resolve the fields of an object type.
func receiver(object string) string { return templates.LcFirst(object) + "Resolver" }

// method returns the resolver of a binding.
func (g *generator) method(f *goFile, b *binding.Field) (methodView, error) {
	field := g.field(b.Object.Name, b.Definition.Name)
	m := methodView{
		goNames:     goNames{Context: f.use("context"), Rest: f.use(restPkg)},
		Receiver:    receiver(b.Object.Name),
		Name:        field.GoFieldName,
		Field:       b.Object.Name + "." + b.Definition.Name,
		At:          b.Position.Src.Name,
		Source:      b.Source,
		Template:    b.Call.Method + " " + b.Call.Template,
		Params:      params(f, field),
		Result:      f.typ(field.TypeReference.GO),
		SuccessOnly: b.ReportsSuccess, HasBody: b.UndocumentedResponse,
		NonNull: field.TypeReference.GQL.NonNull,
	}
	w := &callWriter{g: g, f: f, binding: b, field: field}
	m.reader = &decoderWriter{g: g, f: f, binding: b, name: bindingName(b, field), argument: w.responseValue, requestedKey: g.requestedKey(b)}
	m.Rules = g.rulesOf(f, b, m.reader.name)
	var err error
	if m.Call, err = w.call(); err != nil {
		return m, err
	}
	switch {
	case m.SuccessOnly:
		function := "Send"
		if b.UndocumentedResponse {
			function = "Confirm"
		}
		m.Fetch = fmt.Sprintf("%s%s(ctx, %s, %q, call%s)", f.use(upstreamsPkg), function, g.services(field.Object), b.Source, optionalArgument(m.Rules))
	case b.Page != nil:
		err = g.page(f, b, field, &m)
	case field.Object.Root:
		var read string
		read, err = m.reader.decoder(b.Extraction, field.TypeReference, "")
		m.Fetch = g.fetch(f, b, "call", read, m.Rules)
	default:
		m.Engine = f.use(enginePkg)
		err = g.join(f, b, field, &m)
	}
	g.completeResult(f, b, field, &m)
	g.decoders = append(g.decoders, m.reader.views...)
	if err != nil {
		return m, err
	}
	return m, g.onError(f, b, field, &m)
}

// fetch writes the statement that makes a call and decodes the response.
func (g *generator) fetch(f *goFile, b *binding.Field, call, read, rules string) string {
	services := "r.Services"
	if b.Definition.Name != "" {
		services = g.services(g.objectNamed(b.Object.Name))
	}
	function := "Fetch"
	if b.OnError.Mode == binding.StaleOnError {
		function = "FetchStale"
		if strings.HasPrefix(call, "keys, ") {
			function = "FetchKeysStale"
		}
		call += ", " + g.stale(f, b, rules)
	}
	glue := " "
	if len(call)+len(read)+len(rules) > longArguments {
		glue = "\n"
	}
	return fmt.Sprintf("%s%s(ctx, %s, %q, %s,%s%s%s)", f.use(upstreamsPkg), function, services, b.Source, call, glue, read, optionalArgument(rules))
}

// longArguments is the length in bytes from which the arguments of a call take two lines.
const longArguments = 70

// optionalArgument writes an argument after others, "" if there is none.
func optionalArgument(argument string) string {
	if argument == "" {
		return ""
	}
	return ", " + argument
}

// services writes the services of a resolver. A resolver of a field named services hides them.
func (g *generator) services(o *codegen.Object) string {
	for _, f := range o.Fields {
		if f.IsResolver && f.GoFieldName == "Services" {
			return "r.Resolver.Services"
		}
	}
	return "r.Services"
}

// settings returns what bindings use of gateway.yaml and of the environment.
func (g *generator) settings() (config []configView, environment []string) {
	bySource := map[string][]string{}
	for _, b := range g.graph.Bindings() {
		for _, v := range g.settingsOf(b) {
			if v.Scope == binding.Env {
				environment = append(environment, v.Path[0])
			} else {
				bySource[b.Source] = append(bySource[b.Source], v.Path[0])
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(bySource)) {
		slices.Sort(bySource[name])
		config = append(config, configView{name, slices.Compact(bySource[name])})
	}
	slices.Sort(environment)
	return config, slices.Compact(environment)
}

// settingsOf returns the variables of a binding that are settings.
func (g *generator) settingsOf(b *binding.Field) []*binding.Value {
	call := g.graph.FullCall(b)
	all := slices.Concat(call.Variables(), b.SelectionVariables)
	for _, rule := range []*binding.Value{b.Rules.Success, b.Rules.Message, b.Rules.Extensions} {
		if rule != nil {
			all = slices.AppendSeq(all, rule.Variables())
		}
	}
	return slices.DeleteFunc(all, func(v *binding.Value) bool { return v.Scope != binding.Env && v.Scope != binding.Config })
}
