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

// testProgram runs a project's tests of bindings. The fields of its Resolver besides
// Services are the project's own, and stay empty.
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
		Sources: resolvers.Requirements.Sources,
		Schema: func(s *upstreams.Services) graphql.ExecutableSchema {
			return graph.NewSchema(&resolvers.Resolver{Services: s})
		},
	})
}
`

// testPackage is where the go command believes the program to be. Nothing is written there.
const testPackage = "gatehouse-test-program"

// Test builds the project in the working directory together with a program that runs
// files of tests, and runs it: those tests whose name a regular expression fits. It tells
// whether all have passed; its error is that they could not be run. The project's folder
// stays as it is.
func Test(ctx context.Context, out io.Writer, run string, files []string) (passed bool, err error) {
	dir, err := os.MkdirTemp("", "gatehouse-test-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	program, err := buildTests(ctx, dir)
	if err != nil {
		return false, err
	}
	tests := exec.CommandContext(ctx, program, append([]string{"-run", run, "--"}, files...)...)
	tests.Stdout, tests.Stderr = out, os.Stderr
	err = tests.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); failed && ctx.Err() == nil {
		return false, nil
	}
	return err == nil, err
}

// buildTests builds the program in dir.
func buildTests(ctx context.Context, dir string) (program string, err error) {
	overlay, err := overlay(ctx, dir)
	if err != nil {
		return "", err
	}
	program = filepath.Join(dir, "program.exe") // Windows wants a suffix, and nobody else minds
	if err := goTool(ctx, "build", "-overlay", overlay, "-o", program, "./"+testPackage); err != nil {
		return "", fmt.Errorf("the project does not compile; run gatehouse generate, and write what it misses: %w", err)
	}
	return program, nil
}

// overlay tells the go command where the program's text is in truth.
func overlay(ctx context.Context, dir string) (file string, err error) {
	cfg, err := project()
	if err != nil {
		return "", err
	}
	graph, err := importPath(ctx, filepath.Dir(cfg.Exec.Filename))
	if err != nil {
		return "", err
	}
	resolvers, err := importPath(ctx, plugin.ResolversDir)
	if err != nil {
		return "", err
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	text, source := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "main.go")
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, testPackage, "main.go"): source}})
	if err != nil {
		return "", err
	}
	program := fmt.Sprintf(testProgram, graph, resolvers)
	return text, errors.Join(os.WriteFile(source, []byte(program), 0o600), os.WriteFile(text, replaced, 0o600))
}

// importPath is that of a folder, which may be without code yet.
func importPath(ctx context.Context, dir string) (string, error) {
	if !filepath.IsAbs(dir) {
		dir = "./" + filepath.ToSlash(dir)
	}
	out, err := exec.CommandContext(ctx, "go", "list", "-e", dir).Output()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w", dir, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// goTool runs the go command. Its error is what the command says.
func goTool(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("go %s: %w\n%s", args[0], err, strings.TrimSpace(string(out)))
}
