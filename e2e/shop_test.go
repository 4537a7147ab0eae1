package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/operations"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// A query makes one call for the list, one for the distinct products, one for the distinct customers.
func TestOneCallForEachJoin(t *testing.T) {
	g := newGateway(t)
	admin := g.token(t, services.Admin)
	for range 20 {
		g.Shop.ResetCalls()
		a := g.query(t, admin, `{ orders(first: 20) { nodes { id lines { product { name } } customer { name } } } }`, nil)
		if len(a.Errors) > 0 {
			t.Fatal(a.Body)
		}
		g.wantCalls(t, map[string]int{"listOrders": 1, "listProducts": 1, "listUsers": 1})
	}
	var data struct {
		Orders struct {
			Nodes []struct {
				ID       string
				Lines    []struct{ Product *struct{ Name string } }
				Customer *struct{ Name string }
			}
		}
	}
	a := g.query(t, admin, `{ orders(first: 20) { nodes { id lines { product { name } } customer { name } } } }`, nil)
	if err := json.Unmarshal(a.Data, &data); err != nil || len(data.Orders.Nodes) != 20 {
		t.Fatalf("%d orders, %v", len(data.Orders.Nodes), err)
	}
	for _, o := range data.Orders.Nodes {
		if o.Customer == nil || o.Customer.Name == "" {
			t.Errorf("order %s has no customer", o.ID)
		}
		for _, l := range o.Lines {
			if l.Product == nil || l.Product.Name == "" {
				t.Errorf("order %s has a line without its product", o.ID)
			}
		}
	}
}

// A user that an operation needs in several places is fetched once; a join below a join makes one
// more call.
func TestDeepJoins(t *testing.T) {
	g := newGateway(t)
	a := g.query(t, g.token(t, services.Admin), `{
		a: orders(first: 20) { nodes { customer { name orders(limit: 5) { lines { product { related { name related { sku stock inStock } } } } } } } }
	}`, nil)
	if len(a.Errors) > 0 {
		t.Fatal(a.Body)
	}
	calls := g.Shop.Calls("products")
	if calls["stock"] != 1 || calls["listProducts"] > 3 {
		t.Errorf("products was called %v, want one call for each level that has new keys", calls)
	}
	if calls := g.Shop.Calls("orders"); calls["orderHistory"] != 1 {
		t.Errorf("orders was called %v", calls)
	}
	if calls := g.Shop.Calls("users"); calls["listUsers"] != 1 {
		t.Errorf("users was called %v", calls)
	}
}

// The graph reaches every operation of the documents that uses JSON.
func TestEveryOperation(t *testing.T) {
	g := newGateway(t)
	admin := g.token(t, services.Admin)
	for _, c := range []struct{ query, want string }{
		{
			`{ me { id name role email phone address { city country } createdAt } }`,
			`{"me":{"id":"u8","name":"Hiro Castel","role":"ADMIN","email":"hiro.castel@example.com","phone":null,"address":{"city":"Kyoto","country":"JP"},"createdAt":"2025-08-17T09:30:00Z"}}`,
		},
		{
			`{ user(id: "u1") { name email createdBy address { street postalCode } } }`,
			`{"user":{"name":"Ada Lindqvist","email":"ada.lindqvist@example.com","createdBy":"import","address":{"street":"10 Quay Street","postalCode":"1000"}}}`,
		},
		{`{ users(first: 2) { nodes { id } } }`, `{"users":{"nodes":[{"id":"u1"},{"id":"u2"}]}}`},
		{
			`{ order(id: "9007199254740977") { id status total { amount currency } payment { __typename ... on CardPayment { last4 brand } ... on TransferPayment { iban } } metadata note replaces { id } userId lines { productId quantity unitPrice { amount } } } }`,
			`{"order":{"id":"9007199254740977","status":"PAID","total":{"amount":"107.25","currency":"EUR"},"payment":{"__typename":"CardPayment","last4":"4243","brand":"VISA"},"metadata":{"channel":"web","attempt":1},"note":null,"replaces":null,"userId":"u6","lines":[{"productId":"B-105","quantity":3,"unitPrice":{"amount":"18.75"}},{"productId":"S-203","quantity":2,"unitPrice":{"amount":"25.50"}}]}}`,
		},
		{`{ orders(status: [PENDING, PAID], userId: "u6", first: 1) { nodes { status userId } } }`, ``},
		{
			`{ product(sku: "S-200") { sku name price currency rating category { id parent { name parent { id } } } relatedSkus stock inStock } }`,
			`{"product":{"sku":"S-200","name":"Harbour tee","price":15,"currency":"EUR","rating":3.8,"category":{"id":"shirts","parent":{"name":"Clothes","parent":null}},"relatedSkus":["S-201"],"stock":3,"inStock":true}}`,
		},
		{
			`{ products(filter: {category: "books", maxPrice: 12}, sort: PRICE_DESC) { totalCount nodes { sku price } } }`,
			`{"products":{"totalCount":3,"nodes":[{"sku":"B-102","price":12},{"sku":"B-101","price":9.75},{"sku":"B-100","price":7.5}]}}`,
		},
		{
			`{ a: person(id: "u8") { __typename name } b: person(id: "u1") { __typename ... on User { email } } }`,
			`{"a":{"__typename":"Account","name":"Hiro Castel"},"b":{"__typename":"User","email":"ada.lindqvist@example.com"}}`,
		},
		{`{ search(text: "cloth") { __typename ... on Category { id parent { id } } } }`, `{"search":[{"__typename":"Category","id":"clothes","parent":null}]}`},
		{
			`{ search(text: "linen shirt") { __typename ... on Product { sku } ... on Category { id } } }`,
			`{"search":[{"__typename":"Product","sku":"S-201"}]}`,
		},
	} {
		a := g.query(t, admin, c.query, nil)
		if c.want == "" {
			if len(a.Errors) > 0 {
				t.Errorf("%s: %s", c.query, a.Body)
			}
			continue
		}
		t.Run(c.query, func(t *testing.T) { wantData(t, a, c.want) })
	}
}

func TestMutations(t *testing.T) {
	g := newGateway(t)
	admin := g.token(t, services.Admin)

	created := g.query(t, admin, `mutation($in: NewUser!) { createUser(input: $in) { id name role email phone } }`,
		map[string]any{"in": map[string]any{"email": "new@example.com", "name": "New", "password": "long enough", "role": "SUPPORT"}})
	var made struct{ CreateUser struct{ ID, Role string } }
	if err := json.Unmarshal(created.Data, &made); err != nil || made.CreateUser.Role != "SUPPORT" {
		t.Fatal(created.Body)
	}
	id := map[string]any{"id": made.CreateUser.ID}

	// A field left out stays, a field set to null is emptied.
	patch := `mutation($id: ID!) { updateUser(id: $id, input: {%s}) { name phone address { city postalCode } } }`
	wantData(t, g.query(t, admin, fmt.Sprintf(patch, `phone: "+47 1", address: {street: "s", city: "c", country: "NO"}`), id),
		`{"updateUser":{"name":"New","phone":"+47 1","address":{"city":"c","postalCode":null}}}`)
	wantData(t, g.query(t, admin, fmt.Sprintf(patch, `name: "Newer"`), id),
		`{"updateUser":{"name":"Newer","phone":"+47 1","address":{"city":"c","postalCode":null}}}`)
	wantData(t, g.query(t, admin, fmt.Sprintf(patch, `phone: null, address: null`), id),
		`{"updateUser":{"name":"Newer","phone":null,"address":null}}`)
	wantData(t, g.query(t, admin, `mutation($id: ID!) { deleteUser(id: $id) }`, id), `{"deleteUser":true}`)
	if a := g.query(t, admin, `query($id: ID!) { user(id: $id) { name } }`, id); a.codes() != "NOT_FOUND" || string(a.Data) != `{"user":null}` {
		t.Error(a.Body)
	}

	place := `mutation { createOrder(input: {userId: "u1", lines: [{productId: "B-100"}], note: "n"}, idempotencyKey: "k1") { id status note lines { quantity } total { amount } } }`
	first, second := g.query(t, admin, place, nil), g.query(t, admin, place, nil)
	if len(first.Errors) > 0 || string(first.Data) != string(second.Data) {
		t.Errorf("the same key placed two orders:\n%s\n%s", first.Body, second.Body)
	}
	var placed struct{ CreateOrder struct{ ID string } }
	_ = json.Unmarshal(first.Data, &placed)
	order := map[string]any{"id": placed.CreateOrder.ID}
	wantData(t, g.query(t, admin, `mutation($id: ID!) { cancelOrder(id: $id, input: {reason: "too & late = no"}) { status metadata } }`, order),
		`{"cancelOrder":{"status":"CANCELLED","metadata":{"cancelReason":"too & late = no"}}}`)
	if a := g.query(t, admin, `mutation($id: ID!) { cancelOrder(id: $id) { status } }`, order); a.codes() != "CONFLICT" {
		t.Error(a.Body)
	}
	if a := g.query(t, admin, `mutation { createOrder(input: {userId: "nobody", lines: []}) { id } }`, nil); a.codes() != "BAD_USER_INPUT" {
		t.Error(a.Body)
	}
}

// Replicas are called round robin, and an unreachable one is skipped.
func TestRoundRobin(t *testing.T) {
	g := newGateway(t)
	ask := func() {
		if a := g.query(t, "", `{ product(sku: "B-100") { name } }`, nil); len(a.Errors) > 0 {
			t.Error(a.Body)
		}
	}
	var clients sync.WaitGroup
	for range 6 {
		clients.Go(func() {
			for range 50 {
				ask()
			}
		})
	}
	clients.Wait()
	for replica := 1; replica <= services.Replicas; replica++ {
		if n := g.Shop.ReplicaCalls(replica)["getProduct"]; n != 100 {
			t.Errorf("replica %d had %d of 300 calls, want 100", replica, n)
		}
	}
	g.Ports.StopReplica(2)
	g.Shop.ResetCalls()
	for range 30 {
		ask()
	}
	one, two := g.Shop.ReplicaCalls(1)["getProduct"], g.Shop.ReplicaCalls(3)["getProduct"]
	if one+two != 30 || one < 14 || two < 14 {
		t.Errorf("the two replicas left had %d and %d of 30 calls", one, two)
	}
}

// A service that is down makes its own fields null; the rest of the response stays.
func TestDeadService(t *testing.T) {
	g := newGateway(t, func(c *config.Config) {
		source := c.Sources["users"]
		source.URLs = upstreams.URLs("http://127.0.0.1:1/secret-path")
		c.Sources["users"] = source
	})
	a := g.query(t, g.token(t, services.Admin), `{ orders(first: 2) { nodes { id customer { name } lines { product { sku } } } } product(sku: "B-100") { name } }`, nil)
	if a.codes() != "DOWNSTREAM_SERVICE_ERROR DOWNSTREAM_SERVICE_ERROR" || a.Errors[0].Extensions.Service != "users" {
		t.Errorf("errors are %s", a.Body)
	}
	for _, e := range a.Errors {
		if len(e.Locations) != 1 || e.Locations[0].Column != 33 { // of customer
			t.Errorf("an error does not say where in the query: %s", a.Body)
		}
	}
	if !strings.Contains(string(a.Data), `"product":{"name":"The Lighthouse Ledger"}`) || strings.Count(string(a.Data), `"customer":null`) != 2 ||
		strings.Contains(string(a.Data), `"product":null`) {
		t.Errorf("the rest of the answer is gone: %s", a.Data)
	}
	for _, secret := range []string{"127.0.0.1", "secret-path", "dial", "refused"} {
		if strings.Contains(a.Body, secret) {
			t.Errorf("the client learns %q: %s", secret, a.Body)
		}
	}
	if !strings.Contains(g.Log.String(), "127.0.0.1:1") {
		t.Error("the log does not name the address that failed")
	}
}

// A value never changes which resource is requested.
func TestHostileValues(t *testing.T) {
	g := newGateway(t)
	admin := g.token(t, services.Admin)
	for _, id := range []string{"", ".", "..", "../users", "u1/../u2", "u1\r\nX: y", "u1\x00"} {
		g.Shop.ResetCalls()
		a := g.query(t, admin, `query($id: ID!) { user(id: $id) { name } }`, map[string]any{"id": id})
		if a.codes() != "BAD_USER_INPUT" {
			t.Errorf("%q: %s", id, a.Body)
		}
		g.wantCalls(t, map[string]int{})
	}
	for _, id := range []string{"u1/x", "u1?x=1", "u1#x", "%2e%2e", "ü", "u1;v=1", "u1,u2"} {
		if a := g.query(t, admin, `query($id: ID!) { user(id: $id) { name } }`, map[string]any{"id": id}); a.codes() != "NOT_FOUND" {
			t.Errorf("%q: %s", id, a.Body)
		}
	}
}

// The playground's sample queries run.
func TestReadyOperations(t *testing.T) {
	g := newGateway(t)
	for _, o := range operations.All() {
		who := services.Customer
		if o.Admin {
			who = services.Admin
		}
		if a := g.query(t, g.token(t, who), o.Text, nil); len(a.Errors) > 0 || a.Status != http.StatusOK {
			t.Errorf("%s: %s", o.Name, a.Body)
		}
	}
}

// Introspection shows no directive of ours and no path of a service.
func TestIntrospectionHidesBindings(t *testing.T) {
	g := newGateway(t)
	a := g.query(t, "", `{ __schema { directives { name } types { name description fields { name description args { name } } } } }`, nil)
	for _, private := range []string{"connect", "requiresScopes", "authenticated", "goField", "ConnectHTTP", "/users", "/orders", "created-by", "discriminator", "listSize", "/stock"} {
		if strings.Contains(a.Body, `"`+private+`"`) || strings.Contains(a.Body, "users/{") {
			t.Errorf("introspection tells of %s", private)
		}
	}
	if !strings.Contains(a.Body, `"lifetimeValue"`) {
		t.Error("introspection is empty")
	}
	var schema struct {
		Schema struct {
			Types []struct {
				Name, Description string
				Fields            []struct{ Name, Description string }
			}
		} `json:"__schema"`
	}
	if err := json.Unmarshal(a.Data, &schema); err != nil {
		t.Fatal(err)
	}
	for _, typ := range schema.Schema.Types {
		if strings.HasPrefix(typ.Name, "__") {
			continue
		}
		if typ.Description == "" {
			t.Errorf("%s has no description", typ.Name)
		}
		for _, f := range typ.Fields {
			if f.Description == "" {
				t.Errorf("%s.%s has no description", typ.Name, f.Name)
			}
		}
	}
}
