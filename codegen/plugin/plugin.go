// Package plugin is our gqlgen plugin. From a schema's bindings it writes
// resolvers/connect.gen.go, which makes the calls, graph/codec.gen.go, which reads and
// writes the services' JSON, and graph/engine.gen.go, which answers by plans; and it keeps our directives out of everything that a
// client can see. gqlgen calls its plugin interfaces experimental: this package is the
// only one that knows them.
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

// ResolversDir is where the generated resolvers go, beside those written by hand.
const ResolversDir = "resolvers"

// Files are all that a run writes, gqlgen's and ours.
func Files(cfg *config.Config) []string {
	return []string{cfg.Exec.Filename, cfg.Model.Filename, codecFile(cfg), engineFile(cfg), connectFile}
}

func codecFile(cfg *config.Config) string {
	return filepath.Join(filepath.Dir(cfg.Exec.Filename), "codec.gen.go")
}

var connectFile = filepath.Join(ResolversDir, "connect.gen.go")

// Plugin generates what a schema's bindings ask for. It serves one run.
type Plugin struct {
	cfg        *config.Config
	compile    func(*ast.Schema) (*binding.Graph, error)
	graph      *binding.Graph
	unanswered *Unanswered

	// ByHand are the methods that are written by hand, or have to be.
	ByHand []Method
	// Stubs is the text of a Go file with all of them, and Missing with those that are not
	// there: what they give is of the right types.
	Stubs, Missing []byte
}

// New returns the plugin for one run of gqlgen, which the caller starts in the root of the project.
// compile compiles the bindings of the schema, as Compile does.
func New(cfg *config.Config, compile func(*ast.Schema) (*binding.Graph, error)) *Plugin {
	return &Plugin{cfg: cfg, compile: compile}
}

// inertDirectives are the directives that do nothing in the gateway: gqlgen's own, and those of
// which a configuration says so.
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

// Name is how gqlgen speaks of the plugin in its errors.
func (*Plugin) Name() string { return "gatehouse" }

// InjectSourcesEarly declares our directives, which schemas need not repeat.
func (*Plugin) InjectSourcesEarly() ([]*ast.Source, error) {
	return binding.VocabularySources(), nil
}

// InjectSourcesLate maps the scalars, and adds no source: the schema is known here, and gqlgen
// has not chosen types for them yet.
func (p *Plugin) InjectSourcesLate(schema *ast.Schema) ([]*ast.Source, error) {
	return nil, mapScalars(p.cfg, schema)
}

// MutateSchema compiles the bindings, then takes our directives out of the schema: what
// gqlgen generates knows the guards alone.
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

// isPrivate reports whether a directive is ours and of no concern to gqlgen.
func isPrivate(d *binding.Directive) bool { return d != nil && d.Kind == binding.Private }

// isGuard reports whether both executors call the code of a directive.
func isGuard(name string) bool {
	d := binding.DirectiveNamed(name)
	return d != nil && d.Kind == binding.Guard
}

// MutateConfig makes resolvers of the bound fields, and batch resolvers of all fields
// below the root that have one.
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

// Late is a plugin to be run behind gqlgen's own, when the models are known: it makes
// resolvers of fields whose objects are completed, which the models keep.
func (p *Plugin) Late() plugin.Plugin { return completionPlugin{p} }

type completionPlugin struct{ plugin *Plugin }

var _ plugin.ConfigMutator = completionPlugin{}

// Name is how gqlgen speaks of the plugin in its errors.
func (completionPlugin) Name() string { return "gatehouse, completions" }

// MutateConfig makes resolvers of the fields whose objects are completed.
func (l completionPlugin) MutateConfig(cfg *config.Config) error {
	batch := true
	for _, c := range l.plugin.graph.Completions {
		field := cfg.Models[c.Object.Name].Fields[c.Definition.Name]
		field.Resolver, field.Batch = true, &batch
		setField(cfg, c.Object.Name, c.Definition.Name, field)
	}
	return nil
}

func setField(cfg *config.Config, object, name string, field config.TypeMapField) {
	entry := cfg.Models[object]
	if entry.Fields == nil {
		entry.Fields = map[string]config.TypeMapField{}
	}
	entry.Fields[name] = field
	cfg.Models[object] = entry
}

// GenerateCode makes our files and hides our directives from gqlgen's.
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

// markBatchResolvers makes batch resolvers of fields for which gqlgen has chosen a resolver by
// itself, since their model has nothing of their name and type.
func markBatchResolvers(data *codegen.Data) {
	for _, o := range data.Objects {
		for _, f := range o.Fields {
			f.Batch = f.Batch || f.IsResolver && !o.Root
		}
	}
}

// findHandwritten finds the methods by hand, and makes what stands for them.
func (p *Plugin) findHandwritten(g *generator) (err error) {
	if p.ByHand, p.unanswered, err = g.findResolvers(); err != nil {
		return err
	}
	g.methods = p.ByHand
	var missing error
	p.Stubs, err = g.stubs(false)
	p.Missing, missing = g.stubs(true)
	return errors.Join(err, missing)
}

// Unanswered is nil, or an *Unanswered after a run that wrote every file.
func (p *Plugin) Unanswered() error {
	if p.unanswered == nil {
		return nil
	}
	return p.unanswered
}

func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
