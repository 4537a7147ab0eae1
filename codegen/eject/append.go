package eject

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"

	"golang.org/x/tools/go/ast/astutil"
	gofumpt "mvdan.cc/gofumpt/format"
)

// AppendTo returns the text of a file of a package with the snippet at its end and the imports that
// it needs. An empty source is a new file.
func (s *Snippet) AppendTo(file string, source []byte, packageName string) ([]byte, error) {
	if len(source) == 0 {
		source = []byte("package " + packageName + "\n")
	}
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, source, parser.ParseComments|parser.SkipObjectResolution)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the method would go there, but it does not parse: %w", err)
	case parsed.Name.Name != packageName:
		return nil, fmt.Errorf("%s: the method would go there, but it is of the package %s; rename one of them", file, parsed.Name.Name)
	case ast.IsGenerated(parsed):
		return nil, fmt.Errorf("%s: the method would go there, but it is generated; move it", file)
	}
	names := s.chooseNames(parsed)
	s.addImports(fset, parsed, names)
	// The snippet is appended as text: its comments have positions in another file, and a
	// printed syntax tree would put them elsewhere.
	var b bytes.Buffer
	if err := format.Node(&b, fset, parsed); err != nil {
		return nil, err
	}
	b.WriteString("\n" + s.text(names))
	return formatLike(source, b.Bytes())
}

// addImports adds the imports that a file lacks, under the given names.
func (s *Snippet) addImports(fset *token.FileSet, file *ast.File, names map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(s.imports)) {
		importPath, alias := s.imports[name], names[name]
		if importsByName(file)[alias] == importPath {
			continue
		}
		if alias == packageName(importPath) {
			alias = "" // the import needs no name
		}
		astutil.AddNamedImport(fset, file, alias, importPath)
	}
}

// chooseNames returns the names under which a file uses the snippet's packages, by their names in
// the snippet: those of the file's own imports where it has the package, and unused ones elsewhere.
func (s *Snippet) chooseNames(file *ast.File) map[string]string {
	taken := importsByName(file)
	names := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.imports)) {
		names[name] = unusedName(name, taken)
		for known, importPath := range taken {
			if importPath == s.imports[name] && known != "_" && known != "." {
				names[name] = known
			}
		}
		taken[names[name]] = s.imports[name]
	}
	return names
}

// unusedName returns the name, with a number behind it if it is taken.
func unusedName(name string, taken map[string]string) string {
	candidate := name
	for n := 2; taken[candidate] != ""; n++ {
		candidate = name + strconv.Itoa(n)
	}
	return candidate
}

var gofumptOptions = gofumpt.Options{LangVersion: "go1.26"}

// formatLike formats a changed file by gofumpt if the file was formatted by it before, and by gofmt
// otherwise.
func formatLike(before, changed []byte) ([]byte, error) {
	strict, err := gofumpt.Source(before, gofumptOptions)
	if err == nil && bytes.Equal(strict, before) {
		return gofumpt.Source(changed, gofumptOptions)
	}
	return format.Source(changed)
}
