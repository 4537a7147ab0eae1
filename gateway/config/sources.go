package config

import (
	"path/filepath"
	"reflect"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// SourcesReader reads a block of sources in a file that is not the settings file, as Load reads that
// of the settings: with the same types, variables and checks.
type SourcesReader struct {
	// Path is the file, against whose folder relative paths are resolved.
	Path string
	// URL stands for the urls of sources that have none, since the caller replaces them all.
	URL string
	// Lookup returns the variables for ${VAR}. Required.
	Lookup func(name string) (value string, ok bool)
	// Report is called with each mistake and its place. The text begins with the setting's path.
	// Required.
	Report func(line, column int, text string)
}

// Read returns the sources of block, which was parsed with the strict options of internal/yaml. Those
// with mistakes are incomplete.
func (r SourcesReader) Read(block *yaml.Node) Sources {
	m := &mistakes{file: r.Path}
	p := parsePath("sources")
	sources := (&fileReader{m, r.Lookup}).node(block, p)
	root := &node{kind: mapping, at: sources.at, members: []member{{p[0].Name, sources.at, sources}}}

	c := &Config{}
	(&decoder{m}).decode(reflect.ValueOf(&c.Sources).Elem(), sources, p)
	for name, source := range c.Sources {
		if urls, _ := root.find(sourcePath(name).Key("urls")); urls == nil {
			source.URLs = upstreams.URLs(r.URL)
			c.Sources[name] = source
		}
	}
	c.resolvePaths(filepath.Dir(r.Path), root)
	k := &checker{root: root, mistakes: m, decodeFindings: append([]finding(nil), m.findings...)}
	c.checkSources(k)
	for _, f := range m.findings {
		r.Report(f.at.line, f.at.column, f.path.String()+": "+f.text)
	}
	return c.Sources
}
