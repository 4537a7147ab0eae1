package plugin

import (
	"testing"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// A decoder takes the values that it or one inside of it reads, each once.
func TestValuesOfDecoders(t *testing.T) {
	id := &binding.Extraction{Op: binding.Given, Given: &binding.Value{Scope: binding.Args, Path: []string{"id"}}}
	again := &binding.Extraction{Op: binding.Given, Given: &binding.Value{Scope: binding.Args, Path: []string{"id"}}}
	sub := &binding.Extraction{Op: binding.Given, Given: &binding.Value{Scope: binding.Claims, Path: []string{"sub"}}}
	inner := &binding.Extraction{Op: binding.Object, Fields: []binding.ReadField{{Of: again}, {Of: sub}}}
	none := &binding.Extraction{Op: binding.Each, Of: &binding.Extraction{Op: binding.Object, Fields: []binding.ReadField{{Of: &binding.Extraction{}}}}}
	outer := &binding.Extraction{Op: binding.Object, Fields: []binding.ReadField{{Of: id}, {Of: &binding.Extraction{Op: binding.Member, Of: inner}}, {Of: none}}}
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
	for c, want := range map[binding.Case]string{
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
