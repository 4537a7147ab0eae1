// Package bindingtest runs tests of bindings that are written as YAML files: an
// operation, canned answers of the services, and what the gateway must ask of them and
// answer. docs/testing-bindings.md has the form of the files.
//
// It promises that a test runs what the gateway runs, from the operation's text to the
// calls' bytes: the real front, guards and limits included, generated resolvers, real
// clients of the services. Only the services are missing, so nothing leaves the machine.
// A call that no test expects fails it, and so does an expected one that is not made.
package bindingtest

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// Pattern is where a project's tests are, from its root.
const Pattern = "schema/*.test.yaml"

// Project is what is tested. Both fields are required.
type Project struct {
	// Sources are the services that the graph is bound to: resolvers.Requirements.Sources.
	Sources []string
	// Schema makes the executable schema over the services. It is called once for
	// each test.
	Schema func(*upstreams.Services) graphql.ExecutableSchema
}

// Run runs the tests of all files that fit a pattern, each as a subtest of its file's. It
// fails when no file does.
func Run(t *testing.T, p Project, pattern string) {
	t.Helper()
	files, err := Files(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { p.runFile(t, file) })
	}
}

func (p Project) runFile(t *testing.T, file string) {
	s, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range s.tests {
		t.Run(one.name, func(t *testing.T) {
			if problems := p.run(t.Context(), s, one); len(problems) > 0 {
				t.Errorf("%s:%d: %s", file, one.line, strings.Join(problems, "\n"))
			}
		})
	}
}

// Files are those that fit a pattern, in order. None is an error that says how to begin.
func Files(pattern string) ([]string, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there are no tests at %s; write one, for example:\n\n%s", pattern, first)
	}
	slices.Sort(files)
	return files, nil
}

// first is a test to begin with.
const first = `tests:
  - name: A user by id
    connector: Query.user
    query: '{ user(id: "u1") { id name } }'
    apiResponseBody: |
      {"id": "u1", "name": "Ann"}
    expect:
      connectorRequest: {method: GET, url: /users/u1}
      connectorResponse: |
        {"id": "u1", "name": "Ann"}
`
