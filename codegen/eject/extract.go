// Package eject moves the method of a binding into a handwritten file, and removes the binding from
// the schema. It works on texts alone; its caller reads and writes the files.
package eject

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Snippet is a method with the declarations that only this method uses.
type Snippet struct {
	decls   []declaration     // the method is the first
	imports map[string]string // the import paths that the declarations need, by package name
}

// declaration is a declaration at the top level of a file: a function, a method, or all that one
// pair of parentheses encloses.
type declaration struct {
	names    []string        // what it declares
	receiver string          // the receiver type of a method, else ""
	uses     map[string]bool // every identifier in it; some may mean something local
	text     string          // includes the doc comment
	refs     []packageRef    // in the order of text
}

// packageRef is a mention of a package by its name.
type packageRef struct {
	offset int // in bytes of the declaration's text
	name   string
}

// Extract copies a method out of a generated file: the method of a receiver type that resolves a
// field, named Type.field. It includes the unexported declarations that nothing else in the file
// uses. file is the name of the file in errors.
func Extract(file string, source []byte, receiver, field string) (*Snippet, error) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	x := &extractor{fset: fset, source: source, packages: importsByName(parsed)}
	for _, d := range parsed.Decls {
		if g, ok := d.(*ast.GenDecl); !ok || g.Tok != token.IMPORT {
			x.decls = append(x.decls, x.declaration(d))
		}
	}
	method := x.findMethod(receiver, field)
	if method < 0 {
		return nil, fmt.Errorf("%s has no method that resolves %s, which is a bug of gatehouse", file, field)
	}
	return x.snippet(method), nil
}

// importsByName returns the import paths of a file by the names of the packages in it.
func importsByName(file *ast.File) map[string]string {
	byName := map[string]string{}
	for _, spec := range file.Imports {
		importPath, _ := strconv.Unquote(spec.Path.Value)
		name := packageName(importPath)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		byName[name] = importPath
	}
	return byName
}

// majorVersion matches the last element of the import path of a later major version.
var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// packageName guesses the name of a package from its import path.
func packageName(importPath string) string {
	name := path.Base(importPath)
	if majorVersion.MatchString(name) {
		name = path.Base(path.Dir(importPath))
	}
	return name
}

// extractor holds the parts of a file.
type extractor struct {
	fset     *token.FileSet
	source   []byte
	packages map[string]string // import paths by name
	decls    []declaration
}

func (x *extractor) offset(p token.Pos) int { return x.fset.Position(p).Offset }

func (x *extractor) declaration(node ast.Decl) declaration {
	d := declaration{uses: map[string]bool{}}
	start := node.Pos()
	switch n := node.(type) {
	case *ast.FuncDecl:
		d.names = []string{n.Name.Name}
		d.receiver = receiverType(n)
		start = docStart(n.Doc, start)
	case *ast.GenDecl:
		d.names = declaredNames(n)
		start = docStart(n.Doc, start)
	}
	from := x.offset(start)
	d.text = string(x.source[from:x.offset(node.End())])
	x.collectUses(&d, node, from)
	return d
}

// collectUses collects the identifiers of a declaration whose text begins at an offset, and the
// places where it mentions packages. A local variable with the name of a package counts as a
// mention; generated code has none.
func (x *extractor) collectUses(d *declaration, node ast.Node, from int) {
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			d.uses[n.Name] = true
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok && x.packages[id.Name] != "" {
				d.refs = append(d.refs, packageRef{x.offset(id.Pos()) - from, id.Name})
			}
		}
		return true
	})
}

// docStart returns where a declaration at start begins together with its doc comment.
func docStart(doc *ast.CommentGroup, start token.Pos) token.Pos {
	if doc != nil {
		return doc.Pos()
	}
	return start
}

// receiverType returns the name of a method's receiver type, or "" for a function.
func receiverType(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return ""
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if generic, ok := t.(*ast.IndexExpr); ok {
		t = generic.X
	}
	name, _ := t.(*ast.Ident)
	if name == nil {
		return ""
	}
	return name.Name
}

func declaredNames(g *ast.GenDecl) []string {
	var names []string
	for _, spec := range g.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			names = append(names, s.Name.Name)
		case *ast.ValueSpec:
			for _, name := range s.Names {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

// findMethod returns the index of the method that resolves a field, or -1. The doc comment of the
// method identifies it, since its name can differ from that of the field.
func (x *extractor) findMethod(receiver, field string) int {
	doc := regexp.MustCompile(`(?m)^// \w+ resolves ` + regexp.QuoteMeta(field) + `\b`)
	return slices.IndexFunc(x.decls, func(d declaration) bool {
		return d.receiver == receiver && doc.MatchString(d.text)
	})
}

// snippet returns a method with the helpers that move with it.
//
// It first grows a set of all helpers that the method reaches, directly or through other helpers.
// It then removes each helper that a declaration outside of the set uses, until none is left to
// remove: a helper that stays takes along the helpers that it uses itself. Both loops end, since
// the set grows, then shrinks, within the declarations of the file.
func (x *extractor) snippet(method int) *Snippet {
	moves := map[int]bool{method: true}
	for changed := true; changed; {
		changed = false
		for i := range x.decls {
			if !moves[i] && x.isHelper(i) && x.isUsedBy(i, func(j int) bool { return moves[j] }) {
				moves[i], changed = true, true
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for i := range moves {
			if i != method && x.isUsedBy(i, func(j int) bool { return !moves[j] }) {
				delete(moves, i)
				changed = true
			}
		}
	}
	s := &Snippet{decls: []declaration{x.decls[method]}, imports: map[string]string{}}
	for i, d := range x.decls {
		if moves[i] && i != method {
			s.decls = append(s.decls, d)
		}
	}
	for _, d := range s.decls {
		for _, r := range d.refs {
			s.imports[r.name] = x.packages[r.name]
		}
	}
	return s
}

// isHelper reports whether a declaration may move: it is not exported, so no other package uses it.
// A method may move if its receiver type may.
func (x *extractor) isHelper(i int) bool {
	d := x.decls[i]
	if d.receiver != "" {
		return !ast.IsExported(d.receiver)
	}
	return len(d.names) > 0 && !slices.ContainsFunc(d.names, ast.IsExported)
}

// isUsedBy reports whether one of the declarations for which user returns true uses declaration i.
// To use a type is to use its methods: Go has both in one package, but a method that stays where
// its type leaves would be hard to find.
func (x *extractor) isUsedBy(i int, user func(int) bool) bool {
	names := x.decls[i].names
	if x.decls[i].receiver != "" {
		names = []string{x.decls[i].receiver}
	}
	for j, d := range x.decls {
		if j != i && user(j) && slices.ContainsFunc(names, func(name string) bool { return d.uses[name] }) {
			return true
		}
	}
	return false
}

// boundPhrase matches what the doc comment of a generated method says about the binding's place.
var boundPhrase = regexp.MustCompile(` by its binding in \S+, which calls the service `)

// text returns the snippet as Go, with its packages under other names.
func (s *Snippet) text(names map[string]string) string {
	texts := make([]string, len(s.decls))
	for i, d := range s.decls {
		texts[i] = d.renamePackages(names)
	}
	texts[0] = boundPhrase.ReplaceAllString(texts[0], " by a call to the service ")
	return strings.Join(texts, "\n\n") + "\n"
}

// renamePackages returns the text of a declaration with its packages under other names. It replaces
// from the end, so that the offsets before a replacement stay right.
func (d declaration) renamePackages(names map[string]string) string {
	refs := slices.SortedFunc(slices.Values(d.refs), func(a, b packageRef) int { return cmp.Compare(b.offset, a.offset) })
	text := d.text
	for _, r := range refs {
		text = text[:r.offset] + names[r.name] + text[r.offset+len(r.name):]
	}
	return text
}
