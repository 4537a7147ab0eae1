package codegen_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/codegen"
)

// An input whose Go type does not distinguish an absent field from null is rejected where it is
// sent to a service, and accepted where only handwritten code reads it.
func TestInputsThatCannotTellAbsent(t *testing.T) {
	dir := t.TempDir()
	writeModule(t, repository(t), dir)
	writeFile(t, filepath.Join(dir, "own", "own.go"), `package own

import "github.com/99designs/gqlgen/graphql"

type Patch struct {
	Name  *string
	Level *int
	Email graphql.Omittable[*string]
	ID    string
}
`)
	writeFile(t, filepath.Join(dir, "resolvers", "resolver.go"), "package resolvers\n\nimport \"github.com/gatehouse-graphql/gatehouse/upstreams\"\n\ntype Resolver struct{ Services *upstreams.Services }\n")
	writeFile(t, filepath.Join(dir, "gqlgen.yml"), `schema: [schema.graphqls]
exec: {filename: graph/generated.go, package: graph}
model: {filename: graph/model/models_gen.go, package: model}
models:
  Patch: {model: example.com/everything/own.Patch}
  Loose: {model: "map[string]any"}
`)
	writeFile(t, filepath.Join(dir, "schema.graphqls"), `extend schema @source(name: "users")
type Query { a(note: Note): Int }
type Mutation {
  patch(input: Patch!): String @connect(source: "users", http: {PATCH: "/users", body: "$args.input"})
  part(input: Part): String @connect(source: "users", http: {PATCH: "/users", body: "name: $args.input.name"})
  loose(input: Loose): String @connect(source: "users", http: {PATCH: "/users", body: "$args.input"})
}
input Patch { id: ID! name: String level: Int = 3 email: String }
input Part { name: String @goField(omittable: false) }
input Loose { name: String }
input Note { text: String @goField(omittable: false) }
`)
	t.Chdir(dir)
	err := new(codegen.Project).Generate(t.Context())
	if err == nil {
		t.Fatal("all inputs are taken")
	}
	for _, want := range []string{
		"schema.graphqls:8: Patch.name has the Go type *string, which does not say whether the client left the field out",
		"schema.graphqls:9: Part.name has the Go type *string",
		"schema.graphqls:10: Loose is a map in Go",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	for _, not := range []string{"level", "email", "Note", "Patch.id"} {
		if strings.Contains(err.Error(), not+" ") {
			t.Errorf("%s is refused in\n%v", not, err)
		}
	}
}
