package flight_test

import (
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine/flight"
)

// What is divided in another way is another key.
func TestKeys(t *testing.T) {
	keys := map[string]string{}
	for name, key := range map[string][]byte{
		"a, b":           flight.AppendText(flight.AppendText(nil, "a"), "b"),
		"ab and nothing": flight.AppendText(flight.AppendText(nil, "ab"), ""),
		"nothing and ab": flight.AppendText(flight.AppendText(nil, ""), "ab"),
		"[a], b":         flight.AppendText(flight.AppendTexts(nil, []string{"a"}), "b"),
		"[a b]":          flight.AppendTexts(nil, []string{"a", "b"}),
		"[], [a b]":      flight.AppendTexts(flight.AppendTexts(nil, nil), []string{"a", "b"}),
		"[a], [b]":       flight.AppendTexts(flight.AppendTexts(nil, []string{"a"}), []string{"b"}),
	} {
		if other, ok := keys[string(key)]; ok {
			t.Errorf("%s and %s have the same key", name, other)
		}
		keys[string(key)] = name
	}
}
