package rest_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// field is a part of a form, as the service reads it.
type field struct{ Name, Type, Text string }

// fieldsOf reads the parts by the standard library, in order.
func fieldsOf(t *testing.T, r *http.Request) (fields []field) {
	t.Helper()
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" {
		t.Fatalf("%q: %v", r.Header.Get("Content-Type"), err)
	}
	reader := multipart.NewReader(r.Body, params["boundary"])
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			return fields
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part)
		if err != nil || part.FileName() != "" {
			t.Fatalf("part %v: %v", part.Header, err)
		}
		fields = append(fields, field{part.FormName(), part.Header.Get("Content-Type"), string(text)})
	}
}

func TestMultipart(t *testing.T) {
	body := encode.Object{
		{Name: "text", Value: "a\r\nb"},
		{Name: "number", Value: json.Number("1.50")},
		{Name: "yes", Value: ptr(true)},
		{Name: "none", Value: nil},
		{Name: "empty", Value: ""},
		{Name: "list", Value: []any{"x", nil, 2}},
		{Name: "strings", Value: []string{"y"}},
		{Name: "no list", Value: []string{}},
		{Name: "object", Value: encode.Object{{Name: "b", Value: nil}, {Name: "a", Value: []any{1}}}},
		{Name: "objects", Value: []any{encode.Object{{Name: "a", Value: 1}}, nil}},
		{Name: "lists", Value: []any{[]any{1}, []any{}}},
		{Name: "raw", Value: json.RawMessage(`"r"`)},
		{Name: "raw object", Value: json.RawMessage(`{"a":1}`)},
		{Name: "raw objects", Value: []any{json.RawMessage(`{"a":1}`)}},
	}
	want := []field{
		{"text", "", "a\r\nb"},
		{"number", "", "1.50"},
		{"yes", "", "true"},
		{"empty", "", ""},
		{"list", "", "x"},
		{"list", "", "2"},
		{"strings", "", "y"},
		{"object", "application/json", `{"b":null,"a":[1]}`},
		{"objects", "application/json", `[{"a":1},null]`},
		{"lists", "application/json", `[[1],[]]`},
		{"raw", "", "r"},
		{"raw object", "application/json", `{"a":1}`},
		{"raw objects", "application/json", `[{"a":1}]`},
	}
	send := newWitness(t)
	got, err := send(t, rest.New("POST", "/p").Multipart(body))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, fieldsOf(t, got.Request)); diff != "" {
		t.Error(diff)
	}
	if got, err = send(t, rest.New("POST", "/p").Multipart(nil)); err != nil || fieldsOf(t, got.Request) != nil {
		t.Errorf("of nothing: %v", err)
	}
}

func TestNamesOfPartsStayInTheirQuotes(t *testing.T) {
	send := newWitness(t)
	got, err := send(t, rest.New("POST", "/p").Multipart(encode.Object{{Name: "a\"; filename=\"x\r\nX-A: b", Value: 1}}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]field{{"a%22; filename=%22x%0D%0AX-A: b", "", "1"}}, fieldsOf(t, got.Request)); diff != "" {
		t.Error(diff)
	}
}

// Equal calls must have equal bodies, boundary included, since they are identified by them.
func TestMultipartIsStable(t *testing.T) {
	call := func(text string) string {
		return rest.New("POST", "/p").Multipart(encode.Object{{Name: "a", Value: text}, {Name: "b", Value: "c"}}).Key()
	}
	once, again, other := call("x"), call("x"), call("y")
	if once != again || once == other {
		t.Errorf("%q, %q, %q", once, again, other)
	}
}

// The boundary of one body does not separate the parts of another that contains it.
func TestBoundaryIsUnpredictable(t *testing.T) {
	send := newWitness(t)
	value := "x"
	for range 3 {
		c := rest.New("POST", "/p").Multipart(encode.Object{{Name: "a", Value: value}})
		got, err := send(t, c)
		if err != nil {
			t.Fatal(err)
		}
		if fields := fieldsOf(t, got.Request); len(fields) != 1 || fields[0].Text != value {
			t.Fatalf("%q arrived as %v", value, fields)
		}
		_, body, _ := strings.Cut(c.Key(), "\n")
		_, value, _ = strings.Cut(body, "\n")
		value += "\r\n" + value
	}
}

func TestTextAndOtherJSON(t *testing.T) {
	post := func() *rest.Call { return rest.New("POST", "/p") }
	for _, test := range []struct {
		name       string
		call       *rest.Call
		mime, body string
	}{
		{"text", post().Text("a\r\nbü"), "text/plain; charset=utf-8", "a\r\nbü"},
		{"number", post().Text(json.Number("1.50")), "text/plain; charset=utf-8", "1.50"},
		{"empty text", post().Text(""), "text/plain; charset=utf-8", ""},
		{"no text", post().Text((*string)(nil)), "", ""},
		{"JSON:API", post().JSONAs("application/vnd.api+json", encode.Object{{Name: "a", Value: 1}}), "application/vnd.api+json", `{"a":1}`},
		{"no JSON", post().JSONAs("application/vnd.api+json", nil), "", ""},
	} {
		send := newWitness(t)
		got, err := send(t, test.call)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(got.Body)
		if mime := got.Header.Get("Content-Type"); mime != test.mime || string(body) != test.body {
			t.Errorf("%s: %q %q, want %q %q", test.name, mime, body, test.mime, test.body)
		}
	}
	for name, c := range map[string]*rest.Call{
		"text of an object": post().Text(encode.Object{}),
		"text of a list":    post().Text([]string{"a"}),
		"no JSON number":    post().Multipart(encode.Object{{Name: "a", Value: []any{[]any{math.NaN()}}}}),
		"no number":         post().Multipart(encode.Object{{Name: "a", Value: math.Inf(1)}}),
	} {
		if fault.CodeOf(c.Err()) != fault.Internal {
			t.Errorf("%s: %v", name, c.Err())
		}
	}
	for name, c := range map[string]*rest.Call{
		"text": post().Text("\xff"), "multipart": post().Multipart(encode.Object{{Name: "a", Value: "\xff"}}),
	} {
		if fault.CodeOf(c.Err()) != fault.BadUserInput {
			t.Errorf("%s that is not UTF-8: %v", name, c.Err())
		}
	}
}

func FuzzMultipartStaysInItsPlace(f *testing.F) {
	send := newWitness(f)
	for i, value := range hostile {
		f.Add(value, hostile[len(hostile)-1-i])
	}
	f.Add("\r\n--x\r\nContent-Disposition: form-data; name=\"admin\"\r\n\r\n1", "--")
	f.Fuzz(func(t *testing.T, a, b string) {
		c := rest.New("POST", "/p").Multipart(encode.Object{
			{Name: "a", Value: a}, {Name: "b", Value: []any{b, a}}, {Name: "c", Value: encode.Object{{Name: "d", Value: b}}},
		})
		got, err := send(t, c)
		if err != nil {
			if utf8.ValidString(a) && utf8.ValidString(b) {
				t.Fatalf("%q and %q were refused: %v", a, b, err)
			}
			return
		}
		got.onlyHeaders(t, "Content-Type", "Content-Length")
		inJSON, _ := json.Marshal(map[string]string{"d": b})
		want := []field{{"a", "", a}, {"b", "", b}, {"b", "", a}, {"c", "application/json", string(inJSON)}}
		if diff := cmp.Diff(want, fieldsOf(t, got.Request)); diff != "" {
			t.Fatal(diff)
		}
	})
}
