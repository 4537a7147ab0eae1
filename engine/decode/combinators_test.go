package decode

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// outcome returns the outcome of Read as text: the value with the faults of its elements, or the
// error.
func outcome[T any](body string, read func(*Decoder) T) string {
	var faults Faults
	v, err := Read("s", []byte(body), &faults, read)
	switch bad, ok := errors.AsType[*Fault](err); {
	case ok:
		return "!" + fmt.Sprint(bad.Index)
	case err != nil:
		return "! " + err.(*fault.Error).Cause.Error()
	}
	text := decoded(&faults, reflect.ValueOf(v))
	for _, f := range faults.OfElements(v) {
		text += "!" + fmt.Sprint(f.Index)
	}
	return text
}

func TestMember(t *testing.T) {
	read := Member("a", Member("b", PtrOf((*Decoder).Int)))
	for body, want := range map[string]string{
		`{"a":{"b":1}}`: "1", `{"x":{},"a":{"c":[],"b":2},"y":[]}`: "2", `{"\u0061":{"b":3}}`: "3",
		`{"a":{"b":1},"a":{"b":2}}`: "2", `{"a":{"b":"x","b":2}}`: "2", `{"a":{"b":2,"b":"x"}}`: "! at $.a.b: a string where an Int is expected",
		`{"a":{"b":2},"a":null}`: "null", `{"a":{"b":"x"}, "a":{}}`: "null",
		``: "null", `null`: "null", `{}`: "null", `{"a":null}`: "null", `{"a":{}}`: "null", `{"a":{"b":null}}`: "null",
		`[]`: "! at $: a list where an object is expected", `{"a":1}`: "! at $.a: a number where an object is expected",
		`{"a":{"b":1}`: `! at $: a comma or "}" is missing`, `{"a":{"b":1},"c":[}`: "! at $.c: the JSON is not well-formed",
		`{"a":{"b":"x"},"c":[}`: "! at $.c: the JSON is not well-formed",
	} {
		if got := outcome(body, read); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
	if got := outcome(`{"a":{}}`, Member("a", Member("b", Member("c", (*Decoder).Int)))); got != "! at $.a.b: null where an Int is expected" {
		t.Error(got)
	}
}

func TestFirstAndLast(t *testing.T) {
	for body, want := range map[string][2]string{
		`[1,2,3]`: {"1", "3"}, ` [ 1 ] `: {"1", "1"}, `[]`: {"null", "null"}, `null`: {"null", "null"}, `[null,2]`: {"null", "2"},
		`[1,"x"]`: {"1", "! at $[1]: a string where an Int is expected"}, `["x",1]`: {"! at $[0]: a string where an Int is expected", "1"},
		`{}`:  {"! at $: an object where a list is expected", "! at $: an object where a list is expected"},
		`[1,`: {"! at $[1]: the JSON is not well-formed", "! at $[1]: the JSON is not well-formed"}, `[1,2`: {`! at $: a comma or "]" is missing`, `! at $: a comma or "]" is missing`},
	} {
		if got := outcome(body, First(PtrOf((*Decoder).Int))); got != want[0] {
			t.Errorf("first of %s: got %s, want %s", body, got, want[0])
		}
		if got := outcome(body, Last(PtrOf((*Decoder).Int))); got != want[1] {
			t.Errorf("last of %s: got %s, want %s", body, got, want[1])
		}
	}
	if got := outcome(`[]`, First((*Decoder).Int)); got != "! at $: null where an Int is expected" {
		t.Error(got)
	}
	// The list around First or Last is not one of the graph's, but a list in the element may be.
	if got := outcome(`[[1,"x"],[2,"y","z"]]`, Last(ListOf(PtrOf((*Decoder).Int)))); got != "[2,null,null]![1]![2]" {
		t.Error(got)
	}
	if got := outcome(`[[1,"x"]]`, ListOf(First(ListOf((*Decoder).Int)))); got != "![0]" {
		t.Error(got)
	}
}

func TestJoinNotNull(t *testing.T) {
	for body, want := range map[string]string{
		`["a",null,"b"]`: `"a, b"`, `[]`: `""`, `[null]`: `""`, `[1,true,false,1.50,"é\n"]`: `"1, true, false, 1.50, é\n"`, `null`: "null",
		`["a",{}]`: "! at $[1]: an object where a scalar is expected", `"a"`: "! at $: a string where a list is expected", `["a"`: `! at $: a comma or "]" is missing`,
	} {
		if got := outcome(body, PtrOf(JoinNotNull(", "))); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

// pair is an entry of an object that is read as a list.
type pair struct {
	Key   string `graph:"key"`
	Value *int   `graph:"value"`
}

var shapePair = NewShape("Pair", Field{Name: "key", Required: true}, Field{Name: "value"})

func decodePair(d *Decoder) *pair {
	o := d.Object(shapePair)
	v := New[pair](&o)
	for o.Next() {
		switch o.Field() {
		case 0: // key
			v.Key = d.String()
		case 1: // value
			v.Value = Ptr(d, (*Decoder).Int)
		}
	}
	if !o.OK() {
		return nil
	}
	return v
}

func TestEntries(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":1,"b" : null, "c":2}`: `[{key:"a" value:1},{key:"b" value:null},{key:"c" value:2}]`,
		`{}`:                        `[]`, `null`: "null", `{"\u00e9\"" :1}`: `[{key:"é\"" value:1}]`,
		`{"a":"x","b":[{}]}`:        `[{key:"a" value:![]},{key:"b" value:![]}]`,
		`[{"key":"k","value":1}]`:   `[{key:"k" value:1}]`,
		`[{"key":"k","value":1},5]`: "![1]",
		`5`:                         "! at $: a number where a list is expected",
		`{"a":1`:                    `! at $: a comma or "}" is missing`, `{"a":tru}`: "! at $[0]: the JSON is not well-formed",
	} {
		if got := outcome(body, NullOf(EntriesOf(decodePair))); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
	if got := outcome(`{"a":1,"b":"x"}`, EntriesOf(Member("value", PtrOf((*Decoder).Int)))); got != "[1,null]![1]" {
		t.Error(got)
	}
	if got := outcome(`{"a":1,"b":"x"}`, EntriesOf(Member("value", (*Decoder).Int))); got != "![1]" {
		t.Error(got)
	}
	if got := outcome(`{"a":{"x":1},"b":{"y":"1"}}`, EntriesOf(Member("value", EntriesOf(decodePair)))); got != `[[{key:"x" value:1}],[{key:"y" value:![]}]]` {
		t.Error(got)
	}
}

func TestIs(t *testing.T) {
	for _, is := range []struct {
		body, literal string
		want          bool
	}{
		{`"a"`, `"a"`, true},
		{`"\u0061\n"`, ` "a\n"`, true},
		{`"a"`, `"b"`, false},
		{`"1"`, `1`, false},
		{`""`, `""`, true},
		{`1`, `1`, true},
		{`1.0`, `1`, true},
		{`100`, `1e2`, true},
		{`0.10`, `1E-1`, true},
		{`-0`, `0`, true},
		{`-1`, `1`, false},
		{`9007199254740993`, `9007199254740992`, false},
		{`9007199254740993.0`, `9007199254740993`, true},
		{`1e99999999999999999999`, `1e99999999999999999999`, true},
		{`1e99999999999999999999`, `2`, false},
		{`1e400`, `1e401`, false},
		{`12`, `2`, false},
		{`120`, `12`, false},
		{`0.12`, `12`, false},
		{`true`, `true`, true},
		{`true`, `false`, false},
		{`null`, `null`, true},
		{`null`, `""`, false},
		{`false`, `0`, false},
		{`[1, "a"]`, `[1.0,"a"]`, true},
		{`[1]`, `[1,2]`, false},
		{`[]`, `[]`, true},
		{`[1,2]`, `[2,1]`, false},
		{`{"a":1,"b":[null]}`, `{"b":[null],"a":1e0}`, true},
		{`{"a":1}`, `{"a":2}`, false},
		{`{"a":1}`, `{"b":1}`, false},
		{`{}`, `{"a":1}`, false},
		{`{}`, `[]`, false},
	} {
		got, err := Read("s", []byte(" "+is.body), nil, func(d *Decoder) bool { return d.Is(is.literal) })
		if err != nil || got != is.want {
			t.Errorf("%s is %s: got %t, %v", is.body, is.literal, got, err)
		}
	}
}

func TestRawAndIsStay(t *testing.T) {
	raw, err := Read("s", []byte(`{"a": [ {"b":[[1]]} ] }`), nil, Member("a", func(d *Decoder) string {
		text := string(d.Raw()) + string(d.Raw())
		if d.Is("1") || !d.Is(`[{"b":[[1]]}]`) {
			t.Error("the value is another one")
		}
		return text + string(d.JSON())
	}))
	if want := `[ {"b":[[1]]} ]`; err != nil || raw != want+want+want {
		t.Errorf("got %s, %v", raw, err)
	}
	if _, err := Read("s", []byte(`[1,}`), nil, (*Decoder).Raw); err == nil || !strings.Contains(err.Error(), "well-formed") {
		t.Errorf("a broken text has the error %v", err)
	}
	if got, err := Read("s", []byte(`{"a":tru}`), nil, Member("a", func(d *Decoder) bool { return d.Is("true") })); got || err == nil {
		t.Errorf("a broken word is true: %v", err)
	}
}

func TestPeek(t *testing.T) {
	for body, want := range map[string]string{
		`{"method":"card","n":1}`: "card true", `{"n":{"method":"no"},"method" : "c\u0061rd"}`: "card true", `{"method":1.50}`: "1.50 true", `{"method":false}`: "false true",
		`{"method":"a","method":"b"}`: "b true", `{"method":"a","method":{}}`: " false", `{"\u006dethod":"card"}`: "card true",
		`{"method":null}`: " false", `{"method":[]}`: " false", `{}`: " false", `[]`: " false", `"method"`: " false", `null`: " false",
	} {
		got, err := Read("s", []byte(" "+body), nil, func(d *Decoder) string {
			text, ok := Peek(d, "method")
			if again, _ := Peek(d, "method"); again != text {
				t.Errorf("%s: looks like %q, then %q", body, text, again)
			}
			d.Skip()
			return fmt.Sprint(text, ok)
		})
		if want = strings.Replace(want, " ", "", 1); err != nil || strings.Replace(got, " ", "", 1) != want {
			t.Errorf("%s: got %q, %v; want %q", body, got, err, want)
		}
	}
	broken := func(d *Decoder) bool { _, ok := Peek(d, "a"); return ok }
	if ok, err := Read("s", []byte(`{"a":"x","b":[}`), nil, broken); ok || err == nil {
		t.Errorf("a broken text was looked into: %v", err)
	}
}

func TestUnknownType(t *testing.T) {
	animal := func(d *Decoder) *pair {
		if tag, _ := Peek(d, "kind"); tag != "pair" {
			d.UnknownType("Animal", "kind", tag)
			return nil
		}
		return decodePair(d)
	}
	if got := outcome(`[{"kind":"pair","key":"a"},{"kind":"cat"}]`, ListOf(NullOf(animal))); got != `[{key:"a" value:null},null]![1]` {
		t.Error(got)
	}
	if got := outcome(`{"kind":"cat"}`, animal); got != `! at $: "cat" of member "kind" names no type of Animal` {
		t.Error(got)
	}
}

// batch returns the outcome of reading a batch as text: its values, then the faults of its keys.
func batch[T any](body string, read func(*Decoder) map[string]T) string {
	var faults Faults
	values, err := Read("s", []byte(body), &faults, read)
	var texts []string
	for k, v := range values {
		text := k + "=" + decoded(&faults, reflect.ValueOf(v))
		for _, f := range faults.OfElements(v) {
			text += "!" + fmt.Sprint(f.Index)
		}
		texts = append(texts, text)
	}
	bad, ok := errors.AsType[*KeyFaults](err)
	if err != nil && !ok {
		return "! " + err.(*fault.Error).Cause.Error()
	}
	for _, k := range []string{"a", "b", "c", "rest"} {
		if f, _ := bad.OfKey(k).(*Fault); f != nil && (k == "rest" || f != bad.Rest) {
			texts = append(texts, k+"!"+fmt.Sprint(f.Index))
		}
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

func TestMap(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":[1,"x"],"b":null,"c":5}`:    "a=[1,null]![1] b=null c![]",
		`{}`:                              "",
		`{"a":5,"a":[1]}`:                 "a=[1]",
		`{"a":[1],"a":5,"b":[]}`:          "a![] b=[]",
		`{"a":["x"],"a":[1],"b":[["x"]]}`: "a=[1] b=[null]![0]",
		`[]`:                              "! at $: a list where an object is expected",
		`null`:                            "! at $: null where an object is expected",
		`{"a":[1],"b":nul}`:               "! at $.b: the JSON is not well-formed",
		`{"a":[1]`:                        `! at $: a comma or "}" is missing`,
		`{"a":"x","b":[1]} 1`:             "! at $: unexpected text after the value",
	} {
		if got := batch(body, MapOf(NullOf(ListOf(PtrOf((*Decoder).Int))))); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
	if got := batch(`{"x":{"a":[1],"b":[2,3.5]}}`, Member("x", MapOf(ListOf((*Decoder).Int)))); got != "a=[1] b![1]" {
		t.Error(got)
	}
	if got := batch(`{"x":{"a":"x"},"x":{"b":1}}`, Member("x", MapOf((*Decoder).Int))); got != "b=1" {
		t.Error(got)
	}
}

func TestByKey(t *testing.T) {
	key := func(p *pair) string { return p.Key }
	for body, want := range map[string][2]string{
		`[{"key":"a","value":1},{"key":"b"}]`:           {"a={key:\"a\" value:1} b={key:\"b\" value:null}", "a=[{key:\"a\" value:1}] b=[{key:\"b\" value:null}]"},
		`[{"key":"a","value":1},{"key":"a","value":2}]`: {"a={key:\"a\" value:2}", "a=[{key:\"a\" value:1},{key:\"a\" value:2}]"},
		`[{"key":"a","value":"x"}]`:                     {"a={key:\"a\" value:![]}", "a=[{key:\"a\" value:![]}]"},
		`[{"key":1},{"key":"b"}]`:                       {"b={key:\"b\" value:null} rest![]", "b=[{key:\"b\" value:null}] rest![]"},
		`[{},{"key":"b"}]`:                              {"b={key:\"b\" value:null} rest![]", "b=[{key:\"b\" value:null}] rest![]"},
		`[null,[],{"key":"b"}]`:                         {"b={key:\"b\" value:null} rest![]", "b=[{key:\"b\" value:null}] rest![]"},
		`[]`:                                            {"", ""},
		`{}`:                                            {"! at $: an object where a list is expected", "! at $: an object where a list is expected"},
		`[{"key":"a"},{"key":}]`:                        {"! at $[1].key: the JSON is not well-formed", "! at $[1].key: the JSON is not well-formed"},
	} {
		if got := batch(body, ByKey("key", decodePair, key)); got != want[0] {
			t.Errorf("%s: got %s, want %s", body, got, want[0])
		}
		if got := batch(body, GroupByKey("key", decodePair, key)); got != want[1] {
			t.Errorf("%s grouped: got %s, want %s", body, got, want[1])
		}
	}
	_, err := Read("s", []byte(`[{"key":[]},7]`), nil, ByKey("key", decodePair, key))
	if err == nil || err.Error() != "s: the service's answer does not fit the graph: at $[0].key: a list where a string is expected" {
		t.Errorf("the error of the rest is %v", err)
	}
}

// nest has itself in two fields that read the same member and in one that is read from the object
// itself: each level of a text is read four times as often as the level around it.
type nest struct{ A, B, C *nest }

var shapeNest = NewShape("Nest", Field{Name: "a", Wire: "x"}, Field{Name: "b", Wire: "x"}, Field{Name: "c", Self: true})

func decodeNest(d *Decoder) *nest {
	o := d.Object(shapeNest)
	v := New[nest](&o)
	for o.Next() {
		switch o.Field() {
		case 0: // a
			v.A = Null(d, decodeNest)
		case 1: // b
			v.B = Null(d, decodeNest)
		case 2: // c
			v.C = Member("x", NullOf(decodeNest))(d)
		}
	}
	return v
}

// A hostile service cannot keep the gateway busy with a short text.
func TestWorkIsBounded(t *testing.T) {
	deep := func(n int) []byte {
		return []byte(strings.Repeat(`{"x":`, n) + "null" + strings.Repeat("}", n))
	}
	if _, err := Read("s", deep(5), nil, decodeNest); err != nil {
		t.Errorf("five levels: %v", err)
	}
	_, err := Read("s", deep(400), &Faults{}, decodeNest)
	if f, ok := err.(*fault.Error); !ok || !strings.HasSuffix(f.Cause.Error(), "too many times") {
		t.Errorf("400 levels: %v", err)
	}
	if n := len(err.Error()); n > 1000 {
		t.Errorf("the error has %d bytes", n)
	}
}

func TestFaultsAreBounded(t *testing.T) {
	body := func(n int) []byte { return []byte("[" + strings.Repeat(`"x",`, n-1) + `"x"]`) }
	var faults Faults
	read := ListOf(PtrOf((*Decoder).Int))
	list, err := Read("s", body(maxFaults), &faults, read)
	if err != nil || len(faults.OfElements(list)) != maxFaults {
		t.Errorf("%d faults: %v", len(faults.OfElements(list)), err)
	}
	for _, b := range [][]byte{body(1), body(maxFaults + 1)} {
		list, err := Read("s", b, &faults, read)
		if f, ok := err.(*fault.Error); !ok || f.Cause != errTooMany || list != nil {
			t.Errorf("beyond the limit: %v", err)
		}
	}
	dup := []byte(`{"key":"k"` + strings.Repeat(`,"value":"x","value":1`, maxFaults) + "}")
	if _, err := Read("s", dup, &Faults{}, decodePair); err == nil {
		t.Error("a member may be wrong any number of times")
	}
}

func TestFaultsTable(t *testing.T) {
	var none *Faults
	some := []*int{nil}
	if !none.Empty() || none.OfField(&pair{}, "key") != nil || none.OfElements(some) != nil || none.FieldFault(&pair{}, "key") != nil || none.AddElements(some, &Fault{}) || !none.AddElements(some) {
		t.Error("a nil table takes faults")
	}
	var faults Faults
	v, err := Read("s", []byte(`{"key":5}`), &faults, decodePair)
	if err != nil || faults.Empty() {
		t.Fatal(err)
	}
	var boxed any = v
	for i, holder := range []any{v, &v, &boxed} {
		if found := faults.OfField(holder, "key"); len(found) != 1 || !found[0].Null {
			t.Errorf("%d: got %v", i, found)
		}
	}
	for i, holder := range []any{nil, (*pair)(nil), *v, "key", &pair{}, (*any)(nil)} {
		if found := faults.OfField(holder, "key"); found != nil {
			t.Errorf("%d: got %v", i, found)
		}
	}
	if err := faults.FieldFault(v, "value", "key"); fault.CodeOf(err) != fault.DownstreamService || faults.FieldFault(v, "value") != nil {
		t.Errorf("got %v", err)
	}
}

func TestFaultsAreSafeForConcurrentUse(t *testing.T) {
	var faults Faults
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			list, err := Read("s", []byte(`["x",{}]`), &faults, ListOf(PtrOf((*Decoder).Int)))
			if err != nil || len(faults.OfElements(list)) != 2 {
				t.Errorf("got %v, %v", faults.OfElements(list), err)
			}
		})
	}
	all.Wait()
}

// Without Faults the first fault fails the response.
func TestReadWithoutFaults(t *testing.T) {
	_, err := Read("s", []byte(`[1,"x",{}]`), nil, ListOf(PtrOf((*Decoder).Int)))
	if f, ok := err.(*fault.Error); !ok || f.Cause.Error() != "at $[1]: a string where an Int is expected" {
		t.Errorf("got %v", err)
	}
}
