package plugin

import (
	"errors"
	goast "go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// handwrittenCode is the code in resolvers/ that is not generated, without tests.
type handwrittenCode struct {
	set   *token.FileSet
	files map[string]*goast.File // by path
}

// parseHandwritten parses the handwritten files in ResolversDir below root, the root of the project; an
// empty root is the working directory. Files and places are named relative to root. Of a file that
// does not parse it returns as much as was parsed: the Go compiler explains the rest.
func parseHandwritten(root string) (*handwrittenCode, error) {
	entries, err := os.ReadDir(filepath.Join(root, ResolversDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	code := &handwrittenCode{set: token.NewFileSet(), files: map[string]*goast.File{}}
	for _, entry := range entries {
		path := filepath.Join(ResolversDir, entry.Name())
		if path == connectFile || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(code.set, path, text, parser.SkipObjectResolution)
		if file == nil {
			return nil, err
		}
		code.files[path] = file
	}
	return code, nil
}

// Compile compiles the bindings of the project in root, whose handwritten resolvers may call
// services without any binding. It reads the documents of sources by readDocument.
func Compile(root string, cfg *config.Config, schema *ast.Schema, readDocument func(path string) (*openapi.Document, error)) (*binding.Graph, error) {
	code, err := parseHandwritten(root)
	if err != nil {
		return nil, err
	}
	return binding.Compile(schema, binding.CompileOptions{InertDirectives: inertDirectives(cfg), CallsSource: code.hasStringLiteral, ReadDocument: readDocument})
}

// hasStringLiteral reports whether the code contains a string literal with the given value, such
// as the name of a service.
func (c *handwrittenCode) hasStringLiteral(text string) bool {
	found := false
	for _, file := range c.files {
		goast.Inspect(file, func(n goast.Node) bool {
			if lit, ok := n.(*goast.BasicLit); ok && lit.Kind == token.STRING {
				value, err := strconv.Unquote(lit.Value)
				found = found || err == nil && value == text
			}
			return !found
		})
	}
	return found
}

// usesSelector reports whether the code selects a method or a field of the given name, of any
// type.
func (c *handwrittenCode) usesSelector(name string) bool {
	found := false
	for _, file := range c.files {
		goast.Inspect(file, func(n goast.Node) bool {
			if s, ok := n.(*goast.SelectorExpr); ok {
				found = found || s.Sel.Name == name
			}
			return !found
		})
	}
	return found
}

// packageMembers returns the names that the code uses of a package.
func (c *handwrittenCode) packageMembers(importPath, packageName string) map[string]bool {
	used := map[string]bool{}
	for _, file := range c.files {
		name := importName(file, importPath, packageName)
		goast.Inspect(file, func(n goast.Node) bool {
			if s, ok := n.(*goast.SelectorExpr); ok {
				if x, ok := s.X.(*goast.Ident); ok && x.Name == name {
					used[s.Sel.Name] = true
				}
			}
			return true
		})
	}
	return used
}

// importName returns the name by which a file refers to a package, "" when it does not import it.
func importName(file *goast.File, importPath, packageName string) string {
	for _, spec := range file.Imports {
		switch {
		case spec.Path.Value != strconv.Quote(importPath):
		case spec.Name != nil:
			return spec.Name.Name
		default:
			return packageName
		}
	}
	return ""
}

// markHandwritten marks the types that handwritten code decodes or encodes by the functions of
// package graph, so that these functions are generated even if no binding needs them.
func (g *generator) markHandwritten(r *wireTypes) {
	code, err := parseHandwritten("")
	if err != nil {
		return // findResolvers reports it
	}
	used := code.packageMembers(g.graphPkg(), g.data.Config.Exec.Package)
	for name := range r.schema.Types {
		if used["Decode"+g.codecName(name)] {
			r.markRead(g, name)
		}
		if used["Encode"+g.codecName(name)] {
			r.markSent(name)
		}
	}
}

// goName returns the name of a type in Go.
func (g *generator) goName(name string) string {
	if o := g.objectNamed(name); o != nil && o.Type != nil { // root objects have no type
		return typeName(o.Type)
	}
	return templates.ToGoModelName(name)
}

// ResolverFile returns the file for handwritten resolvers of a type: the one that has most of them, else one
// with the type's name, which need not exist. root is the root of the project; the file is named
// relative to it.
func ResolverFile(root, object string) (string, error) {
	code, err := parseHandwritten(root)
	if err != nil {
		return "", err
	}
	home := filepath.Join(ResolversDir, fileName(object))
	most := 0
	for path, file := range code.files {
		n := 0
		for _, decl := range file.Decls {
			if f, ok := decl.(*goast.FuncDecl); ok && f.Recv != nil && receiverOf(f) == receiver(object) {
				n++
			}
		}
		if n > most || n == most && n > 0 && path < home {
			home, most = path, n
		}
	}
	return home, nil
}

// fileName returns the name of a file for the resolvers of a type. It contains no underscore, so
// that the file is not a test and not for one operating system only.
func fileName(object string) string {
	return strings.ReplaceAll(strings.ToLower(object), "_", "") + ".go"
}

// FindHandwritten returns the place of the handwritten method that resolves a field, or "" if there is none.
// root is the root of the project.
func FindHandwritten(root, object, field string) (string, error) {
	found, err := handwrittenMethods(root)
	if err != nil {
		return "", err
	}
	for method, place := range found {
		if method[0] == receiver(object) && strings.EqualFold(method[1], strings.ReplaceAll(field, "_", "")) {
			return place, nil
		}
	}
	return "", nil
}

// ConnectFile returns the path of the generated resolvers.
func ConnectFile() string { return connectFile }

// ResolverType returns the name of the type whose methods resolve the fields of an object type.
func ResolverType(object string) string { return receiver(object) }

// ResolverTypeFile returns the path of the file that declares the type Resolver in a new project.
func ResolverTypeFile() string { return filepath.Join(ResolversDir, "resolver.go") }

// DeclaresResolver reports whether the handwritten code declares the type Resolver. root is the root of
// the project.
func DeclaresResolver(root string) (bool, error) {
	code, err := parseHandwritten(root)
	if err != nil {
		return false, err
	}
	for _, file := range code.files {
		for _, decl := range file.Decls {
			if d, ok := decl.(*goast.GenDecl); ok {
				for _, spec := range d.Specs {
					if t, ok := spec.(*goast.TypeSpec); ok && t.Name.Name == "Resolver" {
						return true, nil
					}
				}
			}
		}
	}
	return false, nil
}
