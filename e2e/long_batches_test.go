package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// longKeys is a service of products with long keys. It refuses requests whose target is longer than
// a bound, as most servers do.
type longKeys struct {
	keys  []string
	bound int

	mu      sync.Mutex
	calls   int // for products
	refused int
}

func (s *longKeys) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/stock" {
		stock := map[string]int{}
		for _, key := range s.keys {
			stock[key] = 1
		}
		json.NewEncoder(w).Encode(stock)
		return
	}
	s.calls++
	if len(r.URL.RequestURI()) > s.bound {
		s.refused++
		w.WriteHeader(http.StatusRequestURITooLong)
		return
	}
	var data []map[string]any
	for key := range strings.SplitSeq(r.URL.Query().Get("ids"), ",") {
		data = append(data, map[string]any{"sku": key, "name": "name of " + key, "price": 1, "currency": "EUR"})
	}
	json.NewEncoder(w).Encode(map[string]any{"data": data, "total": len(data)})
}

// A batch whose URL would be too long is split, so that every parent has its value. A key that is
// too long alone fails alone, and it is not the client's mistake.
func TestLongBatchesAreSplit(t *testing.T) {
	for name, test := range map[string]struct {
		keys, length, bound int
		huge                bool
		calls, refused      int
	}{
		"short keys":                {400, 20, 8000, false, 2, 0},
		"3000 keys of 70 bytes":     {3000, 70, 8000, false, 30, 0},
		"one key is huge":           {199, 20, 8000, true, 2, 0}, // 199 of them, and the huge one
		"a service that takes less": {200, 30, 4000, false, 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			service := &longKeys{bound: test.bound}
			for i := range test.keys {
				service.keys = append(service.keys, fmt.Sprintf("%0*d", test.length, i))
			}
			huge := strings.Repeat("z", 70_000)
			if test.huge {
				service.keys = append(service.keys, huge)
			}
			server := httptest.NewServer(service)
			t.Cleanup(server.Close)
			g := newGateway(t, func(c *config.Config) {
				source := c.Sources["products"]
				source.URLs = upstreams.URLs(server.URL)
				c.Sources["products"] = source
			})
			a := g.query(t, g.token(t, services.Admin), `{ inventory { product { sku name } } }`, nil)
			var data struct {
				Inventory []struct{ Product *struct{ Sku, Name string } }
			}
			if err := json.Unmarshal(a.Data, &data); err != nil {
				t.Fatal(err)
			}
			named := 0
			for _, item := range data.Inventory {
				if item.Product != nil && item.Product.Name == "name of "+item.Product.Sku {
					named++
				}
			}
			want, codes := len(service.keys), ""
			if test.huge {
				want, codes = want-1, "DOWNSTREAM_SERVICE_ERROR"
			}
			if named != want || a.codes() != codes {
				t.Errorf("%d of %d products have their names, the codes are %q: %.300s", named, len(service.keys), a.codes(), a.Body)
			}
			if test.huge {
				return // whose calls depend on where the huge key is
			}
			if service.calls != test.calls || service.refused != test.refused {
				t.Errorf("%d calls, of which %d were refused; want %d and %d", service.calls, service.refused, test.calls, test.refused)
			}
		})
	}
}
