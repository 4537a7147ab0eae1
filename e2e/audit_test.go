package e2e

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

// audits counts the audits of the npm package graphql-http by their requirement level (RFC 2119).
var audits = map[string]int{"MUST": 13, "SHOULD": 23, "MAY": 25}

// The gateway passes every audit of GraphQL over HTTP on both engines. Some audits query the
// schema, so introspection is on.
func TestAudit(t *testing.T) {
	run := auditor(t)
	for _, executor := range []string{engine.EnginePlan, engine.EngineGqlgen} {
		t.Run(executor, func(t *testing.T) {
			g := newGateway(t, func(c *config.Config) { c.Execution.Engine, c.Introspection = executor, true })
			passed := map[string]int{}
			for _, audit := range run(t, g.URL+"/graphql") {
				level, _, _ := strings.Cut(audit.Name, " ")
				if audit.Status == "ok" {
					passed[level]++
				} else {
					t.Errorf("%s: %s", audit.Name, audit.Reason)
				}
			}
			if !maps.Equal(passed, audits) {
				t.Errorf("%v passed, want %v", passed, audits)
			}
		})
	}
}

type audit struct{ Name, Status, Reason string }

// auditor returns a function that runs the audits against an endpoint. Without Node or the package
// it skips the test, with CI=true it fails.
func auditor(t *testing.T) func(t *testing.T, endpoint string) []audit {
	t.Helper()
	script := filepath.Join("e2e", "testdata", "audit", "audit.js")
	node, noNode := exec.LookPath("node")
	_, noPackage := os.Stat(filepath.Join(filepath.Dir(script), "node_modules", "graphql-http"))
	if missing := errors.Join(noNode, noPackage); missing != nil {
		const what = "the audit needs Node, and `npm ci` in e2e/testdata/audit: %v"
		if os.Getenv("CI") == "true" {
			t.Fatalf(what, missing)
		}
		t.Skipf(what, missing)
	}
	return func(t *testing.T, endpoint string) (results []audit) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), node, script, endpoint)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", script, err)
		}
		if err := json.Unmarshal(out, &results); err != nil {
			t.Fatalf("%s printed %s: %v", script, out, err)
		}
		return results
	}
}
