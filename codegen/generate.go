// Package codegen generates the Go code of a project from its schema: gqlgen's executor and models,
// and our own calls, decoders and guards. It runs when a project is built, never in the gateway. A
// run that fails leaves every file as it was.
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
	"path/filepath"
	"strings"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/plugin"
)

// Generate writes the Go code of the project. It reports mistakes in the schema as binding.Faults,
// all together and before it writes anything. After any other error, or when ctx has ended, it
// restores the files. Two errors are exceptions, a plugin.MissingResolvers and a HandwrittenCodeError:
// with these the files are new and right, but the handwritten code in the resolvers' folder lacks
// methods or does not compile with them. Generate finishes a step that it has begun before it looks
// at ctx. While another process generates the project, Generate waits for it, after a warning.
func (p *Project) Generate(ctx context.Context) error {
	return p.run(ctx, func(r *run) error { return r.generate(ctx) })
}

func (r *run) generate(ctx context.Context) error {
	unlock, err := r.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	cfg, err := r.readConfig()
	if err != nil {
		return err
	}
	if err := r.check(cfg); err != nil {
		return err
	}
	if err := r.requireModule(cfg); err != nil {
		return err
	}
	names := plugin.GeneratedFiles(cfg)
	lacksResolver, err := r.lacksResolver()
	if err != nil {
		return err
	}
	if lacksResolver {
		names = append(names, plugin.ResolverTypeFile())
	}
	files, err := r.takeSnapshot(names)
	if err != nil {
		return err
	}
	defer r.begin(files)()
	// A schema without types of its own has no models, but gqlgen looks for their package.
	if err := os.MkdirAll(r.path(cfg.Model.Dir()), 0o755); err != nil {
		return err
	}
	plug := plugin.New(cfg, func(schema *ast.Schema) (*binding.Graph, error) { return r.compileSchema(cfg, schema) })
	if lacksResolver {
		if err := r.writeResolverType(); err != nil {
			return errors.Join(err, files.restore())
		}
	}
	// gqlgen deletes its files before it knows whether it can write new ones.
	handwrittenErr, err := r.write(ctx, cfg, plug)
	if err := errors.Join(err, ctx.Err()); err != nil {
		return errors.Join(err, files.restore())
	}
	return errors.Join(plug.MissingResolvers(), handwrittenErr)
}

// lacksResolver reports whether the project has neither the type Resolver nor the file for it. If the
// file is there without the type, checkHandwritten says what is missing.
func (r *run) lacksResolver() (bool, error) {
	declared, err := plugin.DeclaresResolver(r.root)
	if err != nil || declared {
		return false, err
	}
	_, err = os.Lstat(r.path(plugin.ResolverTypeFile()))
	return errors.Is(err, fs.ErrNotExist), nil
}

// writeResolverType writes the type Resolver of a new project. From then on the file is handwritten
// code like any other.
func (r *run) writeResolverType() error {
	path := r.path(plugin.ResolverTypeFile())
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(firstResolver), 0o644))
}

// requireModule returns an error if the project belongs to no Go module.
func (r *run) requireModule(cfg *config.Config) error {
	return inDir(r.root, func() error {
		if cfg.Model.ImportPath() == "" {
			return errors.New("this folder is in no module of Go, which generated code has to be; run go mod init with the path of yours")
		}
		return nil
	})
}

// write writes the files. It returns err if these do not compile by themselves, and handwrittenErr
// if the handwritten code does not compile with them.
func (r *run) write(ctx context.Context, cfg *config.Config, plug *plugin.Plugin) (handwrittenErr, err error) {
	if err := r.runGqlgen(cfg, plug); err != nil {
		return nil, cmp.Or(r.checkModules(ctx), err)
	}
	// gqlgen itself would run go build, which takes ten times as long for a large schema.
	return r.checkTypes(ctx, cfg, plug)
}

// checkModules returns an error, with what to do, if the project's module does not require the
// modules that generated code imports.
func (r *run) checkModules(ctx context.Context) error {
	out, err := r.goCommand(ctx, "list", "github.com/gatehouse-graphql/gatehouse/upstreams", "github.com/99designs/gqlgen/graphql").CombinedOutput()
	if err == nil {
		return nil
	}
	return fmt.Errorf("the go command does not find what generated code imports:\n%s", bytes.TrimSpace(out))
}

// goCommand returns the go command with arguments, to be run in the root.
func (r *run) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = r.root
	return cmd
}

// runGo runs the go command. Its error contains the output of the command.
func (r *run) runGo(ctx context.Context, args ...string) error {
	out, err := r.goCommand(ctx, args...).CombinedOutput()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("go %s: %w\n%s", args[0], err, strings.TrimSpace(string(out)))
}
