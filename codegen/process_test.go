package codegen_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen"
	"github.com/gatehouse-graphql/gatehouse/codegen/explain"
)

// smallSchema has a type whose Go name is UserProfile, however the schema spells it, and reads a
// service that has a document.
const smallSchema = `extend schema @source(name: "users", openapi: "openapi/users.yaml")
type Query { profile(id: ID!): PROFILE @connect(source: "users", http: {GET: "/profiles/{$args.id}"}) }
type PROFILE { id: ID! name: String }
`

const smallDocument = `openapi: 3.1.0
paths:
  /profiles/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        "200": {content: {application/json: {schema: {type: object, properties: {id: {type: string}, name: {type: string}}, required: [id]}}}}
`

// newProject writes a small project whose type has a name, and returns it.
func newProject(t *testing.T, profile string) *codegen.Project {
	t.Helper()
	dir := t.TempDir()
	writeModule(t, repository(t), dir)
	for _, name := range []string{"gqlgen.yml", "resolvers/resolver.go"} {
		writeFile(t, filepath.Join(dir, name), string(read(t, filepath.Join("testdata", "project", name))))
	}
	writeFile(t, filepath.Join(dir, "schema", "users.graphqls"), strings.ReplaceAll(smallSchema, "PROFILE", profile))
	writeFile(t, filepath.Join(dir, "schema", "openapi", "users.yaml"), smallDocument)
	return &codegen.Project{Dir: dir, Warn: func(text string) { t.Errorf("a warning: %s", text) }}
}

// Two projects are generated at once in this process. Neither sees the other, and the working
// directory is the same afterwards.
func TestProjectsInOneProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it generates two projects")
	}
	before, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	projects := []*codegen.Project{newProject(t, "UserProfile"), newProject(t, "User_profile")}
	var group sync.WaitGroup
	for _, p := range projects {
		group.Go(func() {
			if err := p.Generate(t.Context()); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			if err := p.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if t.Failed() {
		return
	}
	if after, err := os.Getwd(); err != nil || after != before {
		t.Errorf("the working directory is %s, %v; want %s", after, err, before)
	}
	for i, p := range projects {
		models := string(read(t, filepath.Join(p.Dir, "graph", "model", "models_gen.go")))
		if !strings.Contains(models, "type UserProfile struct {") {
			t.Errorf("project %d has not the model of its own:\n%s", i, models)
		}
	}
}

// Every method works on the project in Dir, and names files relative to it.
func TestProjectInDir(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it generates a project")
	}
	p := newProject(t, "Profile")
	if err := p.Generate(t.Context()); err != nil {
		t.Fatal(err)
	}
	plans, err := p.Explain(t.Context(), &ast.Source{Name: "q", Input: `{ profile(id: "1") { name } }`}, explain.Options{})
	if err != nil || len(plans) != 1 || plans[0].Calls != 1 {
		t.Errorf("the plans are %+v, %v", plans, err)
	}
	writeFile(t, filepath.Join(p.Dir, "tests", "profile.test.yaml"), `tests:
  - name: A profile
    connector: Query.profile
    query: '{ profile(id: "1") { name } }'
    apiResponseBody: '{"id": "1", "name": "Ann"}'
    expect:
      connectorRequest: {method: GET, url: /profiles/1}
      connectorResponse: '{"name": "Ann"}'
`)
	var out strings.Builder
	if passed, err := p.Test(t.Context(), &out, "", []string{"tests/profile.test.yaml"}); err != nil || !passed {
		t.Errorf("the binding tests: %v\n%s", err, out.String())
	}
	file, err := p.Eject(t.Context(), "Query.profile")
	if err != nil || file != "resolvers/query.go" {
		t.Fatalf("the ejected method is in %q, %v", file, err)
	}
	if text := string(read(t, filepath.Join(p.Dir, file))); !strings.Contains(text, ") Profile(ctx") {
		t.Errorf("%s has no method:\n%s", file, text)
	}
	if _, err := p.Eject(t.Context(), "Query.profile"); err == nil || !strings.Contains(err.Error(), "at resolvers/query.go:") {
		t.Errorf("ejecting twice: %v", err)
	}
}

// The files of a run that fails are restored in the folder of the project.
func TestFailureInDir(t *testing.T) {
	p := newProject(t, "Profile")
	writeFile(t, filepath.Join(p.Dir, "graph", "codec.gen.go"), "package graph // former\n")
	before := tree(t, p.Dir)
	// gqlgen looks for the package of a model only when it generates.
	config := filepath.Join(p.Dir, "gqlgen.yml")
	writeFile(t, config, string(read(t, config))+"models:\n  Profile: {model: example.com/everything/missing.Profile}\n")
	before["gqlgen.yml"] = string(read(t, config))
	if err := p.Generate(t.Context()); err == nil {
		t.Fatal("a project with a missing model is generated")
	}
	if diff := cmp.Diff(before, tree(t, p.Dir)); diff != "" {
		t.Errorf("files of a failed run: -before +after\n%s", diff)
	}
}

// Mistakes name files relative to the project, and changes of files count for the next call.
func TestCheckAfterChange(t *testing.T) {
	p := newProject(t, "Profile")
	if err := p.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	document := filepath.Join(p.Dir, "schema", "openapi", "users.yaml")
	writeFile(t, document, strings.Replace(smallDocument, "name: {type: string}", "name: {type: boolean}", 1))
	err := p.Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "schema/users.graphqls:3:") || !strings.Contains(err.Error(), "schema/openapi/users.yaml:7 says boolean") {
		t.Errorf("the error after the document has changed is %v", err)
	}
	writeFile(t, document, smallDocument)
	if err := p.Check(t.Context()); err != nil {
		t.Errorf("the error after the document was corrected is %v", err)
	}
}

// Config names the configuration, also in messages.
func TestProjectConfig(t *testing.T) {
	p := newProject(t, "Profile")
	if err := os.Rename(filepath.Join(p.Dir, "gqlgen.yml"), filepath.Join(p.Dir, "other.yml")); err != nil {
		t.Fatal(err)
	}
	if err := p.Check(t.Context()); err != nil {
		t.Errorf("without a configuration: %v", err)
	}
	p.Config = "missing.yml"
	if err := p.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "there is neither missing.yml nor ") {
		t.Errorf("the error without the configuration that is named is %v", err)
	}
	p.Config = "other.yml"
	if err := p.Check(t.Context()); err != nil {
		t.Error(err)
	}
	writeFile(t, filepath.Join(p.Dir, "other.yml"), "omit_panic_handler: true\n"+string(read(t, filepath.Join(p.Dir, "other.yml"))))
	if err := p.Check(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "other.yml:1:1: omit_panic_handler") {
		t.Errorf("the error of an unsupported setting is %v", err)
	}
}

// tree returns the texts of all files in a folder by their paths.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		texts[filepath.ToSlash(name)] = string(read(t, path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
