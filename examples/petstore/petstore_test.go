package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/bindingtest"
	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
	"github.com/gatehouse-graphql/gatehouse/examples/petstore/resolvers"
	"github.com/gatehouse-graphql/gatehouse/examples/petstore/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

const (
	whiskers = "019b4132-70aa-764f-b315-e2803d882a24" // a cat to adopt, for 75.00 USD
	placed   = "ord_4Pz3KJT6UNKHFYgN"                 // by u1, for 45.00 USD
	another  = "ord_UL4FT4DK79P9G8VE"                 // by u2, for 210.00 USD
	orphan   = "ord_HYCFY05G59R2R1KK"                 // its pet was deleted
)

// use is an operation with its data and its calls.
type use struct {
	who   services.Identity
	query string
	want  string // the data
	calls map[string]int
}

// uses has at least one operation for every binding.
var uses = []use{
	{
		anonymous,
		`{ pet(id: "` + whiskers + `") { id name species breed ageMonths size color gender goodWithKids price currency description status
			category { id name } tags { id name } photos medicalInfo { vaccinated spayedNeutered microchipped specialNeeds healthNotes } createdAt updatedAt } }`,
		`{"pet":{"id":"` + whiskers + `","name":"Whiskers","species":"CAT","breed":"Domestic Shorthair","ageMonths":18,"size":"MEDIUM",
			"color":"Orange Tabby","gender":"MALE","goodWithKids":true,"price":"75.00","currency":"USD",
			"description":"Whiskers was found by the river and has not stopped talking since.","status":"AVAILABLE",
			"category":{"id":"9007199254740005","name":"Cats"},"tags":[{"id":"9007199254740999","name":"needs garden"}],
			"photos":["https://images.petstore.example/pets/` + whiskers + `/1.jpg"],
			"medicalInfo":{"vaccinated":true,"spayedNeutered":true,"microchipped":true,"specialNeeds":null,"healthNotes":null},
			"createdAt":"2025-09-01T08:00:00Z","updatedAt":"2025-09-02T08:00:00Z"}}`,
		map[string]int{"getPet": 1},
	},
	{
		anonymous,
		`{ pets(species: DOG, status: AVAILABLE, tags: ["calm", "playful"], first: 1) { totalCount edges { node { name tags { name } } } } }`,
		`{"pets":{"totalCount":5,"edges":[{"node":{"name":"Barley","tags":[{"name":"calm"}]}}]}}`,
		map[string]int{"listPets": 1},
	},
	{
		services.Keeper, `{ inventory { key value } }`,
		`{"inventory":[{"key":"ADOPTED","value":6},{"key":"AVAILABLE","value":23},{"key":"NOT_AVAILABLE","value":3},{"key":"PENDING","value":4}]}`,
		map[string]int{"listInventory": 1},
	},
	{
		services.Customer,
		`mutation { createPet(input: {name: "Ruby", species: BIRD, price: "12.50", description: null, tags: [{name: "calm"}],
			photos: ["https://example.com/1.jpg"], medicalInfo: {vaccinated: true}}) { name price currency description status tags { id name } photos medicalInfo { vaccinated } } }`,
		`{"createPet":{"name":"Ruby","price":"12.50","currency":"USD","description":null,"status":"AVAILABLE",
			"tags":[{"id":"9007199254740993","name":"calm"}],"photos":["https://example.com/1.jpg"],"medicalInfo":{"vaccinated":true}}}`,
		map[string]int{"createPet": 1},
	},
	{
		services.Keeper,
		`mutation { updatePet(id: "` + whiskers + `", input: {name: "Whisky", species: CAT, ageMonths: 19}) { name ageMonths color status } }`,
		`{"updatePet":{"name":"Whisky","ageMonths":19,"color":null,"status":"AVAILABLE"}}`,
		map[string]int{"updatePet": 1},
	},
	{
		services.Keeper, `mutation { deletePet(id: "` + whiskers + `") }`, `{"deletePet":true}`,
		map[string]int{"deletePet": 1},
	},
	{
		services.Customer,
		`{ order(id: "` + placed + `") { id petId pet { name } userId user { username firstName } quantity status shipDate totalAmount createdAt } }`,
		`{"order":{"id":"` + placed + `","petId":"019b4135-1fac-7cb1-b196-7131f9ebdacc","pet":{"name":"Clover"},"userId":"u1",
			"user":{"username":"ada","firstName":"Ada"},"quantity":1,"status":"PLACED","shipDate":null,"totalAmount":"45","createdAt":"2025-11-01T10:00:00Z"}}`,
		map[string]int{"getOrder": 1, "getPet": 1, "getUser": 1},
	},
	{
		services.Customer,
		`mutation { createOrder(input: {petId: "` + whiskers + `", shipDate: "2026-02-01"}, idempotencyKey: "019b4132-70aa-764f-b315-000000000001") {
			status quantity shipDate totalAmount pet { name status } user { username } } }`,
		`{"createOrder":{"status":"PLACED","quantity":1,"shipDate":"2026-02-01","totalAmount":"75","pet":{"name":"Whiskers","status":"PENDING"},"user":{"username":"ada"}}}`,
		map[string]int{"createOrder": 1, "getPet": 1, "getUser": 1},
	},
	{ // an order of an anonymous caller has no user
		anonymous,
		`mutation { createOrder(input: {petId: "` + whiskers + `", quantity: 2}) { totalAmount userId } }`,
		`{"createOrder":{"totalAmount":"150","userId":null}}`,
		map[string]int{"createOrder": 1},
	},
	{
		services.Customer, `mutation { deleteOrder(id: "` + placed + `") }`, `{"deleteOrder":true}`,
		map[string]int{"deleteOrder": 1},
	},
	{
		services.Customer,
		`mutation { payOrderByCard(id: "` + placed + `", amount: "45.00", currency: USD, card: {name: "A. L.", number: "4242424242424242", cvc: "123", expMonth: 12, expYear: "2030"}) {
			amount currency status source { __typename ... on BankCard { name number expMonth expYear brand addressCountry } } } }`,
		`{"payOrderByCard":{"amount":"45","currency":"USD","status":"SUCCEEDED","source":{"__typename":"BankCard","name":"A. L.","number":"************4242",
			"expMonth":"12","expYear":"2030","brand":"VISA","addressCountry":null}}}`,
		map[string]int{"payOrder": 1},
	},
	{
		services.Customer,
		`mutation { payOrderByAccount(id: "` + another + `", amount: 210.5, currency: USD, account: {name: "B. O.", number: "00012345", sortCode: "000123", accountType: COMPANY, country: "gb"}) {
			amount status source { __typename ... on BankAccount { name number sortCode accountType bankName country } } } }`,
		`{"payOrderByAccount":{"amount":"210.5","status":"PENDING","source":{"__typename":"BankAccount","name":"B. O.","number":"****2345","sortCode":"000123",
			"accountType":"COMPANY","bankName":null,"country":"gb"}}}`,
		map[string]int{"payOrder": 1},
	},
	{
		services.Keeper, `mutation { subscribeToOrders(callbackUrl: "https://example.com/orders") }`, `{"subscribeToOrders":true}`,
		map[string]int{"callbackExample": 1},
	},
	{
		services.Customer, `{ me { id username firstName lastName email phone status } }`,
		`{"me":{"id":"u1","username":"ada","firstName":"Ada","lastName":"Lindqvist","email":"ada@example.com","phone":"+44 20 7946 0000","status":"ACTIVE"}}`,
		map[string]int{"getUser": 1},
	},
	{
		services.Customer, `{ user(id: "u5") { id username firstName } }`, `{"user":{"id":"u5","username":"elif","firstName":null}}`,
		map[string]int{"getUser": 1},
	},
	{
		anonymous,
		`mutation { createUser(input: {username: "ines", email: "ines@example.com", password: "long enough"}) { id username email status phone } }`,
		`{"createUser":{"id":"u9","username":"ines","email":"ines@example.com","status":"ACTIVE","phone":null}}`,
		map[string]int{"createUser": 1},
	},
	{
		services.Customer,
		`mutation { updateMe(input: {username: "ada", email: "ada@example.org"}) { id email firstName phone } }`,
		`{"updateMe":{"id":"u1","email":"ada@example.org","firstName":null,"phone":null}}`,
		map[string]int{"updateUser": 1},
	},
	{services.Customer, `mutation { deleteMe }`, `{"deleteMe":true}`, map[string]int{"deleteUser": 1}},
	{
		anonymous, `mutation { login(username: "ada", password: "` + services.DemoPassword + `") { tokenType expiresIn } }`,
		`{"login":{"tokenType":"Bearer","expiresIn":3600}}`,
		map[string]int{"login": 1},
	},
	{services.Customer, `mutation { logout }`, `{"logout":true}`, map[string]int{"logout": 1}},
	{
		services.Customer,
		`{ advice(messages: [{role: SYSTEM, content: "Be kind."}, {role: USER, content: "A snake, please"}]) { model choices { index message { role content } finishReason } } }`,
		`{"advice":{"model":"pet-advisor-1","choices":[{"index":0,"message":{"role":"assistant","content":"23 wait for a home. Come and meet Whiskers, Barley, Pico."},"finishReason":"stop"}]}}`,
		map[string]int{"createChatCompletion": 1},
	},
}

// Each operation starts with the same data.
func TestEveryOperation(t *testing.T) {
	for _, u := range uses {
		name, _, _ := strings.Cut(strings.TrimPrefix(u.query, "mutation "), "(")
		t.Run(strings.Trim(name, "{} "), func(t *testing.T) {
			s := newStore(t)
			wantData(t, s.ask(t, s.token(t, u.who), u.query, nil), u.want)
			s.wantCalls(t, u.calls)
		})
	}
}

// What the document says in JSON can be reached, and is used above.
func TestAllOperationsAreBound(t *testing.T) {
	document, err := openapi.Read("schema/openapi/petstore.yaml")
	if err != nil {
		t.Fatal(err)
	}
	bound, used := operationsBound(t), map[string]bool{}
	for _, u := range uses {
		for id := range u.calls {
			used[id] = true
		}
	}
	var want, left []string
	for _, op := range document.Operations {
		document.Load(op)
		if op.Body != nil && op.Body.JSON() == nil {
			left = append(left, op.ID)
			continue
		}
		want = append(want, op.ID)
		if !bound[op.ID] || !used[op.ID] {
			t.Errorf("%s: bound %t, used by a test %t", op.ID, bound[op.ID], used[op.ID])
		}
	}
	if !slices.Equal(left, []string{"uploadPetImage"}) || len(want) != 18 || len(bound) != 18 {
		t.Errorf("%d operations are JSON, %d bound, and %v left out", len(want), len(bound), left)
	}
}

// operationsBound are the operations that bindings name: all of the document's.
func operationsBound(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("schema/*.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	var sources []*ast.Source
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: file, Input: string(text)})
	}
	schema, err := binding.Load(sources...)
	if err != nil {
		t.Fatal(err)
	}
	graph, err := binding.Compile(schema, binding.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	bound := map[string]bool{}
	for _, f := range graph.Bindings() {
		if f.Call.Operation == nil {
			t.Errorf("%s is bound by http", f.Name())
			continue
		}
		bound[f.Call.Operation.ID] = true
	}
	return bound
}

// Pages of any size contain all pets once, in order.
func TestPagesToTheEnd(t *testing.T) {
	s := newStore(t)
	const query = `query($first: Int, $after: String) { pets(first: $first, after: $after) { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } } }`
	whole := s.walk(t, query, 100)
	for _, first := range []int{1, 5, 7, 36, 37} {
		s.ResetCalls()
		if got := s.walk(t, query, first); !slices.Equal(got, whole) {
			t.Errorf("by %d: %d pets, want %d\n%v", first, len(got), len(whole), got)
		}
		s.wantCalls(t, map[string]int{"listPets": (len(whole) + first - 1) / first})
	}
	if len(whole) != 36 {
		t.Errorf("there are %d pets", len(whole))
	}
}

// walk returns the ids of all pages.
func (s *store) walk(t *testing.T, query string, first int) (ids []string) {
	t.Helper()
	variables := map[string]any{"first": first}
	for range 100 {
		a := s.ask(t, "", query, variables)
		var data struct {
			Pets struct {
				TotalCount int
				Nodes      []struct{ ID string }
				PageInfo   struct {
					HasNextPage, HasPreviousPage bool
					EndCursor                    string
				}
			}
		}
		if err := json.Unmarshal(a.Data, &data); err != nil || len(a.Errors) > 0 || data.Pets.TotalCount != 36 {
			t.Fatal(err, a.Body)
		}
		if data.Pets.PageInfo.HasPreviousPage != (len(ids) > 0) {
			t.Errorf("a page behind %d pets says: %s", len(ids), a.Body)
		}
		for _, n := range data.Pets.Nodes {
			ids = append(ids, n.ID)
		}
		if !data.Pets.PageInfo.HasNextPage {
			return ids
		}
		variables["after"] = data.Pets.PageInfo.EndCursor
	}
	t.Fatal("the pages have no end")
	return nil
}

// Problems of the service are shown with their own messages and fields.
func TestProblems(t *testing.T) {
	const problems = services.ProblemTypes
	card := func(id, amount, number string) string {
		return `mutation { payOrderByCard(id: "` + id + `", amount: ` + amount + `, currency: USD, card: {name: "A", number: "` + number + `", expMonth: 12, expYear: 2030}) { id } }`
	}
	for _, c := range []struct {
		query, code, message, problem, field string
	}{
		{`{ pet(id: "nobody") { name } }`, "NOT_FOUND", "there is no pet with this id", problems + "no-such-pet", ""},
		{`{ order(id: "` + orphan + `") { pet { name } } }`, "NOT_FOUND", "there is no pet with this id", problems + "no-such-pet", ""},
		{`{ user(id: "nobody") { username } }`, "NOT_FOUND", "there is no user with this id", problems + "no-such-user", ""},
		{`mutation { createPet(input: {name: "", species: CAT, price: "1"}) { id } }`, "BAD_USER_INPUT", "name must have 1 to 100 characters", problems + "invalid", "name price"},
		{`mutation { createPet(input: {name: "a", species: CAT, color: null}) { id } }`, "BAD_USER_INPUT", "color may not be null", problems + "invalid", "color"},
		{`mutation { deleteOrder(id: "ord_YBHN1G201YCYWFU6") }`, "CONFLICT", "an order that was paid for cannot be deleted", problems + "order-paid", ""},
		{`mutation { createUser(input: {username: "ada", email: "new@example.com"}) { id } }`, "CONFLICT", "there is a user with this username", problems + "username-taken", ""},
		{card(placed, "45", services.DeclinedCard), "DOWNSTREAM_SERVICE_ERROR", "the bank declined this card", problems + "card-declined", ""},
		{card(placed, "44.99", "4242424242424242"), "DOWNSTREAM_SERVICE_ERROR", "this order costs 45.00", problems + "too-little", ""},
		{card("ord_YBHN1G201YCYWFU6", "1", "4242424242424242"), "CONFLICT", "this order was paid for or cancelled", problems + "not-payable", ""},
		{`mutation { login(username: "greta", password: "` + services.DemoPassword + `") { accessToken } }`, "UNAUTHENTICATED", "there is no active user with this name and password", problems + "bad-login", ""},
		{`{ advice(messages: []) { id } }`, "BAD_USER_INPUT", "messages must have an element", problems + "invalid", "messages"},
	} {
		t.Run(c.query, func(t *testing.T) {
			s := newStore(t)
			a := s.ask(t, s.token(t, services.Customer), c.query, nil)
			if len(a.Errors) != 1 {
				t.Fatal(a.Body)
			}
			e := a.Errors[0]
			var fields []string
			for _, f := range e.Extensions.Fields {
				fields = append(fields, f.Field)
			}
			if e.Extensions.Code != c.code || e.Message != c.message || e.Extensions.Problem != c.problem || strings.Join(fields, " ") != c.field {
				t.Error(a.Body)
			}
		})
	}
}

// Guards refuse a field before the service is called.
func TestGuards(t *testing.T) {
	s := newStore(t)
	for _, c := range []struct {
		who         services.Identity
		query, code string
	}{
		{anonymous, `{ me { id } }`, "UNAUTHENTICATED"},
		{anonymous, `{ user(id: "u1") { id } }`, "UNAUTHENTICATED"},
		{anonymous, `{ order(id: "` + placed + `") { id } }`, "UNAUTHENTICATED"},
		{anonymous, `{ inventory { key } }`, "UNAUTHENTICATED"},
		{anonymous, `{ advice(messages: [{role: USER, content: "hi"}]) { id } }`, "UNAUTHENTICATED"},
		{anonymous, `mutation { createPet(input: {name: "a", species: CAT}) { id } }`, "UNAUTHENTICATED"},
		{anonymous, `mutation { deleteOrder(id: "` + placed + `") }`, "UNAUTHENTICATED"},
		{anonymous, `mutation { payOrderByCard(id: "` + placed + `", amount: 1, currency: USD, card: {name: "", number: "", expMonth: 1, expYear: 1}) { id } }`, "UNAUTHENTICATED"},
		{anonymous, `mutation { payOrderByAccount(id: "` + placed + `", amount: 1, currency: USD, account: {name: "", number: "", accountType: COMPANY, country: ""}) { id } }`, "UNAUTHENTICATED"},
		{anonymous, `mutation { updateMe(input: {username: "a", email: "a@example.com"}) { id } }`, "UNAUTHENTICATED"},
		{anonymous, `mutation { deleteMe }`, "UNAUTHENTICATED"},
		{anonymous, `mutation { logout }`, "UNAUTHENTICATED"},
		{services.Customer, `{ inventory { key } }`, "FORBIDDEN"},
		{services.Customer, `mutation { updatePet(id: "` + whiskers + `", input: {name: "a", species: CAT}) { id } }`, "FORBIDDEN"},
		{services.Customer, `mutation { deletePet(id: "` + whiskers + `") }`, "FORBIDDEN"},
		{services.Customer, `mutation { subscribeToOrders(callbackUrl: "https://example.com") }`, "FORBIDDEN"},
	} {
		if a := s.ask(t, s.token(t, c.who), c.query, nil); a.codes() != c.code {
			t.Errorf("%q: %s: %s", c.who.Name, c.query, a.Body)
		}
		s.wantCalls(t, map[string]int{})
	}
}

// A service that refuses the gateway's own API key has not refused the caller, although the
// caller's token was forwarded: clients sign their user out on UNAUTHENTICATED.
func TestWrongAPIKey(t *testing.T) {
	s := newStore(t, func(c *config.Config) {
		source := c.Sources["petstore"]
		source.Config = map[string]string{"apiKey": "wrong"}
		c.Sources["petstore"] = source
	})
	a := s.ask(t, s.token(t, services.Keeper), `{ inventory { key } }`, nil)
	if a.codes() != "DOWNSTREAM_SERVICE_ERROR" || a.Errors[0].Extensions.HTTP.Status != 401 {
		t.Error(a.Body)
	}
	// The caller's own token is another matter.
	a = s.ask(t, "", `mutation { login(username: "ada", password: "wrong") { accessToken } }`, nil)
	if a.codes() != "UNAUTHENTICATED" || a.Errors[0].Extensions.HTTP.Status != 401 {
		t.Error(a.Body)
	}
}

// Login's token opens what is guarded, until logout.
func TestLoginAndLogout(t *testing.T) {
	s := newStore(t)
	a := s.ask(t, "", `mutation { login(username: "hana", password: "`+services.DemoPassword+`") { accessToken } }`, nil)
	var data struct{ Login struct{ AccessToken string } }
	if err := json.Unmarshal(a.Data, &data); err != nil || data.Login.AccessToken == "" {
		t.Fatal(err, a.Body)
	}
	token := data.Login.AccessToken
	wantData(t, s.ask(t, token, `{ me { username } }`, nil), `{"me":{"username":"hana"}}`)
	wantData(t, s.ask(t, token, `mutation { logout }`, nil), `{"logout":true}`)
	if a := s.ask(t, token, `{ me { username } }`, nil); a.codes() != "UNAUTHENTICATED" {
		t.Error(a.Body)
	}
}

// The same key places one order.
func TestOrdersOnce(t *testing.T) {
	s := newStore(t)
	const order = `mutation { createOrder(input: {petId: "` + whiskers + `"}, idempotencyKey: "019b4132-70aa-764f-b315-000000000001") { id } }`
	token := s.token(t, services.Customer)
	first, second := s.ask(t, token, order, nil), s.ask(t, token, order, nil)
	if len(first.Errors) > 0 || string(first.Data) != string(second.Data) {
		t.Errorf("two orders were placed:\n%s\n%s", first.Body, second.Body)
	}
}

// Without this check, a caller could order in the name of another user.
func TestOrdersForOthersAreRefused(t *testing.T) {
	s := newStore(t)
	a := s.ask(t, s.token(t, services.Customer), `mutation { createOrder(input: {petId: "`+whiskers+`", userId: "u2"}) { id } }`, nil)
	if !strings.Contains(a.codes(), "GRAPHQL_VALIDATION_FAILED") {
		t.Error(a.Body)
	}
	s.wantCalls(t, map[string]int{})
}

// A pet of several orders is fetched once.
func TestOneCallForEachPet(t *testing.T) {
	s := newStore(t)
	a := s.ask(t, s.token(t, services.Customer), `{ a: order(id: "`+placed+`") { pet { name } user { username } } b: order(id: "`+placed+`") { id pet { species } user { id } } }`, nil)
	wantData(t, a, `{"a":{"pet":{"name":"Clover"},"user":{"username":"ada"}},"b":{"id":"`+placed+`","pet":{"species":"RABBIT"},"user":{"id":"u1"}}}`)
	calls := s.Calls()
	if calls["getPet"] != 1 || calls["getUser"] != 1 {
		t.Errorf("calls were %v", calls)
	}
}

// The operations of the playground run, and everything in the schema has a description.
func TestSampleOperations(t *testing.T) {
	for _, r := range samples {
		s := newStore(t)
		if a := s.ask(t, s.token(t, r.who), operation(r.name), nil); len(a.Errors) > 0 {
			t.Errorf("%s: %s", r.name, a.Body)
		}
	}
}

func TestDescriptions(t *testing.T) {
	s := newStore(t)
	a := s.ask(t, "", `{ __schema { types { name description fields { name description } inputFields { name description } enumValues { name description } } } }`, nil)
	type named struct{ Name, Description string }
	var data struct {
		Schema struct {
			Types []struct {
				named
				Fields, InputFields, EnumValues []named
			}
		} `json:"__schema"`
	}
	if err := json.Unmarshal(a.Data, &data); err != nil || len(data.Schema.Types) == 0 {
		t.Fatal(err, a.Body)
	}
	for _, typ := range data.Schema.Types {
		for _, n := range slices.Concat([]named{typ.named}, typ.Fields, typ.InputFields, typ.EnumValues) {
			if n.Description == "" && !strings.HasPrefix(typ.Name, "__") {
				t.Errorf("%s: %s has no description", typ.Name, n.Name)
			}
		}
	}
	if strings.Contains(a.Body, "demo-key") || strings.Contains(a.Body, "X-API-Key") {
		t.Error("introspection tells of the key")
	}
}

// Each binding makes the calls, and reads the responses, of schema/*.test.yaml.
func TestBindings(t *testing.T) {
	bindingtest.Run(t, bindingtest.Project{
		Requirements: resolvers.Requirements,
		Schema:       func(s *upstreams.Services) graphql.ExecutableSchema { return schema(s) },
	}, bindingtest.Pattern)
}

// The README's first query returns the README's response, by one call.
func TestFirstQuery(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	query := regexp.MustCompile(`(?s)curl .*?-d '(.*?)'`).FindSubmatch(text)
	want := regexp.MustCompile("(?s)```json answer\n(.*?)```").FindSubmatch(text)
	if query == nil || want == nil {
		t.Fatal("README.md has no curl with its answer")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, want[1]); err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	if got := s.post(t, "", query[1]); got.Body != compact.String() {
		t.Errorf("the README says\n%s\nbut the gateway answers\n%s", compact.String(), got.Body)
	}
	s.wantCalls(t, map[string]int{"listPets": 1})
}

// The demo needs no settings, and its tokens are accepted by the service.
func TestDemo(t *testing.T) {
	settings := &config.Config{Listen: "127.0.0.1:0"}
	out := &lockedBuffer{}
	s := &store{}
	s.serve(t, command.Start{Config: settings, Mode: command.Mode{Demo: true}, Out: out})
	tokens := regexp.MustCompile(`(?m)^  export TOKEN=(ey\S+)$`).FindAllStringSubmatch(out.String(), -1)
	if len(tokens) != len(services.Identities()) || !strings.Contains(out.String(), "/graphql") {
		t.Fatal(out.String())
	}
	wantData(t, s.ask(t, tokens[0][1], `{ me { username } }`, nil), `{"me":{"username":"ada"}}`)
	wantData(t, s.ask(t, tokens[1][1], `{ inventory { value } me { username } }`, nil),
		`{"inventory":[{"value":6},{"value":23},{"value":3},{"value":4}],"me":{"username":"hana"}}`)
}

// lockedBuffer may be written and read concurrently.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
