package bindingtest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A call is compared by what it means, not by how it is written.
func TestDifferences(t *testing.T) {
	const multipart = "--x\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n1\r\n" +
		"--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhi\r\n--x--\r\n"
	for name, test := range map[string]struct {
		want        string // YAML
		url         string
		media, body string
		cookie      string
		differences []string
	}{
		"escapes":                {want: `{url: "/a b/c%2Fd?x=1 2&y[z]=é"}`, url: "/a%20b/c%2Fd?y%5Bz%5D=%C3%A9&x=1%202"},
		"a segment or two":       {want: `{url: /c/d}`, url: "/c%2Fd", differences: []string{"path: want /c/d, got /c%2Fd"}},
		"a parameter twice":      {want: `{url: "/?a=1&a=1"}`, url: "/?a=1", differences: []string{"query: want a=1, but it is missing"}},
		"numbers":                {want: `{body: {a: 1.50, b: 9007199254740001}}`, body: `{"b": 9007199254740001, "a": 1.5}`},
		"long numbers":           {want: `{body: {b: 9007199254740001}}`, body: `{"b": 9007199254740002}`, differences: []string{"body: $.b: want 9007199254740001, got 9007199254740002"}},
		"a text is not a number": {want: `{body: {a: "1"}}`, body: `{"a": 1}`, differences: []string{`body: $.a: want "1", got 1`}},
		"JSON as text":           {want: `{body: '[1, {"a": null}]'}`, body: `[1,{"a":null}]`},
		"no JSON":                {want: `{body: hello}`, media: "text/plain", body: "hello"},
		"no body":                {want: `{body: {}}`, differences: []string{"body: $: want {}, got null"}},
		"a form":                 {want: `{body: {a: [1, "2 3"], b: true}}`, media: "application/x-www-form-urlencoded", body: "b=true&a=2+3&a=1"},
		"a form's text":          {want: `{body: "a=1&b="}`, media: "application/x-www-form-urlencoded", body: "b=&a=1"},
		"a form is no list":      {want: `{body: [1]}`, media: "application/x-www-form-urlencoded", body: "a=1", differences: []string{"body: a form was sent; expect an object of its fields"}},
		"parts":                  {want: `{body: {n: "1", f: {filename: a.txt, contentType: text/plain, content: hi}}}`, media: "multipart/form-data; boundary=x", body: multipart},
		"other parts":            {want: `{body: {n: "2"}}`, media: "multipart/form-data; boundary=x", body: multipart, differences: []string{`body: $.f: not expected, got {"content":"hi","contentType":"text/plain","filename":"a.txt"}`, `body: $.n: want "2", got "1"`}},
		"parts that break off":   {want: `{body: {}}`, media: "multipart/form-data; boundary=x", body: "--x\r\n", differences: []string{"body: the parts break off"}},
		"a part of JSON":         {want: `{body: {n: {a: [1, 2]}}}`, media: "multipart/form-data; boundary=x", body: "--x\r\nContent-Disposition: form-data; name=\"n\"\r\nContent-Type: application/json\r\n\r\n{\"a\":[1,2]}\r\n--x--\r\n"},
		"cookies":                {want: `{headers: {Cookie: "b=2; a=1"}}`, cookie: "a=1; b=2"},
		"another cookie":         {want: `{headers: {cookie: "b=2"}}`, cookie: "b=3", differences: []string{"cookie: want b=2, but it is missing", "cookie: not expected, got b=3"}},
		"no cookie":              {want: `{headers: {Cookie: null}}`, cookie: "b=3", differences: []string{`header Cookie: want none, got "b=3"`}},
		"headers":                {want: `{headers: {x-a: [b, c], x-b: null}}`, differences: []string{`header X-A: want "b, c", got none`}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &suiteReader{}
			want := r.request(r.parse([]byte(test.want)))
			if err := r.err(); err != nil {
				t.Fatal(err)
			}
			request, err := http.NewRequest(http.MethodPost, "http://localhost/users"+test.url, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			request.RequestURI = request.URL.RequestURI()
			if test.media != "" {
				request.Header.Set("Content-Type", test.media)
			}
			if test.cookie != "" {
				request.Header.Set("Cookie", test.cookie)
			}
			if diff := cmp.Diff(test.differences, want.differences(newSentRequest(request))); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
