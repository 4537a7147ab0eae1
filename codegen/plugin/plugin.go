// Package plugin is the gqlgen plugin of gatehouse. From the bindings of a schema it generates
// resolvers/connect.gen.go (the resolvers, which call services), graph/codec.gen.go (decoders and
// encoders of the JSON of services) and graph/engine.gen.go (the plan executor). It keeps private
// directives out of everything that a client can see.
//
// gqlgen calls its plugin interfaces experimental. This package is the only one that uses them. A
// run of gqlgen calls a Plugin in this order:
//
//	InjectSourcesEarly  declares our directives
//	InjectSourcesLate   maps scalars to Go types
//	MutateSchema        compiles the bindings
//	MutateConfig        makes resolvers of bound fields; after gqlgen's models, so does CompletionPlugin
//	GenerateCode        writes our files, before gqlgen writes its own
//
// gqlgen gives each step another view of the schema, and each trap that follows is described where
// the code avoids it: introspection shows all sources (stripSources), models and resolvers follow
// cfg.Models at different times (MutateConfig and CompletionPlugin), directives of types are prepended to
// fields (dropRepeatedGuards), and Go names depend on the schema only (nameMethods).
package plugin

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/plugin"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// ResolversDir is the directory of the resolvers, generated and handwritten, relative to the
// project.
const ResolversDir = "resolvers"

// GeneratedFiles returns the paths of all files that a run writes, those of gqlgen included.
func GeneratedFiles(cfg *config.Config) []string {
	return []string{cfg.Exec.Filename, cfg.Model.Filename, codecFile(cfg), engineFile(cfg), connectFile}
}

func codecFile(cfg *config.Config) string {
	return filepath.Join(filepath.Dir(cfg.Exec.Filename), "codec.gen.go")
}

var connectFile = filepath.Join(ResolversDir, "connect.gen.go")

// Plugin generates the code for the bindings of a schema. It serves one run of gqlgen.
type Plugin struct {
	cfg              *config.Config
	compile          func(*ast.Schema) (*binding.Graph, error)
	graph            *binding.Graph
	missingResolvers *MissingResolvers

	// Handwritten are the resolvers that are handwritten, or have to be.
	Handwritten []Method
	// Stubs is a Go file with a stub for each of them, Missing one with stubs for those that are
	// not written yet. With them, the resolvers' types can be checked.
	Stubs, MissingStubs []byte
}

// New returns a plugin for a run with the given configuration. The bindings of the schema are
// compiled by compile.
func New(cfg *config.Config, compile func(*ast.Schema) (*binding.Graph, error)) *Plugin {
	return &Plugin{cfg: cfg, compile: compile}
}

// inertDirectives returns the directives that do nothing in the gateway: those that gqlgen reads
// when generating, and those with skip_runtime in the configuration.
func inertDirectives(cfg *config.Config) []string {
	names := []string{config.DirGoModel, config.DirGoExtraField, config.DirGoTag, config.DirGoEnum, config.DirInlineArguments}
	for name, d := range cfg.Directives {
		if d.SkipRuntime {
			names = append(names, name)
		}
	}
	return names
}

var (
	_ plugin.EarlySourcesInjector = (*Plugin)(nil)
	_ plugin.LateSourcesInjector  = (*Plugin)(nil)
	_ plugin.SchemaMutator        = (*Plugin)(nil)
	_ plugin.ConfigMutator        = (*Plugin)(nil)
	_ plugin.CodeGenerator        = (*Plugin)(nil)
)

// Name implements plugin.Plugin. gqlgen's errors contain it.
func (*Plugin) Name() string { return "gatehouse" }

// InjectSourcesEarly declares our directives, so that schemas need not.
func (*Plugin) InjectSourcesEarly() ([]*ast.Source, error) {
	return binding.DirectiveSources(), nil
}

// InjectSourcesLate maps the scalars of the schema and the types of introspection to Go types. It
// adds no source: it is the only hook at which the schema is known and gqlgen has not chosen types
// for its scalars yet.
func (p *Plugin) InjectSourcesLate(schema *ast.Schema) ([]*ast.Source, error) {
	mapIntrospection(p.cfg)
	return nil, mapScalars(p.cfg, schema)
}

// MutateSchema compiles the bindings, then removes the private directives from the schema. gqlgen
// would generate a function in DirectiveRoot for each of them, and a middleware for each field
// that has one.
func (p *Plugin) MutateSchema(schema *ast.Schema) error {
	var err error
	if p.graph, err = p.compile(schema); err != nil {
		return err
	}
	for name, def := range schema.Types {
		if isPrivate(binding.DeclaredBy(def.Position)) {
			delete(schema.Types, name)
		}
	}
	for name, def := range schema.Directives {
		if isPrivate(binding.DeclaredBy(def.Position)) {
			delete(schema.Directives, name)
		}
	}
	schema.SchemaDirectives = nil
	stringifyLargeDefaults(schema)
	for _, def := range schema.Types {
		stripDefinition(def, func(d *ast.Directive) bool { return schema.Directives[d.Name] != nil })
		sanitizeDescriptions(def)
	}
	return nil
}

// isPrivate reports whether a directive is part of the vocabulary and unknown to gqlgen's
// generator.
func isPrivate(d *binding.Directive) bool { return d != nil && d.Kind == binding.Private }

// isGuard reports whether a directive checks the caller at run time. gqlgen's executor calls these
// directives; it does not know the private ones.
func isGuard(name string) bool {
	d := binding.DirectiveByName(name)
	return d != nil && d.Kind == binding.Guard
}

// MutateConfig makes resolvers of the bound fields, and batch resolvers of all fields below the
// root that have a resolver: a batch resolver takes all parents of a list at once, and handwritten
// ones shall be able to do the same as generated ones.
func (p *Plugin) MutateConfig(cfg *config.Config) error {
	for _, name := range binding.DirectivesOf(binding.Published) {
		cfg.Directives[name] = config.DirectiveConfig{SkipRuntime: true} // no code runs for it
	}
	for _, f := range p.graph.Fields {
		if !cfg.IsRoot(f.Object) {
			field := cfg.Models[f.Object.Name].Fields[f.Definition.Name]
			field.Resolver = true
			setField(cfg, f.Object.Name, f.Definition.Name, field)
		}
	}
	batch := true
	for object, entry := range cfg.Models {
		for name, field := range entry.Fields {
			if def := cfg.Schema.Types[object]; def != nil && field.Resolver && cfg.TypeSupportsBatchResolver(object, def) {
				field.Batch = &batch
				setField(cfg, object, name, field)
			}
		}
	}
	return nil
}

// CompletionPlugin returns a plugin that must run after gqlgen's own, when the models are known. It makes
// resolvers of the fields whose objects are completed. Done in MutateConfig, gqlgen would leave
// the field out of the model, where the decoder puts the incomplete object.
func (p *Plugin) CompletionPlugin() plugin.Plugin { return completionPlugin{p} }

type completionPlugin struct{ plugin *Plugin }

var _ plugin.ConfigMutator = completionPlugin{}

// Name implements plugin.Plugin. gqlgen's errors contain it.
func (completionPlugin) Name() string { return "gatehouse, completions" }

// MutateConfig makes batch resolvers of the fields whose objects are completed.
func (l completionPlugin) MutateConfig(cfg *config.Config) error {
	batch := true
	for _, c := range l.plugin.graph.Completions {
		field := cfg.Models[c.Object.Name].Fields[c.Definition.Name]
		field.Resolver, field.Batch = true, &batch
		setField(cfg, c.Object.Name, c.Definition.Name, field)
	}
	return nil
}

// setField sets the configuration of a field. The maps of the configuration may be nil.
func setField(cfg *config.Config, object, name string, field config.TypeMapField) {
	entry := cfg.Models[object]
	if entry.Fields == nil {
		entry.Fields = map[string]config.TypeMapField{}
	}
	entry.Fields[name] = field
	cfg.Models[object] = entry
}

// GenerateCode writes our files, and changes the data from which gqlgen's files are written
// afterwards: its sources lose the private directives, and methods get names that Go allows.
func (p *Plugin) GenerateCode(data *codegen.Data) error {
	if err := stripSources(data); err != nil {
		return err
	}
	dropRepeatedGuards(data)
	nameMethods(data)
	markBatchResolvers(data)
	g := &generator{data: data, graph: p.graph}
	resolvers, err := g.resolvers()
	if err != nil {
		return err
	}
	wire, err := g.codec()
	if err != nil {
		return err
	}
	if err := p.findHandwritten(g); err != nil {
		return err
	}
	engine, err := g.engine()
	if err != nil {
		return err
	}
	return errors.Join(writeFile(connectFile, resolvers), writeFile(codecFile(data.Config), wire), writeFile(engineFile(data.Config), engine))
}

// markBatchResolvers makes batch resolvers of the fields for which gqlgen has chosen a resolver
// itself, after MutateConfig: those whose model has no member of that name and type.
func markBatchResolvers(data *codegen.Data) {
	for _, o := range data.Objects {
		for _, f := range o.Fields {
			f.Batch = f.Batch || f.IsResolver && !o.Root
		}
	}
}

// findHandwritten finds the handwritten resolvers and writes their stubs.
func (p *Plugin) findHandwritten(g *generator) (err error) {
	if p.Handwritten, p.missingResolvers, err = g.findResolvers(); err != nil {
		return err
	}
	g.methods = p.Handwritten
	var missing error
	p.Stubs, err = g.stubs(false)
	p.MissingStubs, missing = g.stubs(true)
	return errors.Join(err, missing)
}

// MissingResolvers returns nil, or an *MissingResolvers after a run that wrote every file.
func (p *Plugin) MissingResolvers() error {
	if p.missingResolvers == nil {
		return nil
	}
	return p.missingResolvers
}

// writeFile writes a file, and creates its directory if need be.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
