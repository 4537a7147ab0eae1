package codegen

import (
	"bytes"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/codegen/config"
)

const leastConfig = "schema: [none.graphqls]\nexec:\n  filename: graph/generated.go\nmodel: {filename: graph/model/models_gen.go}\n"

// A setting that generated code depends on has its value whether the configuration sets it or not.
func TestEnforcedSettings(t *testing.T) {
	for _, more := range []string{"", "nullable_input_omittable: true\n"} {
		cfg, err := enforced(t, leastConfig+more)
		if err != nil {
			t.Fatal(err)
		}
		if !cfg.NullableInputOmittable || !cfg.OmitGetters {
			t.Errorf("%+v", cfg)
		}
	}
	if cfg, err := enforced(t, leastConfig+"omit_getters: false\n"); err != nil || cfg.OmitGetters {
		t.Errorf("omit_getters is %t, %v; want what the configuration says", cfg.OmitGetters, err)
	}
}

// Each line that contradicts generated code is an error with its place.
func TestContrarySettings(t *testing.T) {
	for line, want := range map[string]string{
		"nullable_input_omittable: false":                       "nullable_input_omittable: gatehouse needs true, for otherwise a field that a client leaves out would be sent as null",
		"directives: {authenticated: {skip_runtime: true}}":     "directives.authenticated: @authenticated is a guard",
		"directives: {requiresScopes: {implementation: open}}":  "directives.requiresScopes: @requiresScopes is a guard",
		"resolver: {filename: resolvers/all.go}":                "resolver cannot be as it is: gatehouse writes the resolvers",
		"models: {Patch: {fields: {name: {omittable: false}}}}": "models.Patch.fields.name.omittable: gatehouse needs true",
	} {
		_, err := enforced(t, leastConfig+line+"\n")
		if err == nil || !strings.HasPrefix(err.Error(), "gqlgen.yml:5:") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nreturns %v\nwant    %s", line, err, want)
		}
	}
	if _, err := enforced(t, leastConfig+"directives: {authenticated: {skip_runtime: true}}\nnullable_input_omittable: false\n"); strings.Count(err.Error(), "gqlgen.yml:") != 2 {
		t.Errorf("the error of two mistakes is %v", err)
	}
}

func enforced(t *testing.T, text string) (*config.Config, error) {
	t.Helper()
	cfg, err := config.ReadConfig(bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return cfg, enforce(cfg, ConfigFile, []byte(text))
}
