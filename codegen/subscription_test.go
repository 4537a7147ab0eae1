package codegen_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/codegen"
)

// Check warns of subscriptions, whatever their type is called, since no client sees them.
func TestSubscriptionsAreNotServed(t *testing.T) {
	for text, want := range map[string]string{
		"type Query { a: Int @goField(forceResolver: true) }\n":                                                                        "",
		"type Query { a: Int @goField(forceResolver: true) }\n\ntype Subscription { ticks: Int! }\n":                                   "schema.graphqls:3:6: subscriptions are not served: clients do not see the type Subscription",
		"schema { query: Query subscription: Live }\ntype Query { a: Int @goField(forceResolver: true) }\ntype Live { ticks: Int! }\n": "schema.graphqls:3:6: subscriptions are not served: clients do not see the type Live",
	} {
		dir := newcomer(t, repository(t))
		if err := os.MkdirAll(filepath.Join(dir, "schema"), 0o755); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "schema", "schema.graphqls"), text)
		var warnings []string
		project := codegen.Project{Dir: dir, Warn: func(text string) { warnings = append(warnings, text) }}
		if err := project.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if want == "" && warnings != nil || want != "" && !slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, want) }) {
			t.Errorf("%s: warnings %q, want %s", text, warnings, want)
		}
	}
}
