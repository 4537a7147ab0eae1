package front

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

func TestNumbersKeepTheirDigits(t *testing.T) {
	p, err := decodeBody([]byte(`{"query":"{n}","variables":{"id":9007199254740993}}`))
	if err != nil || p.Variables["id"] != json.Number("9007199254740993") {
		t.Errorf("got %v, %v", p, err)
	}
}

// FuzzDecodeBody looks for bodies that bring the decoder down, that are refused with
// another code, or that encoding/json would read as something else.
func FuzzDecodeBody(f *testing.F) {
	for _, seed := range []string{
		`{"query":"{n}"}`, `{"query":"{n}","variables":{"a":[1,{"b":null}]},"operationName":"A","extensions":{}}`,
		`[]`, `null`, ``, `{"query":1}`, `{"query":"\ud800"}`, `{"QUERY":"a","query":"b"}`, "\xef\xbb\xbf{}", `{"variables":1e999}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := decodeBody(body)
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
