package decode

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

type keyed struct {
	ID string
	N  int
}

var shapeKeyed = NewShape("Keyed", Field{Name: "id", Required: true}, Field{Name: "n"})

func decodeKeyed(d *Decoder) *keyed {
	o := d.Object(shapeKeyed)
	v := New[keyed](&o)
	for o.Next() {
		switch o.Field() {
		case 0:
			v.ID = d.ID()
		case 1:
			v.N = d.Int()
		}
	}
	if !o.OK() {
		return nil
	}
	return v
}

// What a batch finds for a key in the forms in which services send keys. A null among the items is
// none, as an absent item is.
func TestKeysOfBatches(t *testing.T) {
	const upper, lower = "018F4B6E-7C3A-7000-8000-2F1E5D3C9A10", "018f4b6e-7c3a-7000-8000-2f1e5d3c9a10"
	for _, c := range []struct {
		name, key, items string
		want             string // the n of the item, "none", or "fault"
	}{
		{"equal", "a", `[{"id": "a", "n": 1}]`, "1"},
		{"a number", "7", `[{"id": 7, "n": 1}]`, "1"},
		{"a number as a text", "7", `[{"id": "7", "n": 1}]`, "1"},
		{"a large number", "9007199254740993", `[{"id": 9007199254740993, "n": 1}]`, "1"},
		{"leading zeros", "7", `[{"id": "007", "n": 1}]`, "none"},
		{"letter case", "a", `[{"id": "A", "n": 1}]`, "none"},
		{"white space", "a", `[{"id": "a ", "n": 1}]`, "none"},
		{"percent-encoding", "a b", `[{"id": "a%20b", "n": 1}]`, "none"},
		{"escapes", "aé", `[{"id": "\u0061\u00e9", "n": 1}]`, "1"},
		{"a fraction", "7", `[{"id": 7.0, "n": 1}]`, "fault"},
		{"a UUID in upper case", lower, `[{"id": "` + upper + `", "n": 1}]`, "1"},
		{"a UUID in lower case", upper, `[{"id": "` + lower + `", "n": 1}]`, "1"},
		{"a UUID in both", "018f4b6e-7C3A-7000-8000-2f1e5d3c9a10", `[{"id": "018F4B6E-7c3a-7000-8000-2f1e5d3c9a10", "n": 1}]`, "1"},
		{"a UUID with braces", lower, `[{"id": "{` + lower + `}", "n": 1}]`, "none"},
		{"another UUID", lower, `[{"id": "118F4B6E-7C3A-7000-8000-2F1E5D3C9A10", "n": 1}]`, "none"},
		{"no UUID of that length", "X18F4B6E-7C3A-7000-8000-2F1E5D3C9A10", `[{"id": "x18f4b6e-7c3a-7000-8000-2f1e5d3c9a10", "n": 1}]`, "none"},
		{"a null before", "a", `[null, {"id": "a", "n": 1}]`, "1"},
		{"a null alone", "a", `[null]`, "none"},
		{"a null for another", "a", `[{"id": "b", "n": 1}, null]`, "none"},
		{"a null list", "a", `null`, "none"},
		{"an empty list", "a", `[]`, "none"},
		{"a null key", "a", `[{"id": null, "n": 1}]`, "fault"},
		{"no key", "a", `[{"n": 1}]`, "fault"},
		{"not an object", "a", `[3]`, "fault"},
		{"an item and one that is not", "a", `[3, {"id": "a", "n": 1}]`, "1"},
	} {
		faults := new(Faults)
		values, err := Read("s", []byte(c.items), faults, ByKey("id", decodeKeyed, func(v *keyed) string { return v.ID }))
		if got := foundFor(values, err, c.key); got != c.want {
			t.Errorf("%s: %s, want %s (%v)", c.name, got, c.want, err)
		}
		groups, err := Read("s", []byte(c.items), faults, GroupByKey("id", decodeKeyed, func(v *keyed) string { return v.ID }))
		single := map[string]*keyed{}
		for key, group := range groups {
			single[key] = group[0]
		}
		if got := foundFor(single, err, c.key); got != c.want {
			t.Errorf("%s, in groups: %s, want %s (%v)", c.name, got, c.want, err)
		}
	}
	for _, c := range []struct{ name, key, object, want string }{
		{"equal", "a", `{"a": {"id": "a", "n": 1}}`, "1"},
		{"a UUID in upper case", lower, `{"` + upper + `": {"id": "x", "n": 1}}`, "1"},
		{"a UUID in lower case", upper, `{"` + lower + `": {"id": "x", "n": 1}}`, "1"},
		{"a UUID twice", upper, `{"` + lower + `": {"id": "x", "n": 1}, "` + upper + `": {"id": "x", "n": 2}}`, "2"},
		{"null", "a", `{"a": null, "b": {"id": "b", "n": 1}}`, "none"},
		{"a UUID that does not fit", upper, `{"` + lower + `": 3}`, "fault"},
		{"another that does not fit", "a", `{"a": {"id": "a", "n": 1}, "b": 3}`, "1"},
		{"letter case", "a", `{"A": {"id": "a", "n": 1}}`, "none"},
	} {
		values, err := Read("s", []byte(c.object), new(Faults), MapOf(decodeKeyed))
		if got := foundFor(values, err, c.key); got != c.want {
			t.Errorf("%s, by member: %s, want %s (%v)", c.name, got, c.want, err)
		}
	}
	two := `[{"id": "` + upper + `", "n": 1}, null, {"id": "` + lower + `", "n": 2}]`
	groups, err := Read("s", []byte(two), new(Faults), GroupByKey("id", decodeKeyed, func(v *keyed) string { return v.ID }))
	if err != nil || len(groups[lower]) != 2 || !slices.Equal(slices.Collect(maps.Keys(groups)), []string{lower}) {
		t.Errorf("one group: %v, %v", groups, err)
	}
}

func foundFor(values map[string]*keyed, err error, key string) string {
	var failed *KeyFaults
	if err != nil && !errors.As(err, &failed) {
		return err.Error()
	}
	if v := values[CanonicalKey(key)]; v != nil {
		return fmt.Sprint(v.N)
	}
	if failed.OfKey(key) != nil {
		return "fault"
	}
	return "none"
}

func TestCanonicalKeyAllocatesNothing(t *testing.T) {
	key, sink := strings.Repeat("a", 36), ""
	if n := testing.AllocsPerRun(100, func() { sink = CanonicalKey(key); sink = CanonicalKey("018f4b6e-7c3a-7000-8000-2f1e5d3c9a10") }); n != 0 {
		t.Errorf("%v allocations for %s", n, sink)
	}
}
