package services

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

func FuzzParameters(f *testing.F) {
	for _, query := range []string{"", "cursor=YWZ0ZXI6Mw", "cursor=%zz", "filter[maxPrice]=9.75", "filter%5BmaxPrice%5D=1e9"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		p, err := backend.ReadParameters(&http.Request{URL: &url.URL{RawQuery: query}})
		if err != nil {
			return
		}
		if after, err := parseCursor(p); err == nil && after < 0 {
			t.Errorf("cursor %d", after)
		}
		if price, err := parseMaxPrice(p); err == nil && price != nil && price.Denom().BitLen() > 128 {
			t.Errorf("price %s", price)
		}
	})
}
