// Package codegen makes the Go code of a project from its schema: gqlgen's executor and
// models, and our own calls, decoders and guards. It runs when building, never in the
// gateway. A run that fails leaves every file as it was.
package codegen

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/plugin"
)

// ConfigFile is gqlgen's configuration, which marks a project's root.
const ConfigFile = "gqlgen.yml"

// Generate writes the Go code of the project in the working directory. Mistakes in its
// schema come back together and before anything is written. It is not safe for
// concurrent use.
func Generate() (err error) {
	cfg, err := project()
	if err != nil {
		return err
	}
	if err := check(cfg.Sources); err != nil {
		return err
	}
	files, err := remember(plugin.Files(cfg))
	if err != nil {
		return err
	}
	// gqlgen deletes its files before it knows whether it can write new ones.
	defer func() {
		if err != nil {
			err = errors.Join(err, files.restore())
		}
	}()
	return api.Generate(cfg, api.PrependPlugin(new(plugin.Plugin)))
}

// Check reports the mistakes that Generate would stop at, and writes nothing.
func Check() error {
	cfg, err := project()
	if err != nil {
		return err
	}
	return check(cfg.Sources)
}

// project reads gqlgen.yml in the working directory.
func project() (*config.Config, error) {
	if _, err := os.Stat(ConfigFile); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s here; run gatehouse in the folder that holds it", ConfigFile)
	}
	cfg, err := config.LoadConfig(ConfigFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ConfigFile, err)
	}
	if cfg.Exec.Filename == "" || cfg.Resolver.IsDefined() {
		return nil, fmt.Errorf("%s: name one file under exec, and leave out resolver: gatehouse writes the resolvers", ConfigFile)
	}
	if len(cfg.Sources) == 0 {
		return nil, fmt.Errorf("%s: no file fits the patterns under schema; there is nothing to generate", ConfigFile)
	}
	return cfg, nil
}

// check parses a schema and compiles its bindings.
func check(sources []*ast.Source) error {
	all := append(plugin.Sources(), sources...)
	schema, err := gqlparser.LoadSchema(all...)
	if err != nil {
		return err
	}
	_, err = binding.Compile(schema)
	return err
}

// snapshot is the content of files at one moment; nil for one that did not exist.
type snapshot map[string][]byte

func remember(paths []string) (snapshot, error) {
	s := snapshot{}
	for _, p := range paths {
		content, err := os.ReadFile(p)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		s[p] = content
	}
	return s, nil
}

// restore brings the files back to that moment.
func (s snapshot) restore() error {
	var errs []error
	for path, content := range s {
		if content == nil {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
			continue
		}
		errs = append(errs, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644))
	}
	return errors.Join(errs...)
}
