package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// requestLog is a proxy before all services that counts their requests.
type requestLog struct {
	mu       sync.Mutex
	requests map[string]int // by method, service and URL; guarded by mu
}

// before starts a gateway with an executor whose calls are counted.
func (l *requestLog) before(t *testing.T, executor string, change ...func(*config.Config)) *gatewayUnderTest {
	return newGateway(t, append([]func(*config.Config){func(c *config.Config) {
		c.Execution.Engine = executor
		for name, source := range c.Sources {
			to, err := url.Parse(source.URLs[0].URL)
			if err != nil {
				t.Fatal(err)
			}
			next := httputil.NewSingleHostReverseProxy(to)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				l.mu.Lock()
				l.requests[r.Method+" "+name+" "+r.URL.RequestURI()]++
				l.mu.Unlock()
				next.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			source.URLs = upstreams.URLs(server.URL)
			c.Sources[name] = source
		}
	}}, change...)...)
}

// take returns the requests since the last call, sorted.
func (l *requestLog) take() (all []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for request, n := range l.requests {
		all = append(all, slices.Repeat([]string{request}, n)...)
	}
	slices.Sort(all)
	l.requests = map[string]int{}
	return all
}

// Equal reading calls of one epoch are made once, wherever they come from, in both executors.
func TestEqualCallsAreMadeOnce(t *testing.T) {
	const order, createOrder = `"9007199254740977"`, `createOrder(input: {userId: "u1", lines: [{productId: "B-100"}]})`
	for _, executor := range []string{engine.EnginePlan, engine.EngineGqlgen} {
		l := &requestLog{requests: map[string]int{}}
		g := l.before(t, executor)
		admin := g.token(t, services.Admin) // u8
		for name, c := range map[string]struct {
			query string
			data  string
			want  []string
		}{
			"two aliases": {
				`{ a: product(sku: "B-100") { name } b: product(sku: "B-100") { sku } }`,
				`{"a":{"name":"The Lighthouse Ledger"},"b":{"sku":"B-100"}}`,
				[]string{"GET products /products/B-100"},
			},
			"__typename alone": {
				`{ a: product(sku: "B-100") { __typename } b: product(sku: "B-100") { __typename } }`,
				`{"a":{"__typename":"Product"},"b":{"__typename":"Product"}}`,
				[]string{"GET products /products/B-100"},
			},
			"values that are coerced to the same": {
				`query($id: ID = 7) { a: product(sku: 7) { name } b: product(sku: "7") { name } c: product(sku: $id) { name } }`,
				`{"a":null,"b":null,"c":null}`,
				[]string{"GET products /products/7"},
			},
			"other values": {
				`{ a: product(sku: "B-100") { sku } b: product(sku: "S-200") { sku } }`,
				`{"a":{"sku":"B-100"},"b":{"sku":"S-200"}}`,
				[]string{"GET products /products/B-100", "GET products /products/S-200"},
			},
			"pages": {
				`{ a: products(first: 1) { nodes { sku } } b: products(first: 1, q: null) { totalCount } ...f } fragment f on Query { c: products(first: 1) { edges { cursor } } }`,
				"",
				[]string{"GET products /products?sort=name&offset=0&limit=1"},
			},
			"two bindings, one after the other": {
				`{ inventory { left product { stock } } }`,
				"",
				[]string{"GET products /stock"},
			},
			"a lookup table at two places and a root field": {
				`{ product(sku: "B-100") { stock again: stock } products(first: 1) { nodes { stock inStock } } inventory { left } }`,
				"",
				[]string{"GET products /products/B-100", "GET products /products?sort=name&offset=0&limit=1", "GET products /stock"},
			},
			"two types of one object": {
				`{ me { name email } user(id: "u8") { name } }`,
				"",
				[]string{"GET users /users/u8"},
			},
			"a handwritten field that calls another": {
				`{ me { name } person(id: "u8") { name ... on Account { email } } again: person(id: "u8") { id } }`,
				"",
				[]string{"GET users /users/u8"},
			},
			"an object that is completed": {
				`{ a: order(id: ` + order + `) { customer { name } } b: order(id: ` + order + `) { customer { email } lines { product { name } } } }`,
				"", nil, // each once: see below
			},
			"epochs": {
				`mutation { a: ` + createOrder + ` { lines { product { stock } } } b: ` + createOrder + ` { lines { product { stock } more: product { sku } } } }`,
				"",
				[]string{
					"GET products /products?ids=B-100&limit=200", "GET products /products?ids=B-100&limit=200",
					"GET products /stock", "GET products /stock", "POST orders /orders", "POST orders /orders",
				},
			},
		} {
			t.Run(executor+"/"+name, func(t *testing.T) {
				l.take()
				a := g.query(t, admin, c.query, nil)
				if c.data == "" && len(a.Errors) > 0 {
					t.Error(a.Body)
				}
				if c.data != "" && string(a.Data) != c.data {
					t.Errorf("got %s", a.Body)
				}
				got := l.take()
				if c.want == nil {
					c.want = slices.Compact(slices.Clone(got))
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("requests are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
				}
			})
		}
	}
}

// A call that fails is made once too, and every place has its error. One that is refused by a
// guard is not made.
func TestEqualCallsFailAlike(t *testing.T) {
	for _, executor := range []string{engine.EnginePlan, engine.EngineGqlgen} {
		l := &requestLog{requests: map[string]int{}}
		g := l.before(t, executor)
		a := g.query(t, g.token(t, services.Admin), `{ a: order(id: "1") { id } b: order(id: "1") { total { amount } } }`, nil)
		paths := map[string]bool{}
		for _, err := range a.Errors {
			paths[err.Path[0].(string)] = true
		}
		if string(a.Data) != `{"a":null,"b":null}` || len(a.Errors) != 2 || !paths["a"] || !paths["b"] {
			t.Errorf("%s: %s", executor, a.Body)
		}
		if got := l.take(); len(got) != 1 {
			t.Errorf("%s: requests are %q", executor, got)
		}
		if a = g.query(t, "", `{ a: order(id: "1") { id } b: order(id: "1") { id } }`, nil); len(a.Errors) != 2 || len(l.take()) != 0 {
			t.Errorf("%s: without a caller: %s", executor, a.Body)
		}
	}
}

// The budget of calls counts the calls that are made.
func TestEqualCallsCountOnce(t *testing.T) {
	for _, executor := range []string{engine.EnginePlan, engine.EngineGqlgen} {
		l := &requestLog{requests: map[string]int{}}
		g := l.before(t, executor, func(c *config.Config) { c.Execution.MaxCalls = 1 })
		const equal = `{ a: product(sku: "B-100") { sku } b: product(sku: "B-100") { sku } `
		if a := g.query(t, "", equal+"}", nil); len(a.Errors) > 0 || len(l.take()) != 1 {
			t.Errorf("%s: %s", executor, a.Body)
		}
		if a := g.query(t, "", equal+`other: product(sku: "S-200") { sku } }`, nil); len(a.Errors) == 0 {
			t.Errorf("%s: two calls are within the budget of one: %s", executor, a.Body)
		}
	}
}
