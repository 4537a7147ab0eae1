package codegen

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// ConfigFile is the name of gqlgen's configuration, which marks the root of a project.
const ConfigFile = "gqlgen.yml"

// defaultSchema is the pattern of the schema's files if the configuration names none.
const defaultSchema = "schema/*.graphqls"

// defaultConfig has the settings that a configuration need not have, by their keys: where the schema
// is, and where the files of gqlgen go. gqlgen's own defaults are for projects without gatehouse.
var defaultConfig = []struct{ key, text string }{
	{"schema", "schema: [" + defaultSchema + "]"},
	{"exec", "exec: {filename: graph/generated.go, package: graph}"},
	{"model", "model: {filename: graph/model/models_gen.go, package: model}"},
}

// withDefaults returns the text of a configuration, which may be empty, with the defaults of the keys
// that it lacks at its end, so that the lines of its own settings stay the same.
func withDefaults(file string, text []byte) ([]byte, error) {
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	root := documentRoot(parsed)
	switch n := root.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
	case *ast.MappingNode:
		if n.IsFlowStyle && len(n.Values) > 0 { // nothing can be added behind it
			return text, nil
		}
		if n.IsFlowStyle {
			text = nil
		}
	case *ast.MappingValueNode:
	default:
		return text, nil // gqlgen says what is wrong
	}
	text = append(slices.Clone(text), '\n')
	for _, d := range defaultConfig {
		if findKey(root, d.key) == nil {
			text = append(text, d.text+"\n"...)
		}
	}
	return text, nil
}

// hasSchema reports whether the project has schema files in the default place.
func (r *run) hasSchema() bool {
	files, err := filepath.Glob(r.path(filepath.FromSlash(defaultSchema)))
	return err == nil && len(files) > 0
}

// readConfig reads gqlgen's configuration, which may be empty or missing, and the schema files that it
// names. gqlgen changes a configuration while it generates, so every run reads its own.
func (r *run) readConfig() (*config.Config, error) {
	text, err := os.ReadFile(r.path(r.configFile()))
	if isMissing := errors.Is(err, fs.ErrNotExist); isMissing && (r.Config != "" || !r.hasSchema()) {
		return nil, fmt.Errorf("there is neither %s nor %s here; run gatehouse in the folder of your project", r.configFile(), defaultSchema)
	} else if err != nil && !isMissing {
		return nil, err
	}
	cfg, err := r.parseConfig(text)
	if err != nil {
		return nil, err
	}
	if len(cfg.Sources) == 0 {
		return nil, fmt.Errorf("%s: no file fits the patterns under schema, which are %s unless set; there is nothing to generate", r.configFile(), defaultSchema)
	}
	cfg.SkipModTidy = true    // go mod tidy would change go.mod
	cfg.SkipValidation = true // checkTypes does it
	// Lines end alike on every machine; gqlparser counts the columns behind a \r wrongly.
	lines := strings.NewReplacer("\r\n", "\n", "\r", "\n")
	for _, s := range cfg.Sources {
		s.Input = lines.Replace(s.Input)
	}
	return cfg, nil
}

// parseConfig parses the text of a configuration and sets what generated code depends on.
func (r *run) parseConfig(text []byte) (cfg *config.Config, err error) {
	complete, err := withDefaults(r.configFile(), text)
	if err != nil {
		return nil, err
	}
	err = inDir(r.root, func() (err error) {
		cfg, err = config.ReadConfig(bytes.NewReader(complete))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.configFile(), err)
	}
	return cfg, enforce(cfg, r.configFile(), text)
}

// enforce gives a configuration the settings that generated code depends on. Its error names each
// line of the file that contradicts them; text is the content of the file.
func enforce(cfg *config.Config, file string, text []byte) error {
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	e := &enforcer{cfg: cfg, root: documentRoot(parsed)}
	e.checkUnsupported()
	e.setSwitches()
	e.checkGuardDirectives()
	e.checkInputFields()
	return e.err(file)
}

// unsupportedSettings are the settings of gqlgen that generated code cannot work with, each with
// the reason. Whatever else a configuration says about types is checked by compiling the result.
var unsupportedSettings = []struct {
	key    string // as in gqlgen.yml
	isSet  func(*config.Config) bool
	reason string
}{
	{"resolver", func(c *config.Config) bool { return c.Resolver.IsDefined() }, "gatehouse writes the resolvers"},
	{"exec.layout", func(c *config.Config) bool {
		return c.Exec.Layout == config.ExecLayoutFollowSchema || c.Exec.Filename == ""
	}, "graph/ is one package with one file of gqlgen's; name it by exec.filename"},
	{"model", func(c *config.Config) bool { return !c.Model.IsDefined() }, "it names no file; name the file of the models by model.filename, or leave model out"},
	{"model.model_template", func(c *config.Config) bool { return c.Model.ModelTemplate != "" }, "decoders are written for the models as gqlgen writes them"},
	{"federation", func(c *config.Config) bool { return c.Federation.IsDefined() }, "its directives are declared by gatehouse, which is not a subgraph"},
	{"omit_slice_element_pointers", func(c *config.Config) bool { return c.OmitSliceElementPointers }, "decoders read lists of pointers"},
	{"struct_fields_always_pointers", func(c *config.Config) bool { return !c.StructFieldsAlwaysPointers }, "decoders read objects as pointers; leave it true"},
	{"resolvers_always_return_pointers", func(c *config.Config) bool { return !c.ResolversAlwaysReturnPointers }, "resolvers return objects as pointers; leave it true"},
	{"autobind_getter_haser", func(c *config.Config) bool { return c.AutobindGetterHaser }, "decoders write the fields of models, which have to be there"},
	{"use_function_syntax_for_execution_context", func(c *config.Config) bool { return c.UseFunctionSyntaxForExecutionContext }, "plans call methods of the executor"},
	{"subscription_context_field", func(c *config.Config) bool { return c.SubscriptionContextField }, "subscriptions yield values, not events"},
	{"omit_panic_handler", func(c *config.Config) bool { return c.OmitPanicHandler }, "a panic in one field would end the gateway"},
	{"go_build_tags", func(c *config.Config) bool { return len(c.GoBuildTags) > 0 }, "the code is checked as go build sees it; set GOFLAGS=-tags=... instead"},
}

// omittable is the setting by which input models distinguish a field that the client left out from
// one that is null. Generated code needs it to be true.
const omittable = "nullable_input_omittable"

// omittableReason ends the messages about omittable.
const omittableReason = "for otherwise a field that a client leaves out would be sent as null, and erase what the service has"

// defaultSwitches are settings of gqlgen that leave out code which nothing uses. Each is on unless
// the configuration sets it.
var defaultSwitches = []struct {
	key   string
	value func(*config.Config) *bool
}{
	{"omit_complexity", func(c *config.Config) *bool { return &c.OmitComplexity }},
	{"omit_getters", func(c *config.Config) *bool { return &c.OmitGetters }},
	{"omit_root_models", func(c *config.Config) *bool { return &c.OmitRootModels }},
	{"omit_resolver_fields", func(c *config.Config) *bool { return &c.OmitResolverFields }},
	{"omit_enum_json_marshalers", func(c *config.Config) *bool { return &c.OmitEnumJSONMarshalers }},
}

// enforcer compares a configuration with the text that it was read from. The text is needed because
// the configuration does not show which settings are defaults.
type enforcer struct {
	cfg      *config.Config
	root     ast.Node
	mistakes []configMistake
}

// configMistake is a setting that contradicts generated code.
type configMistake struct {
	line, column int
	text         string
}

// report adds a mistake at a node of the file, or at its first line if node is nil.
func (e *enforcer) report(node ast.Node, setting, format string, args ...any) {
	m := configMistake{line: 1, column: 1, text: setting + fmt.Sprintf(format, args...)}
	if node != nil {
		position := node.GetToken().Position
		m.line, m.column = position.Line, position.Column
	}
	e.mistakes = append(e.mistakes, m)
}

// err returns all mistakes as one error, in the order of the text, or nil.
func (e *enforcer) err(file string) error {
	slices.SortFunc(e.mistakes, func(a, b configMistake) int { return cmp.Or(a.line-b.line, a.column-b.column) })
	var errs []error
	for _, m := range e.mistakes {
		errs = append(errs, fmt.Errorf("%s:%d:%d: %s", file, m.line, m.column, m.text))
	}
	return errors.Join(errs...)
}

// checkUnsupported reports the settings that generated code cannot work with.
func (e *enforcer) checkUnsupported() {
	for _, s := range unsupportedSettings {
		if s.isSet(e.cfg) {
			e.report(findKey(e.root, strings.Split(s.key, ".")...), s.key, " cannot be as it is: %s", s.reason)
		}
	}
}

// setSwitches sets the switches, and reports an omittable that is off.
func (e *enforcer) setSwitches() {
	if key := findKey(e.root, omittable); key != nil && !e.cfg.NullableInputOmittable {
		e.report(key, omittable, ": gatehouse needs true, %s; leave it out", omittableReason)
	}
	e.cfg.NullableInputOmittable = true
	for _, s := range defaultSwitches {
		if findKey(e.root, s.key) == nil {
			*s.value(e.cfg) = true
		}
	}
}

// checkGuardDirectives reports guards that the configuration skips or implements by other code.
func (e *enforcer) checkGuardDirectives() {
	for _, name := range binding.DirectivesOf(binding.Guard) {
		if key := findKey(e.root, "directives", name); key != nil {
			e.report(key, "directives."+name, ": @%s is a guard of gatehouse's own, which always runs; leave it out", name)
		}
	}
}

// checkInputFields reports single input fields for which omittable is off.
func (e *enforcer) checkInputFields() {
	for name, model := range e.cfg.Models {
		for field, entry := range model.Fields {
			if key := findKey(e.root, "models", name, "fields", field, "omittable"); key != nil && entry.Omittable != nil && !*entry.Omittable {
				e.report(key, fmt.Sprintf("models.%s.fields.%s.omittable", name, field), ": gatehouse needs true, %s; leave it out", omittableReason)
			}
		}
	}
}

func documentRoot(file *ast.File) ast.Node {
	if len(file.Docs) == 0 {
		return nil
	}
	return file.Docs[0].Body
}

// findKey follows a path of keys through mappings and returns the node of the last key, or nil if
// there is none.
func findKey(node ast.Node, path ...string) ast.Node {
	var key ast.Node
	for _, name := range path {
		var pairs []*ast.MappingValueNode
		switch n := node.(type) {
		case *ast.MappingNode:
			pairs = n.Values
		case *ast.MappingValueNode: // goccy/go-yaml represents a mapping of one pair so
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
