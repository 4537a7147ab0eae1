package coalesce

import (
	"encoding/json"
	"testing"
)

// Different values have different keys, and no key is a prefix of another one.
func TestAppendValue(t *testing.T) {
	all := []any{
		nil, true, false, "", "a", "ab", "1", 1, 11, int64(1), 1.0, json.Number("1"), json.Number("1.0"), json.Number("11"),
		[]any{},
		[]any{nil},
		[]any{"a"},
		[]any{"a", "b"},
		[]any{"ab"},
		[]any{[]any{"a"}, "b"},
		[]any{[]any{"a", "b"}},
		map[string]any{},
		map[string]any{"a": nil},
		map[string]any{"a": "b"},
		map[string]any{"ab": ""},
		map[string]any{"a": []any{"b"}},
		map[string]any{"a": "b", "c": "d"},
		map[string]any{"a": map[string]any{"b": "c"}},
		"{\x00", "\xff", "\ufffd",
	}
	var keys []string
	for i, v := range all {
		key, ok := appendValue(nil, v)
		if !ok {
			t.Fatalf("%#v has no key", v)
		}
		for j, other := range keys {
			if n := min(len(key), len(other)); string(key[:n]) == other[:n] {
				t.Errorf("%#v and %#v have the keys %q and %q", v, all[j], key, other)
			}
		}
		again, _ := appendValue(nil, all[i])
		if keys = append(keys, string(key)); string(again) != string(key) {
			t.Errorf("%#v has two keys", v)
		}
	}
	for _, unknown := range []any{[]string{"a"}, []any{struct{}{}}, map[string]any{"a": []int{1}}} {
		if key, ok := appendValue(nil, unknown); ok {
			t.Errorf("%#v has the key %q", unknown, key)
		}
	}
}
