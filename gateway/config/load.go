package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// DefaultPath is the file that is read when nobody names one.
const DefaultPath = "gateway.yaml"

// Request says where settings come from. What stands later in it wins over what stands
// earlier.
type Request struct {
	// Path is the file. Default DefaultPath.
	Path string
	// Explicit is set when somebody asked for that file, so that its absence is an
	// error. Otherwise a missing file is an empty one.
	Explicit bool
	// Env has the form of os.Environ: what GATEWAY_*, PORT, LOG_LEVEL and LOG_FORMAT
	// set, and what ${VAR} in the file is filled from. Nil means no variables.
	Env []string
	// Overrides are what the command line sets.
	Overrides []Override
	// Demo says that sources and issuers will be replaced by the demo's own, so
	// that what the file says of them need not be complete.
	Demo bool
}

// Override is a setting given by a flag.
type Override struct {
	// Setting is its place, as log.level.
	Setting string
	// Value is written as in the file.
	Value string
	// Flag is named in messages, as --log-level.
	Flag string
}

// Load gathers the settings of file, environment and flags, and checks them with the
// parts they are for. All that is wrong is told at once, in an *Error; a file that
// cannot be read gives another error. It reads the file and the key files that
// it names, and asks nothing of the network.
func Load(r Request) (*Config, error) {
	if r.Path == "" {
		r.Path = DefaultPath
	}
	source, err := r.read()
	if err != nil {
		return nil, err
	}
	env := environ(r.Env)
	found := &mistakes{file: r.Path, lines: yaml.Lines(string(source))}
	root := (&fileReader{found, env.lookup}).read(source)

	c := defaults()
	c.Warnings = env.overlay(root, found)
	r.override(root)
	(&filler{found}).fill(reflect.ValueOf(c).Elem(), root, nil)
	c.beside(filepath.Dir(r.Path), root)
	c.check(&checker{root: root, mistakes: found, demo: r.Demo})
	if err := found.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// read gives no bytes for a missing file that nobody asked for.
func (r Request) read() ([]byte, error) {
	source, err := os.ReadFile(r.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !r.Explicit:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the settings file %s does not exist; name another with --config", r.Path)
	case err != nil:
		return nil, fmt.Errorf("the settings file cannot be read: %w", err)
	}
	return source, nil
}

func (r Request) override(root *node) {
	for _, o := range r.Overrides {
		root.put(parsePath(o.Setting), &node{kind: scalar, text: o.Value, at: origin{name: o.Flag}})
	}
}
