package plugin

import (
	"slices"
	"testing"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

func newTestGenerator(schema *ast.Schema) *generator {
	return &generator{data: &codegen.Data{Config: &config.Config{Schema: schema}, Schema: schema}, graph: &binding.Graph{}}
}

// Fields with equal guards have one function, with a name that says what it requires.
func TestGuards(t *testing.T) {
	sources := append(binding.DirectiveSources(), &ast.Source{Input: `type Query {
		open: Int
		signedIn: Int @authenticated
		implied: Int @authenticated @requiresScopes(scopes: [["orders:read"]])
		alone: Int @requiresScopes(scopes: ["orders:read"])
		two: Int @requiresScopes(scopes: [["orders:read", "a"], ["b"]])
		other: Int @requiresScopes(scopes: [["orders.read"]])
		hostile: Int @requiresScopes(scopes: [["*/ \u2028 ü 1"]])
	}`})
	schema := gqlparser.MustLoadSchema(sources...)
	w := &engineWriter{generator: newTestGenerator(schema), f: newGoFile("example.com/graph", engineLocals), view: &engineView{}}
	for field, want := range map[string]string{
		"open": "", "signedIn": "requireAuthenticated", "two": "requireOrdersReadAB", "hostile": "require1",
	} {
		if got := w.guard(&codegen.Field{FieldDefinition: schema.Query.Fields.ForName(field)}); got != want {
			t.Errorf("%s: got %q, want %q", field, got, want)
		}
	}
	guard := func(field string) string {
		return w.guard(&codegen.Field{FieldDefinition: schema.Query.Fields.ForName(field)})
	}
	if guard("implied") != guard("alone") {
		t.Error("@requiresScopes does not imply @authenticated")
	}
	if guard("other") == guard("alone") {
		t.Error("different scopes have one guard")
	}
	if len(w.view.Guards) != 5 {
		t.Errorf("%d guards: %v", len(w.view.Guards), w.view.Guards)
	}
}

// gqlgen's executor does not check a guard twice either.
func TestDropRepeatedGuards(t *testing.T) {
	guard := func(name string, scopes ...any) *codegen.Directive {
		return &codegen.Directive{Name: name, Args: []*codegen.FieldArgument{{Value: scopes}}}
	}
	f := &codegen.Field{Directives: []*codegen.Directive{
		guard("authenticated"), guard("requiresScopes", "a"), guard("authenticated"), guard("requiresScopes", "b"), guard("requiresScopes", "a"),
		guard("own"), guard("own"), // not ours, and may be repeatable
	}}
	dropRepeatedGuards(&codegen.Data{Objects: codegen.Objects{{Fields: []*codegen.Field{f}}}})
	var got []string
	for _, d := range f.Directives {
		got = append(got, d.Name)
	}
	if want := []string{"authenticated", "requiresScopes", "requiresScopes", "own", "own"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
