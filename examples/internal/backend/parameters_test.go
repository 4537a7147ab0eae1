package backend

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parametersOf(query string) (Parameters, error) {
	return ReadParameters(&http.Request{URL: &url.URL{RawQuery: query}})
}

func TestLists(t *testing.T) {
	tests := []struct {
		query string
		want  []string
		asked bool
	}{
		{"", nil, false},
		{"other=a", nil, false},
		{"ids=", nil, true},
		{"ids", nil, true},
		{"ids=a", []string{"a"}, true},
		{"ids=b,a", []string{"b", "a"}, true},
		{"ids=a,,b,a", []string{"a", "b"}, true},
		{"ids=a%2Cb", []string{"a,b"}, true},
		{"ids=a+b,c%20d", []string{"a b", "c d"}, true},
		{"ids=a&ids=b", []string{"a", "b"}, true},
		{"%69ds=a", []string{"a"}, true},
		{"ids=a%26ids=b", []string{"a&ids=b"}, true},
	}
	for _, test := range tests {
		p, err := parametersOf(test.query)
		if err != nil {
			t.Fatal(err)
		}
		got, asked, err := p.List("ids", 4)
		if diff := cmp.Diff(test.want, got); diff != "" || asked != test.asked || err != nil {
			t.Errorf("%q: asked %v, error %v (-want +got)\n%s", test.query, asked, err, diff)
		}
	}
}

func FuzzParameters(f *testing.F) {
	for _, query := range []string{"", "ids=a,b&limit=3", "ids=%zz", "limit=%31", "a=b&&=c", "ids=%2C"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		p, err := parametersOf(query)
		if err != nil {
			return
		}
		ids, _, err := p.List("ids", 5)
		if err == nil && (len(ids) > 5 || slices.Contains(ids, "")) {
			t.Errorf("ids %q", ids)
		}
		if n, err := p.Int("limit", 1, 100, 20); err == nil && (n < 1 || n > 100) {
			t.Errorf("limit %d", n)
		}
	})
}
