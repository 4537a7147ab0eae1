package scalar_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
)

func marshaled(m graphql.Marshaler) string {
	var b strings.Builder
	m.MarshalGQL(&b)
	return b.String()
}

func TestInt(t *testing.T) {
	for _, test := range []struct {
		in   any
		want string // the number, or part of the error
	}{
		{3, "3"},
		{int64(math.MaxInt32), "2147483647"},
		{int64(math.MinInt32), "-2147483648"},
		{int64(math.MaxInt32) + 1, "32 bits"},
		{int64(math.MinInt32) - 1, "32 bits"},
		{json.Number("-7"), "-7"},
		{json.Number("2147483648"), "32 bits"},
		{json.Number("9223372036854775808"), "not a whole number"},
		{json.Number("1.5"), "not a whole number"},
		{json.Number("1e3"), "1000"},
		{json.Number("1.0"), "1"},
		{json.Number("-120e-1"), "-12"},
		{json.Number("0.000e99999999999999999999"), "0"},
		{json.Number("1.00000000000000000000000000000001"), "not a whole number"},
		{json.Number("1e-1"), "not a whole number"},
		{json.Number("1e99999999999999999999"), "not a whole number"},
		{json.Number("1e19"), "not a whole number"},
		{json.Number("0.0000000000000000000000000000012e30"), "not a whole number"},
		{json.Number("0.0000000000000000000000000000012e31"), "12"},
		{json.Number("-0.00000000000000000000000000000120e31"), "-12"},
		{json.Number("12000000000000000000000000000000.0e-30"), "12"},
		{json.Number("1e9223372036854775807"), "not a whole number"},
		{json.Number("0.1e-9223372036854775808"), "not a whole number"},
		{json.Number("1.5e1x"), "not a whole number"},
		{json.Number(""), "not a whole number"},
		{2.0, "2"},
		{2.5, "not a whole number"},
		{1e15, "32 bits"},
		{1e300, "not a whole number"},
		{math.NaN(), "not a whole number"},
		{math.Inf(1), "not a whole number"},
		{"3", "not a whole number"},
		{true, "not a whole number"},
		{nil, "not a whole number"},
	} {
		n, err := scalar.UnmarshalInt(test.in)
		if got := marshaled(scalar.MarshalInt(n)); err == nil && got != test.want {
			t.Errorf("%v: got %s, want %s", test.in, got, test.want)
		}
		if err != nil && (n != 0 || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%v: got %d, %v, want %s", test.in, n, err, test.want)
		}
	}
}

func TestInt64(t *testing.T) {
	for _, test := range []struct {
		in   any
		want string // what is written, or part of the error
	}{
		{3, `"3"`},
		{int64(math.MaxInt64), `"9223372036854775807"`},
		{json.Number("-9223372036854775808"), `"-9223372036854775808"`},
		{"9007199254740993", `"9007199254740993"`},
		{json.Number("9223372036854775808"), "64 bits"},
		{"9223372036854775808", "64 bits"},
		{"1.5", "64 bits"},
		{"", "64 bits"},
		{1.5, "64 bits"},
		{true, "64 bits"},
	} {
		n, err := scalar.UnmarshalInt64(test.in)
		if got := marshaled(scalar.MarshalInt64(n)); err == nil && got != test.want {
			t.Errorf("%v: got %s, want %s", test.in, got, test.want)
		}
		if err != nil && (n != 0 || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%v: got %d, %v, want %s", test.in, n, err, test.want)
		}
	}
}

func TestStrings(t *testing.T) {
	var (
		date scalar.Date
		uuid scalar.UUID
		url  scalar.URL
	)
	for _, test := range []struct {
		to interface {
			graphql.Marshaler
			graphql.Unmarshaler
		}
		in   any
		want string // what is written, or part of the error
	}{
		{&date, "2026-01-31", `"2026-01-31"`},
		{&date, "2026-02-30", "not a Date"},
		{&date, "2026-01-31T00:00:00Z", "not a Date"},
		{&date, 5, "not a Date"},
		{&uuid, "018f4b6e-7c3a-7000-8000-2f1e5d3c9A10", `"018f4b6e-7c3a-7000-8000-2f1e5d3c9A10"`},
		{&uuid, "018f4b6e7c3a700080002f1e5d3c9a10", "not a UUID"},
		{&uuid, nil, "not a UUID"},
		{&url, "https://example.com/ü?a=\"b\"", `"https://example.com/ü?a=\"b\""`},
		{&url, "http://[::1", "not a URL"},
		{&url, "", "not a URL"},
	} {
		err := test.to.UnmarshalGQL(test.in)
		if got := marshaled(test.to); err == nil && got != test.want {
			t.Errorf("%v: got %s, want %s", test.in, got, test.want)
		}
		if err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: got %v, want %s", test.in, err, test.want)
		}
	}
}

func TestDateTime(t *testing.T) {
	for in, want := range map[string]string{
		"2026-01-31T12:00:00Z":           `"2026-01-31T12:00:00Z"`,
		"2026-01-31T12:00:00.120+02:00":  `"2026-01-31T12:00:00.12+02:00"`,
		"2026-01-31T12:00:00.123456789Z": `"2026-01-31T12:00:00.123456789Z"`,
		"2024-02-29T23:59:59-00:30":      `"2024-02-29T23:59:59-00:30"`,
		"2026-01-31t12:00:00z":           `"2026-01-31T12:00:00Z"`,
		"2026-01-31T12:00:00.5+23:59":    `"2026-01-31T12:00:00.5+23:59"`,
		"0000-01-01T00:00:00+01:00":      `"0000-01-01T00:00:00+01:00"`,
	} {
		at, err := scalar.UnmarshalDateTime(in)
		if got := marshaled(scalar.MarshalDateTime(at)); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []any{
		"", "2026-01-31", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z", "2026-01-31 12:00:00Z", 7, nil, json.Number("1"),
		"2026-01-31T1:00:00Z", "2026-01-31T12:00:00,5Z", "2026-01-31T12:00:00.Z", "2026-01-31T24:00:00Z", "2026-01-31T23:59:60Z",
		"2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+05:60", "2026-01-31T12:00:00+05", "2026-01-31T12:00:00Z\n", "02026-01-31T12:00:00Z",
	} {
		if at, err := scalar.UnmarshalDateTime(in); err == nil || !at.Equal(time.Time{}) {
			t.Errorf("%v is taken for %v", in, at)
		}
	}
}

func TestDecimal(t *testing.T) {
	for _, test := range []struct {
		in   any
		want string // "" when it is none
	}{
		{"12.50", "12.50"},
		{"-0.0", "-0.0"},
		{"1e-7", "1e-7"},
		{"1234567890123456789012345678.90", "1234567890123456789012345678.90"},
		{json.Number("1.10"), "1.10"},
		{int64(-3), "-3"},
		{0.25, "0.25"},
		{1e21, "1000000000000000000000"},
		{math.NaN(), ""},
		{math.Inf(-1), ""},
		{"", ""},
		{" 1", ""},
		{"1\n", ""},
		{"+1", ""},
		{".5", ""},
		{"1.", ""},
		{"1,5", ""},
		{"0x10", ""},
		{"١", ""},
		{`1"`, ""},
		{true, ""},
		{nil, ""},
		{[]any{"1"}, ""},
	} {
		var d scalar.Decimal
		err := d.UnmarshalGQL(test.in)
		if (err == nil) != (test.want != "") {
			t.Errorf("%v: %v", test.in, err)
		}
		if got := marshaled(d); err == nil && got != `"`+test.want+`"` {
			t.Errorf("%v: got %s, want %q", test.in, got, test.want)
		}
		if err == nil && !d.Valid() {
			t.Errorf("%v is valid and is not", d)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, test := range []struct {
		in   any
		want string
	}{
		{nil, "null"},
		{map[string]any{"b": []any{json.Number("1.50"), nil, true}, "a": "é\""}, `{"a":"é\"","b":[1.50,null,true]}`},
		{json.Number("9007199254740993"), "9007199254740993"},
		{"text", `"text"`},
		{[]any{}, "[]"},
	} {
		var j scalar.JSON
		if err := j.UnmarshalGQL(test.in); err != nil || marshaled(j) != test.want {
			t.Errorf("%v: got %s, %v, want %s", test.in, marshaled(j), err, test.want)
		}
	}
	if got := marshaled(scalar.JSON(nil)); got != "null" {
		t.Errorf("nothing is written as %q", got)
	}
	var j scalar.JSON
	if err := j.UnmarshalGQL(func() {}); err == nil {
		t.Error("a function became JSON")
	}
}

// A JSON number is accepted as an Int if and only if it is a whole number of 32 bits, in whatever
// form.
func FuzzInt(f *testing.F) {
	for _, seed := range []string{"0", "-1", "2147483648", "1e3", "1.0", "12.5e1", "-0.0", "1e-1", "10e-1", "9999999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, exponent, _ := strings.Cut(strings.ToLower(text), "e"); !json.Valid([]byte(text)) || len(exponent) > 4 {
			return // not a number, or one whose digits take long to write down
		}
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			return
		}
		want := exact.Num().Int64()
		fits := exact.IsInt() && exact.Num().IsInt64() && want == int64(int32(want))
		got, err := scalar.UnmarshalInt(json.Number(text))
		if (err == nil) != fits || err == nil && int64(got) != want {
			t.Fatalf("%q: got %d, %v, want %v", text, got, err, exact)
		}
	})
}

// What is accepted as a Decimal keeps every digit, is a number for other readers, and is written
// as one JSON string.
func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"0", "-12.50", "1e5", "1E+5", "+1", ".5", "1.", "NaN", "1_000", "0x1p4", "1/2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d scalar.Decimal
		if d.UnmarshalGQL(text) != nil {
			return
		}
		if string(d) != text {
			t.Fatalf("%q became %q", text, d)
		}
		if _, _, err := new(big.Float).Parse(text, 10); err != nil && !strings.Contains(err.Error(), "exponent") {
			t.Fatalf("%q is not a number: %v", text, err)
		}
		var back string
		if err := json.Unmarshal([]byte(marshaled(d)), &back); err != nil || back != text {
			t.Fatalf("%q is written as %s: %v", text, marshaled(d), err)
		}
	})
}

func ExampleDecimal() {
	var price scalar.Decimal
	if err := price.UnmarshalGQL(json.Number("12.50")); err != nil {
		fmt.Println(err)
	}
	price.MarshalGQL(os.Stdout)
	// Output: "12.50"
}
