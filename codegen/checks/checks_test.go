package checks

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

var update = flag.Bool("update", false, "write the golden files anew")

// documents loads a schema as the generator does and checks it.
func documents(t testing.TB, name, text string) error {
	t.Helper()
	schema, err := binding.Load(&ast.Source{Name: name, Input: text})
	if err != nil {
		t.Fatal(err)
	}
	graph, broken := binding.Compile(schema, binding.CompileOptions{})
	report, unfit := CompareDocuments(schema, graph)
	if len(report.Warnings) > 0 {
		t.Errorf("warnings: %s", report.Warnings)
	}
	return binding.MergeFaults(broken, unfit)
}

// Each fixture is compared with service.yaml, and its golden file has the report. The fixture
// valid.graphqls fits, and has none.
func TestDocuments(t *testing.T) {
	fixtures, err := filepath.Glob("testdata/*.graphqls")
	if err != nil || len(fixtures) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, path := range fixtures {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := documents(t, path, string(text)); err != nil {
				got = err.Error() + "\n"
			}
			golden := strings.TrimSuffix(path, ".graphqls") + ".golden"
			if *update && got != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// A document that changes breaks the build, and the report has the line on each side.
func TestDocumentBecomesNullable(t *testing.T) {
	text, err := os.ReadFile("../../schema/openapi/users.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	schema := `extend schema @source(name: "users", openapi: "users.yaml", security: OUTSIDE)
type Query { user(id: ID!): User @connect(source: "users", http: {GET: "/users/{$args.id}"}) }
type User {
  name: String!
}`
	for document, want := range map[string]string{
		string(text): "",
		strings.Replace(string(text), "        name: {type: string}\n        role:", "        name: {type: [string, 'null']}\n        role:", 1): "schema.graphqls:4:9: User.name is String!, but " + dir + "/users.yaml:68 says it may be null; write String (GH122)",
	} {
		if err := os.WriteFile(filepath.Join(dir, "users.yaml"), []byte(document), 0o644); err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := documents(t, filepath.Join(dir, "schema.graphqls"), schema); err != nil {
			got = strings.TrimPrefix(err.Error(), dir+"/")
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// A part of a document that cannot be read is not checked, and a warning says so.
func TestDeadReferenceIsAWarning(t *testing.T) {
	name := filepath.Join(t.TempDir(), "schema.graphqls")
	document := "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /a:\n    get:\n      responses:\n        '200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Gone'}}}}\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(name), "a.yaml"), []byte(document), 0o644); err != nil {
		t.Fatal(err)
	}
	schema, err := binding.Load(&ast.Source{Name: name, Input: `
		extend schema @source(name: "a", openapi: "a.yaml")
		type Query { a: A @connect(source: "a", http: {GET: "/a"}) }
		type A { b: Int! }`})
	if err != nil {
		t.Fatal(err)
	}
	graph, err := binding.Compile(schema, binding.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := CompareDocuments(schema, graph)
	warnings := report.Warnings
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "a.yaml:7") || !strings.Contains(warnings[0], "Gone") {
		t.Errorf("got %q, %v", warnings, err)
	}
}
