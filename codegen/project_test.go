package codegen_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"mvdan.cc/gofumpt/format"

	"github.com/gatehouse-graphql/gatehouse/codegen"
)

var update = flag.Bool("update", false, "write the golden files")

// ours are the generated files that our plugin writes. gqlgen writes the others.
var ours = []string{"resolvers/connect.gen.go", "graph/codec.gen.go", "graph/engine.gen.go"}

// The project in testdata/project uses all of the binding language. The test generates it as a
// module of its own, compares it with the golden files, and runs its own test, which checks the
// calls and the responses.
func TestEverything(t *testing.T) {
	dir := t.TempDir()
	root := repository(t)
	copyTree(t, filepath.Join("testdata", "project"), dir)
	writeModule(t, root, dir)
	golden, err := filepath.Abs(filepath.Join("testdata", "golden"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	generate(t)
	for _, name := range ours {
		text := read(t, name)
		if name != "graph/engine.gen.go" { // enginetest/ has a copy to read
			compareGolden(t, filepath.Join(golden, filepath.Base(name)), text)
		}
		formatted, err := format.Source(text, format.Options{LangVersion: "go1.26"})
		if err != nil || !bytes.Equal(formatted, text) {
			t.Errorf("%s is not as gofumpt would write it: %v", name, err)
		}
	}
	nothingPrivate(t, read(t, "graph/generated.go"))
	run(t, "go", "vet", "./...")
	test := buildTest(t)
	run(t, test)
	t.Setenv("GATEWAY_EXECUTION_ENGINE", "gqlgen")
	run(t, test)
}

// nothingPrivate checks that the code which is linked into the gateway contains neither our
// directives nor their arguments.
func nothingPrivate(t *testing.T, executor []byte) {
	t.Helper()
	_, sources, found := bytes.Cut(executor, []byte("var sources = []*ast.Source{"))
	sources, _, _ = bytes.Cut(sources, []byte("\n}\n"))
	if !found || !bytes.Contains(sources, []byte("type Thing")) {
		t.Fatal("the executor holds no sources")
	}
	for _, private := range []string{"@", "Connect", "/children", "/users", "$args", "$batch", "joins", "openapi", "new-name", "secrets"} {
		if i := bytes.Index(sources, []byte(private)); i >= 0 {
			t.Errorf("the gateway holds %q: …%s…", private, sources[max(0, i-60):min(len(sources), i+60)])
		}
	}
	if regexp.MustCompile(`ConnectHTTP|ConnectBatch|/childrenMap`).Match(executor) {
		t.Error("the executor speaks of bindings")
	}
}

// generated are all files that a run writes.
var generated = append([]string{"graph/generated.go", "graph/model/models_gen.go"}, ours...)

// The committed files are what generating from the committed schema produces.
func TestRepository(t *testing.T) {
	root, dir := repository(t), t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "gqlgen.yml", "auth", "engine", "enginetest", "fault", "graph", "resolvers", "schema", "upstreams"} {
		copyTree(t, filepath.Join(root, name), filepath.Join(dir, name))
	}
	for _, project := range []string{".", "enginetest"} {
		t.Chdir(filepath.Join(dir, project))
		before := readAll(t, generated)
		generate(t)
		if diff := cmp.Diff(before, readAll(t, generated)); diff != "" {
			t.Errorf("make generate would change files in %s: -committed +generated\n%s", project, diff)
		}
	}
}

func generate(t *testing.T) {
	t.Helper()
	project := codegen.Project{Warn: func(w string) { t.Errorf("a warning: %s", w) }}
	if err := project.Generate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// buildTest builds the test of the project in the working directory and returns its path. It leaves
// out vet and the symbols, because linking is most of the time that such a test takes.
func buildTest(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "project.test")
	run(t, "go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-o", path, ".")
	return path
}

func compareGolden(t *testing.T, golden string, text []byte) {
	t.Helper()
	golden += ".golden"
	if *update {
		if err := os.WriteFile(golden, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, golden)), string(text)); diff != "" {
		t.Errorf("%s, -update writes it: -want +got\n%s", golden, diff)
	}
}

// writeModule makes dir a module that uses the one in root, with the same versions of all
// dependencies, so that nothing is downloaded.
func writeModule(t testing.TB, root, dir string) {
	t.Helper()
	mod := regexp.MustCompile(`(?m)^module (.*)$`).ReplaceAllString(string(read(t, filepath.Join(root, "go.mod"))),
		"module example.com/everything\n\nrequire $1 v0.0.0\n\nreplace $1 => "+root)
	for name, text := range map[string][]byte{"go.mod": []byte(mod), "go.sum": read(t, filepath.Join(root, "go.sum"))} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func repository(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// copyTree copies a file or a folder.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err == nil && info.IsDir() {
		err = os.CopyFS(to, os.DirFS(from))
	} else if err == nil {
		err = os.WriteFile(to, read(t, from), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func readAll(t *testing.T, paths []string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, path := range paths {
		texts[path] = string(read(t, path))
	}
	return texts
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
