package codegen_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/codegen"
	"github.com/gatehouse-graphql/gatehouse/codegen/plugin"
)

// settingsSchema has some of everything whose generated code depends on gqlgen's settings.
const settingsSchema = `extend schema @source(name: "s")
scalar JSON
scalar DateTime
type Query {
  thing(id: ID!): Thing @connect(source: "s", http: {GET: "/things/{$args.id}"})
  things(kind: Kind, kinds: [Kind!]): [Thing!]! @connect(source: "s", http: {GET: "/things?kind={$args.kind}&kinds={$args.kinds}"})
  either: Either @connect(source: "s", http: {GET: "/either"})
  named: Named @connect(source: "s", http: {GET: "/named"}, selection: "$.named")
  page(first: Int, after: String): ThingConnection! @connect(source: "s", http: {GET: "/pages?o={$args.after}&n={$args.first}"}, pagination: {type: OFFSET, items: "items", total: "total"})
  byHand(in: In): Int
}
type Mutation {
  add(in: In!): Thing @connect(source: "s", http: {POST: "/things", body: "$args.in"})
  remove(id: ID!): Boolean! @connect(source: "s", http: {DELETE: "/things/{$args.id}"})
}
type Subscription { ticks: Int! }
interface Named @discriminator(field: "kind", mapping: {thing: "Thing", other: "Other"}) { name: String }
union Either @discriminator(field: "kind", mapping: {thing: "Thing", other: "Other"}) = Thing | Other
type Thing implements Named {
  id: ID! name: String kind: Kind at: DateTime any: JSON must: Inner! inners: [Inner!] otherId: ID otherIds: [ID!]!
  other: Other @connect(source: "s", http: {GET: "/others?ids={$batch.otherId}"}, batch: {key: "id"})
  others: [Other]! @connect(source: "s", http: {GET: "/others?ids={$batch.otherIds}"}, batch: {key: "id"})
  secret: String @authenticated
}
type Other implements Named { id: ID! name: String thing: Thing }
type Inner { n: Int f: Float b: Boolean list: [[String]] }
type ThingConnection { edges: [ThingEdge!]! nodes: [Thing!]! pageInfo: PageInfo! totalCount: Int }
type ThingEdge { node: Thing! cursor: String! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
enum Kind { A B }
input In { name: String n: Int kind: Kind inner: In2 list: [In2!] at: DateTime any: JSON must: Int! }
input In2 { x: String }
`

// settingsProject writes a project with further lines in its gqlgen.yml, and changes to its folder.
func settingsProject(t *testing.T, more string) {
	t.Helper()
	root, dir := repository(t), t.TempDir()
	yml := `schema: [schema/*.graphqls]
exec: {filename: graph/generated.go, package: graph}
model: {filename: graph/model/models_gen.go, package: model}
models:
  ID: {model: github.com/99designs/gqlgen/graphql.ID}
  Int: {model: github.com/gatehouse-graphql/gatehouse/engine/scalar.Int}
  DateTime: {model: github.com/gatehouse-graphql/gatehouse/engine/scalar.DateTime}
  JSON: {model: github.com/gatehouse-graphql/gatehouse/engine/scalar.JSON}
`
	if key, _, _ := strings.Cut(more, ":"); key == "exec" || key == "model" { // which are there already
		yml = regexp.MustCompile(`(?m)^`+key+`:.*\n`).ReplaceAllString(yml, "")
	}
	writeFile(t, filepath.Join(dir, "gqlgen.yml"), yml+more)
	writeFile(t, filepath.Join(dir, "schema/all.graphqls"), settingsSchema)
	writeFile(t, filepath.Join(dir, "resolvers/resolver.go"), onlyResolver)
	writeModule(t, root, dir)
	t.Chdir(dir)
}

const onlyResolver = "package resolvers\n\nimport \"github.com/gatehouse-graphql/gatehouse/upstreams\"\n\ntype Resolver struct{ Services *upstreams.Services }\n"

// Settings of gqlgen that generated code cannot work with are rejected with a reason, before
// anything is written.
func TestRefusedSettings(t *testing.T) {
	for setting, want := range map[string]string{
		"resolver: {filename: resolvers/all.go, package: resolvers}\n":              "resolver cannot be as it is: gatehouse writes the resolvers",
		"federation: {filename: graph/fed.go, package: graph, version: 2}\n":        "federation cannot be as it is: its directives",
		"omit_slice_element_pointers: true\n":                                       "omit_slice_element_pointers cannot be as it is: decoders read",
		"struct_fields_always_pointers: false\n":                                    "struct_fields_always_pointers cannot be as it is: decoders read",
		"resolvers_always_return_pointers: false\n":                                 "resolvers_always_return_pointers cannot be as it is: resolvers return",
		"autobind_getter_haser: true\n":                                             "autobind_getter_haser cannot be as it is: decoders write",
		"use_function_syntax_for_execution_context: true\n":                         "use_function_syntax_for_execution_context cannot be as it is: plans call",
		"subscription_context_field: true\n":                                        "subscription_context_field cannot be as it is: subscriptions yield",
		"omit_panic_handler: true\n":                                                "omit_panic_handler cannot be as it is: a panic",
		"go_build_tags: [private]\n":                                                "go_build_tags cannot be as it is: the code is checked",
		"exec: {layout: follow-schema, dir: graph, package: graph}\n":               "exec.layout cannot be as it is",
		"model: {filename: graph/model/models_gen.go, model_template: own.gotpl}\n": "model.model_template cannot be as it is",
		"modle: {}\n": `unknown field "modle"`,
	} {
		t.Run(setting, func(t *testing.T) {
			settingsProject(t, setting)
			err := new(codegen.Project).Generate(t.Context())
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("it is %v, want %q", err, want)
			}
			if _, err := os.Stat("graph"); err == nil {
				t.Error("something was written")
			}
		})
	}
}

// Other settings of gqlgen can have any value.
func TestAcceptedSettings(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it generates two projects")
	}
	for name, settings := range map[string]string{
		"none": "",
		"all": `omit_getters: true
omit_interface_checks: true
omit_complexity: true
omit_root_models: true
omit_resolver_fields: true
omit_enum_json_marshalers: true
call_argument_directives_with_null: true
return_pointers_in_unmarshalinput: true
nullable_input_omittable: true
struct_tag: yaml
embedded_structs_prefix: Base
go_initialisms: {replace_defaults: true, initialisms: [ZZ]}
enable_model_json_omitempty_tag: false
local_prefix: example.com
use_buffer_pooling: true
fast_validation: true
skip_import_grouping: true
omit_gqlgen_file_notice: true
`,
	} {
		t.Run(name, func(t *testing.T) {
			settingsProject(t, settings)
			err := new(codegen.Project).Generate(t.Context())
			if u, ok := errors.AsType[*plugin.MissingResolvers](err); !ok || len(u.Missing) != 2 {
				t.Errorf("it is %v, want two methods to write", err)
			}
		})
	}
}
