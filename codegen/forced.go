package codegen

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// setting is a switch of gqlgen's with the value that it has unless gqlgen.yml says otherwise.
type setting struct {
	name string
	want bool
	at   func(*config.Config) *bool
}

// omittable lets inputs tell a field that the client left out from one that is null. It has one
// right value.
const omittable = "nullable_input_omittable"

// erases is what would be without it.
const erases = "for otherwise a field that a client leaves out would be sent as null, and erase what the service has"

// defaults are switches that leave out code which nothing uses. gqlgen.yml may say otherwise.
var defaults = []setting{
	{name: "omit_complexity", want: true, at: func(c *config.Config) *bool { return &c.OmitComplexity }},
	{name: "omit_getters", want: true, at: func(c *config.Config) *bool { return &c.OmitGetters }},
	{name: "omit_root_models", want: true, at: func(c *config.Config) *bool { return &c.OmitRootModels }},
	{name: "omit_resolver_fields", want: true, at: func(c *config.Config) *bool { return &c.OmitResolverFields }},
	{name: "omit_enum_json_marshalers", want: true, at: func(c *config.Config) *bool { return &c.OmitEnumJSONMarshalers }},
}

// settle gives gqlgen's configuration the values that generated code needs. Its errors name
// each line of gqlgen.yml, whose text it takes, that says the contrary.
func settle(cfg *config.Config, text []byte) error {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", ConfigFile, err)
	}
	s := &settings{cfg: cfg, root: rootOf(file)}
	s.unworkable()
	s.switches()
	s.directives()
	s.inputs()
	return s.refused()
}

// settings compares a configuration with the text that it was read from.
type settings struct {
	cfg   *config.Config
	root  ast.Node
	found []refusal
}

// refusal is an error at a line of gqlgen.yml.
type refusal struct {
	line, column int
	text         string
}

// refuse notes a refusal, at the top of the file when at is nil.
func (s *settings) refuse(at ast.Node, name, format string, args ...any) {
	r := refusal{line: 1, column: 1, text: name + fmt.Sprintf(format, args...)}
	if at != nil {
		position := at.GetToken().Position
		r.line, r.column = position.Line, position.Column
	}
	s.found = append(s.found, r)
}

// refused is one error of all refusals, in the order of the text.
func (s *settings) refused() error {
	slices.SortFunc(s.found, func(a, b refusal) int { return cmp.Or(a.line-b.line, a.column-b.column) })
	var errs []error
	for _, r := range s.found {
		errs = append(errs, fmt.Errorf("%s:%d:%d: %s", ConfigFile, r.line, r.column, r.text))
	}
	return errors.Join(errs...)
}

// unworkable refuses the settings that generated code cannot work with.
func (s *settings) unworkable() {
	for _, r := range refusedSettings {
		if r.isSet(s.cfg) {
			s.refuse(member(s.root, strings.Split(r.key, ".")...), r.key, " cannot be as it is: %s", r.reason)
		}
	}
}

func (s *settings) switches() {
	if at := member(s.root, omittable); at != nil && !s.cfg.NullableInputOmittable {
		s.refuse(at, omittable, ": gatehouse needs true, %s; leave it out", erases)
	}
	s.cfg.NullableInputOmittable = true
	for _, d := range defaults {
		if member(s.root, d.name) == nil {
			*d.at(s.cfg) = d.want
		}
	}
}

// directives refuses to have guards skipped, or answered by code that is not a guard's.
func (s *settings) directives() {
	for _, name := range binding.DirectivesOf(binding.Guard) {
		if at := member(s.root, "directives", name); at != nil {
			s.refuse(at, "directives."+name, ": @%s is a guard of gatehouse's own, which always runs; leave it out", name)
		}
	}
}

// inputs refuses to have the fields of inputs read without the difference between absent
// and null.
func (s *settings) inputs() {
	for name, model := range s.cfg.Models {
		for field, entry := range model.Fields {
			if at := member(s.root, "models", name, "fields", field, "omittable"); at != nil && entry.Omittable != nil && !*entry.Omittable {
				s.refuse(at, fmt.Sprintf("models.%s.fields.%s.omittable", name, field), ": gatehouse needs true, %s; leave it out", erases)
			}
		}
	}
}

func rootOf(file *ast.File) ast.Node {
	if len(file.Docs) == 0 {
		return nil
	}
	return file.Docs[0].Body
}

// member is the key at a path through mappings, nil when there is none.
func member(node ast.Node, path ...string) ast.Node {
	var key ast.Node
	for _, name := range path {
		var pairs []*ast.MappingValueNode
		switch n := node.(type) {
		case *ast.MappingNode:
			pairs = n.Values
		case *ast.MappingValueNode:
			pairs = []*ast.MappingValueNode{n}
		}
		i := slices.IndexFunc(pairs, func(p *ast.MappingValueNode) bool { return p.Key.GetToken().Value == name })
		if i < 0 {
			return nil
		}
		key, node = pairs[i].Key, pairs[i].Value
	}
	return key
}
