// Package typecheck checks the types of packages from their source, in this process. It
// compiles neither them nor what depends on them, and a file that is not on disk may take
// part. What they import otherwise is compiled once by the go command, whose cache has it
// afterwards.
package typecheck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// Program holds the packages of some folders, with all that they import.
type Program struct {
	set      *token.FileSet
	root     string                       // the working directory
	listed   map[string]*packages.Package // by import path: those that are checked from source
	exported map[string]*types.Package    // by import path: all others
	checked  map[string]*Package
}

// Package is one that was checked.
type Package struct {
	Types    *types.Package
	Problems []Problem // in the order of their places; nil when all is well
}

// Problem is a mistake in a file.
type Problem struct {
	Position token.Position
	Message  string
}

// String gives file:line:column and the message.
func (p Problem) String() string { return fmt.Sprintf("%s: %s", p.Position, p.Message) }

// Load finds the packages in folders below the working directory root. It returns an error
// when the go command fails; mistakes in the packages are found by Check.
func Load(ctx context.Context, root string, dirs ...string) (*Program, error) {
	p := &Program{
		set: token.NewFileSet(), root: root, listed: map[string]*packages.Package{},
		exported: map[string]*types.Package{"unsafe": types.Unsafe}, checked: map[string]*Package{},
	}
	roots, err := packages.Load(p.config(ctx, packages.NeedName|packages.NeedFiles|packages.NeedImports|packages.NeedDeps), patterns(dirs)...)
	if err != nil {
		return nil, err
	}
	compiled := map[string]bool{}
	for _, r := range roots {
		p.listed[r.PkgPath] = r
	}
	for _, r := range roots {
		p.list(r, map[string]bool{})
	}
	for _, l := range p.listed {
		for path := range l.Imports {
			compiled[path] = p.listed[path] == nil && path != "unsafe"
		}
	}
	maps.DeleteFunc(compiled, func(_ string, needed bool) bool { return !needed })
	return p, p.export(ctx, slices.Sorted(maps.Keys(compiled)))
}

func (p *Program) config(ctx context.Context, mode packages.LoadMode) *packages.Config {
	return &packages.Config{Mode: mode, Context: ctx, Dir: p.root, Fset: p.set}
}

func patterns(dirs []string) []string {
	all := make([]string, len(dirs))
	for i, dir := range dirs {
		all[i] = dir
		if !filepath.IsAbs(dir) {
			all[i] = "./" + filepath.ToSlash(dir)
		}
	}
	return all
}

// list reports whether a package is checked from source: a root, or one that imports such a
// package, since what it was compiled with has changed.
func (p *Program) list(pkg *packages.Package, seen map[string]bool) bool {
	if seen[pkg.PkgPath] {
		return p.listed[pkg.PkgPath] != nil
	}
	seen[pkg.PkgPath] = true
	for _, imported := range pkg.Imports {
		if p.list(imported, seen) {
			p.listed[pkg.PkgPath] = pkg
		}
	}
	return p.listed[pkg.PkgPath] != nil
}

// export reads what the go command compiled.
func (p *Program) export(ctx context.Context, paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	compiled, err := packages.Load(p.config(ctx, packages.NeedName|packages.NeedImports|packages.NeedTypes), paths...)
	for _, pkg := range compiled {
		if len(pkg.Errors) == 0 {
			p.exported[pkg.PkgPath] = pkg.Types
		}
	}
	return err
}

// Import returns the types of an imported package.
func (p *Program) Import(path string) (*types.Package, error) {
	if p.listed[path] != nil {
		return p.Package(path).Types, nil
	}
	if pkg := p.exported[path]; pkg != nil {
		return pkg, nil
	}
	return nil, errors.New("it does not compile, or is not there")
}

// Package checks a package by its import path, once.
func (p *Program) Package(path string) *Package {
	if p.checked[path] == nil {
		files, problems := p.parse(p.listed[path].GoFiles, nil)
		p.checked[path] = p.check(path, files, problems)
	}
	return p.checked[path]
}

// Dir checks the package in a folder. Each file is read from disk, unless keep refuses it;
// more holds further files by their names.
func (p *Program) Dir(dir string, keep func(path string) bool, more map[string][]byte) (*Package, error) {
	pkg, err := p.in(dir)
	if err != nil {
		return nil, err
	}
	paths := slices.DeleteFunc(slices.Clone(pkg.GoFiles), func(path string) bool { return !keep(p.relative(path)) })
	files, problems := p.parse(paths, more)
	return p.check(pkg.PkgPath, files, problems), nil
}

// In returns the problems of the packages in folders.
func (p *Program) In(dirs ...string) []Problem {
	return p.problems(func(dir string) bool { return p.among(dirs, dir) })
}

// Others returns the problems of all packages that are checked from source, but for those in
// folders.
func (p *Program) Others(dirs ...string) []Problem {
	return p.problems(func(dir string) bool { return !p.among(dirs, dir) })
}

func (p *Program) among(dirs []string, dir string) bool {
	return slices.ContainsFunc(dirs, func(one string) bool { return p.relative(one) == dir })
}

func (p *Program) problems(where func(dir string) bool) []Problem {
	var problems []Problem
	for _, path := range slices.Sorted(maps.Keys(p.listed)) {
		if where(p.dir(p.listed[path])) {
			problems = append(problems, p.Package(path).Problems...)
		}
	}
	return problems
}

// in finds the package in a folder.
func (p *Program) in(dir string) (*packages.Package, error) {
	for _, pkg := range p.listed {
		if p.dir(pkg) == p.relative(dir) {
			return pkg, nil
		}
	}
	return nil, fmt.Errorf("%s: the go command finds no package there", dir)
}

func (p *Program) dir(pkg *packages.Package) string { return p.relative(pkg.Dir) }

// relative is a path as it is seen from the working directory, where it lies below that.
func (p *Program) relative(path string) string {
	if rel, err := filepath.Rel(p.root, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return filepath.Clean(path)
}

// parse parses files, those on disk first.
func (p *Program) parse(paths []string, more map[string][]byte) (files []*ast.File, problems []Problem) {
	add := func(name string, text any) {
		file, err := parser.ParseFile(p.set, name, text, parser.SkipObjectResolution|parser.AllErrors)
		if list, ok := errors.AsType[scanner.ErrorList](err); ok {
			for _, e := range list {
				problems = append(problems, p.problem(e.Pos, e.Msg))
			}
		} else if err != nil {
			problems = append(problems, p.problem(token.Position{Filename: name}, err.Error()))
		}
		if file != nil {
			files = append(files, file)
		}
	}
	for _, path := range paths {
		add(path, nil)
	}
	for _, name := range slices.Sorted(maps.Keys(more)) {
		add(name, more[name])
	}
	return files, problems
}

func (p *Program) problem(at token.Position, message string) Problem {
	at.Filename = p.relative(at.Filename)
	return Problem{at, message}
}

// check checks the types of parsed files. Where these have mistakes of syntax, those of types
// are left out: most of them would follow from the former.
func (p *Program) check(path string, files []*ast.File, problems []Problem) *Package {
	syntax := len(problems) > 0
	conf := types.Config{Importer: p, FakeImportC: true, Error: func(err error) {
		if e, ok := errors.AsType[types.Error](err); ok && !syntax && !strings.HasPrefix(e.Msg, "\t") {
			problems = append(problems, p.problem(p.set.Position(e.Pos), e.Msg))
		}
	}}
	checked, _ := conf.Check(path, p.set, files, nil) // its error is the first of problems
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Position.Filename, b.Position.Filename), cmp.Compare(a.Position.Offset, b.Position.Offset))
	})
	return &Package{checked, problems}
}
