package plugin

import (
	"testing"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// A decoder takes the values that it or one inside of it reads, each once.
func TestValuesOfDecoders(t *testing.T) {
	id := &binding.Extraction{Op: binding.FromRequest, Variable: &binding.Value{Scope: binding.Args, Path: []string{"id"}}}
	again := &binding.Extraction{Op: binding.FromRequest, Variable: &binding.Value{Scope: binding.Args, Path: []string{"id"}}}
	sub := &binding.Extraction{Op: binding.FromRequest, Variable: &binding.Value{Scope: binding.Claims, Path: []string{"sub"}}}
	inner := &binding.Extraction{Op: binding.Object, Fields: []binding.SelectedField{{Extraction: again}, {Extraction: sub}}}
	none := &binding.Extraction{Op: binding.Map, Inner: &binding.Extraction{Op: binding.Object, Fields: []binding.SelectedField{{Extraction: &binding.Extraction{}}}}}
	outer := &binding.Extraction{Op: binding.Object, Fields: []binding.SelectedField{{Extraction: id}, {Extraction: &binding.Extraction{Op: binding.Member, Inner: inner}}, {Extraction: none}}}
	for reading, want := range map[*binding.Extraction]string{
		outer: "argsID, claimsSub any",
		inner: "argsID, claimsSub any",
		none:  "",
	} {
		if got := new(decoderWriter).paramList(requestValues(reading)); got != want {
			t.Errorf("%s takes %q, want %q", reading, got, want)
		}
	}
}

func TestCasesAreReadable(t *testing.T) {
	for c, want := range map[binding.MatchCase]string{
		{When: `"a"`, Then: `"A"`}: "When: `\"a\"`, Then: `\"A\"`",
		{When: "1", Then: "true"}:  `When: "1", Then: "true"`,
		{Then: "null"}:             `Then: "null"`,
		{When: `"a"`}:              "When: `\"a\"`",
		{Then: "\"\u202e\""}:       `Then: "\"\u202e\""`,
		{Then: "\"`\""}:            "Then: \"\\\"`\\\"\"",
	} {
		if got := caseFields(c); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
