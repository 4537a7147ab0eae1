// Package bindingtest runs tests of bindings, which are YAML files with an operation, canned responses of
// the services, the expected calls, and the expected response. docs/testing-bindings.md describes
// their format.
//
// It promises that a test runs the code of the gateway from the text of the operation to the bytes of the
// calls: the front with its guards and limits, the generated resolvers, and the clients of the
// services. The services are replaced by a server on this machine, and the
// verification of tokens by the test's claims; limits are the defaults. An unexpected call fails a
// test, and so does an expected call that is not made.
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

// Pattern matches the tests of a project, relative to its root.
const Pattern = "schema/*.test.yaml"

// Project is the project whose bindings are tested. Both fields are required.
type Project struct {
	// Requirements are the settings that the bindings of the graph need: resolvers.Requirements. A
	// test fails without them, as the gateway does not start.
	Requirements upstreams.Requirements
	// Schema returns the executable schema over the services. It is called once for each test.
	Schema func(*upstreams.Services) graphql.ExecutableSchema
}

// Run runs the tests of all files that match a pattern: a subtest for each file, and one within it for
// each of its tests. It fails if no file matches.
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

// Files returns the sorted files that match a pattern. If there are none, its error has an example to
// begin with.
func Files(pattern string) ([]string, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there are no tests at %s; write one, for example:\n\n%s", pattern, exampleTest)
	}
	slices.Sort(files)
	return files, nil
}

// exampleTest is the example in the error of Files.
const exampleTest = `tests:
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
