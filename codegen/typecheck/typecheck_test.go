package typecheck_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/gatehouse-graphql/gatehouse/codegen/typecheck"
)

// module is a module of four packages: top imports middle and leaf, middle imports leaf, and other
// stands alone.
const module = `
-- go.mod --
module example.com/m

go 1.26
-- leaf/leaf.go --
package leaf

import "strings"

type Name string

func (n Name) Upper() string { return strings.ToUpper(string(n)) }
-- middle/middle.go --
package middle

import "example.com/m/leaf"

func First() leaf.Name { return "first" }
-- top/top.go --
package top

import (
	"example.com/m/leaf"
	"example.com/m/middle"
)

type Resolver struct{}

func Names() []leaf.Name { return []leaf.Name{middle.First()} }
-- other/other.go --
package other

var Broken int = "broken"
`

// writeModule writes the module with some files replaced, and returns its root.
func writeModule(t *testing.T, replaced map[string]string) string {
	t.Helper()
	files := map[string]string{}
	for _, f := range txtar.Parse([]byte(module)).Files {
		files[f.Name] = string(f.Data)
	}
	maps.Copy(files, replaced)
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func load(t *testing.T, root string, dirs ...string) *typecheck.Program {
	t.Helper()
	p, err := typecheck.Load(t.Context(), root, dirs...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func checkDir(t *testing.T, p *typecheck.Program, dir string, keep func(string) bool, extra map[string][]byte) *typecheck.Package {
	t.Helper()
	pkg, err := p.CheckDir(dir, keep, extra)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

func all(string) bool { return true }

func texts(problems []typecheck.Problem) []string {
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.String())
	}
	return texts
}

// Packages that compile have no problems. Those that no folder names and no folder depends on are
// not looked at.
func TestNoProblems(t *testing.T) {
	p := load(t, writeModule(t, nil), "leaf", "top")
	if problems := append(p.ProblemsIn("leaf", "top"), p.ProblemsOutside("leaf", "top")...); len(problems) > 0 {
		t.Errorf("the problems are %q", texts(problems))
	}
	top := checkDir(t, p, "top", all, nil)
	if len(top.Problems) > 0 || top.Types.Scope().Lookup("Names") == nil {
		t.Errorf("the package has the problems %q and the names %q", texts(top.Problems), top.Types.Scope().Names())
	}
}

// A package between two folders is checked from source, against the source of the lower one, and its
// problems are those outside of the folders.
func TestPackageBetween(t *testing.T) {
	root := writeModule(t, map[string]string{"leaf/leaf.go": "package leaf\n\ntype Name int\n"})
	p := load(t, root, "leaf", "top")
	if problems := p.ProblemsIn("leaf", "top"); len(problems) > 0 {
		t.Errorf("the problems in the folders are %q", texts(problems))
	}
	outside := p.ProblemsOutside("leaf", "top")
	if len(outside) != 1 || !strings.HasPrefix(outside[0].String(), "middle/middle.go:5:33: cannot use \"first\"") {
		t.Errorf("the problems outside are %q", texts(outside))
	}
}

// Files can be left out and added. A folder that is checked twice has two results, each of its own
// choice of files.
func TestCheckDir(t *testing.T) {
	root := writeModule(t, map[string]string{"top/hand.go": "package top\n\nfunc (Resolver) Hand() int { return \"text\" }\n"})
	p := load(t, root, "leaf", "top")
	isTop := func(path string) bool { return path == filepath.Join("top", "top.go") }
	stubs := map[string][]byte{"stubs.go": []byte("package top\n\nfunc (Resolver) Stub() int { panic(0) }\n")}
	if generated := checkDir(t, p, "top", isTop, stubs); len(generated.Problems) > 0 {
		t.Errorf("with a stub for the file that is left out, the problems are %q", texts(generated.Problems))
	}
	whole := checkDir(t, p, "top", all, map[string][]byte{"stubs.go": []byte("package top\n\nvar _ = undefined\n")})
	want := []string{
		"stubs.go:3:9: undefined: undefined",
		filepath.Join("top", "hand.go") + ":3:37: cannot use \"text\" (untyped string constant) as int value in return statement",
	}
	if diff := cmp.Diff(want, texts(whole.Problems)); diff != "" {
		t.Errorf("with all files: -want +got\n%s", diff)
	}
}

// Problems of types are left out while there are mistakes of syntax.
func TestSyntaxErrors(t *testing.T) {
	root := writeModule(t, map[string]string{"top/top.go": "package top\n\nvar x int = \"text\"\n\nfunc {\n"})
	problems := load(t, root, "top").ProblemsIn("top")
	if len(problems) == 0 || slices.ContainsFunc(problems, func(p typecheck.Problem) bool { return p.Position.Line < 5 }) {
		t.Errorf("the problems are %q, want those of line 5 alone", texts(problems))
	}
}

// An import that is missing or does not compile is a problem of the package that imports it.
func TestImports(t *testing.T) {
	root := writeModule(t, map[string]string{"top/top.go": "package top\n\nimport (\n\t_ \"example.com/m/missing\"\n\t_ \"example.com/m/other\"\n)\n"})
	got := texts(load(t, root, "top").ProblemsIn("top"))
	want := []string{
		filepath.Join("top", "top.go") + ":4:4: could not import example.com/m/missing (it does not compile, or is not there)",
		filepath.Join("top", "top.go") + ":5:4: could not import example.com/m/other (it does not compile, or is not there)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// The caller learns that a folder holds no package, and that the go command cannot run.
func TestErrors(t *testing.T) {
	root := writeModule(t, nil)
	if _, err := load(t, root, "leaf").CheckDir("none", all, nil); err == nil || !strings.HasPrefix(err.Error(), "none: ") {
		t.Errorf("the error of a folder that is not loaded is %v", err)
	}
	if _, err := typecheck.Load(t.Context(), filepath.Join(root, "none"), "leaf"); err == nil {
		t.Error("a program is loaded from a root that does not exist")
	}
}
