package codegen_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	graphql "github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/checks"
)

// codes holds the schema to which the examples are added, with a document for one of its sources.
const codes = "testdata/codes"

// mistakes checks a schema as the generator does, together with the base of the examples.
func mistakes(t *testing.T, name, text string) binding.Faults {
	t.Helper()
	base := filepath.ToSlash(filepath.Join(codes, "base.graphqls"))
	err := checkAll(t, &graphql.Source{Name: base, Input: string(read(t, base))}, &graphql.Source{Name: name, Input: text})
	faults, ok := errors.AsType[binding.Faults](err)
	if err != nil && !ok {
		t.Fatal(err)
	}
	return faults
}

func checkAll(t *testing.T, sources ...*graphql.Source) error {
	t.Helper()
	schema, err := binding.Load(sources...)
	if err != nil {
		return err
	}
	graph, broken := binding.Compile(schema, binding.CompileOptions{})
	report, unfit := checks.CompareDocuments(schema, graph)
	if len(report.Warnings) > 0 {
		t.Errorf("warnings: %s", report.Warnings)
	}
	return binding.MergeFaults(broken, unfit)
}

// The wrong example of each code has that mistake and no other, and the right example has none.
func TestExamplesAreWhatTheySay(t *testing.T) {
	name := filepath.ToSlash(filepath.Join(codes, "example.graphqls"))
	for _, c := range binding.Checks() {
		t.Run(string(c.Code), func(t *testing.T) {
			wrong := mistakes(t, name, c.Wrong)
			if len(wrong) == 0 {
				t.Error("the wrong example has no mistake")
			}
			for _, f := range wrong {
				if f.Code != c.Code {
					t.Errorf("the wrong example has another mistake: %v", f)
				}
			}
			for _, f := range mistakes(t, name, c.Right) {
				t.Errorf("the right example has a mistake: %v", f)
			}
		})
	}
}

// Each code has fixtures, which have that mistake and no other, in each form in which it is
// reported. A golden file has the places and messages.
func TestFixtureOfEachCode(t *testing.T) {
	for _, c := range binding.Checks() {
		fixtures, err := filepath.Glob(filepath.Join(codes, string(c.Code)+"*.graphqls"))
		if err != nil || len(fixtures) == 0 {
			t.Errorf("%s has no fixture: %v", c.Code, err)
		}
		for _, path := range fixtures {
			t.Run(filepath.Base(path), func(t *testing.T) {
				faults := mistakes(t, filepath.ToSlash(path), string(read(t, path)))
				for _, f := range faults {
					if f.Code != c.Code {
						t.Errorf("another mistake: %v", f)
					}
				}
				compareGolden(t, strings.TrimSuffix(path, ".graphqls"), []byte(faults.Error()+"\n"))
			})
		}
	}
}

// Every declared code is explained once, in order, and reported somewhere.
func TestCodesAreExplainedAndUsed(t *testing.T) {
	declared := declaredCodes(t)
	used := usedNames(t, "binding", "checks")
	var explained []string
	for _, c := range binding.Checks() {
		explained = append(explained, string(c.Code))
		if c.Title == "" || c.Text == "" || c.Wrong == "" || c.Right == "" {
			t.Errorf("%s is not explained in full", c.Code)
		}
	}
	if !slices.IsSorted(explained) || len(slices.Compact(slices.Clone(explained))) != len(explained) {
		t.Error("the explained codes are not in order, or one is explained twice")
	}
	for name, code := range declared {
		if !slices.Contains(explained, code) {
			t.Errorf("%s (%s) has no file in binding/explanations", name, code)
		}
		if !used[name] {
			t.Errorf("%s (%s) is reported nowhere", name, code)
		}
	}
	if len(declared) != len(explained) {
		t.Errorf("%d codes are declared, %d explained", len(declared), len(explained))
	}
}

// declaredCodes returns the constants of codes.go with their values. Each value is declared once.
func declaredCodes(t *testing.T) map[string]string {
	t.Helper()
	declared, seen := map[string]string{}, map[string]bool{}
	ast.Inspect(parse(t, "binding/codes.go"), func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || spec.Type == nil {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil || seen[value] {
			t.Errorf("%s: the code %s is declared twice, or is none", spec.Names[0], value)
		}
		declared[spec.Names[0].Name], seen[value] = value, true
		return true
	})
	return declared
}

// usedNames returns the identifiers in the packages' own files, without codes.go.
func usedNames(t *testing.T, packages ...string) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	for _, dir := range packages {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || filepath.Base(file) == "codes.go" {
				continue
			}
			ast.Inspect(parse(t, file), func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					used[id.Name] = true
				}
				return true
			})
		}
	}
	return used
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
