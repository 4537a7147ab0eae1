package plugin

import (
	"strings"
	"testing"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func TestMapScalars(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: "scalar Decimal type URL { a: Int } type Query { a: Decimal b: URL }"})
	cfg := config.DefaultConfig()
	if err := mapScalars(cfg, schema); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Decimal": scalarPkg + ".Decimal", "Int": scalarPkg + ".Int", "ID": graphqlPkg + ".ID", "URL": "", "Date": ""} {
		if got := strings.Join(cfg.Models[name].Model, " "); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	cfg.Models["Int"] = config.TypeMapEntry{Model: config.StringList{graphqlPkg + ".Int"}}
	if err := mapScalars(cfg, schema); err == nil || !strings.Contains(err.Error(), "models.Int: generated code reads and writes Int as "+scalarPkg+".Int") {
		t.Errorf("another Int gives %v", err)
	}
}
