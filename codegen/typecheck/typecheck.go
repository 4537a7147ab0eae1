// Package typecheck checks the types of Go packages from their source, within this process. It
// does not compile them or the packages that import them, and files that are not on disk can take
// part in a check. The packages that they import are compiled once by the go command, which keeps
// them in its build cache.
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

// Program holds the packages of some folders and what they import. It is not safe for concurrent
// use.
//
// Its packages are of two kinds. Those of the folders, and those between them that import one of
// them, are checked from source, since their compiled form in the build cache is of code that has
// changed. All others come from the build cache, as export data. A package is never of both kinds:
// go/types compares packages by identity, so two copies of one would be two different packages
// whose types do not match.
type Program struct {
	fset     *token.FileSet
	root     string                       // an absolute path
	sources  map[string]*packages.Package // by import path: the packages that are checked from source
	compiled map[string]*types.Package    // by import path: those from the build cache
	checked  map[string]*Package          // by import path: the sources that have been checked
}

// Package is the result of checking one package.
type Package struct {
	Types    *types.Package
	Problems []Problem // in the order of their places; nil if the package compiles
}

// Problem is a mistake in a file.
type Problem struct {
	Position token.Position // its file is relative to the root if it lies below it
	Message  string
}

// String returns file:line:column: message.
func (p Problem) String() string { return fmt.Sprintf("%s: %s", p.Position, p.Message) }

// Load finds the packages in folders, which are named relative to root, an absolute path. It
// returns an error if the go command fails; mistakes in the packages are left to the checks.
func Load(ctx context.Context, root string, dirs ...string) (*Program, error) {
	p := &Program{
		fset:     token.NewFileSet(),
		root:     root,
		sources:  map[string]*packages.Package{},
		compiled: map[string]*types.Package{"unsafe": types.Unsafe},
		checked:  map[string]*Package{},
	}
	const mode = packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps
	roots, err := packages.Load(p.config(ctx, mode), patterns(dirs)...)
	if err != nil {
		return nil, err
	}
	for _, r := range roots {
		p.sources[r.PkgPath] = r
	}
	visited := map[string]bool{}
	for _, r := range roots {
		for _, imported := range r.Imports {
			p.addSource(imported, visited)
		}
	}
	return p, p.loadCompiled(ctx)
}

func (p *Program) config(ctx context.Context, mode packages.LoadMode) *packages.Config {
	return &packages.Config{Mode: mode, Context: ctx, Dir: p.root, Fset: p.fset}
}

// patterns returns folders in the form that the go command does not take for import paths.
func patterns(dirs []string) []string {
	patterns := make([]string, len(dirs))
	for i, dir := range dirs {
		patterns[i] = dir
		if !filepath.IsAbs(dir) {
			patterns[i] = "./" + filepath.ToSlash(dir)
		}
	}
	return patterns
}

// addSource reports whether a package is checked from source, and first adds it to the sources if
// it imports one, directly or through others. It visits all imports even when one of them has
// settled that: each must be added for its own sake. It visits no package twice.
func (p *Program) addSource(pkg *packages.Package, visited map[string]bool) bool {
	if visited[pkg.PkgPath] {
		return p.sources[pkg.PkgPath] != nil
	}
	visited[pkg.PkgPath] = true
	for _, imported := range pkg.Imports {
		if p.addSource(imported, visited) {
			p.sources[pkg.PkgPath] = pkg
		}
	}
	return p.sources[pkg.PkgPath] != nil
}

// loadCompiled loads the packages that sources import and that are not sources themselves.
func (p *Program) loadCompiled(ctx context.Context) error {
	imported := map[string]bool{}
	for _, source := range p.sources {
		for path := range source.Imports {
			if p.sources[path] == nil && path != "unsafe" {
				imported[path] = true
			}
		}
	}
	if len(imported) == 0 { // without patterns, packages.Load would load the root
		return nil
	}
	const mode = packages.NeedName | packages.NeedImports | packages.NeedTypes
	loaded, err := packages.Load(p.config(ctx, mode), slices.Sorted(maps.Keys(imported))...)
	for _, pkg := range loaded {
		if len(pkg.Errors) == 0 {
			p.compiled[pkg.PkgPath] = pkg.Types
		}
	}
	return err
}

// Import implements types.Importer over the packages of the program.
func (p *Program) Import(path string) (*types.Package, error) {
	if p.sources[path] != nil {
		return p.checkSource(path).Types, nil
	}
	if pkg := p.compiled[path]; pkg != nil {
		return pkg, nil
	}
	return nil, errors.New("it does not compile, or is not there")
}

// checkSource checks a package of the sources as it is on disk. It does so once, so that all
// importers see the same package.
func (p *Program) checkSource(path string) *Package {
	if p.checked[path] == nil {
		files, problems := p.parse(p.sources[path].GoFiles, nil)
		p.checked[path] = p.check(path, files, problems)
	}
	return p.checked[path]
}

// CheckDir checks the package in a folder with another choice of files: those on disk for which
// keep returns true, and extra ones, whose texts are given by their names. keep receives paths
// relative to the root. The result is a package of its own, which no other package imports, so one
// folder can be checked several times.
func (p *Program) CheckDir(dir string, keep func(path string) bool, extra map[string][]byte) (*Package, error) {
	pkg, err := p.sourceIn(dir)
	if err != nil {
		return nil, err
	}
	paths := slices.DeleteFunc(slices.Clone(pkg.GoFiles), func(path string) bool { return !keep(p.relative(path)) })
	files, problems := p.parse(paths, extra)
	return p.check(pkg.PkgPath, files, problems), nil
}

// ProblemsIn returns the problems of the packages in folders, as they are on disk.
func (p *Program) ProblemsIn(dirs ...string) []Problem {
	return p.problems(func(dir string) bool { return p.contains(dirs, dir) })
}

// ProblemsOutside returns the problems of all packages that are checked from source and lie in none
// of the folders.
func (p *Program) ProblemsOutside(dirs ...string) []Problem {
	return p.problems(func(dir string) bool { return !p.contains(dirs, dir) })
}

func (p *Program) contains(dirs []string, dir string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool { return p.relative(d) == dir })
}

func (p *Program) problems(include func(dir string) bool) []Problem {
	var problems []Problem
	for _, path := range slices.Sorted(maps.Keys(p.sources)) {
		if include(p.relative(p.sources[path].Dir)) {
			problems = append(problems, p.checkSource(path).Problems...)
		}
	}
	return problems
}

// sourceIn returns the package in a folder.
func (p *Program) sourceIn(dir string) (*packages.Package, error) {
	for _, pkg := range p.sources {
		if p.relative(pkg.Dir) == p.relative(dir) {
			return pkg, nil
		}
	}
	return nil, fmt.Errorf("%s: the go command finds no package there", dir)
}

// relative returns a path relative to the root if it lies below that, and the cleaned path if not.
func (p *Program) relative(path string) string {
	if rel, err := filepath.Rel(p.root, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return filepath.Clean(path)
}

// parse parses the files at paths, then the extra ones in the order of their names. A file with
// mistakes of syntax takes part as far as it was parsed.
func (p *Program) parse(paths []string, extra map[string][]byte) (files []*ast.File, problems []Problem) {
	parse := func(name string, text any) {
		file, err := parser.ParseFile(p.fset, name, text, parser.SkipObjectResolution|parser.AllErrors)
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
		parse(path, nil)
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		parse(name, extra[name])
	}
	return files, problems
}

func (p *Program) problem(position token.Position, message string) Problem {
	position.Filename = p.relative(position.Filename)
	return Problem{position, message}
}

// check checks the types of parsed files, whose problems of syntax are given. With any of these it
// adds no problems of types, most of which would only follow from the former. A message of go/types
// that begins with a tab continues the message before it; check leaves it out.
func (p *Program) check(path string, files []*ast.File, problems []Problem) *Package {
	hasSyntaxErrors := len(problems) > 0
	conf := types.Config{Importer: p, FakeImportC: true, Error: func(err error) {
		if e, ok := errors.AsType[types.Error](err); ok && !hasSyntaxErrors && !strings.HasPrefix(e.Msg, "\t") {
			problems = append(problems, p.problem(p.fset.Position(e.Pos), e.Msg))
		}
	}}
	pkg, _ := conf.Check(path, p.fset, files, nil) // its error repeats the first problem
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Position.Filename, b.Position.Filename), cmp.Compare(a.Position.Offset, b.Position.Offset))
	})
	return &Package{pkg, problems}
}
