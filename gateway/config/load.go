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

// DefaultPath is the settings file if no other is named.
const DefaultPath = "gateway.yaml"

// LoadOptions are the sources of settings. Flags have precedence over the environment, and the
// environment over the file.
type LoadOptions struct {
	// Path is the file. Default DefaultPath.
	Path string
	// Explicit makes it an error that the file does not exist. Otherwise a missing file counts as
	// an empty one.
	Explicit bool
	// Env are variables in the form of os.Environ. GATEWAY_*, PORT, LOG_LEVEL and LOG_FORMAT set
	// settings, and ${VAR} in the file is replaced by any of them. Nil means no variables.
	Env []string
	// Overrides are the settings of the command line.
	Overrides []Override
	// Demo accepts incomplete sources and issuers, since the caller replaces them by those of the
	// demo.
	Demo bool
	// HasDemo is whether the program offers --demo, which messages then name.
	HasDemo bool
}

// Override is a setting of the command line.
type Override struct {
	// Setting is its path, as log.level.
	Setting string
	// Value is the text of a scalar as the file would have it.
	Value string
	// Flag is its name in messages, as --log-level.
	Flag string
}

// Load reads the settings from the file, the environment and the flags, and has each part check its
// own. Its error is an *Error with all mistakes, or another error if the file cannot be opened. Load
// reads the key files and the manifests that the settings name; it does not use the network.
func Load(o LoadOptions) (*Config, error) {
	if o.Path == "" {
		o.Path = DefaultPath
	}
	source, err := o.read()
	if err != nil {
		return nil, err
	}
	env := parseEnvironment(o.Env)
	m := &mistakes{file: o.Path, lines: yaml.Lines(string(source))}
	root := (&fileReader{m, env.lookup}).read(source)

	c := defaults()
	if source != nil {
		c.Digest = DigestOf(source)
	}
	c.Warnings = env.apply(root, m)
	o.override(root)
	(&decoder{m}).decode(reflect.ValueOf(c).Elem(), root, nil)
	c.resolvePaths(filepath.Dir(o.Path), root)
	c.check(&checker{root: root, mistakes: m, demo: o.Demo, hasDemo: o.HasDemo})
	if err := m.err(); err != nil {
		if e, ok := err.(*Error); ok {
			e.DocumentFiles = c.DocumentFiles()
		}
		return nil, err
	}
	return c, nil
}

// read returns the text of the file, nil for a missing file unless Explicit is set.
func (o LoadOptions) read() ([]byte, error) {
	source, err := os.ReadFile(o.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !o.Explicit:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the settings file %s does not exist; name another with --config", o.Path)
	case err != nil:
		return nil, fmt.Errorf("the settings file cannot be read: %w", err)
	}
	return source, nil
}

// override writes the settings of the command line over those in the tree.
func (o LoadOptions) override(root *node) {
	for _, over := range o.Overrides {
		root.set(parsePath(over.Setting), &node{kind: scalar, text: over.Value, at: origin{name: over.Flag}})
	}
}
