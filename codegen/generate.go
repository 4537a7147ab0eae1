// Package codegen makes the Go code of a project from its schema: gqlgen's executor and
// models, and our own calls, decoders and guards. It runs when building, never in the
// gateway. A run that fails leaves every file as it was.
package codegen

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/checks"
	"github.com/gatehouse-graphql/gatehouse/codegen/explain"
	"github.com/gatehouse-graphql/gatehouse/codegen/plugin"
)

// ConfigFile is gqlgen's configuration, which marks a project's root.
const ConfigFile = "gqlgen.yml"

// Generate writes the Go code of the project in the working directory. Mistakes in its
// schema are binding.Faults, all together and before anything is written; after any other
// error, or when ctx has ended, the files are brought back. Only a plugin.Unanswered and a
// BrokenByHand say that the files are new and right: resolvers/ lacks methods by hand, or
// what is written there by hand does not compile with them. Generate
// ends a step that it has begun, and is not safe for concurrent use. It tells warn what it
// could not check.
func Generate(ctx context.Context, warn func(string)) error {
	cfg, err := project()
	if err != nil {
		return err
	}
	if err := check(cfg, warn); err != nil {
		return err
	}
	if cfg.Model.ImportPath() == "" {
		return errors.New("this folder is in no module of Go, which generated code has to be; run go mod init with the path of yours")
	}
	files, err := remember(plugin.Files(cfg))
	if err != nil {
		return err
	}
	// A schema that has no types of its own has no models either, but gqlgen looks for them.
	if err := os.MkdirAll(cfg.Model.Dir(), 0o755); err != nil {
		return err
	}
	p := plugin.New(cfg)
	// gqlgen deletes its files before it knows whether it can write new ones.
	byHand, err := write(ctx, cfg, p)
	if err := errors.Join(err, ctx.Err()); err != nil {
		return errors.Join(err, files.restore())
	}
	return errors.Join(p.Unanswered(), byHand)
}

// write makes the files. It fails when they are not Go that compiles; byHand says what of the
// code by hand does not compile with them.
func write(ctx context.Context, cfg *config.Config, p *plugin.Plugin) (byHand, err error) {
	if err := gqlgen(cfg, p); err != nil {
		return nil, cmp.Or(checkModules(ctx), err)
	}
	// gqlgen would run go build, which takes ten times as long for a large schema.
	return checkTypes(ctx, cfg, p)
}

// checkModules returns an error, with what to do, when the project's module does not require
// those that generated code imports.
func checkModules(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "list", "github.com/gatehouse-graphql/gatehouse/upstreams", "github.com/99designs/gqlgen/graphql").CombinedOutput()
	if err == nil {
		return nil
	}
	return fmt.Errorf("the go command does not find what generated code imports:\n%s", bytes.TrimSpace(out))
}

// gqlgen runs gqlgen, which panics over some schemas that it does not know how to handle.
func gqlgen(cfg *config.Config, p *plugin.Plugin) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("gqlgen cannot handle this schema: %v\n%s", broken, debug.Stack())
		}
	}()
	return api.Generate(cfg, api.PrependPlugin(p), api.AddPlugin(p.Late()))
}

// Check reports the mistakes in the schema that Generate would stop at, and writes nothing.
// It tells warn what it could not check.
func Check(warn func(string)) error {
	cfg, err := project()
	if err != nil {
		return err
	}
	return check(cfg, warn)
}

// project reads gqlgen.yml in the working directory.
func project() (*config.Config, error) {
	if _, err := os.Stat(ConfigFile); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s here; run gatehouse in the folder that holds it", ConfigFile)
	}
	cfg, err := configuration()
	if err != nil {
		return nil, err
	}
	if len(cfg.Sources) == 0 {
		return nil, fmt.Errorf("%s: no file fits the patterns under schema; there is nothing to generate", ConfigFile)
	}
	cfg.SkipModTidy = true    // which would change go.mod
	cfg.SkipValidation = true // which write does
	// Lines end alike on every machine; gqlparser counts the columns behind a \r wrongly.
	lines := strings.NewReplacer("\r\n", "\n", "\r", "\n")
	for _, s := range cfg.Sources {
		s.Input = lines.Replace(s.Input)
	}
	return cfg, nil
}

// configuration reads gqlgen's configuration and settles what generated code depends on.
func configuration() (*config.Config, error) {
	text, err := os.ReadFile(ConfigFile)
	if err != nil {
		return nil, err
	}
	cfg, err := config.ReadConfig(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ConfigFile, err)
	}
	return cfg, settle(cfg, text)
}

// Explain plans the operations of a document over the project in the working directory, of
// which it reads the schema alone. Mistakes in the schema are binding.Faults.
func Explain(document *ast.Source, o explain.Options) ([]*explain.Plan, error) {
	cfg, err := project()
	if err != nil {
		return nil, err
	}
	schema, graph, err := compile(cfg)
	if err != nil {
		return nil, err
	}
	o.ByHand = func(object, field string) bool { return cfg.Models[object].Fields[field].Resolver }
	return explain.Operations(schema, graph, document, o)
}

// compile parses a schema and compiles its bindings. With mistakes in these, the graph has
// those that are without.
func compile(cfg *config.Config) (*ast.Schema, *binding.Graph, error) {
	schema, err := binding.Load(cfg.Sources...)
	if err != nil {
		return nil, nil, err
	}
	graph, err := plugin.Compile(cfg, schema)
	return schema, graph, err
}

// check compiles a schema and holds the bindings that make sense against the services'
// documents.
func check(cfg *config.Config, warn func(string)) error {
	schema, graph, broken := compile(cfg)
	if graph == nil {
		return broken
	}
	warnings, unfit := checks.Documents(schema, graph)
	for _, w := range warnings {
		warn(w)
	}
	return binding.MergeFaults(broken, unfit)
}
