package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
)

// The two calls of a search do not depend on each other, so they run at the same time: the service
// responds to neither before it has both.
func TestSearchCallsRunTogether(t *testing.T) {
	var calls atomic.Int64
	both := make(chan struct{})
	g := newGateway(t, replaceSource(t, "products", long, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 2 {
			close(both)
		}
		select {
		case <-both:
		case <-time.After(long / 4):
			t.Error("a call waits for the end of the other")
		}
		respond(http.StatusOK, `{"data": [], "total": 0}`)(w, nil)
	}))
	wantData(t, g.query(t, "", `{ search(text: "linen") { __typename } }`, nil), `{"search":[]}`)
	if n := calls.Load(); n != 2 {
		t.Errorf("%d calls", n)
	}
}

// pagedOrders is the service of orders with a number of orders, which responds in pages. It records
// the sizes that it was asked for.
type pagedOrders struct {
	n     int
	mu    sync.Mutex
	sizes []int // guarded by mu
}

func (p *pagedOrders) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.FormValue("page"))
	size, _ := strconv.Atoi(r.FormValue("pageSize"))
	p.mu.Lock()
	p.sizes = append(p.sizes, size)
	p.mu.Unlock()
	var orders []string
	for i := (page - 1) * size; i < min(page*size, p.n); i++ {
		orders = append(orders, fmt.Sprintf(`{"id": "%d", "status": "PLACED", "lines": [], "total": {"amount": 1, "currency": "EUR"}, "placedAt": "2026-01-31T10:00:00Z", "userId": "u1"}`, i))
	}
	respond(http.StatusOK, "["+strings.Join(orders, ",")+"]")(w, r)
}

// A full last page is the last page. The item after it is asked for with it, or by a call of its
// own where the page has as many items as one may have.
func TestFullLastPage(t *testing.T) {
	service := &pagedOrders{}
	g := newGateway(t, replaceSource(t, "orders", long, service.ServeHTTP))
	admin := g.token(t, services.Admin)
	const query = `query($n: Int, $after: String) { orders(first: $n, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }`
	for _, c := range []struct {
		orders, first int
		next          []bool
		sizes         []int
	}{
		{0, 5, []bool{false}, []int{6}},
		{4, 5, []bool{false}, []int{6}},
		{5, 5, []bool{false}, []int{6}},
		{6, 5, []bool{true, false}, []int{6, 11}},
		{10, 5, []bool{true, false}, []int{6, 11}},
		{100, 100, []bool{false}, []int{100, 1}},
		{101, 100, []bool{true, false}, []int{100, 1, 100}},
		{200, 100, []bool{true, false}, []int{100, 1, 100, 1}},
	} {
		service.n, service.sizes = c.orders, nil
		seen := 0
		var after any
		for _, next := range c.next {
			var data struct {
				Orders struct {
					Nodes    []any
					PageInfo struct {
						HasNextPage bool
						EndCursor   any
					}
				}
			}
			a := g.query(t, admin, query, map[string]any{"n": c.first, "after": after})
			if err := json.Unmarshal(a.Data, &data); err != nil || len(a.Errors) > 0 {
				t.Fatal(err, a.Body)
			}
			if data.Orders.PageInfo.HasNextPage != next {
				t.Errorf("%d orders by %d: hasNextPage is %v after %d", c.orders, c.first, !next, seen+len(data.Orders.Nodes))
			}
			seen, after = seen+len(data.Orders.Nodes), data.Orders.PageInfo.EndCursor
		}
		if seen != c.orders || fmt.Sprint(service.sizes) != fmt.Sprint(c.sizes) {
			t.Errorf("%d orders by %d: got %d by pages of %v, want pages of %v", c.orders, c.first, seen, service.sizes, c.sizes)
		}
	}
}

// A page whose list is absent or null is empty. A total beyond 32 bits is an error of totalCount
// alone.
func TestPagesThatServicesSend(t *testing.T) {
	var body atomic.Value
	g := newGateway(t, replaceSource(t, "products", long, func(w http.ResponseWriter, r *http.Request) {
		respond(http.StatusOK, body.Load().(string))(w, r)
	}))
	const one = `{"sku": "S-1", "name": "A", "price": 1, "currency": "EUR"}`
	for text, want := range map[string]string{
		`{"total": 0}`:                          `{"nodes":[],"edges":[],"totalCount":0,"pageInfo":{"hasNextPage":false}}`,
		`{"data": null, "total": 0}`:            `{"nodes":[],"edges":[],"totalCount":0,"pageInfo":{"hasNextPage":false}}`,
		`{}`:                                    `{"nodes":[],"edges":[],"totalCount":null,"pageInfo":{"hasNextPage":false}}`,
		`null`:                                  `{"nodes":[],"edges":[],"totalCount":null,"pageInfo":{"hasNextPage":false}}`,
		`{"data": [` + one + `], "total": 1}`:   `{"nodes":[{"sku":"S-1"}],"edges":[{"node":{"sku":"S-1"}}],"totalCount":1,"pageInfo":{"hasNextPage":false}}`,
		`{"data": [` + one + `], "total": "1"}`: `{"nodes":[{"sku":"S-1"}],"edges":[{"node":{"sku":"S-1"}}],"totalCount":1,"pageInfo":{"hasNextPage":false}}`,
		`{"data": [` + one + `], "total": 1.0}`: `{"nodes":[{"sku":"S-1"}],"edges":[{"node":{"sku":"S-1"}}],"totalCount":1,"pageInfo":{"hasNextPage":false}}`,
		`{"data": [` + one + `], "total": 2147483647}`:      `{"nodes":[{"sku":"S-1"}],"edges":[{"node":{"sku":"S-1"}}],"totalCount":2147483647,"pageInfo":{"hasNextPage":true}}`,
		`{"data": [` + one + `], "total": 2147483648}`:      `{"nodes":[{"sku":"S-1"}],"edges":[{"node":{"sku":"S-1"}}],"totalCount":null,"pageInfo":{"hasNextPage":true}} products.totalCount DOWNSTREAM_SERVICE_ERROR`,
		`{"data": [` + one + `], "total": "4611686018427"}`: `{"nodes":[{"sku":"S-1"}],"edges":[{"node":{"sku":"S-1"}}],"totalCount":null,"pageInfo":{"hasNextPage":true}} products.totalCount DOWNSTREAM_SERVICE_ERROR`,
		`{"data": {}, "total": 1}`:                          `null products DOWNSTREAM_SERVICE_ERROR`,
		`{"data": [` + one + `], "total": "many"}`:          `null products DOWNSTREAM_SERVICE_ERROR`,
	} {
		body.Store(text)
		a := g.query(t, "", `{ products(first: 1) { nodes { sku } edges { node { sku } } totalCount pageInfo { hasNextPage } } }`, nil)
		got := strings.TrimSuffix(strings.TrimPrefix(string(a.Data), `{"products":`), "}")
		for _, refusal := range a.refusals() {
			got += " " + refusal
		}
		if got != want {
			t.Errorf("%s:\n%s, want\n%s", text, got, want)
		}
	}
}

// When an answer is not JSON, the log shows its type and its beginning, without the caller's token
// and without control characters. The client sees none of it.
func TestLogShowsWhatIsNotJSON(t *testing.T) {
	g := newGateway(t, fakeUsers(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!DOCTYPE html>\n<title>\x1b[31mLogin page</title><p>%s</p>%s", r.Header.Get("Authorization"), strings.Repeat("<p>marker of the end</p>", 500))
	}))
	token := g.token(t, services.Customer)
	a := g.query(t, token, `{ user(id: "u1") { name } }`, nil)
	if string(a.Data) != `{"user":null}` || fmt.Sprint(a.refusals()) != "[user DOWNSTREAM_SERVICE_ERROR]" || strings.Contains(a.Body, "Login") || strings.Contains(a.Body, "html") {
		t.Errorf("the client sees %s", a.Body)
	}
	log := g.Log.String()
	for _, part := range []string{"Login page", "text/html; charset=utf-8", `DOCTYPE html`} {
		if !strings.Contains(log, part) {
			t.Errorf("the log lacks %q: %s", part, log)
		}
	}
	if strings.Contains(log, token) || strings.Contains(log, "\x1b") || strings.Contains(log, `"\u001b`) || strings.Count(log, "marker of the end") > 20 {
		t.Errorf("the log shows too much: %s", log)
	}
}

// Keys that differ in their spelling alone are counted in the operation's line of the log.
func TestUnmatchedKeysAreLogged(t *testing.T) {
	var lower atomic.Bool
	g := newGateway(t, replaceSource(t, "products", long, func(w http.ResponseWriter, r *http.Request) {
		sku := r.FormValue("ids")
		if lower.Load() {
			sku = strings.ToLower(sku)
		}
		respond(http.StatusOK, `{"data": [{"sku": "`+sku+`", "name": "A", "price": 1, "currency": "EUR"}, null], "total": 1}`)(w, r)
	}))
	admin := g.token(t, services.Admin)
	for differ, want := range map[bool]string{false: "", true: `"unmatched_keys":1`} {
		lower.Store(differ)
		before := len(g.Log.String())
		a := g.query(t, admin, `{ order(id: "9007199254740000") { lines { product { name } } } }`, nil)
		log := g.Log.String()[before:]
		if len(a.Errors) > 0 || strings.Contains(log, "unmatched_keys") != (want != "") || !strings.Contains(log, want) {
			t.Errorf("in lower case %t: %s, logged %s", differ, a.Body, log)
		}
	}
}
