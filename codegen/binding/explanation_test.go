package binding

import (
	"strings"
	"testing"
)

// An explanation is read with all of its parts, and one that lacks a part is refused.
func TestParseCheck(t *testing.T) {
	const text = "# GH001 A title\n\nSome text,\nand more.\n\nWrong:\n\n```graphql\ntype A\n```\n\nRight:\n\n```graphql\ntype B\n\ntype C\n```\n"
	want := Check{Code: "GH001", Title: "A title", Text: "Some text,\nand more.", Wrong: "type A", Right: "type B\n\ntype C"}
	for _, text := range []string{text, strings.ReplaceAll(text, "\n", "\r\n")} {
		if got, err := parseCheck(text); err != nil || got != want {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	for _, part := range []string{"# GH001 ", "A title", "Some text,\nand more.", "Wrong:", "type A", "Right:\n", "```\n"} {
		if got, err := parseCheck(strings.Replace(text, part, "", 1)); err == nil {
			t.Errorf("without %q: got %+v", part, got)
		}
	}
}

// Every embedded file explains the code that it is named for.
func TestChecks(t *testing.T) {
	checks := Checks()
	if len(checks) < 100 {
		t.Errorf("there are %d explanations", len(checks))
	}
	for i, c := range checks[1:] {
		if c.Code <= checks[i].Code {
			t.Errorf("%s is behind %s", c.Code, checks[i].Code)
		}
	}
}
