package bindingtest_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/bindingtest"
	enginegraph "github.com/gatehouse-graphql/gatehouse/enginetest/graph"
	enginetest "github.com/gatehouse-graphql/gatehouse/enginetest/resolvers"
	"github.com/gatehouse-graphql/gatehouse/graph"
	"github.com/gatehouse-graphql/gatehouse/resolvers"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shop is the project of this repository, whose bindings the tests are of.
var shop = bindingtest.Project{
	Requirements: resolvers.Requirements,
	Schema: func(s *upstreams.Services) graphql.ExecutableSchema {
		return graph.NewSchema(&resolvers.Resolver{Services: s})
	},
}

// Every way to fail is told, with what is wanted and what is there.
func TestPrint(t *testing.T) {
	for _, name := range []string{"failing", "mistakes", "values", "alias", "syntax"} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			if shop.Print(t.Context(), &out, nil, filepath.Join("testdata", name+".test.yaml")) {
				t.Error("it passes")
			}
			golden(t, filepath.Join("testdata", name+".golden"), out.String())
		})
	}
}

// Degraded fields are compared like errors: each has to be expected.
func TestPrintDegraded(t *testing.T) {
	project := bindingtest.Project{
		Requirements: enginetest.Requirements,
		Schema: func(s *upstreams.Services) graphql.ExecutableSchema {
			return enginegraph.NewSchema(&enginetest.Resolver{Services: s})
		},
	}
	var out strings.Builder
	if project.Print(t.Context(), &out, nil, "testdata/degraded.test.yaml") {
		t.Error("it passes")
	}
	golden(t, "testdata/degraded.golden", out.String())
}

func golden(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s, -update writes it: -want +got\n%s", file, diff)
	}
}

func TestPrintChooses(t *testing.T) {
	for pattern, want := range map[string]string{"It passes": "1 passed, 0 failed\n", "nothing": "no test was run"} {
		var out strings.Builder
		ok := shop.Print(t.Context(), &out, regexp.MustCompile(pattern), "testdata/failing.test.yaml")
		if ok != strings.HasPrefix(want, "1") || !strings.Contains(out.String(), want) {
			t.Errorf("--run %q gives %v:\n%s", pattern, ok, out.String())
		}
	}
}

func TestFilesSaysHowToBegin(t *testing.T) {
	_, err := bindingtest.Files(filepath.Join(t.TempDir(), "*.test.yaml"))
	if err == nil || !strings.Contains(err.Error(), "connectorRequest: {method: GET, url: /users/u1}") {
		t.Errorf("%v", err)
	}
}
