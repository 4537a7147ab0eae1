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

// Paste adds the piece at the end of a file of a package, with the imports that it needs.
// A file without text becomes one.
func (p *Piece) Paste(file string, source []byte, packageName string) ([]byte, error) {
	if len(source) == 0 {
		source = []byte("package " + packageName + "\n")
	}
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, source, parser.ParseComments|parser.SkipObjectResolution)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the method would go there, but it does not parse: %w", err)
	case parsed.Name.Name != packageName:
		return nil, fmt.Errorf("%s: the method would go there, but it is of the package %s; rename one of them", file, parsed.Name.Name)
	case ast.IsGenerated(parsed):
		return nil, fmt.Errorf("%s: the method would go there, but it is generated; move it", file)
	}
	names := p.names(parsed)
	for _, name := range slices.Sorted(maps.Keys(p.imports)) {
		importPath, alias := p.imports[name], names[name]
		if alias == baseName(importPath) {
			alias = ""
		}
		if packages(parsed)[names[name]] != importPath {
			astutil.AddNamedImport(set, parsed, alias, importPath)
		}
	}
	var b bytes.Buffer
	if err := format.Node(&b, set, parsed); err != nil {
		return nil, err
	}
	b.WriteString("\n" + p.body(names))
	return tidy(source, b.Bytes())
}

// names are those that the piece's packages get in a file: the file's own where it has
// them, others where theirs are taken.
func (p *Piece) names(file *ast.File) map[string]string {
	there := packages(file)
	names := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(p.imports)) {
		names[name] = free(name, there)
		for known, importPath := range there {
			if importPath == p.imports[name] && known != "_" && known != "." {
				names[name] = known
			}
		}
		there[names[name]] = p.imports[name]
	}
	return names
}

func free(name string, taken map[string]string) string {
	for n, candidate := 2, name; ; n++ {
		if taken[candidate] == "" {
			return candidate
		}
		candidate = name + strconv.Itoa(n)
	}
}

var gofumptOptions = gofumpt.Options{LangVersion: "go1.26"}

// tidy formats as strictly as the text was formatted before.
func tidy(before, after []byte) ([]byte, error) {
	strict, err := gofumpt.Source(before, gofumptOptions)
	if err == nil && bytes.Equal(strict, before) {
		return gofumpt.Source(after, gofumptOptions)
	}
	return format.Source(after)
}
