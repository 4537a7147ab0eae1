package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

// records returns the lines of the log with a message.
func (b *logBuffer) records(t *testing.T, message string) (found []map[string]any) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range strings.Lines(b.text.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if record["msg"] == message {
			found = append(found, record)
		}
	}
	return found
}

// The log says what was started and stopped. An object that a service does not have is no warning.
func TestLogOfALife(t *testing.T) {
	g, stop, stopped := startGateway(t)
	g.query(t, "", `{ product(sku: "nothing") { name } }`, nil)
	stop()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	for _, message := range []string{"starting", "serving", "stopping", "stopped"} {
		if got := g.Log.records(t, message); len(got) != 1 {
			t.Errorf("%d lines %q", len(got), message)
		}
	}
	if sources, _ := g.Log.records(t, "starting")[0]["sources"].(map[string]any); len(sources) != 3 || !strings.Contains(strings.TrimSpace(jsonOf(t, sources)), "http://127.0.0.1") {
		t.Errorf("the sources are %v", sources)
	}
	missing := g.Log.records(t, "the service has no such thing")
	if len(missing) != 1 || missing[0]["level"] != "INFO" {
		t.Errorf("%v", missing)
	}
	if text := g.Log.String(); strings.Contains(text, `"level":"WARN","msg":"the graph has`) {
		t.Error(text)
	}
}

func jsonOf(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Guards that no caller can pass are a mistake in the settings, most likely.
func TestGuardsWithoutIssuersAreAWarning(t *testing.T) {
	g := newGateway(t, func(c *config.Config) { c.Auth.Issuers = nil })
	found := false
	for line := range strings.Lines(g.Log.String()) {
		found = found || strings.Contains(line, `"level":"WARN"`) && strings.Contains(line, "no issuer is configured")
	}
	if !found {
		t.Error(g.Log.String())
	}
}
