package decode

import (
	"fmt"
	"testing"
)

// Equal compares null, and a missing value, like any other value. Only an element that does not
// fit becomes nil.
func TestNullIsAValue(t *testing.T) {
	read := ListOf(NullOnFault(Member("a", NonNilPtr(Equal("null")))))
	for body, want := range map[string]string{
		`[{"a":null},{"a":1},{},null]`: "[true false true true]",
		`[5,{"a":1}]`:                  "[<nil> false]",
		`[]`:                           "[]",
	} {
		got, err := Read("s", []byte(body), &Faults{}, read)
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
		texts := make([]string, len(got))
		for i, v := range got {
			if texts[i] = "<nil>"; v != nil {
				texts[i] = fmt.Sprint(*v)
			}
		}
		if fmt.Sprint(texts) != want {
			t.Errorf("%s: got %s, want %s", body, texts, want)
		}
	}
}
