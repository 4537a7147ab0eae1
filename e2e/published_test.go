package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/resolvers"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// The SDL that is printed offline is what the gateway serves, is valid, and has nothing of the
// gateway's own.
func TestPrintedSchema(t *testing.T) {
	printed := gateway.Graph{Schema: newSchema}.SDL()
	g := newGateway(t)
	resp, err := http.Get(g.URL + "/schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	served, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	if diff := cmp.Diff(printed, string(served)); diff != "" {
		t.Errorf("-printed +served\n%s", diff)
	}
	if _, err := gqlparser.LoadSchema(&ast.Source{Name: "printed.graphqls", Input: printed}); err != nil {
		t.Error(err)
	}
	for _, private := range []string{"@connect", "@source", "@json", "@authenticated", "@requiresScopes", "@discriminator", "defer", "ConnectHTTP", "http:"} {
		if strings.Contains(printed, private) {
			t.Errorf("the SDL has %s", private)
		}
	}
	off := newGateway(t, func(c *config.Config) { c.Introspection = false })
	hidden, err := http.Get(off.URL + "/schema.graphql")
	if err != nil {
		t.Fatal(err)
	}
	defer hidden.Body.Close()
	if hidden.StatusCode != http.StatusNotFound {
		t.Errorf("without introspection: %s", hidden.Status)
	}
}

// A query with @defer would have answered null for the fields below it; it is refused, without a
// call.
func TestDeferIsRefused(t *testing.T) {
	for _, how := range []string{engine.EnginePlan, engine.EngineGqlgen} {
		g := newGateway(t, func(c *config.Config) { c.Execution.Engine = how })
		body, _ := json.Marshal(map[string]string{"query": `{ products(first: 3) { nodes { sku ... @defer { stock } } } }`})
		resp, err := http.Post(g.URL+"/graphql", "application/json", strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.Contains(string(text), `Unknown directive \"@defer\".`) || strings.Contains(string(text), `"data"`) {
			t.Errorf("%s: %s %v", how, text, err)
		}
		if calls := g.Shop.Calls("products"); len(calls) > 0 {
			t.Errorf("%s: %v", how, calls)
		}
	}
}

// What a start refuses or warns of, a check of the settings says as well.
func TestCheckSaysWhatAStartWould(t *testing.T) {
	g := gateway.Graph{Schema: newSchema, Requirements: resolvers.Requirements}
	settings := &config.Config{Sources: config.Sources{
		"users": upstreams.Source{URLs: upstreams.URLs("http://localhost:1")}, "user": upstreams.Source{URLs: upstreams.URLs("http://localhost:1")},
	}}
	settings.Cursors.Secret = "a secret of at least thirty-two bytes"
	warnings, err := g.Check(settings)
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0], "no binding of the graph uses sources.user;") {
		t.Errorf("%q", warnings)
	}
	for _, missing := range []string{`the source "orders"`, `the source "products"`} {
		if err == nil || strings.Count(err.Error(), missing) != 1 {
			t.Errorf("%v", err)
		}
	}
	settings.Sources = config.Sources{}
	settings.Cursors.Secret = ""
	for _, name := range resolvers.Requirements.Sources {
		settings.Sources[name] = upstreams.Source{URLs: upstreams.URLs("http://localhost:1")}
	}
	g.Requirements.Config = map[string][]string{"users": {"region"}}
	g.Requirements.Environment = []string{"GATEHOUSE_TEST_NOT_SET"}
	warnings, err = g.Check(settings)
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0], "cursors are valid only in this process") {
		t.Errorf("%q", warnings)
	}
	if err == nil || !strings.Contains(err.Error(), "sources.users.config.region") || !strings.Contains(err.Error(), "GATEHOUSE_TEST_NOT_SET is not set") {
		t.Errorf("%v", err)
	}
}
