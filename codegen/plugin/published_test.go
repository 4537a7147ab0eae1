package plugin

import (
	"strings"
	"testing"

	"github.com/99designs/gqlgen/codegen"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// Clients can read the directives that are published, with their declarations, and no others.
func TestOnlyPublishedDirectivesAreKept(t *testing.T) {
	json := binding.DirectiveByName("json")
	defer func(kind binding.DirectiveKind) { json.Kind = kind }(json.Kind)
	for kind, want := range map[binding.DirectiveKind]string{
		binding.Private:   "type Query {\n\ta: ID\n\tb: ID\n}\n",
		binding.Published: "directive @json(name: String!) on FIELD_DEFINITION type Query {\n\ta: ID @json(name: \"A\")\n\tb: ID\n}\n",
	} {
		json.Kind = kind
		data := &codegen.Data{AugmentedSources: []codegen.AugmentedSource{
			{RelativePath: "../" + json.File(), Source: "directive @json(name: String!) on FIELD_DEFINITION"},
			{RelativePath: "../" + binding.DirectiveByName("authenticated").File(), Source: "directive @authenticated on FIELD_DEFINITION"},
			{RelativePath: "a.graphqls", Source: `type Query { a: ID @json(name: "A") b: ID @authenticated }`},
		}}
		if err := stripSources(data); err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for _, s := range data.AugmentedSources {
			text.WriteString(s.Source)
		}
		if got := strings.Replace(text.String(), "DEFINITION\n", "DEFINITION ", 1); got != want {
			t.Errorf("kind %d: got\n%s\nwant\n%s", kind, got, want)
		}
	}
}
