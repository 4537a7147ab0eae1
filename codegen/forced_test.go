package codegen

import (
	"bytes"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/codegen/config"
)

const leastConfig = "schema: [none.graphqls]\nexec:\n  filename: graph/generated.go\nmodel: {filename: graph/model/models_gen.go}\n"

// What generated code depends on has its value whether a project says so or not.
func TestSettle(t *testing.T) {
	for _, more := range []string{"", "nullable_input_omittable: true\n"} {
		cfg, err := settled(t, leastConfig+more)
		if err != nil {
			t.Fatal(err)
		}
		if !cfg.NullableInputOmittable || !cfg.OmitGetters {
			t.Errorf("%+v", cfg)
		}
	}
	if cfg, err := settled(t, leastConfig+"omit_getters: false\n"); err != nil || cfg.OmitGetters {
		t.Errorf("what nothing depends on is the project's: %v", err)
	}
}

// A project that says the contrary is told why, at each line.
func TestContrarySettings(t *testing.T) {
	for line, want := range map[string]string{
		"nullable_input_omittable: false":                       "nullable_input_omittable: gatehouse needs true, for otherwise a field that a client leaves out would be sent as null",
		"directives: {authenticated: {skip_runtime: true}}":     "directives.authenticated: @authenticated is a guard",
		"directives: {requiresScopes: {implementation: open}}":  "directives.requiresScopes: @requiresScopes is a guard",
		"resolver: {filename: resolvers/all.go}":                "resolver cannot be as it is: gatehouse writes the resolvers",
		"models: {Patch: {fields: {name: {omittable: false}}}}": "models.Patch.fields.name.omittable: gatehouse needs true",
	} {
		_, err := settled(t, leastConfig+line+"\n")
		if err == nil || !strings.HasPrefix(err.Error(), "gqlgen.yml:5:") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v\nwant  %s", line, err, want)
		}
	}
	if _, err := settled(t, leastConfig+"directives: {authenticated: {skip_runtime: true}}\nnullable_input_omittable: false\n"); strings.Count(err.Error(), "gqlgen.yml:") != 2 {
		t.Errorf("two faults are told as %v", err)
	}
}

func settled(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	cfg, err := config.ReadConfig(bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return cfg, settle(cfg, []byte(text))
}
