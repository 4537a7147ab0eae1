// Package eject moves the method of a binding into a file by hand, and takes the binding
// out of the schema. It works on texts alone: who calls it reads and writes the files.
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

// Piece is a method that was cut out of a file, with what only it uses.
type Piece struct {
	decls []declaration // the method is the first
	// imports are the packages that the piece needs, by their names in it.
	imports map[string]string
}

// declaration is one that stands in a file alone or in parentheses with others.
type declaration struct {
	node     ast.Node
	names    []string        // that it declares
	receiver string          // of a method
	uses     map[string]bool // every name in it, some of which may mean something else
	text     string          // with its comment
	refs     []reference     // to packages, in text
}

// reference is the name of a package in a text.
type reference struct {
	at   int
	name string
}

// Cut copies out of a generated file the method of a receiver that answers a field, named
// Type.field, together with the declarations which are not exported and which nothing
// that stays uses.
func Cut(file string, source []byte, receiver, field string) (*Piece, error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	c := &cutter{set: set, source: source, packages: packages(parsed)}
	for _, d := range parsed.Decls {
		if g, ok := d.(*ast.GenDecl); !ok || g.Tok != token.IMPORT {
			c.decls = append(c.decls, c.declaration(d))
		}
	}
	method := c.method(receiver, field)
	if method < 0 {
		return nil, fmt.Errorf("%s has no method that answers %s, which is a bug of gatehouse", file, field)
	}
	return c.piece(method), nil
}

// packages are a file's imports by their names in it.
func packages(file *ast.File) map[string]string {
	byName := map[string]string{}
	for _, spec := range file.Imports {
		importPath, _ := strconv.Unquote(spec.Path.Value)
		name := baseName(importPath)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		byName[name] = importPath
	}
	return byName
}

// version is the last element of the path of a later major version.
var version = regexp.MustCompile(`^v[0-9]+$`)

// baseName is the name that a package has by its path, most likely.
func baseName(importPath string) string {
	name := path.Base(importPath)
	if version.MatchString(name) {
		name = path.Base(path.Dir(importPath))
	}
	return name
}

// cutter has a file in pieces.
type cutter struct {
	set      *token.FileSet
	source   []byte
	packages map[string]string
	decls    []declaration
}

func (c *cutter) offset(p token.Pos) int { return c.set.Position(p).Offset }

func (c *cutter) declaration(node ast.Decl) declaration {
	d := declaration{node: node, uses: map[string]bool{}}
	begin := node.Pos()
	switch n := node.(type) {
	case *ast.FuncDecl:
		d.names = []string{n.Name.Name}
		d.receiver = receiverOf(n)
		begin = first(n.Doc, begin)
	case *ast.GenDecl:
		d.names = declared(n)
		begin = first(n.Doc, begin)
	}
	from := c.offset(begin)
	d.text = string(c.source[from:c.offset(node.End())])
	c.read(&d, node, from)
	return d
}

// read notes every name in a declaration, and where it speaks of packages.
func (c *cutter) read(d *declaration, node ast.Node, from int) {
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			d.uses[n.Name] = true
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && c.packages[x.Name] != "" {
				d.refs = append(d.refs, reference{c.offset(x.Pos()) - from, x.Name})
			}
		}
		return true
	})
}

func first(doc *ast.CommentGroup, begin token.Pos) token.Pos {
	if doc != nil {
		return doc.Pos()
	}
	return begin
}

// receiverOf is the name of a method's type; "" for a function.
func receiverOf(f *ast.FuncDecl) string {
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

func declared(g *ast.GenDecl) []string {
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

// method finds what answers a field: its comment says so. It is -1 for none.
func (c *cutter) method(receiver, field string) int {
	says := regexp.MustCompile(`(?m)^// \w+ answers ` + regexp.QuoteMeta(field) + `\b`)
	return slices.IndexFunc(c.decls, func(d declaration) bool {
		return d.receiver == receiver && says.MatchString(d.text)
	})
}

// piece is a method with its helpers: all that it can reach, without what others use too.
func (c *cutter) piece(method int) *Piece {
	moving := map[int]bool{method: true}
	for grown := true; grown; {
		grown = false
		for i := range c.decls {
			if !moving[i] && c.helper(i) && c.usedBy(i, func(j int) bool { return moving[j] }) {
				moving[i], grown = true, true
			}
		}
	}
	for shrunk := true; shrunk; {
		shrunk = false
		for i := range moving {
			if i != method && c.usedBy(i, func(j int) bool { return !moving[j] }) {
				delete(moving, i)
				shrunk = true
			}
		}
	}
	p := &Piece{decls: []declaration{c.decls[method]}, imports: map[string]string{}}
	for i, d := range c.decls {
		if moving[i] && i != method {
			p.decls = append(p.decls, d)
		}
	}
	for _, d := range p.decls {
		for _, r := range d.refs {
			p.imports[r.name] = c.packages[r.name]
		}
	}
	return p
}

// helper tells whether a declaration could move: nobody outside of the package uses it.
// A method goes where its type goes.
func (c *cutter) helper(i int) bool {
	d := c.decls[i]
	if d.receiver != "" {
		return !ast.IsExported(d.receiver)
	}
	return len(d.names) > 0 && !slices.ContainsFunc(d.names, ast.IsExported)
}

// usedBy tells whether one of some declarations uses another one. A method is used by
// whoever uses its type, since the two cannot be parted.
func (c *cutter) usedBy(i int, some func(int) bool) bool {
	names := c.decls[i].names
	if c.decls[i].receiver != "" {
		names = []string{c.decls[i].receiver}
	}
	for j, d := range c.decls {
		if j != i && some(j) && slices.ContainsFunc(names, func(name string) bool { return d.uses[name] }) {
			return true
		}
	}
	return false
}

// bound is what a generated comment says of the binding.
var bound = regexp.MustCompile(`, bound at \S+ to the service `)

// body is the text of the piece, with packages named as in the file that it goes to.
func (p *Piece) body(names map[string]string) string {
	texts := make([]string, len(p.decls))
	for i, d := range p.decls {
		texts[i] = d.renamed(names)
	}
	texts[0] = bound.ReplaceAllString(texts[0], " from the service ")
	return strings.Join(texts, "\n\n") + "\n"
}

func (d declaration) renamed(names map[string]string) string {
	refs := slices.SortedFunc(slices.Values(d.refs), func(a, b reference) int { return cmp.Compare(b.at, a.at) })
	text := d.text
	for _, r := range refs {
		text = text[:r.at] + names[r.name] + text[r.at+len(r.name):]
	}
	return text
}
