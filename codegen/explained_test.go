package codegen_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen"
	"github.com/gatehouse-graphql/gatehouse/codegen/explain"
)

// difficult is an operation with a call of every kind.
const difficult = `query Difficult($after: String, $n: Int) {
  posts(n: 5) { author { id name } team { name } }
  team(id: "t") { name }
  people(first: $n) { nodes { name friends(first: 4, after: $after) { nodes { boss { name } } } } }
  numbered(after: $after) { edges { node { label(text: "x") { text } } } }
  find(names: ["a", "b"]) { note { of } }
  beasts { ... on Dog { owner { name } } ... on Cat { team { id } } }
}`

// explainText returns the text of the operation's plan.
func explainText(t *testing.T) []byte {
	t.Helper()
	plans, err := new(codegen.Project).Explain(t.Context(), &ast.Source{Name: "q", Input: difficult}, explain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := explain.Text(&text, plans); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// The project in testdata/explained has what is difficult to plan: connections, completed objects,
// and calls by operationId. Its own test compares the plans with the calls that a service receives.
func TestExplained(t *testing.T) {
	dir := t.TempDir()
	root := repository(t)
	copyTree(t, filepath.Join("testdata", "explained"), dir)
	writeModule(t, root, dir)
	golden, err := filepath.Abs(filepath.Join("testdata", "golden", "explained.txt"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	compareGolden(t, golden, explainText(t))
	generate(t)
	run(t, buildTest(t))
	var out strings.Builder
	if ok, err := new(codegen.Project).Test(t.Context(), &out, "", []string{"schema/all.test.yaml"}); err != nil || !ok {
		t.Errorf("its tests of bindings: %v\n%s", err, out.String())
	}
}
