package decode

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// readSelected reads a list of things of which only fields are selected. It returns the list and
// the causes of the faults.
func readSelected(body string, fields ...string) (list []*thing, causes string) {
	wanted := map[string]bool{}
	for _, name := range fields {
		wanted[name] = true
	}
	faults := new(Faults)
	list, err := ReadProjection("s", []byte(body), faults, NewProjection(map[string]map[string]bool{"Thing": wanted}), ListOf(decodeThing))
	if err != nil {
		return nil, err.(*fault.Error).Cause.Error()
	}
	for _, v := range list {
		for _, field := range shapeThing.fields {
			if err := faults.FieldFault(v, field.Name); err != nil {
				causes += err.(*Fault).Err.Cause.Error() + "; "
			}
		}
	}
	return list, causes
}

// A field that is not selected is not read, and neither missing nor wrong values of it are faults.
// Selected fields are read as without a projection.
func TestProjection(t *testing.T) {
	for body, want := range map[string]struct {
		fields string
		causes string
	}{
		`[{"id":"a","n":1,"note":"x"},{"id":"b","n":2,"note":"y"}]`:      {fields: "n"},
		`[{"n":1},{"n":2,"id":{}}]`:                                      {fields: "n"},
		`[{"n":1,"tags":7,"note":[],"id":null},{"n":2,"tags":{}}]`:       {fields: "n"},
		`[{"n":1,"id":"a"},{"id":[],"n":2}]`:                             {"n id", "at $[1].id: a list where an ID is expected; "},
		`[{"n":1,"id":"a"},{"n":2}]`:                                     {"n id", "at $[1]: Thing lacks \"id\", which the graph says is never null; "},
		`[{"n":1,"id":"a","id":"b"},{"n":[],"n":2,"id":"c","note":"x"}]`: {fields: "n"},
	} {
		list, causes := readSelected(body, strings.Fields(want.fields)...)
		if causes != want.causes || len(list) != 2 || list[0].N != 1 || list[1].N != 2 {
			t.Errorf("%s: read %v, faults %q, want %q", body, list, causes, want.causes)
		}
		for _, v := range list {
			if v != nil && (v.Tags != nil || v.Note != nil || v.ID != "" && want.fields == "n") {
				t.Errorf("%s: read %+v, which has fields outside the projection", body, *v)
			}
		}
	}
	// Malformed JSON fails also where it is skipped.
	for body, want := range map[string]string{
		`[{"n":1,"note":"x},{}]`:    "at $[0].note: a string is not closed",
		`[{"n":1,"note":{"a":01}}]`: "at $[0].note: the JSON is not well-formed",
		"[{\"tags\":[\"\xff\"]}]":   "", // which is JSON but for its characters
	} {
		if _, causes := readSelected(body, "n"); causes != want {
			t.Errorf("%s: got %q, want %q", body, causes, want)
		}
	}
}

// All fields are read of a type that the projection does not name, and of all types without a
// projection.
func TestNilProjection(t *testing.T) {
	body := []byte(`[{"id":"a","n":1}]`)
	for _, wanted := range []*Projection{nil, NewProjection(nil), NewProjection(map[string]map[string]bool{"Other": {}})} {
		if list, err := ReadProjection("s", body, new(Faults), wanted, ListOf(decodeThing)); err != nil || list[0].ID != "a" || list[0].N != 1 {
			t.Errorf("%v, %v", list, err)
		}
	}
}

// Without Faults the whole response must fit, also in fields that are not selected.
func TestNoProjectionWithoutFaults(t *testing.T) {
	wanted := NewProjection(map[string]map[string]bool{"Thing": {"n": true}})
	if _, err := ReadProjection("s", []byte(`[{"n":1}]`), nil, wanted, ListOf(decodeThing)); err == nil {
		t.Error("a thing without its id")
	}
}

// Skipping a value allocates nothing.
func TestSkipAllocatesNothing(t *testing.T) {
	wanted := NewProjection(map[string]map[string]bool{"Thing": {"n": true}})
	allocations := func(member string) float64 {
		body := []byte("[" + strings.Repeat(`{"n":1,`+member+`},`, 50) + `{"n":2}]`)
		return testing.AllocsPerRun(10, func() { _, _ = ReadProjection("s", body, new(Faults), wanted, ListOf(decodeThing)) })
	}
	if skipped, without := allocations(`"tags":[{"a":"b"},1,"\n"],"note":{}`), allocations(`"n":1`); skipped > without+1 {
		t.Errorf("%v allocations, want the %v of an answer without the skipped", skipped, without)
	}
}

// The members of a list's objects come in any order and their names with any escapes: predictions
// from the object before never change what is read.
func TestMemberCache(t *testing.T) {
	members := []string{`"id":"%d"`, `"n":%d`, ` "note" : "%d"`, `"tags":["%d"]`, `"more":%d`, `"\u006e":%d`, `"n\u006fte":"%d"`, `"ids":[%d]`}
	var objects []string
	for i := range 200 {
		var own []string
		for j := range len(members) {
			if m := members[(i/3*5+j*(1+i%2*2))%len(members)]; (i>>j)&3 != 3 {
				own = append(own, fmt.Sprintf(m, i))
			}
		}
		objects = append(objects, "{"+strings.Join(own, ",")+"}")
	}
	together, err := Read("s", []byte("["+strings.Join(objects, ",")+"]"), new(Faults), ListOf(decodeThing))
	if err != nil {
		t.Fatal(err)
	}
	for i, object := range objects {
		alone, err := Read("s", []byte(object), new(Faults), decodeThing)
		if err != nil || !reflect.DeepEqual(alone, together[i]) {
			t.Errorf("%s reads as %+v alone, and as %+v in a list (%v)", object, alone, together[i], err)
		}
	}
}
