package decode

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

type thing struct {
	ID   string
	N    int
	Note *string
	Tags []string
}

var shapeThing = NewShape("Thing",
	Field{Name: "id", Required: true}, Field{Name: "n"}, Field{Name: "note"}, Field{Name: "tags"},
)

func decodeThing(d *Decoder) *thing {
	o := d.Object(shapeThing)
	v := New[thing](&o)
	for o.Next() {
		switch o.Field() {
		case 0: // id
			v.ID = d.ID()
		case 1: // n
			v.N = d.Int()
		case 2: // note
			v.Note = Ptr(d, (*Decoder).String)
		case 3: // tags
			v.Tags = Null(d, ListOf((*Decoder).String))
		}
	}
	if !o.OK() {
		return nil
	}
	return v
}

func TestRead(t *testing.T) {
	got, err := Read("s", []byte(` {"x":[{"id":1}],"data":{"it":{"id":9007199254740977,"n":3e0,"note":null,"tags":["a\u00e9\"b"],"other":{"deep":[1,{}]}}}} `),
		nil, Member("data", Member("it", decodeThing)))
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != "9007199254740977" || got.N != 3 || got.Note != nil || len(got.Tags) != 1 || got.Tags[0] != "aé\"b" {
		t.Errorf("read %+v", got)
	}
}

func TestReadEmptyBody(t *testing.T) {
	for _, body := range []string{"", "  ", "null", `{}`, `{"a":null}`, `{"a":{}}`, `{"a":{"b":null}}`} {
		got, err := Read("s", []byte(body), nil, Member("a", Member("b", NullOf(decodeThing))))
		if got != nil || err != nil {
			t.Errorf("%q reads as %v, %v; want null", body, got, err)
		}
		if _, err := Read("s", []byte(body), nil, Member("a", Member("b", decodeThing))); err == nil {
			t.Errorf("%q reads as a value where null is not allowed", body)
		}
	}
}

// Without Faults each row fails, with a cause that says where and why, and a message that says
// neither.
func TestReadErrors(t *testing.T) {
	for body, cause := range map[string]string{
		`{"id":"a"} x`:                 "at $: unexpected text after the value",
		`[]`:                           "at $: a list where an object is expected",
		`{"n":1}`:                      `at $: Thing lacks "id", which the graph says is never null`,
		`{"id":null}`:                  "at $.id: null where an ID is expected",
		`{"id":1.5}`:                   "at $.id: 1.5 is not an ID: an ID is a string or a whole number",
		`{"id":true}`:                  "at $.id: a boolean where an ID is expected",
		`{"id":"a","n":2147483648}`:    "at $.n: 2147483648 is not an Int: an Int is a whole number of 32 bits",
		`{"id":"a","n":1.5}`:           "at $.n: 1.5 is not an Int: an Int is a whole number of 32 bits",
		`{"id":"a","n":"1"}`:           "at $.n: a string where an Int is expected",
		`{"id":"a","n":01}`:            "at $.n: the JSON is not well-formed",
		`{"id":"a","note":5}`:          "at $.note: a number where a string is expected",
		`{"id":"a","tags":["a",null]}`: "at $.tags[1]: null where a string is expected",
		`{"id":"a","tags":["a" "b"]}`:  `at $.tags: a comma or "]" is missing`,
		`{"id":"a","tags":["a",]}`:     "at $.tags: the JSON is not well-formed",
		`{"id":"a",}`:                  "at $: the name of a member is missing",
		`{"id" "a"}`:                   "at $: a colon is missing",
		"{\"id\":\"a\nb\"}":            "at $.id: a string holds a raw control character",
		"{\"id\":\"\xff\"}":            "at $.id: a string is not UTF-8",
		`{"id":"\x"}`:                  "at $.id: a string holds a bad escape",
		`{"id":"a`:                     "at $.id: a string is not closed",
		`{"id":"a","x":nul}`:           "at $.x: the JSON is not well-formed",
		`{"id":"a","x":[1,2}`:          "at $.x: the JSON is not well-formed",
		`{"id":"a","x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + "}": "at $.x: nested deeper than 512",
	} {
		_, err := Read("users", []byte(body), nil, decodeThing)
		f, ok := err.(*fault.Error)
		if !ok {
			t.Errorf("%s: no fault but %v", body, err)
			continue
		}
		if f.Cause.Error() != cause {
			t.Errorf("%s:\n got %s\nwant %s", body, f.Cause, cause)
		}
		message := "the service's answer cannot be read"
		if json.Valid([]byte(body)) && !strings.Contains(body, "[[[[") {
			message = "the service's answer does not fit the graph"
		}
		if f.Code != fault.DownstreamService || f.Service != "users" || f.Message != message {
			t.Errorf("%s: fault is %+v", body, f)
		}
	}
}

func TestScalars(t *testing.T) {
	if d, err := Read("s", []byte(`"12.50"`), nil, (*Decoder).Decimal); d != "12.50" || err != nil {
		t.Error(d, err)
	}
	if d, err := Read("s", []byte(`0.10000000000000000000001`), nil, (*Decoder).Decimal); d != "0.10000000000000000000001" || err != nil {
		t.Error(d, err)
	}
	if _, err := Read("s", []byte(`"twelve"`), nil, (*Decoder).Decimal); err == nil {
		t.Error("a word is a Decimal")
	}
	if b, err := Read("s", []byte(`true`), nil, (*Decoder).Boolean); !b || err != nil {
		t.Error(b, err)
	}
	if _, err := Read("s", []byte(`1`), nil, (*Decoder).Boolean); err == nil {
		t.Error("1 is a Boolean")
	}
	if at, err := Read("s", []byte(`"2026-01-31T12:00:00+01:00"`), nil, (*Decoder).DateTime); err != nil || at.UTC().Hour() != 11 {
		t.Error(at, err)
	}
	if _, err := Read("s", []byte("null"), nil, (*Decoder).JSON); err == nil {
		t.Error("null is a JSON! value")
	}
	if j, err := Read("s", []byte(` {"a" : [1,2] } `), nil, (*Decoder).JSON); err != nil || string(j) != `{"a" : [1,2] }` {
		t.Error(string(j), err)
	}
}

func TestStringScalars(t *testing.T) {
	for body, want := range map[string]string{
		`9223372036854775807`: "", `"-9223372036854775808"`: "", `3.0`: "", `1e18`: "", `"3.0"`: `at $: "3.0" is not an Int64: an Int64 is a whole number of 64 bits`, `1e19`: "at $: 1e19 is not an Int64: an Int64 is a whole number of 64 bits", `9223372036854775808`: "at $: 9223372036854775808 is not an Int64: an Int64 is a whole number of 64 bits",
		`1.5`: "at $: 1.5 is not an Int64: an Int64 is a whole number of 64 bits", `"x"`: `at $: "x" is not an Int64: an Int64 is a whole number of 64 bits`, `true`: "at $: a boolean where an Int64 is expected",
	} {
		_, err := Read("s", []byte(body), nil, (*Decoder).Int64)
		wantCause(t, body, err, want)
	}
	for body, want := range map[string]string{`"2026-01-31"`: "", `"2026-02-31"`: `at $: "2026-02-31" is not a date`, `5`: "at $: a number where a string is expected"} {
		_, err := Read("s", []byte(body), nil, (*Decoder).Date)
		wantCause(t, body, err, want)
	}
	for body, want := range map[string]string{`"018F4b6e-7c3a-7000-8000-2f1e5d3c9a10"`: "", `"018f4b6e"`: `at $: "018f4b6e" is not a UUID`} {
		_, err := Read("s", []byte(body), nil, (*Decoder).UUID)
		wantCause(t, body, err, want)
	}
	for body, want := range map[string]string{`"https://example.com/a?b=c"`: "", `"/a"`: "", `"http://[::1"`: `at $: "http://[::1" is not a URL`, `""`: `at $: "" is not a URL`} {
		_, err := Read("s", []byte(body), nil, (*Decoder).URL)
		wantCause(t, body, err, want)
	}
}

func wantCause(t *testing.T, body string, err error, want string) {
	t.Helper()
	got := ""
	if f, ok := err.(*fault.Error); ok {
		got = f.Cause.Error()
	}
	if got != want {
		t.Errorf("%s: got %q, want %q", body, got, want)
	}
}

// FuzzJSON checks that the scanner accepts only what encoding/json accepts, and reads the same
// values.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"id":"a","n":1,"tags":["x"]}`, `[1,-0.5e+7,null,true,"\u00e9\ud800"]`, `"\uD83D\uDE00"`, `"\ud83d\ud83d\ude00\uDE00\u0041\uffFD\ud800\n"`, `"\ud800x\ud800"`, `"\"\\\/\b\f\n\r\t\u0000"`, `{"a":{}}`, " 01", "{,}", "[,]", "tru", "-", "1e", `"` + "\x00" + `"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		raw, err := Read("s", body, nil, NullOf((*Decoder).JSON))
		if err == nil && raw != nil && !json.Valid(raw) {
			t.Fatalf("%q was accepted, but is not JSON", body)
		}
		if err != nil && json.Valid(body) && utf8.Valid(body) && strings.Count(string(body), "[")+strings.Count(string(body), "{") < maxDepth {
			t.Fatalf("%q was refused, but is JSON: %v", body, err.(*fault.Error).Cause)
		}
		sameString(t, body)
		sameFloat(t, body)
	})
}

func sameString(t *testing.T, body []byte) {
	got, err := Read("s", body, nil, (*Decoder).String)
	var want string
	if err == nil && json.Unmarshal(body, &want) == nil && got != want {
		t.Fatalf("%q reads as %q, encoding/json says %q", body, got, want)
	}
}

func sameFloat(t *testing.T, body []byte) {
	got, err := Read("s", body, nil, (*Decoder).Float)
	var want float64
	if err == nil && (json.Unmarshal(body, &want) != nil || math.Float64bits(got) != math.Float64bits(want)) {
		t.Fatalf("%q reads as %v, encoding/json says %v", body, got, want)
	}
}

func BenchmarkDecodeList(b *testing.B) {
	body := []byte("[" + strings.Repeat(`{"id":"u1","n":12,"note":"a note","tags":["x","y"],"other":{"a":[1,2,3]}},`, 99) + `{"id":"z"}]`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read("s", body, nil, ListOf(decodeThing)); err != nil {
			b.Fatal(err)
		}
	}
}

// A string that is not UTF-8 fails its own field or element; the rest of the response is read.
func TestInvalidUTF8(t *testing.T) {
	faults := new(Faults)
	things, err := Read("s", []byte("[{\"id\":\"a\",\"note\":\"Zo\xeb\"},{\"id\":\"b\",\"note\":\"c\",\"\xff\":\"\xff\"}]"), faults, ListOf(decodeThing))
	if err != nil || len(things) != 2 || things[0].Note != nil || things[0].ID != "a" || *things[1].Note != "c" {
		t.Fatalf("%+v, %v", things, err)
	}
	if len(faults.OfField(things[0], "note")) != 1 || len(faults.OfField(things[1], "note")) != 0 {
		t.Error("the fault is not at the field")
	}
	if _, err := Read("s", []byte("[{\"a\":\"\xff\"}]"), nil, (*Decoder).JSON); err == nil {
		t.Error("JSON that is not UTF-8 reaches clients")
	}
}
