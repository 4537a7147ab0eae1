package mapping_test

import (
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/engine/mapping"
)

type role string

func ptr[T any](v T) *T { return &v }

func parse(t testing.TB, text string) any {
	t.Helper()
	v, err := mapping.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestParse(t *testing.T) {
	for text, want := range map[string]any{
		`null`:                      nil,
		` true `:                    true,
		"\n\tfalse\r":               false,
		`"a\"\\\/\b\f\n\r\t\u00e9"`: "a\"\\/\b\f\n\r\té",
		`"ä€😀"`:                     "ä€😀",
		`"\ud83d\ude00"`:            "😀",
		`"\ud83d"`:                  "\uFFFD",
		`0`:                         json.Number("0"),
		`-0.10E+5`:                  json.Number("-0.10E+5"),
		`12345678901234567890`:      json.Number("12345678901234567890"),
		`[]`:                        []any{},
		`[1,[ ],{}]`:                []any{json.Number("1"), []any{}, encode.Object{}},
		`{"b":1,"a":{"c":null}}`:    encode.Object{{Name: "b", Value: json.Number("1")}, {Name: "a", Value: encode.Object{{Name: "c"}}}},
		`{"a":1,"a":2}`:             encode.Object{{Name: "a", Value: json.Number("1")}, {Name: "a", Value: json.Number("2")}},
	} {
		if diff := cmp.Diff(want, parse(t, text)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "nul", "nulls", "True", "01", "+1", ".5", "1.", "1e", "1e+", "-", "- 1", "0x1", "NaN", "1 2", "[1,]", "[,1]", "[1 2]", "[", "]", "[}",
		"{", "{]", `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{a:1}`, `{"a" 1}`, `{"a":1 "b":2}`, `"`, `"a`, `"\`, `"\x"`, `"\u12"`, "\"a\nb\"", "'a'",
		"\"\xff\"", "\xff", "\x00", "null\x00", "\ufeff1", "// a\n1", `{"a":1}}`,
		strings.Repeat("[", 513) + strings.Repeat("]", 513), strings.Repeat(`{"a":`, 1<<20), strings.Repeat("[", 10<<20),
	} {
		if v, err := mapping.Parse([]byte(text)); err == nil || v != nil {
			t.Errorf("%.40q: %v, %v", text, v, err)
		}
	}
	parse(t, strings.Repeat("[", 512)+strings.Repeat("]", 512))
}

// plain returns v in the types of encoding/json.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	case encode.Object:
		object := map[string]any{}
		for _, m := range v {
			object[m.Name] = plain(m.Value)
		}
		return object
	}
	return v
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{`{"a":[1,2.5e-3,"\u00e9\ud800",true,null]}`, "[[]]", `{"a":{},"a":1}`, " 1", "01", `"\`, "\"\xff\"", "{\"\":0}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := mapping.Parse(text)
		var want any
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.UseNumber()
		valid := json.Valid(text) && utf8.Valid(text) && decoder.Decode(&want) == nil
		if !valid {
			if err == nil {
				t.Fatalf("%q was read as %v", text, got)
			}
			return
		}
		if err != nil {
			if strings.Count(string(text), "[")+strings.Count(string(text), "{") > 512 {
				return
			}
			t.Fatalf("%q: %v", text, err)
		}
		if !reflect.DeepEqual(plain(got), want) || !mapping.Equal(got, json.RawMessage(text)) {
			t.Fatalf("%q was read as %v", text, got)
		}
	})
}

func TestPath(t *testing.T) {
	v := parse(t, `{"a":{"b":{"c":1}},"list":[{"a":1}],"n":null,"twice":1,"twice":2}`)
	for _, test := range []struct {
		names []string
		want  any
	}{
		{[]string{"a", "b", "c"}, json.Number("1")},
		{nil, v},
		{[]string{"a", "x", "c"}, nil},
		{[]string{"n", "x"}, nil},
		{[]string{"list", "a"}, nil},
		{[]string{"a", "b", "c", "d"}, nil},
		{[]string{"twice"}, json.Number("2")},
	} {
		if diff := cmp.Diff(test.want, mapping.Get(v, test.names...)); diff != "" {
			t.Errorf("%v: %s", test.names, diff)
		}
	}
	if got := mapping.Get(json.RawMessage(`{"a":{"b":"x"}}`), "a", "b"); got != "x" {
		t.Errorf("through JSON: %v", got)
	}
	if got := mapping.Get(nil, "a"); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}

func TestLists(t *testing.T) {
	shout := func(v any) any {
		text, _ := v.(string)
		return strings.ToUpper(text)
	}
	for _, test := range []struct {
		name                     string
		v                        any
		first, last, mapped, all any
	}{
		{"keys", []string{"a", "b"}, "a", "b", []any{"A", "B"}, "a,b"},
		{"wire values", []any{"a", nil, 1, true, json.Number("1.0")}, "a", json.Number("1.0"), []any{"A", "", "", "", ""}, "a,1,true,1.0"},
		{"pointers", []*string{nil, ptr("b")}, (*string)(nil), ptr("b"), []any{"", ""}, "b"},
		{"JSON", json.RawMessage(`["a"]`), "a", "a", []any{"A"}, "a"},
		{"empty", []any{}, nil, nil, []any{}, ""},
		{"nil list", []string(nil), nil, nil, nil, nil},
		{"null", nil, nil, nil, nil, nil},
		{"no list", "ab", nil, nil, nil, nil},
		{"objects", []any{encode.Object{}}, encode.Object{}, encode.Object{}, []any{""}, nil},
		{"lists", []any{[]any{}}, []any{}, []any{}, []any{""}, nil},
	} {
		got := []any{mapping.First(test.v), mapping.Last(test.v), mapping.Map(test.v, shout), mapping.JoinNotNull(test.v, ",")}
		if diff := cmp.Diff([]any{test.first, test.last, test.mapped, test.all}, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestMatch(t *testing.T) {
	cases := [][2]any{{"active", "ACTIVE"}, {1, "one"}, {nil, "nothing"}, {"active", "never"}}
	for _, test := range [][2]any{
		{"active", "ACTIVE"},
		{role("active"), "ACTIVE"},
		{json.Number("1.0"), "one"},
		{"1", "other"},
		{nil, "nothing"},
		{true, "other"},
	} {
		if got := mapping.Match(test[0], "other", cases...); got != test[1] {
			t.Errorf("%v returns %v, want %v", test[0], got, test[1])
		}
	}
}

func TestEqual(t *testing.T) {
	groups := [][]any{
		{nil, (*string)(nil), json.RawMessage("null"), json.RawMessage(nil), json.RawMessage("broken"), math.NaN()},
		{true, ptr(true), json.RawMessage("true")},
		{false},
		{"a", role("a"), ptr("a"), json.RawMessage(`"\u0061"`)},
		{"", json.RawMessage(`""`)},
		{"1"},
		{1, int64(1), uint8(1), 1.0, json.Number("1"), json.Number("1.0"), json.Number("10e-1"), json.Number("0.1E1"), json.Number("0.001e+3")},
		{0, json.Number("-0"), json.Number("0.00"), json.Number("0e99999999999999999999999")},
		{-1, json.Number("-1.000")},
		{0.1, json.Number("0.10"), json.Number("1e-1")},
		{json.Number("9007199254740993")},
		{json.Number("9007199254740992"), math.Pow(2, 53)},
		{json.Number("1e999999999999"), json.Number("10e999999999998"), json.Number("0.1e1000000000000")},
		{json.Number("1e-999999999999")},
		{[]any{}, []string{}, json.RawMessage("[]")},
		{[]any{1, "a"}, json.RawMessage(`[1.0, "a"]`)},
		{[]any{"a", 1}},
		{[]any{nil}},
		{encode.Object{}, encode.Object(nil), json.RawMessage("{}")},
		{encode.Object{{Name: "a", Value: 1}, {Name: "b", Value: nil}}, json.RawMessage(`{"b":null,"a":1}`), json.RawMessage(`{"a":2,"b":null,"a":1}`)},
		{encode.Object{{Name: "a", Value: 1}}},
		{encode.Object{{Name: "a", Value: 1}, {Name: "c", Value: nil}}},
	}
	for i, group := range groups {
		for j, other := range groups {
			for _, a := range group {
				for _, b := range other {
					if mapping.Equal(a, b) != (i == j) {
						t.Errorf("%#v and %#v: %t", a, b, i != j)
					}
				}
			}
		}
	}
}

func FuzzEqualNumbers(f *testing.F) {
	for _, pair := range [][2]string{{"1", "1.0"}, {"0", "-0e5"}, {"123e-2", "1.23"}, {"1e20", "100000000000000000000"}, {"-5", "5"}, {"0.10", "0.1"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := exact(a), exact(b)
		if x == nil || y == nil {
			return
		}
		if got, want := mapping.Equal(json.Number(a), json.Number(b)), x.Cmp(y) == 0; got != want {
			t.Fatalf("%s and %s: %t", a, b, got)
		}
	})
}

// exact returns nil for a text that is not a JSON number, or has too many digits to be written
// out.
func exact(text string) *big.Rat {
	v, err := mapping.Parse([]byte(text))
	number, ok := v.(json.Number)
	if at := strings.IndexAny(text, "eE"); err != nil || !ok || text != string(number) || at >= 0 && len(text)-at > 5 {
		return nil
	}
	exact, _ := new(big.Rat).SetString(string(number))
	return exact
}

func TestEntries(t *testing.T) {
	got, err := json.Marshal(mapping.Entries(parse(t, `{"b":1,"a":[true]}`)))
	if err != nil || string(got) != `[{"key":"b","value":1},{"key":"a","value":[true]}]` {
		t.Errorf("%s (%v)", got, err)
	}
	for _, v := range []any{nil, "a", 1} {
		if got := mapping.Entries(v); got != nil {
			t.Errorf("%v has the entries %v", v, got)
		}
	}
	if got, _ := json.Marshal(mapping.Entries(parse(t, `[{"key":"a"}]`))); string(got) != `[{"key":"a"}]` {
		t.Errorf("a list of entries has the entries %s", got)
	}
}

func TestTruthy(t *testing.T) {
	for _, v := range []any{true, ptr(true), "a", "false", 1, -0.5, json.Number("1e-400"), []any{}, encode.Object{}, json.RawMessage("[]")} {
		if !mapping.Truthy(v) {
			t.Errorf("%#v is no", v)
		}
	}
	for _, v := range []any{nil, false, ptr(false), (*bool)(nil), "", 0, 0.0, json.Number("-0.0e9"), json.RawMessage("null"), json.RawMessage("no"), math.NaN()} {
		if mapping.Truthy(v) {
			t.Errorf("%#v is yes", v)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	text := []byte("[" + strings.Repeat(`{"id":"u1","name":"Ada Lovelace","age":36,"tags":["a","b"],"address":null},`, 1000) + "{}]")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mapping.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

// A value that the client did not send is left out of the objects that are built, not sent as
// null.
func TestAbsent(t *testing.T) {
	in := encode.Object{}.With("a", 1).With("none", nil).With("in", encode.Object{}.With("b", 2))
	made := encode.Object{}.
		With("a", mapping.GetOrAbsent(in, "a")).
		With("none", mapping.GetOrAbsent(in, "none")).
		With("b", mapping.GetOrAbsent(in, "in", "b")).
		With("missing", mapping.GetOrAbsent(in, "missing")).
		With("deep", mapping.GetOrAbsent(in, "missing", "b")).
		With("through", mapping.GetOrAbsent(in, "a", "b")).
		With("of", mapping.MapNonNull(mapping.GetOrAbsent(in, "x"), func(any) any { return 1 })).
		With("each", mapping.MapElements(mapping.GetOrAbsent(in, "x"), func(any) any { return 1 })).
		With("first", mapping.First(mapping.GetOrAbsent(in, "x"))).
		With("last", mapping.Last(mapping.GetOrAbsent(in, "x"))).
		With("joined", mapping.JoinNotNull(mapping.GetOrAbsent(in, "x"), ",")).
		With("entries", mapping.Entries(mapping.GetOrAbsent(in, "x"))).
		With("list", mapping.MapElements([]any{1, nil}, func(any) any { return "made" }))
	text, err := json.Marshal(made)
	if want := `{"a":1,"none":null,"b":2,"list":["made",null]}`; err != nil || string(text) != want {
		t.Errorf("made %s (%v), want %s", text, err, want)
	}
	if mapping.Normalize(encode.Absent) != nil {
		t.Error("an absent value is sent")
	}
}

// Braces build an object from an object, and a list of objects from a list.
func TestObjectsOfLists(t *testing.T) {
	names := func(v any) any { return encode.Object{}.With("n", mapping.GetOrAbsent(v, "name")) }
	for text, want := range map[string]string{
		`null`:                        `null`,
		`{"name":"a"}`:                `{"n":"a"}`,
		`[{"name":"a"},null,{"x":1}]`: `[{"n":"a"},null,{}]`,
		`[[{"name":"a"}],{"name":1}]`: `[[{"n":"a"}],{"n":1}]`,
	} {
		got, err := json.Marshal(mapping.MapNonNull(parse(t, text), names))
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s (%v), want %s", text, got, err, want)
		}
	}
}
