package coalesce_test

import (
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine/coalesce"
)

// Different lists of parts have different keys, even if their concatenations are equal.
func TestKeysAreUnambiguous(t *testing.T) {
	keys := map[string]string{}
	for name, key := range map[string][]byte{
		"a, b":      coalesce.AppendText(coalesce.AppendText(nil, "a"), "b"),
		"ab, empty": coalesce.AppendText(coalesce.AppendText(nil, "ab"), ""),
		"empty, ab": coalesce.AppendText(coalesce.AppendText(nil, ""), "ab"),
		"[a], b":    coalesce.AppendText(coalesce.AppendTexts(nil, []string{"a"}), "b"),
		"[a b]":     coalesce.AppendTexts(nil, []string{"a", "b"}),
		"[], [a b]": coalesce.AppendTexts(coalesce.AppendTexts(nil, nil), []string{"a", "b"}),
		"[a], [b]":  coalesce.AppendTexts(coalesce.AppendTexts(nil, []string{"a"}), []string{"b"}),
	} {
		if other, ok := keys[string(key)]; ok {
			t.Errorf("%s and %s have the same key", name, other)
		}
		keys[string(key)] = name
	}
}
