package rest_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// What a query may hold stays as the schema writes it (RFC 3986, 3.4), and values are escaped.
func TestQueryText(t *testing.T) {
	for want, c := range map[string]*rest.Call{
		"/?fields=id,name":                          get("/").QueryText("fields", rest.Text("id,name")),
		"/?q=!$'()*+,;=:@/?":                        get("/").QueryText("q", rest.Text("!$'()*+,;=:@/?")),
		"/?q=%20%22%3C%3E%5B%5D%5E%60%7B%7C%7D%23":  get("/").QueryText("q", rest.Text(` "<>[]^`+"`{|}#")),
		"/?q=a%26b":                                 get("/").QueryText("q", rest.Text("a&b")),
		"/?q=%2C%c3%A9%25%25zz%252":                 get("/").QueryText("q", rest.Text("%2C%c3%A9%%zz%2")),
		"/?q=%C3%A9":                                get("/").QueryText("q", rest.Text("é")),
		"/?$filter=name%20eq%20'a'&b=1":             get("/").QueryText("$filter", rest.Text("name eq 'a'")).Query("b", 1),
		"/?filter%5Ba%5D=1&a%3Db=2&a%26=3&%24x=4":   get("/").Query("filter[a]", 1).Query("a=b", 2).Query("a&", 3).Query("%24x", 4),
		"/?sort=name:asc,%22%2C%3A%26%25%2C:x&n=5,": get("/").QueryText("sort", rest.Text("name:asc,"), `",:&%,`, rest.Text(":x")).QueryText("n", 5, rest.Text(",")),
		"/?a=1":    get("/").QueryText("gone", rest.Text("a"), nil, rest.Text("b")).Query("a", 1).QueryText("gone", nil),
		"/?empty=": get("/").QueryText("empty"),
	} {
		if got := written(t, c); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Whatever text and value are, the service finds one parameter with the value of both, and both
// transports send the same bytes.
func FuzzQueryText(f *testing.F) {
	f.Add("q", "a,", "b&c=d")
	f.Add("$a[b]", "100%,%2C", "\x00é")
	f.Fuzz(func(t *testing.T, name, text, value string) {
		c := get("/").Query("before", "1").QueryText(name, rest.Text(text), value).Query("after", "2")
		req, err := c.Request(t.Context(), "svc")
		if err != nil {
			return
		}
		pairs := strings.Split(req.URL.RawQuery, "&")
		if len(pairs) != 3 || pairs[0] != "before=1" || pairs[2] != "after=2" {
			t.Fatalf("%q, %q, %q: %s", name, text, value, req.URL.RawQuery)
		}
		if parsed, err := url.Parse(req.URL.RequestURI()); err != nil || parsed.RawQuery != req.URL.RawQuery || parsed.Fragment != "" {
			t.Fatalf("%s is not a URL: %v", req.URL.RawQuery, err)
		}
		_, sent, _ := strings.Cut(pairs[1], "=")
		got, err := url.PathUnescape(sent)
		if err != nil || !strings.HasSuffix(got, value) {
			t.Fatalf("%q does not end with %q: %v", sent, value, err)
		}
	})
}
