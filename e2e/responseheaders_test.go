package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/coalesce/coalescetest"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// withResponses has all services answer through a proxy, whose edit may change the responses. headers has
// the setting responseHeaders by source.
func withResponses(t *testing.T, edit func(source string, r *http.Response), headers map[string][]upstreams.ResponseHeader) func(*config.Config) {
	return func(c *config.Config) {
		for name, source := range c.Sources {
			to, err := url.Parse(source.URLs[0].URL)
			if err != nil {
				t.Fatal(err)
			}
			proxy := httputil.NewSingleHostReverseProxy(to)
			proxy.ModifyResponse = func(r *http.Response) error { edit(name, r); return nil }
			server := httptest.NewServer(proxy)
			t.Cleanup(server.Close)
			source.URLs, source.ResponseHeaders = upstreams.URLs(server.URL), headers[name]
			c.Sources[name] = source
		}
	}
}

func named(names ...string) (headers []upstreams.ResponseHeader) {
	for _, name := range names {
		headers = append(headers, upstreams.ResponseHeader{Name: name})
	}
	return headers
}

// eachEngine calls test for each executor.
func eachEngine(t *testing.T, test func(t *testing.T, change func(*config.Config))) {
	for _, executor := range []string{engine.EnginePlan, engine.EngineGqlgen} {
		t.Run(executor, func(t *testing.T) {
			test(t, func(c *config.Config) { c.Execution.Engine = executor })
		})
	}
}

// What a service calls one of its responses.
func served(source string, r *http.Request) string {
	path := r.URL.Path
	if ids := r.URL.Query().Get("ids"); ids != "" {
		path += "?" + ids
	}
	return r.Method + " " + source + path
}

// A client receives the headers that the settings name, merged in the order of the fields in the
// document, although a field's call takes the longer the earlier the field stands.
func TestResponseHeaders(t *testing.T) {
	all := []upstreams.ResponseHeader{
		{Name: "x-last"},
		{Name: "X-First", Merge: "first"},
		{Name: "X-All", Merge: "append"},
		{Name: "X-Served", Merge: "append"},
		{Name: "ETag", As: "X-Tag"},
		{Name: "Set-Cookie"},
	}
	var slow atomic.Pointer[[]string] // what is served late, the first one last
	edit := func(source string, r *http.Response) {
		what := served(source, r.Request)
		if at := slices.Index(*slow.Load(), what); at >= 0 {
			time.Sleep(time.Duration(len(*slow.Load())-at) * 30 * time.Millisecond)
		}
		for _, name := range []string{"X-Last", "X-First", "X-Served", "X-Secret"} {
			r.Header.Set(name, what)
		}
		r.Header["X-All"] = []string{"same", source}
		r.Header.Set("Etag", `"`+source+`"`)
		r.Header["Set-Cookie"] = []string{"a=" + url.QueryEscape(what) + "; Path=/", "b=1; HttpOnly"}
		r.Header["X-Request-Id"] = []string{"of-the-service"}
		r.Header["Cache-Control"] = []string{"public, max-age=60"}
	}
	eachEngine(t, func(t *testing.T, executor func(*config.Config)) {
		g := newGateway(t, withResponses(t, edit, map[string][]upstreams.ResponseHeader{"users": all, "orders": all[:5], "products": all[:4]}), executor)
		admin := g.token(t, services.Admin)
		for name, test := range map[string]struct {
			query   string
			served  []string // X-Served
			all     []string // X-All
			tag     string   // X-Tag
			cookies int
		}{
			"one":         {`{ product(sku: "B-100") { sku } }`, []string{"GET products/products/B-100"}, []string{"same", "products"}, "", 0},
			"none":        {`{ __typename }`, nil, nil, "", 0},
			"parallel":    {`{ b: product(sku: "B-100") { sku } a: user(id: "u1") { id } }`, []string{"GET products/products/B-100", "GET users/users/u1"}, []string{"same", "products", "users"}, `"users"`, 2},
			"the other":   {`{ a: user(id: "u1") { id } b: product(sku: "B-100") { sku } }`, []string{"GET users/users/u1", "GET products/products/B-100"}, []string{"same", "users", "products"}, `"users"`, 2},
			"fragments":   {`{ ...Late a: user(id: "u1") { id } } fragment Late on Query { product(sku: "B-100") { sku } }`, []string{"GET users/users/u1", "GET products/products/B-100"}, []string{"same", "users", "products"}, `"users"`, 2},
			"below":       {`{ user(id: "u2") { orders(limit: 1) { id } } product(sku: "B-100") { sku } }`, []string{"GET users/users/u2", "GET orders/orders/history", "GET products/products/B-100"}, []string{"same", "users", "orders", "products"}, `"orders"`, 2},
			"equal calls": {`{ a: user(id: "u1") { id } product(sku: "B-100") { sku } b: user(id: "u1") { name } }`, []string{"GET users/users/u1", "GET products/products/B-100"}, []string{"same", "users", "products"}, `"users"`, 2},
			"not found":   {`{ a: product(sku: "nothing") { sku } user(id: "u1") { id } }`, []string{"GET users/users/u1"}, []string{"same", "users"}, `"users"`, 2},
			"mutation": {
				`mutation { ...Late b: updateUser(id: "u3", input: {name: "B"}) { id } } fragment Late on Mutation { updateUser(id: "u2", input: {name: "A"}) { id } }`,
				[]string{"PATCH users/users/u2", "PATCH users/users/u3"},
				[]string{"same", "users"},
				`"users"`, 3,
			},
			"of a list": {`{ users(first: 3) { nodes { orders(limit: 1) { id } } } }`, []string{"GET users/users", "GET orders/orders/history"}, []string{"same", "users", "orders"}, `"orders"`, 2},
		} {
			slow.Store(&test.served)
			got := g.query(t, admin, test.query, nil).Header
			if !slices.Equal(got["X-Served"], test.served) || !slices.Equal(got["X-All"], test.all) || got.Get("X-Tag") != test.tag {
				t.Errorf("%s: served by %q, all %q, tag %q; want %q, %q, %q", name, got["X-Served"], got["X-All"], got["X-Tag"], test.served, test.all, test.tag)
			}
			if n := len(got["Set-Cookie"]); n != test.cookies {
				t.Errorf("%s: %d cookies, want %d: %q", name, n, test.cookies, got["Set-Cookie"])
			}
			if len(test.served) > 0 && (got.Get("X-First") != test.served[0] || got.Get("X-Last") != test.served[len(test.served)-1]) {
				t.Errorf("%s: first %q, last %q; want those of %q", name, got["X-First"], got["X-Last"], test.served)
			}
			if _, has := got["Etag"]; has || got["X-Secret"] != nil || got.Get("X-Request-Id") == "of-the-service" || got.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: headers that the settings do not name: %v", name, got)
			}
		}
	})
}

// Failed calls give no headers to clients: neither attempts before the last one, nor a call whose field has
// an error.
func TestResponseHeadersOfFailures(t *testing.T) {
	eachEngine(t, func(t *testing.T, executor func(*config.Config)) {
		var status, calls atomic.Int64
		var body atomic.Value
		users := fakeUsers(t, func(w http.ResponseWriter, _ *http.Request) {
			n := calls.Add(1)
			w.Header().Set("Set-Cookie", fmt.Sprintf("n=%d", n))
			w.Header().Set("X-N", fmt.Sprint(n))
			w.Header().Set("Content-Type", "application/json")
			if n == 1 {
				w.WriteHeader(int(status.Load()))
			}
			if n == 1 || status.Load() < 300 {
				_, _ = w.Write([]byte(body.Load().(string)))
				return
			}
			_, _ = w.Write([]byte(`{"id": "u1"}`))
		})
		g := newGateway(t, users, executor, func(c *config.Config) {
			source := c.Sources["users"]
			source.ResponseHeaders = named("Set-Cookie", "X-N")
			c.Sources["users"] = source
		})
		admin := g.token(t, services.Admin)
		const read, write = `{ user(id: "u1") { id } }`, `mutation { updateUser(id: "u1", input: {name: "A"}) { id } }`
		for _, test := range []struct {
			query  string
			status int64
			body   string
			want   string // X-N
			codes  string
		}{
			{read, 200, `{"id": "u1"}`, "1", ""},
			{read, 503, ``, "2", ""}, // retried
			{write, 503, ``, "", "DOWNSTREAM_SERVICE_ERROR"},
			{read, 403, `{}`, "", "FORBIDDEN"},
			{write, 200, `not JSON`, "", "DOWNSTREAM_SERVICE_ERROR"},
			{write, 200, ``, "", "DOWNSTREAM_SERVICE_ERROR"},
			{write, 200, `{"id": "u2"}`, "", "DOWNSTREAM_SERVICE_ERROR"},
			{write, 204, ``, "1", ""},
			{`mutation { deleteUser(id: "u1") }`, 204, ``, "1", ""},
			{`mutation { deleteUser(id: "u1") }`, 500, ``, "", "DOWNSTREAM_SERVICE_ERROR"},
		} {
			calls.Store(0)
			status.Store(test.status)
			body.Store(test.body)
			got := g.query(t, admin, test.query, nil)
			wantCookies := 0
			if test.want != "" {
				wantCookies = 1
			}
			if got.Header.Get("X-N") != test.want || len(got.Header["Set-Cookie"]) != wantCookies || got.codes() != test.codes {
				t.Errorf("%s %d %q: X-N is %q, want %q; cookies %q; %s", test.query, test.status, test.body, got.Header["X-N"], test.want, got.Header["Set-Cookie"], got.Body)
			}
		}
	})
}

// Whatever services send, what clients receive of it is bounded, and no value leaves its field.
func TestResponseHeadersAreBounded(t *testing.T) {
	edit := func(_ string, r *http.Response) {
		for i := range 300 {
			r.Header.Add("Set-Cookie", fmt.Sprintf("c%d=1", i))
			r.Header.Add("X-Many", fmt.Sprintf("%d", i))
		}
		r.Header.Set("X-Long", strings.Repeat("x", 20_000))
		r.Header.Set("X-Tab", "a\tb")
		r.Header.Set("X-Empty", "")
	}
	g := newGateway(t, withResponses(t, edit, map[string][]upstreams.ResponseHeader{
		"products": append(named("X-Tab", "X-Empty", "X-Long", "Set-Cookie"), upstreams.ResponseHeader{Name: "X-Many", Merge: "append"}),
	}))
	got := g.query(t, "", `{ product(sku: "B-100") { sku } }`, nil)
	wantData(t, got, `{"product": {"sku": "B-100"}}`)
	if n := len(got.Header["Set-Cookie"]) + len(got.Header["X-Many"]) + len(got.Header["X-Tab"]); n != engine.MaxHeaderValues {
		t.Errorf("%d values, want %d", n, engine.MaxHeaderValues)
	}
	if len(got.Header["Set-Cookie"]) < 2 || got.Header["Set-Cookie"][1] != "c1=1" || got.Header.Get("X-Long") != "" || got.Header["X-Empty"] != nil || got.Header.Get("X-Tab") != "a\tb" {
		t.Errorf("headers are %v", got.Header)
	}
	if log := g.Log.String(); !strings.Contains(log, "header fields of services are left out") {
		t.Errorf("the log does not say so:\n%s", log)
	}
}

// Pages of other origins may read the headers that clients receive, except for cookies.
func TestResponseHeadersForPages(t *testing.T) {
	edit := func(_ string, r *http.Response) { r.Header.Set("X-Total", "3") }
	g := newGateway(t, withResponses(t, edit, map[string][]upstreams.ResponseHeader{
		"products": append(named("X-Total", "Set-Cookie"), upstreams.ResponseHeader{Name: "ETag", As: "X-Tag"}),
	}), func(c *config.Config) { c.CORS.Origins = []string{"https://shop.example.com"} })
	got := g.mustDo(t, request{query: `{ product(sku: "B-100") { sku } }`, header: []string{"Origin: https://shop.example.com"}})
	exposed := strings.Split(strings.ToLower(got.Header.Get("Access-Control-Expose-Headers")), ",")
	slices.Sort(exposed)
	if want := []string{"ratelimit", "ratelimit-policy", "retry-after", "x-request-id", "x-tag", "x-total"}; !slices.Equal(exposed, want) || got.Header.Get("X-Total") != "3" {
		t.Errorf("exposed are %q, want %q; %v", exposed, want, got.Header)
	}
}

// Of concurrent equal requests, each has cookies of its own, from a call of its own. Other headers are
// those of the one call that all share.
func TestResponseHeadersOfCoalescedRequests(t *testing.T) {
	for name, test := range map[string]struct {
		headers []upstreams.ResponseHeader
		queries [2]string
		calls   int32
		waiting int // callers that wait for an execution or a call of another one
		first   int32
	}{
		"cookies":          {named("Set-Cookie", "X-N"), [2]string{oneProduct, oneProduct}, 2, 2, 1},
		"cookies of calls": {named("Set-Cookie", "X-N"), [2]string{oneProduct, `{ product(sku: "B-100") { sku } }`}, 2, 2, 2},
		"headers":          {named("X-N"), [2]string{oneProduct, oneProduct}, 1, 3, 1},
		"headers of calls": {named("X-N"), [2]string{oneProduct, `{ product(sku: "B-100") { sku } }`}, 1, 4, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int32
			edit := func(_ string, r *http.Response) {
				r.Header.Set("X-N", fmt.Sprint(n.Add(1)))
				r.Header.Set("Set-Cookie", "session="+r.Header.Get("X-N"))
			}
			headers := withResponses(t, edit, map[string][]upstreams.ResponseHeader{"products": test.headers})
			g, _, b := newCoalescing(t, headers)
			var answers [2]*response
			var all sync.WaitGroup
			for i, query := range test.queries {
				all.Go(func() {
					var err error
					if answers[i], err = g.do(t.Context(), request{query: query}); err != nil {
						t.Error(err)
					}
				})
			}
			coalescetest.Await(t, test.waiting, b.count(test.first))
			close(b.open)
			all.Wait()
			if t.Failed() {
				return
			}
			if calls := b.calls.Load(); calls != test.calls {
				t.Errorf("%d calls, want %d", calls, test.calls)
			}
			seen := map[string]bool{}
			for _, a := range answers {
				seen[a.Header.Get("X-N")] = true
				want := []string{"session=" + a.Header.Get("X-N")}
				if len(test.headers) == 1 {
					want = nil
				}
				if !slices.Equal(a.Header["Set-Cookie"], want) || a.Status != http.StatusOK {
					t.Errorf("%d, cookies %q, want %q", a.Status, a.Header["Set-Cookie"], want)
				}
			}
			if len(seen) != int(test.calls) || seen[""] {
				t.Errorf("the headers are those of %v, want of %d calls", slices.Sorted(maps.Keys(seen)), test.calls)
			}
		})
	}
}

// A reload takes up which headers clients receive, in YAML as a name or a block.
func TestResponseHeadersReload(t *testing.T) {
	products := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header()["X-A"], w.Header()["X-B"] = []string{"a"}, []string{"b", "c"}
		_, _ = w.Write([]byte(`{"sku": "B-100"}`))
	}))
	t.Cleanup(products.Close)
	_, ports := newShop(t)
	file := func(headers string) string {
		text, _, _ := strings.Cut(fileOf(ports), "  products:")
		return text + fmt.Sprintf("  products: {urls: [%q], responseHeaders: %s}\n", products.URL, headers)
	}
	r := newReloaded(t, file("[]"))
	for _, test := range []struct{ headers, a, b string }{
		{"[X-A]", "a", ""},
		{"[x-b, {name: X-A, as: X-B2}]", "", "b c"},
		{"[{name: X-B, merge: append}, X-A]", "a", "b c"},
		{"[]", "", ""},
	} {
		r.change(file(test.headers), true)
		got := r.query(t, "", `{ product(sku: "B-100") { sku } }`, nil)
		if a, b := strings.Join(got.Header["X-A"], " "), strings.Join(got.Header["X-B"], " "); a != test.a || b != test.b || len(got.Errors) > 0 {
			t.Errorf("%s: X-A is %q, X-B %q; %s", test.headers, a, b, got.Body)
		}
	}
}
