package request

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/buffer"
)

func TestNumbersKeepTheirDigits(t *testing.T) {
	p, err := decodeBody([]byte(`{"query":"{n}","variables":{"id":9007199254740993}}`), Limits{})
	if err != nil || p.Variables["id"] != json.Number("9007199254740993") {
		t.Errorf("got %v, %v", p, err)
	}
}

// decodeFast decodes the bodies that clients send.
func TestDecodeFast(t *testing.T) {
	for body, want := range map[string]Params{
		`{"query":"{n}"}`: {RawParams: graphql.RawParams{Query: "{n}"}},
		`{"operationName":"A","variables":{},"query":"query A {\n  n(s: \"x\")\n}\n"}`: {RawParams: graphql.RawParams{
			Query: "query A {\n  n(s: \"x\")\n}\n", OperationName: "A", Variables: map[string]any{},
		}},
		`{"documentId":"sha256:abc","variables":{}}`: {RawParams: graphql.RawParams{Variables: map[string]any{}}, DocumentID: "sha256:abc"},
		`{"doc_id":"abc","query":null}`:              {DocumentID: "abc"},
		`{"query":"","id":"abc"}`:                    {DocumentID: "abc"},
		`{"id":"abc","query":"{n}"}`:                 {RawParams: graphql.RawParams{Query: "{n}"}},

		"{ \"query\" : \"{é}\",\n\t\"variables\": {\"a\": {\"b\": [1, \"}\"]}}, \"extensions\": null }": {RawParams: graphql.RawParams{
			Query: "{é}", Variables: map[string]any{"a": map[string]any{"b": []any{json.Number("1"), "}"}}},
		}},
	} {
		text := []byte(body)
		got, ok := decodeFast(text, Limits{})
		odd, err := decodeStrict(text, Limits{})
		clear(text) // which will hold another caller's bytes
		if !ok || err != nil || !reflect.DeepEqual(*got, want) || !reflect.DeepEqual(*odd, want) {
			t.Errorf("%s: %+v, %t; %+v, %v", body, got, ok, odd, err)
		}
	}
}

// FuzzDecodeBody looks for bodies that make the decoder panic, that are refused with another code,
// or that encoding/json decodes differently.
func FuzzDecodeBody(f *testing.F) {
	for _, seed := range []string{
		`{"query":"{n}"}`, `{"query":"{n}","variables":{"a":[1,{"b":null}]},"operationName":"A","extensions":{}}`,
		"{\"query\":\"{\\n  n(s: \\\"\\\\\\/\\b\\f\\r\\t\\\")\\n}\" , \"variables\" : null}\n", `{"query":"a","query":"b"}`, `{"query":"a\x"}`, "{\"query\":\"a\tb\"}",
		`{"variables":{"a":"}","b":[{"c":"\\\"]"}]},"query":"{n}","operationName":null,"extensions":{"x":{}}}`, `{"variables":{"a":]}}`, `{"variables":{"a"}}`,
		`{"query":"{n}"}}`, `{"query":"{n}",}`, `{"query":nullx}`, "{\"query\":\"\xff\"}", `{"query":"{n}"} x`, "{\"query\":\"{n}\"}\x00", `{"other":1,"query":"{n}"}`,
		`{"documentId":"a"}`, `{"id":"a","doc_id":"b"}`, `{"id":"a","doc_id":"a","query":""}`, `{"query":"{n}","id":1}`, `{"id":1}`, `{"id":"\u0061"}`, `[]`, `null`, ``, `{"query":1}`, `{"query":"\ud800"}`, `{"QUERY":"a","query":"b"}`, "\xef\xbb\xbf{}", `{"variables":1e999}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := decodeBody(body, Limits{})
		odd, wrong := decodeStrict(body, Limits{})
		if !reflect.DeepEqual(p, odd) || (err == nil) != (wrong == nil) || err != nil && err.Error() != wrong.Error() {
			t.Fatalf("%q was read as %+v, %v; want %+v, %v", body, p, err, odd, wrong)
		}
		if err != nil {
			if kind := fault.CodeOf(err); kind != fault.BadRequest || len(err.Error()) > 100 {
				t.Fatalf("refused as %s: %v", kind, err)
			}
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(body, &members); err != nil {
			t.Fatalf("accepted %q: %v", body, err)
		}
		var query *string
		var variables map[string]any
		if err := json.Unmarshal(orNullText(members["variables"]), &variables); err != nil && !outOfRange(err) {
			t.Fatalf("accepted %q: %v", body, err)
		}
		if json.Unmarshal(orNullText(members["query"]), &query); query != nil && p.Query != *query || query == nil && p.Query != "" ||
			len(p.Variables) != len(variables) {
			t.Fatalf("%q was read as %+v", body, p)
		}
		if twice(json.NewDecoder(bytes.NewReader(body))) {
			t.Fatalf("accepted %q, with two members of one name", body)
		}
		if replaced := strings.Count(fmt.Sprint(p.Query, p.Variables), "\uFFFD"); replaced > 0 && !bytes.Contains(body, []byte("\uFFFD")) && !bytes.Contains(bytes.ToLower(body), []byte(`\ufffd`)) {
			t.Fatalf("%q was read as %+v", body, p)
		}
	})
}

func orNullText(text json.RawMessage) json.RawMessage {
	if text == nil {
		return json.RawMessage("null")
	}
	return text
}

// twice reports whether an object of the next value has two members of one name.
func twice(from *json.Decoder) bool {
	from.UseNumber()
	token, _ := from.Token()
	seen, found := map[any]bool{}, false
	switch token {
	case json.Delim('{'):
		for from.More() {
			name, _ := from.Token()
			found = found || seen[name]
			seen[name] = true
			found = twice(from) || found
		}
	case json.Delim('['):
		for from.More() {
			found = twice(from) || found
		}
	default:
		return false
	}
	from.Token()
	return found
}

// Members of a body have exact names, each at most once.
func TestDecodeBody(t *testing.T) {
	const (
		twiceText = "an object in the request's JSON has two members of one name"
		halfText  = "a string in the request's JSON has half of a surrogate pair"
		deepText  = "the request's JSON nests more than 500 objects and lists, which is the limit (limits.jsonDepth)"
	)
	nine := `"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0`
	for body, want := range map[string]string{ // the query, or the error
		`{"query":"{a}","Query":"{b}"}`:                                                                            "{a}",
		`{"QUERY":"{b}","query":"{a}"}`:                                                                            "{a}",
		`{"Query":"{b}"}`:                                                                                          "",
		`{"query":"{a}","VARIABLES":{"x":1},"Extensions":3}`:                                                       "{a}",
		`{"query":"{a}","\u0071uery":"{b}"}`:                                                                       twiceText,
		`{"query":"{a}","query":"{b}"}`:                                                                            twiceText,
		`{"query":"{a}","query":null}`:                                                                             twiceText,
		`{"query":"{a}","other":1,"other":1}`:                                                                      twiceText,
		`{"query":"{a}","variables":{"x":1,"x":2}}`:                                                                twiceText,
		`{"query":"{a}","variables":{"x":[{"y":1},{"y":1,"z":{},"y":2}]}}`:                                         twiceText,
		`{"query":"{a}","variables":{"x":1,"\u0078":2}}`:                                                           twiceText,
		`{"query":"{a}","variables":{"x":1,"X":2}}`:                                                                "{a}",
		`{"query":"{a}","variables":{"x":{"y":1},"z":{"y":1},"y":[{"y":1}]}}`:                                      "{a}",
		`{"query":"{a}","variables":{` + nine + `}}`:                                                               "{a}",
		`{"query":"{a}","variables":{` + nine + `,"j":0,"c":0}}`:                                                   twiceText,
		`{"query":"{a}","variables":{` + nine + `,"j":0,"j":0}}`:                                                   twiceText,
		`{"query":"{a}","extensions":{"x":1,"x":2}}`:                                                               twiceText,
		`{"query":"{a \ud83d}"}`:                                                                                   halfText,
		`{"query":"{a \ud83d\ude00}"}`:                                                                             "{a 😀}",
		`{"query":"{a}","variables":{"x":"\uDE00"}}`:                                                               halfText,
		`{"query":"{a}","variables":{"x":"\ud83d\\ude00"}}`:                                                        halfText,
		`{"query":"{a}","variables":{"x":"\\ud83d"}}`:                                                              "{a}",
		`{"query":"{a}","variables":{"x":"\ud83d\ude00\ude00"}}`:                                                   halfText,
		`{"query":"{a}","variables":{"\ud83d":1}}`:                                                                 halfText,
		`{"query":"{a}","variables":{"x":"\uFFFD"}}`:                                                               "{a}",
		`{"query":"{a}","variables":{"x":"\ud83d\ude00 \u00e4"}}`:                                                  "{a}",
		`{"query":"{a}","variables":{"x":` + strings.Repeat("[", 498) + strings.Repeat("]", 498) + `}}`:            "{a}",
		`{"query":"{a}","variables":{"x":` + strings.Repeat("[", 499) + strings.Repeat("]", 499) + `}}`:            deepText,
		`{"query":"{a}","extensions":{"x":` + strings.Repeat(`{"y":`, 500) + `1` + strings.Repeat("}", 500) + `}}`: deepText,
		`{"query":"{a}","variables":{"x":["` + strings.Repeat("[", 1000) + `"]}}`:                                  "{a}",
		`{"query":"{a}","variables":{"x":["{\"a\":1,\"a\":2}", "\"", "\\"]}}`:                                      "{a}",
	} {
		p, err := decodeBody([]byte(body), Limits{})
		if odd, wrong := decodeStrict([]byte(body), Limits{}); !reflect.DeepEqual(p, odd) || (err == nil) != (wrong == nil) {
			t.Errorf("%s: %+v, %v; decodeStrict: %+v, %v", body, p, err, odd, wrong)
		}
		if err == nil && p.Query != want || err != nil && (err.Error() != want || fault.CodeOf(err) != fault.BadRequest) {
			t.Errorf("%s: %+v, %v, want %s", body, p, err, want)
		}
	}
}

// An id may stand at several places, which must agree, and does not count beside a text.
func TestDocumentIDs(t *testing.T) {
	const twoText = "the request has two different ids of a document"
	for _, c := range []struct{ body, query, path, want string }{ // the id, or the error
		{body: `{"documentId":"a"}`, query: "documentId=a", want: "a"},
		{body: `{"doc_id":"a"}`, query: "doc_id=a", want: "a"},
		{body: `{"id":"a"}`, query: "id=a", want: "a"},
		{body: `{"id":"a","documentId":"a","doc_id":null}`, query: "documentId=a&id=a&doc_id=", want: "a"},
		{body: `{"id":"a","documentId":"b"}`, query: "id=a&documentId=b", want: twoText},
		{body: `{}`, path: "a", want: "a"},
		{body: `{"id":"a"}`, query: "id=a", path: "a", want: "a"},
		{body: `{"id":"a"}`, query: "doc_id=a", path: "b", want: twoText},
		{body: `{"id":"a","documentId":"b","query":"{n}"}`, query: "query={n}&id=a&documentId=b", path: "c"},
		{body: `{"id":1,"query":"{n}"}`, query: "query={n}"},
		{body: `{"id":1}`, query: "id=1", want: "1"},
		{body: `{"id":true}`, query: "id=a&id=b", want: `"id"`},
		{body: `{"documentId":["a"]}`, query: "documentId=a&documentId=a", want: `"documentId"`},
	} {
		post, _ := http.NewRequest("POST", "/graphql", strings.NewReader(c.body))
		post.Header.Set("Content-Type", "application/json")
		get, _ := http.NewRequest("GET", "/graphql?"+c.query, nil)
		for _, r := range []*http.Request{post, get} {
			r.SetPathValue(PathID, c.path)
			var p *Params
			var err error
			if r == post {
				p, err = ReadPOST(httptest.NewRecorder(), r, 1000, Limits{}, (&buffer.Pool{}).Get())
			} else {
				p, err = ReadGET(nil, r, 0, Limits{}, nil)
			}
			if err == nil && p.DocumentID != c.want || err != nil && (!strings.Contains(err.Error(), c.want) || c.want == "" || fault.CodeOf(err) != fault.BadRequest) {
				t.Errorf("%s %s %q %q: %+v, %v", r.Method, r.URL, c.body, c.path, p, err)
			}
		}
	}
}

func TestReadGET(t *testing.T) {
	for query, want := range map[string]bool{
		`query={a}`: true, `query={a}&Query={b}`: true, `query={a}&query={b}`: false, `query={a}&variables={}&variables={}`: false,
		`query={a}&variables={"x":1,"x":2}`: false, `query={a}&variables={"x":"\ud83d"}`: false, `query={a}&extensions={"x":{"y":1,"y":1}}`: false,
		`query={a}&operationName=a&operationName=b`: false, `query={a}&variables={"x":1}`: true, `query={a}&variables=[`: false,
		`query={a}&variables={"x":"%ed%a0%bd"}`: false, `query={a}&extensions={"%ff":1}`: false, `query={a}%c3&operationName=%a9`: false, `query={a}&operationName=%c3%a9`: true,
		`query={a}&variables={"x":` + strings.Repeat("[", 498) + strings.Repeat("]", 498) + "}": true,
		`query={a}&variables={"x":` + strings.Repeat("[", 499) + strings.Repeat("]", 499) + "}": false,
	} {
		r := &http.Request{URL: &url.URL{RawQuery: query}}
		p, err := ReadGET(nil, r, 0, Limits{}, nil)
		if (err == nil) != want || err == nil && p.Query != "{a}" {
			t.Errorf("%s: %+v, %v", query, p, err)
		}
	}
}

// outOfRange is a number that float64 cannot hold: it is kept as it was written.
func outOfRange(err error) bool {
	wrong, ok := err.(*json.UnmarshalTypeError)
	return ok && wrong.Type == reflect.TypeFor[float64]()
}

func TestCheckJSONDoesNotAllocate(t *testing.T) {
	body := []byte(`{"input": {"name": "Ada", "tags": ["a", "b"], "address": {"city": "Cologne"}}, "first": 10}`)
	if n := testing.AllocsPerRun(100, func() { checkJSON(body, 0, maxNesting) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// The limits hold for all transports, and for bodies that are decoded in either way.
func TestLimits(t *testing.T) {
	l := Limits{Variables: 2, VariablesBytes: 40, JSONDepth: 4}
	for variables, want := range map[string]string{
		`{"a": 1, "b": {"c": [1]}}`:                "",
		`{"a": 1, "b": 2, "c": 3}`:                 "the request has 3 variables; the limit is 2 (limits.variables)",
		`{"a": "` + strings.Repeat("x", 40) + `"}`: "the request's variables have 49 bytes; the limit is 40 (limits.variablesBytes)",
		`{"a": [[[1]]]}`:                           "the request's JSON nests more than 4 objects and lists, which is the limit (limits.jsonDepth)",
		`{"a": 1, "a": 2}`:                         "an object in the request's JSON has two members of one name",
	} {
		read := map[string]func() error{
			"POST": func() error {
				r := httptest.NewRequest("POST", "/", strings.NewReader(`{"query": "{a}", "variables": `+variables+`}`))
				r.Header.Set("Content-Type", "application/json")
				_, err := ReadPOST(httptest.NewRecorder(), r, 1000, l, (&buffer.Pool{}).Get())
				return err
			},
			"POST of an unusual body": func() error {
				r := httptest.NewRequest("POST", "/", strings.NewReader(`{"other": 1, "documentId": "x", "variables": `+variables+`}`))
				r.Header.Set("Content-Type", "application/json")
				_, err := ReadPOST(httptest.NewRecorder(), r, 1000, l, (&buffer.Pool{}).Get())
				return err
			},
			"GET": func() error {
				_, err := ReadGET(nil, httptest.NewRequest("GET", "/?query={a}&variables="+url.QueryEscape(variables), nil), 0, l, nil)
				return err
			},
			"GET by an id": func() error {
				_, err := ReadGET(nil, httptest.NewRequest("GET", "/?documentId=x&variables="+url.QueryEscape(variables), nil), 0, l, nil)
				return err
			},
		}
		for transport, read := range read {
			err := read()
			if err == nil && want != "" || err != nil && err.Error() != want {
				t.Errorf("%s: %s: %v, want %s", transport, variables, err, want)
			}
		}
	}
	many := Limits{Variables: -1, VariablesBytes: -1, JSONDepth: -1}
	if p, err := decodeBody([]byte(`{"query": "{a}", "variables": {"a": "`+strings.Repeat("x", 600_000)+`"}}`), many); err != nil || len(p.Variables) != 1 {
		t.Errorf("without limits: %v", err)
	}
	if _, err := decodeBody([]byte(`{"query": "{a}", "variables": {"a": "`+strings.Repeat("x", 600_000)+`"}}`), Limits{}); err == nil {
		t.Error("by default, variables of 600,000 bytes are accepted")
	}
}
