package encode_test

import (
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
)

type (
	plainText string
	raw       json.RawMessage
)

func ptr[T any](v T) *T { return &v }

// Objects keep the order of their members and write nil as null.
func TestObject(t *testing.T) {
	var o encode.Object
	o = o.With("z", "a\"<é").With("a", nil).With("list", []any{1, nil, encode.Object{}}).
		With("n", json.Number("9007199254740993")).With("f", 1e21).With("é\"", json.RawMessage(`{"x": 1}`))
	const want = `{"z":"a\"\u003cé","a":null,"list":[1,null,{}],"n":9007199254740993,"f":1e+21,"é\"":{"x":1}}`
	got, err := json.Marshal(o)
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if _, err := json.Marshal(encode.Object{{Name: "f", Value: json.RawMessage("{")}}); err == nil {
		t.Error("broken JSON was written")
	}
	if got, _ := json.Marshal(encode.Object(nil)); string(got) != "{}" {
		t.Errorf("an empty object is %s", got)
	}
}

func TestWireValues(t *testing.T) {
	moment := time.Date(2026, 1, 31, 12, 0, 0, 5e8, time.FixedZone("", 3600))
	upper := func(s string) any { return "<" + s + ">" }
	for name, test := range map[string]struct{ got, want any }{
		"any":                  {encode.Any(3), 3},
		"opt":                  {encode.Ptr(ptr("x"), upper), "<x>"},
		"opt of nil":           {encode.Ptr(nil, upper), nil},
		"list":                 {encode.List([]string{"a", "b"}, upper), []any{"<a>", "<b>"}},
		"empty list":           {encode.List([]string{}, upper), []any{}},
		"nil list":             {encode.List(nil, upper), nil},
		"list of nullables":    {encode.List([]*string{ptr("a"), nil}, encode.PtrOf(upper)), []any{"<a>", nil}},
		"list of lists":        {encode.List([][]string{{"a"}, nil, {}}, encode.ListOf(upper)), []any{[]any{"<a>"}, nil, []any{}}},
		"text":                 {encode.String(plainText("x")), "x"},
		"time":                 {encode.DateTime(moment), "2026-01-31T12:00:00.5+01:00"},
		"raw":                  {encode.JSON(raw(`{"a":1}`)), json.RawMessage(`{"a":1}`)},
		"no raw":               {encode.JSON(raw(nil)), nil},
		"in":                   {encode.IfNotNil(ptr(plainText("x")), func(t *plainText) any { return string(*t) }), "x"},
		"in nil":               {encode.IfNotNil(nil, func(t *plainText) any { return string(*t) }), nil},
		"with given":           {encode.WithOmittable(nil, "n", graphql.OmittableOf("x"), upper), encode.Object{{Name: "n", Value: "<x>"}}},
		"with given null":      {encode.WithOmittable(nil, "n", graphql.OmittableOf[*string](nil), encode.PtrOf(upper)), encode.Object{{Name: "n"}}},
		"with absent":          {encode.WithOmittable(nil, "n", graphql.Omittable[string]{}, upper), encode.Object(nil)},
		"int key":              {encode.Key(ptr(-7)), ptr("-7")},
		"no int key":           {encode.Key[int](nil), (*string)(nil)},
		"int keys":             {encode.Keys([]int{1, 0, -2}), []string{"1", "0", "-2"}},
		"no int keys":          {encode.Keys[int](nil), []string(nil)},
		"empty int keys":       {encode.Keys([]int{}), []string{}},
		"without nulls":        {encode.NonNil([]*string{nil, ptr("a"), nil}), []string{"a"}},
		"only nulls":           {encode.NonNil([]*string{nil}), []string{}},
		"no list of nullables": {encode.NonNil[string](nil), []string(nil)},
		"fields":               {encode.Fields(encode.Object{{Name: "a"}}), encode.Object{{Name: "a"}}},
		"fields of null":       {encode.Fields(nil), encode.Object(nil)},
	} {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestConcat(t *testing.T) {
	for _, test := range []struct {
		parts []any
		want  any
	}{
		{nil, ""},
		{[]any{"a", 1, "/", true, "/", int64(1) << 60}, "a1/true/1152921504606846976"},
		{[]any{"f=", 1e6, ",", 0.25, ",", 1e21}, "f=1000000,0.25,1e+21"},
		{[]any{json.Number("1.10"), json.RawMessage(`"a\"<"`), json.RawMessage(`2.50`), json.RawMessage("true")}, `1.10a"<2.50true`},
		{[]any{"a", nil}, nil},
		{[]any{"a", json.RawMessage("null")}, nil},
		{[]any{"a", json.RawMessage(`{"b":1}`)}, nil},
		{[]any{"a", []any{"b"}}, nil},
		{[]any{"a", map[string]any{"b": 1}}, nil},
		{[]any{"a", func() {}}, nil},
	} {
		if got := encode.Concat(test.parts...); got != test.want {
			t.Errorf("%v: got %v, want %v", test.parts, got, test.want)
		}
	}
}

// An object is read back with the same members, whatever their names and values.
func FuzzObject(f *testing.F) {
	f.Add("name", "value", 1.5)
	f.Add("", "\x00\u2028</script>", math.Copysign(0, -1))
	f.Fuzz(func(t *testing.T, name, value string, n float64) {
		b, err := json.Marshal(encode.Object{}.With(name, value).With("n", n))
		if err != nil {
			if _, wrong := json.Marshal(n); wrong == nil {
				t.Fatal(err)
			}
			return
		}
		var got map[string]any
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		if name == "n" {
			return
		}
		if fmt.Sprint(got["n"]) != fmt.Sprint(n) || len(got) != 2 {
			t.Fatalf("%s from %q, %q, %v", b, name, value, n)
		}
	})
}

// The bytes that MarshalJSON allocates are proportional to the length of the JSON, however deeply
// it nests.
func TestDeepObjects(t *testing.T) {
	cost := func(depth int) uint64 {
		var value any = []any(nil)
		for range depth {
			value = encode.Object{}.With("a", []any{value, 1})
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		text, err := json.Marshal(value)
		runtime.ReadMemStats(&after)
		if want := strings.Repeat(`{"a":[`, depth) + "null" + strings.Repeat(`,1]}`, depth); err != nil || string(text) != want {
			t.Fatalf("%d deep: got %.50s, %v", depth, text, err)
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	cost(1) // what encoding/json remembers of types
	if few, many := cost(500), cost(4000); many > 20*few {
		t.Errorf("%d bytes for 500 objects, %d for 4000", few, many)
	}
}

func ExampleObject() {
	o := encode.Object{}.With("name", "Ada").With("tags", []any{"a", nil})
	b, _ := json.Marshal(o)
	fmt.Println(string(b))
	// Output: {"name":"Ada","tags":["a",null]}
}

func BenchmarkObject(b *testing.B) {
	o := encode.Object{}
	for i := range 10 {
		o = o.With("name"+strconv.Itoa(i), "value")
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(o); err != nil {
			b.Fatal(err)
		}
	}
}
