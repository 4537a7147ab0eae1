package front

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

func TestNumbersKeepTheirDigits(t *testing.T) {
	p, err := decodeBody([]byte(`{"query":"{n}","variables":{"id":9007199254740993}}`))
	if err != nil || p.Variables["id"] != json.Number("9007199254740993") {
		t.Errorf("got %v, %v", p, err)
	}
}

// The bodies that clients send are read the short way.
func TestUsualBodies(t *testing.T) {
	for body, want := range map[string]graphql.RawParams{
		`{"query":"{n}"}`: {Query: "{n}"},
		`{"operationName":"A","variables":{},"query":"query A {\n  n(s: \"x\")\n}\n"}`: {
			Query: "query A {\n  n(s: \"x\")\n}\n", OperationName: "A", Variables: map[string]any{},
		},
		"{ \"query\" : \"{é}\",\n\t\"variables\": {\"a\": {\"b\": [1, \"}\"]}}, \"extensions\": null }": {
			Query: "{é}", Variables: map[string]any{"a": map[string]any{"b": []any{json.Number("1"), "}"}}},
		},
	} {
		text := []byte(body)
		got, ok := scanBody(text)
		odd, err := decodeOdd(text)
		clear(text) // which will hold another caller's bytes
		if !ok || err != nil || !reflect.DeepEqual(*got, want) || !reflect.DeepEqual(*odd, want) {
			t.Errorf("%s: %+v, %t; %+v, %v", body, got, ok, odd, err)
		}
	}
}

// FuzzDecodeBody looks for bodies that bring the decoder down, that are refused with
// another code, or that encoding/json would read as something else.
func FuzzDecodeBody(f *testing.F) {
	for _, seed := range []string{
		`{"query":"{n}"}`, `{"query":"{n}","variables":{"a":[1,{"b":null}]},"operationName":"A","extensions":{}}`,
		"{\"query\":\"{\\n  n(s: \\\"\\\\\\/\\b\\f\\r\\t\\\")\\n}\" , \"variables\" : null}\n", `{"query":"a","query":"b"}`, `{"query":"a\x"}`, "{\"query\":\"a\tb\"}",
		`{"variables":{"a":"}","b":[{"c":"\\\"]"}]},"query":"{n}","operationName":null,"extensions":{"x":{}}}`, `{"variables":{"a":]}}`, `{"variables":{"a"}}`,
		`{"query":"{n}"}}`, `{"query":"{n}",}`, `{"query":nullx}`, "{\"query\":\"\xff\"}", `{"query":"{n}"} x`, "{\"query\":\"{n}\"}\x00", `{"other":1,"query":"{n}"}`,
		`[]`, `null`, ``, `{"query":1}`, `{"query":"\ud800"}`, `{"QUERY":"a","query":"b"}`, "\xef\xbb\xbf{}", `{"variables":1e999}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := decodeBody(body)
		odd, wrong := decodeOdd(body)
		if !reflect.DeepEqual(p, odd) || (err == nil) != (wrong == nil) || err != nil && err.Error() != wrong.Error() {
			t.Fatalf("%q was read as %+v, %v; want %+v, %v", body, p, err, odd, wrong)
		}
		if err != nil {
			if kind := fault.KindOf(err); kind != fault.BadRequest || len(err.Error()) > 100 {
				t.Fatalf("refused as %s: %v", kind, err)
			}
			return
		}
		var plain struct {
			Query, OperationName  *string
			Variables, Extensions map[string]any
		}
		if err := json.Unmarshal(body, &plain); err != nil {
			if !outOfRange(err) {
				t.Fatalf("accepted %q: %v", body, err)
			}
			return
		}
		if plain.Query != nil && p.Query != *plain.Query || plain.Query == nil && p.Query != "" ||
			len(p.Variables) != len(plain.Variables) || len(p.Extensions) != len(plain.Extensions) {
			t.Fatalf("%q was read as %+v", body, p)
		}
	})
}

// outOfRange is a number that float64 cannot hold: it is kept as it was written.
func outOfRange(err error) bool {
	wrong, ok := err.(*json.UnmarshalTypeError)
	return ok && wrong.Type == reflect.TypeFor[float64]()
}
