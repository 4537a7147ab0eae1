package decode

import (
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// An object with another key than the requested one does not fit.
func TestCheckKey(t *testing.T) {
	for _, test := range []struct {
		key        any
		body, want string // the object's id, "null", or what is wrong
	}{
		{"u1", `{"id": "u1"}`, "u1"},
		{"U1", `{"id": "u1"}`, "u1"},
		{7, `{"id": 7}`, "7"},
		{"7", `{"id": 7}`, "7"},
		{"u1", `null`, "null"},
		{"u1", `{"id": ""}`, ""},
		{nil, `{"id": "u2"}`, "u2"},
		{"u1", `{"id": "u2"}`, `the object's id is "u2", but "u1" was asked for`},
		{"u1", `{"n": 1, "id": "u2", "note": []}`, `the object's id is "u2"`},
		{"u1", `{"id": "u1", "id": "u2"}`, `the object's id is "u2"`},
		{"u1", `{"id": "` + strings.Repeat("x", 1000) + `"}`, `the object's id is "` + strings.Repeat("x", maxKeyText) + `"`},
		{"7", `{"id": 8}`, `the object's id is "8"`},
	} {
		got, err := Read("s", []byte(test.body), new(Faults), NullOf(CheckKey("id", test.key, decodeThing, func(o *thing) *string { return &o.ID })))
		switch {
		case err != nil:
			if fault.CodeOf(err) != fault.DownstreamService || !strings.Contains(err.Error(), test.want) || test.want == "" {
				t.Errorf("%v of %s: %v", test.key, test.body, err)
			}
		case got == nil && test.want != "null", got != nil && got.ID != test.want:
			t.Errorf("%v of %s: %+v", test.key, test.body, got)
		}
	}
}
