package e2e

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

// get reads a page of the gateway or of its metrics address.
func get(t *testing.T, url string) (status int, text string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// executedOperations returns the operation counters of the page that are not 0.
func executedOperations(page string) map[string]string {
	found := map[string]string{}
	for _, line := range regexp.MustCompile(`(?m)^gateway_operations_total\{(.*)\} (.*)$`).FindAllStringSubmatch(page, -1) {
		if line[2] != "0" {
			found[line[1]] = line[2]
		}
	}
	return found
}

// The metrics count the operations by executor, with the reason for gqlgen's. The page has no name
// that comes from a client.
func TestMetrics(t *testing.T) {
	g := newGateway(t, func(c *config.Config) { c.Metrics.Public, c.Execution.Engine = true, engine.EnginePlan })
	for i := range 20 {
		g.query(t, "", fmt.Sprintf("query hostile%d { __typename }", i), nil)
	}
	g.query(t, "", `mutation hostile { __typename }`, nil)
	g.query(t, "", `query hostile { __schema { queryType { name } } }`, nil)
	g.query(t, "", `query hostile { nothing }`, nil)
	status, page := get(t, g.URL+"/metrics")
	if status != http.StatusOK || strings.Contains(page, "hostile") {
		t.Errorf("status %d, page:\n%s", status, page)
	}
	want := map[string]string{
		`executor="plan",graphql_operation_type="query"`:                          "20",
		`executor="plan",graphql_operation_type="mutation"`:                       "1",
		`executor="gqlgen",graphql_operation_type="query",reason="introspection"`: "1",
	}
	if got := executedOperations(page); !maps.Equal(got, want) {
		t.Errorf("operations are %v, want %v", got, want)
	}
}

// The setting execution.engine is a reason as well.
func TestMetricsOfGqlgenEngine(t *testing.T) {
	g := newGateway(t, func(c *config.Config) { c.Metrics.Public, c.Execution.Engine = true, engine.EngineGqlgen })
	g.query(t, "", "{ __typename }", nil)
	_, page := get(t, g.URL+"/metrics")
	want := map[string]string{`executor="gqlgen",graphql_operation_type="query",reason="execution.engine"`: "1"}
	if got := executedOperations(page); !maps.Equal(got, want) {
		t.Errorf("operations are %v, want %v", got, want)
	}
}

// Metrics are not public unless the settings say so.
func TestMetricsAreOffByDefault(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"default":          func(*config.Config) {},
		"on their address": func(c *config.Config) { c.Metrics.Listen = "127.0.0.1:0" },
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, change)
			if status, page := get(t, g.URL+"/metrics"); status != http.StatusNotFound {
				t.Errorf("status %d, page:\n%s", status, page)
			}
			own := regexp.MustCompile(`"msg":"serving metrics","address":"(.*?)"`).FindStringSubmatch(g.Log.String())
			if (own != nil) != (name != "default") {
				t.Fatalf("served at %q", own)
			}
			if own == nil {
				return
			}
			g.query(t, "", "{ __typename }", nil)
			if status, page := get(t, "http://"+own[1]+"/metrics"); status != http.StatusOK || len(executedOperations(page)) != 1 {
				t.Errorf("status %d, page:\n%s", status, page)
			}
		})
	}
}
