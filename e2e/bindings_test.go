package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// connection is a page of objects with an id or a sku.
type connection struct {
	Edges []struct {
		Cursor string
		Node   struct{ ID, Sku string }
	}
	PageInfo struct {
		HasNextPage, HasPreviousPage bool
		StartCursor, EndCursor       *string
	}
	TotalCount *int
}

func (c connection) keys() string {
	var keys []string
	for _, e := range c.Edges {
		keys = append(keys, e.Node.ID+e.Node.Sku)
	}
	return strings.Join(keys, " ")
}

// lists has one connection for each type of pagination.
var lists = []struct {
	field, operation, query string
	most, all               int
}{
	{"products", "listProducts", `query($n: Int, $after: String) { page: products(first: $n, after: $after) { edges { cursor node { sku } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }`, 200, 12},
	{"orders", "listOrders", `query($n: Int, $after: String) { page: orders(first: $n, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`, 100, 20},
	{"users", "listUsers", `query($n: Int, $after: String) { page: users(first: $n, after: $after) { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`, 100, 8},
}

// queryPage queries one page.
func (g *gatewayUnderTest) queryPage(t *testing.T, query string, first int, after *string) connection {
	t.Helper()
	a := g.query(t, g.token(t, services.Admin), query, map[string]any{"n": first, "after": after})
	var data struct{ Page connection }
	if err := json.Unmarshal(a.Data, &data); err != nil || len(a.Errors) > 0 {
		t.Fatal(err, a.Body)
	}
	return data.Page
}

// Pages lead to the end and have each item once, with each type of pagination.
func TestPagesToTheEnd(t *testing.T) {
	g := newGateway(t)
	for _, list := range lists {
		whole := g.queryPage(t, list.query, 50, nil)
		if len(whole.Edges) != list.all || whole.PageInfo.HasNextPage || whole.PageInfo.HasPreviousPage {
			t.Fatalf("%s: all at once are %+v", list.field, whole)
		}
		for _, size := range []int{1, 3, 4, 7} {
			g.Shop.ResetCalls()
			var keys []string
			pages := 0
			for after, more := (*string)(nil), true; more; pages++ {
				p := g.queryPage(t, list.query, size, after)
				if p.PageInfo.HasPreviousPage != (after != nil) || len(p.Edges) > size {
					t.Errorf("%s, page %d: %+v", list.field, pages, p)
				}
				if len(p.Edges) > 0 {
					keys = append(keys, p.keys())
				}
				if list.field == "products" && (p.TotalCount == nil || *p.TotalCount != list.all) {
					t.Errorf("products, page %d: totalCount is %v", pages, p.TotalCount)
				}
				after, more = p.PageInfo.EndCursor, p.PageInfo.HasNextPage
			}
			if got := strings.Join(keys, " "); got != whole.keys() {
				t.Errorf("%s, %d at a time: got %s, want %s", list.field, size, got, whole.keys())
			}
			g.wantCalls(t, map[string]int{list.operation: pages})
		}
	}
}

// A page may start after any item and have another size than the one before.
func TestPagesFromAnywhere(t *testing.T) {
	g := newGateway(t)
	for _, list := range lists {
		whole := g.queryPage(t, list.query, 50, nil)
		for i, edge := range whole.Edges {
			p := g.queryPage(t, list.query, 3, &edge.Cursor)
			if end := min(i+4, len(whole.Edges)); p.keys() != (connection{Edges: whole.Edges[i+1 : end]}).keys() {
				t.Errorf("%s, after %d: got %s of %s", list.field, i, p.keys(), whole.keys())
			}
		}
	}
}

// An invalid cursor, or one of another list, and a size over the limit are refused without a call.
func TestPagesRefused(t *testing.T) {
	g := newGateway(t)
	cursors := map[string]string{}
	for _, list := range lists {
		cursors[list.field] = *g.queryPage(t, list.query, 2, nil).PageInfo.EndCursor
	}
	for i, list := range lists {
		own := cursors[list.field]
		for name, variables := range map[string]map[string]any{
			"a tampered cursor":       {"after": flip(own[:1]) + own[1:]},
			"a cursor with more":      {"after": own + "A"},
			"a cursor cut short":      {"after": own[:len(own)-2]},
			"the cursor of another":   {"after": cursors[lists[(i+1)%len(lists)].field]},
			"an offset":               {"after": "2"},
			"nothing":                 {"after": ""},
			"more than the maximum":   {"n": list.most + 1},
			"fewer than none":         {"n": -1},
			"too many after a cursor": {"n": list.most + 1, "after": own},
		} {
			g.Shop.ResetCalls()
			a := g.query(t, g.token(t, services.Admin), list.query, variables)
			if a.codes() != "BAD_USER_INPUT" || string(a.Data) != `{"page":null}` || fmt.Sprint(a.Errors[0].Path) != "[page]" {
				t.Errorf("%s, %s: %s", list.field, name, a.Body)
			}
			g.wantCalls(t, map[string]int{})
		}
		if p := g.queryPage(t, list.query, list.most, &own); len(p.Edges) != list.all-2 {
			t.Errorf("%s: the most at a time are %d", list.field, len(p.Edges))
		}
	}
	g.Shop.ResetCalls()
	wantData(t, g.query(t, "", `{ products(first: 0) { nodes { sku } pageInfo { hasNextPage } } }`, nil), `{"products":{"nodes":[],"pageInfo":{"hasNextPage":false}}}`)
	g.wantCalls(t, map[string]int{})
	wantData(t, g.query(t, "", `{ products(first: 0) { totalCount } }`, nil), `{"products":{"totalCount":12}}`)
	g.wantCalls(t, map[string]int{"listProducts": 1})
}

// A page that is not a list is null with an error at its path; a malformed item has its own error.
func TestMalformedPages(t *testing.T) {
	for _, c := range []struct{ answer, data, errors string }{
		{`{"data":{},"total":2}`, `{"products":null}`, "[products DOWNSTREAM_SERVICE_ERROR]"},
		{`{"data":3,"total":2}`, `{"products":null}`, "[products DOWNSTREAM_SERVICE_ERROR]"},
		{`{"total":2}`, `{"products":{"nodes":[]}}`, "[]"},
		{
			`{"data":[{"sku":"B-1","rating":"s3cret"},{"sku":"B-2","rating":2}],"total":2}`,
			`{"products":{"nodes":[{"sku":"B-1","rating":null},{"sku":"B-2","rating":2}]}}`, "[products.nodes.0.rating DOWNSTREAM_SERVICE_ERROR]",
		},
		{`{"data":[],"total":-1}`, `{"products":{"nodes":[]}}`, "[]"},
	} {
		g := newGateway(t, replaceSource(t, "products", long, respond(http.StatusOK, c.answer)))
		a := g.query(t, "", `{ products { nodes { sku rating } } }`, nil)
		if string(a.Data) != c.data || fmt.Sprint(a.refusals()) != c.errors {
			t.Errorf("%s: got %s", c.answer, a.Body)
		}
		wantNoneOf(t, "the answer", a.Body, "s3cret")
	}
}

// Each row is a query with its response and the calls that it makes.
func TestBindings(t *testing.T) {
	g := newGateway(t)
	for _, c := range []struct {
		name, query, want string
		calls             map[string]int
	}{
		{
			"a union, told apart by the type's name",
			`{ products(first: 7, sort: PRICE) { nodes { sku details { __typename ... on BookDetails { isbn pages } ... on ShirtDetails { sizes } } } } }`,
			`{"products":{"nodes":[
				{"sku":"B-100","details":{"__typename":"BookDetails","isbn":"978-0-00-100000-0","pages":120}},
				{"sku":"B-101","details":{"__typename":"BookDetails","isbn":"978-0-00-100007-1","pages":160}},
				{"sku":"B-102","details":{"__typename":"BookDetails","isbn":"978-0-00-100014-2","pages":200}},
				{"sku":"B-103","details":{"__typename":"BookDetails","isbn":"978-0-00-100021-3","pages":240}},
				{"sku":"S-200","details":{"__typename":"ShirtDetails","sizes":["S","M"]}},
				{"sku":"B-104","details":{"__typename":"BookDetails","isbn":"978-0-00-100028-4","pages":280}},
				{"sku":"S-201","details":{"__typename":"ShirtDetails","sizes":["S","M","L"]}}]}}`,
			map[string]int{"listProducts": 1},
		},
		{
			"a union, told apart by a mapping",
			`{ user(id: "u1") { orders { status payment { ... on TransferPayment { iban } ... on CardPayment { last4 } } } } order(id: "9007199254740977") { payment { ... on CardPayment { brand last4 } } } }`,
			`{"user":{"orders":[
				{"status":"PENDING","payment":{"iban":"DE89 3704 0044 0532 0130 12"}},
				{"status":"CANCELLED","payment":{"iban":"DE89 3704 0044 0532 0130 10"}}]},
			"order":{"payment":{"brand":"VISA","last4":"4243"}}}`,
			map[string]int{"getUser": 1, "orderHistory": 1, "getOrder": 1},
		},
		{
			"a deep object in the query",
			`{ products(filter: {category: "shirts", maxPrice: 18.5}, sort: RATING) { totalCount edges { node { name } } } }`,
			`{"products":{"totalCount":2,"edges":[{"node":{"name":"Harbour tee"}},{"node":{"name":"Linen shirt"}}]}}`,
			map[string]int{"listProducts": 1},
		},
		{
			"objects by their keys alone",
			`{ product(sku: "S-204") { stock } inventory { left product { sku } } }`,
			`{"product":{"stock":1},"inventory":[
				{"left":22,"product":{"sku":"B-100"}},{"left":36,"product":{"sku":"B-101"}},{"left":24,"product":{"sku":"B-102"}},
				{"left":29,"product":{"sku":"B-103"}},{"left":36,"product":{"sku":"B-104"}},{"left":8,"product":{"sku":"B-105"}},
				{"left":3,"product":{"sku":"S-200"}},{"left":16,"product":{"sku":"S-201"}},{"left":17,"product":{"sku":"S-202"}},
				{"left":14,"product":{"sku":"S-203"}},{"left":1,"product":{"sku":"S-204"}},{"left":27,"product":{"sku":"S-205"}}]}`,
			map[string]int{"getProduct": 1, "stock": 1},
		},
		{
			"and the rest of them by one call",
			`{ inventory { product { name category { parent { name } } } } }`,
			`{"inventory":[
				{"product":{"name":"The Lighthouse Ledger","category":{"parent":null}}},{"product":{"name":"Small Gardens","category":{"parent":null}}},
				{"product":{"name":"River Maths","category":{"parent":null}}},{"product":{"name":"Bread and Iron","category":{"parent":null}}},
				{"product":{"name":"Night Trains","category":{"parent":null}}},{"product":{"name":"A Field of Clocks","category":{"parent":null}}},
				{"product":{"name":"Harbour tee","category":{"parent":{"name":"Clothes"}}}},{"product":{"name":"Linen shirt","category":{"parent":{"name":"Clothes"}}}},
				{"product":{"name":"Work shirt","category":{"parent":{"name":"Clothes"}}}},{"product":{"name":"Night run tee","category":{"parent":{"name":"Clothes"}}}},
				{"product":{"name":"Stripe polo","category":{"parent":{"name":"Clothes"}}}},{"product":{"name":"Plain white","category":{"parent":{"name":"Clothes"}}}}]}`,
			map[string]int{"stock": 1, "listProducts": 1},
		},
		{
			"a list in which a parameter is repeated",
			`{ orders(status: [RETURN_REQUESTED, CANCELLED], userId: "u4") { nodes { status } } }`,
			`{"orders":{"nodes":[{"status":"RETURN_REQUESTED"},{"status":"RETURN_REQUESTED"},{"status":"CANCELLED"}]}}`,
			map[string]int{"listOrders": 1},
		},
		{
			"joins below a page",
			`{ users(first: 3) { nodes { name orders(limit: 1) { lines { product { name } } } } } }`,
			`{"users":{"nodes":[
				{"name":"Ada Lindqvist","orders":[{"lines":[{"product":{"name":"Linen shirt"}},{"product":{"name":"A Field of Clocks"}}]}]},
				{"name":"Bruno Okafor","orders":[{"lines":[{"product":{"name":"Small Gardens"}},{"product":{"name":"Night run tee"}},{"product":{"name":"A Field of Clocks"}}]}]},
				{"name":"Chiara Novak","orders":[{"lines":[{"product":{"name":"Bread and Iron"}}]}]}]}}`,
			map[string]int{"listUsers": 1, "orderHistory": 1, "listProducts": 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			g.Shop.ResetCalls()
			wantData(t, g.query(t, g.token(t, services.Admin), c.query, nil), c.want)
			g.wantCalls(t, c.calls)
		})
	}
}

// Guards apply to objects that are fetched by key and to the items of a page.
func TestGuardsOfKeysAndPages(t *testing.T) {
	g := newGateway(t)
	a := g.query(t, g.token(t, services.Customer), `{
		inventory { product { sku timesOrdered } }
		products(first: 1) { edges { node { timesOrdered } } }
		orders { edges { node { id } } pageInfo { hasNextPage } }
		users { pageInfo { hasNextPage } }
	}`, nil)
	want := []string{"orders FORBIDDEN", "products.edges.0.node.timesOrdered FORBIDDEN", "users FORBIDDEN"}
	for i := range 12 {
		want = append(want, fmt.Sprintf("inventory.%d.product.timesOrdered FORBIDDEN", i))
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, a.refusals()); diff != "" || strings.Count(string(a.Data), `"timesOrdered":null`) != 13 {
		t.Errorf("-want +got\n%s\n%s", diff, a.Data)
	}
	for _, service := range []string{"users", "orders"} {
		if calls := g.Shop.Calls(service); len(calls) != 0 {
			t.Errorf("%s was called: %v", service, calls)
		}
	}
}

// A discriminator value that the graph lacks makes that object null and nothing else.
func TestUnknownDiscriminator(t *testing.T) {
	order := func(id, payment string) string {
		return `{"id":` + id + `,"userId":"u1","status":"paid","lines":[],"total":{"amount":"1","currency":"EUR"},"placedAt":"2025-01-10T09:30:00Z","payment":` + payment + `}`
	}
	g := newGateway(t, replaceSource(t, "orders", long, respond(http.StatusOK, "["+strings.Join([]string{
		order("1", `{"method":"transfer","iban":"DE89"}`), order("2", `{"method":"s3cret","last4":"1"}`), order("3", `{"last4":"4243"}`),
		order("4", `{"method":null}`), order("5", `"s3cret"`), order("6", `null`), order("7", `{"last4":"4243","method":"card"}`),
	}, ",")+"]")))
	a := g.query(t, g.token(t, services.Admin), `{ orders { nodes { id payment { __typename ... on CardPayment { last4 } } } } }`, nil)
	want := `{"orders":{"nodes":[{"id":"1","payment":{"__typename":"TransferPayment"}},{"id":"2","payment":null},{"id":"3","payment":null},{"id":"4","payment":null},` +
		`{"id":"5","payment":null},{"id":"6","payment":null},{"id":"7","payment":{"__typename":"CardPayment","last4":"4243"}}]}}`
	var errors []string
	for _, i := range []int{1, 2, 3, 4} {
		errors = append(errors, fmt.Sprintf("orders.nodes.%d.payment DOWNSTREAM_SERVICE_ERROR", i))
	}
	if diff := cmp.Diff(errors, a.refusals()); diff != "" || string(a.Data) != want {
		t.Errorf("%s\n%s", diff, a.Body)
	}
	wantNoneOf(t, "the answer", a.Body, "s3cret")
}

// requestRecorder is a proxy before a source that records the requests.
type requestRecorder struct {
	mu   sync.Mutex
	seen []string // guarded by mu
}

func recordRequests(t *testing.T, source string) (*requestRecorder, func(*config.Config)) {
	it := &requestRecorder{}
	return it, func(c *config.Config) {
		to, err := url.Parse(c.Sources[source].URLs[0].URL)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(to)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			it.mu.Lock()
			it.seen = append(it.seen, fmt.Sprintf("%s %s %s %s", r.Method, r.URL, r.Header.Get("Content-Type"), body))
			it.mu.Unlock()
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			proxy.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		s := c.Sources[source]
		s.URLs = upstreams.URLs(server.URL)
		c.Sources[source] = s
	}
}

func (it *requestRecorder) requests() []string {
	it.mu.Lock()
	defer it.mu.Unlock()
	seen := it.seen
	it.seen = nil
	return slices.Clone(seen)
}

// A field that the client leaves out of a patch is left out for the service, and null stays null,
// also in variables. The media type comes from the document.
func TestMergePatch(t *testing.T) {
	users, change := recordRequests(t, "users")
	g := newGateway(t, change)
	const patch = `mutation($in: UserPatch!) { updateUser(id: "u1", input: $in) { name phone address { street postalCode } } }`
	const merge = "PATCH /users/u1 application/merge-patch+json "
	for _, c := range []struct{ input, sent, want string }{
		{`{}`, `{}`, `{"updateUser":{"name":"Ada Lindqvist","phone":"+44 20 7946 0000","address":{"street":"10 Quay Street","postalCode":"1000"}}}`},
		{`{"phone":"+47 1"}`, `{"phone":"+47 1"}`, `{"updateUser":{"name":"Ada Lindqvist","phone":"+47 1","address":{"street":"10 Quay Street","postalCode":"1000"}}}`},
		{
			`{"phone":null,"address":{"street":"Kai 1","city":"Oslo","country":"NO"}}`, `{"phone":null,"address":{"street":"Kai 1","city":"Oslo","country":"NO"}}`,
			`{"updateUser":{"name":"Ada Lindqvist","phone":null,"address":{"street":"Kai 1","postalCode":"1000"}}}`,
		},
		{
			`{"address":{"street":"Kai 1","city":"Oslo","country":"NO","postalCode":null}}`, `{"address":{"street":"Kai 1","city":"Oslo","postalCode":null,"country":"NO"}}`,
			`{"updateUser":{"name":"Ada Lindqvist","phone":null,"address":{"street":"Kai 1","postalCode":null}}}`,
		},
		{`{"address":null}`, `{"address":null}`, `{"updateUser":{"name":"Ada Lindqvist","phone":null,"address":null}}`},
	} {
		wantData(t, g.query(t, g.token(t, services.Admin), patch, map[string]any{"in": json.RawMessage(c.input)}), c.want)
		if diff := cmp.Diff([]string{merge + c.sent}, users.requests()); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.input, diff)
		}
	}
}

// A call by operation is sent as the service's document describes it.
func TestCallsByOperation(t *testing.T) {
	orders, change := recordRequests(t, "orders")
	g := newGateway(t, change)
	admin := g.token(t, services.Admin)
	for query, want := range map[string]string{
		`mutation { cancelOrder(id: "9007199254740000", input: {reason: "too late & dear"}) { id } }`: "POST /orders/9007199254740000/cancel application/x-www-form-urlencoded reason=too%20late%20%26%20dear",
		`mutation { cancelOrder(id: "9007199254740977") { id } }`:                                     "POST /orders/9007199254740977/cancel application/x-www-form-urlencoded ",
		`mutation { createOrder(input: {userId: "u1", lines: [{productId: "B-100"}]}) { id } }`:       `POST /orders application/json {"userId":"u1","lines":[{"productId":"B-100","quantity":1}]}`,
		`{ orders(status: [PAID, SHIPPED], first: 3) { nodes { id } } }`:                              "GET /orders?status=paid&status=shipped&page=1&pageSize=4  ",
		`{ orders(userId: "u&1") { nodes { id } } }`:                                                  "GET /orders?userId=u%261&page=1&pageSize=21  ",
	} {
		if a := g.query(t, admin, query, nil); len(a.Errors) > 0 {
			t.Errorf("%s: %s", query, a.Body)
		}
		if diff := cmp.Diff([]string{want}, orders.requests()); diff != "" {
			t.Errorf("%s: -want +got\n%s", query, diff)
		}
	}
}

// Clients see the orders service's messages about conflicts and invalid input, which its errors
// mapping selects, and no other messages of services.
func TestMappedErrors(t *testing.T) {
	g := newGateway(t)
	admin := g.token(t, services.Admin)
	for _, c := range []struct{ query, message, code, reason string }{
		{`mutation { cancelOrder(id: "9007199254742931") { id } }`, "a delivered order cannot be cancelled", "CONFLICT", "NOT_CANCELLABLE"},
		{`mutation { createOrder(input: {userId: "nobody", lines: [{productId: "B-100"}]}) { id } }`, "there is no user with this id", "BAD_USER_INPUT", "UNKNOWN_USER"},
		{`mutation { createOrder(input: {userId: "u1", lines: [{productId: "B-1"}]}) { id } }`, `there is no product "B-1"`, "BAD_USER_INPUT", "UNKNOWN_PRODUCT"},
		{`{ order(id: "1") { id } }`, "the service has no such thing", "NOT_FOUND", ""},
		{`{ order(id: "one") { id } }`, "the service refused the input", "BAD_USER_INPUT", ""},
		{`mutation { updateUser(id: "u1", input: {name: ""}) { id } }`, "the service refused the input", "BAD_USER_INPUT", ""},
	} {
		a := g.query(t, admin, c.query, nil)
		var shown struct {
			Errors []struct {
				Message    string
				Extensions map[string]any
			}
		}
		if err := json.Unmarshal([]byte(a.Body), &shown); err != nil || len(shown.Errors) != 1 {
			t.Fatal(err, a.Body)
		}
		e := shown.Errors[0]
		reason, mapped := e.Extensions["reason"]
		if e.Message != c.message || e.Extensions["code"] != c.code || mapped != (c.reason != "") || mapped && reason != c.reason {
			t.Errorf("%s: got %s", c.query, a.Body)
		}
	}
}

// Messages of the orders service with another status, or in another form, are not shown.
func TestOnlyMappedTextsAreShown(t *testing.T) {
	const problem = `{"title":"s3cret","detail":"s3cret","code":"s3cret","status":500}`
	for status, said := range map[int]string{
		400: problem, 401: problem, 403: problem, 404: problem, 429: problem, 500: problem, 502: "<h1>s3cret</h1>", 503: problem,
		409: `{"title":"s3cret","errors":["s3cret"]}`, 422: `"s3cret"`,
	} {
		g := newGateway(t, replaceSource(t, "orders", long, respond(status, said)))
		a := g.query(t, g.token(t, services.Admin), `{ order(id: "1") { id } me { orders { id } } }`, nil)
		if len(a.Errors) != 2 || a.Errors[0].Extensions.HTTP.Status != status {
			t.Errorf("%d: got %s", status, a.Body)
		}
		wantNoneOf(t, "the answer", a.Body, "s3cret", "reason")
	}
}
