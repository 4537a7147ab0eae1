package codegen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/codegen/plugin"
)

// testProgram is the text of a program that runs the binding tests of a project. The fields of the
// project's Resolver other than Services keep their zero values.
const testProgram = `package main

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/bindingtest"
	"github.com/gatehouse-graphql/gatehouse/upstreams"

	graph %q
	resolvers %q
)

func main() {
	bindingtest.Main(bindingtest.Project{
		Requirements: resolvers.Requirements,
		Schema: func(s *upstreams.Services) graphql.ExecutableSchema {
			return graph.NewSchema(&resolvers.Resolver{Services: s})
		},
	})
}
`

// testPackage is the folder below the root in which the go command sees the program. Nothing is
// written there: an overlay supplies the file.
const testPackage = "gatehouse-test-program"

// Test builds the project, together with a program that runs binding tests, and runs the program
// over files, whose paths are relative to the root. It runs the tests whose name matches the
// regular expression run, writes a report to out, and reports whether all of them passed. An error
// means that the tests could not be run. Test changes nothing in the project's folder.
func (p *Project) Test(ctx context.Context, out io.Writer, run string, files []string) (passed bool, err error) {
	dir, err := os.MkdirTemp("", "gatehouse-test-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	tests, err := p.buildTests(ctx, dir, append([]string{"-run", run, "--"}, files...))
	if err != nil {
		return false, err
	}
	tests.Stdout, tests.Stderr = out, os.Stderr
	err = tests.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); failed && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

// buildTests builds the program in dir and returns the command that runs it in the root. The
// tests themselves need no turn.
func (p *Project) buildTests(ctx context.Context, dir string, args []string) (tests *exec.Cmd, err error) {
	err = p.run(ctx, func(r *run) error {
		unlock, err := r.lock(ctx) // a program of half-written files would not compile
		if err != nil {
			return err
		}
		defer unlock()
		overlay, err := r.writeOverlay(ctx, dir)
		if err != nil {
			return err
		}
		program := filepath.Join(dir, "program.exe") // Windows requires the suffix
		if err := r.runGo(ctx, "build", "-ldflags=-s -w", "-overlay", overlay, "-o", program, "./"+testPackage); err != nil {
			return fmt.Errorf("the project does not compile; run gatehouse generate, and write what it misses: %w", err)
		}
		tests = exec.CommandContext(ctx, program, args...)
		tests.Dir = r.root
		return nil
	})
	return tests, err
}

// writeOverlay writes the program into dir, with a file that has the go command read it as if it
// stood in testPackage, and returns the path of that file.
func (r *run) writeOverlay(ctx context.Context, dir string) (overlay string, err error) {
	cfg, err := r.readConfig()
	if err != nil {
		return "", err
	}
	graph, err := r.importPath(ctx, filepath.Dir(cfg.Exec.Filename))
	if err != nil {
		return "", err
	}
	resolvers, err := r.importPath(ctx, plugin.ResolversDir)
	if err != nil {
		return "", err
	}
	overlay, source := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "main.go")
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(r.root, testPackage, "main.go"): source}})
	if err != nil {
		return "", err
	}
	program := fmt.Sprintf(testProgram, graph, resolvers)
	return overlay, errors.Join(os.WriteFile(source, []byte(program), 0o600), os.WriteFile(overlay, replaced, 0o600))
}

// importPath returns the import path of a folder, which need not hold code yet.
func (r *run) importPath(ctx context.Context, dir string) (string, error) {
	if !filepath.IsAbs(dir) {
		dir = "./" + filepath.ToSlash(dir)
	}
	out, err := r.goCommand(ctx, "list", "-e", dir).Output()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w", dir, err)
	}
	return strings.TrimSpace(string(out)), nil
}
