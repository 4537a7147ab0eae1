package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine/coalesce/coalescetest"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway"
	"github.com/gatehouse-graphql/gatehouse/gateway/blocklist"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/resolvers"
)

// getQuery sends an operation by GET, or HEAD.
func (g *gatewayUnderTest) getQuery(t *testing.T, method string, a request) *response {
	t.Helper()
	sent, err := http.NewRequestWithContext(t.Context(), method, g.URL+"/graphql?"+url.Values{"query": {a.query}, "operationName": {a.operation}}.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if a.token != "" {
		sent.Header.Set("Authorization", "Bearer "+a.token)
	}
	for _, line := range a.header {
		name, value, _ := strings.Cut(line, ": ")
		sent.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(sent)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got := &response{Status: res.StatusCode, Header: res.Header}
	if method != http.MethodHead {
		if err := json.NewDecoder(res.Body).Decode(got); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

// An operation that fulfils all conditions of an entry is refused on each transport before any service is
// called, and one that does not fulfil one of them is executed.
func TestBlocked(t *testing.T) {
	const one, other = `query One { product(sku: "B-100") { name } }`, `query Other { product(sku: "B-100") { name price } }`
	const change = `mutation One { updateUser(id: "u2", input: {name: "Zoe"}) { id } }`
	ios := []string{"GraphQL-Client-Name: shop-ios", "GraphQL-Client-Version: 2.1.0"}
	id := fmt.Sprintf("%x", sha256.Sum256([]byte(one)))
	for name, test := range map[string]struct {
		entry            blocklist.Entry
		blocked, passing []request
	}{
		"operation":          {blocklist.Entry{Operation: "One"}, []request{{query: one}, {query: one + other, operation: "One"}}, []request{{query: other}, {query: one + other, operation: "Other"}, {query: oneProduct}}},
		"operations":         {blocklist.Entry{Operation: "O*"}, []request{{query: one}, {query: other}}, []request{{query: oneProduct}}},
		"everything":         {blocklist.Entry{Operation: "*"}, []request{{query: one}, {query: oneProduct}}, nil},
		"document":           {blocklist.Entry{DocumentID: id}, []request{{query: one}}, []request{{query: one + " "}, {query: other}}},
		"document, marked":   {blocklist.Entry{DocumentID: "sha256:" + strings.ToUpper(id)}, []request{{query: one}}, []request{{query: other}}},
		"kind":               {blocklist.Entry{Kind: "query"}, []request{{query: one}}, nil},
		"client":             {blocklist.Entry{Client: "shop-ios"}, []request{{query: one, header: ios}, {query: one, header: []string{"apollographql-client-name: shop-ios"}}}, []request{{query: one}, {query: one, header: []string{"GraphQL-Client-Name: shop-iOS"}}}},
		"version":            {blocklist.Entry{Client: "shop-*", ClientVersion: "2.*"}, []request{{query: one, header: ios}}, []request{{query: one, header: []string{"GraphQL-Client-Name: shop-ios", "GraphQL-Client-Version: 3.0"}}, {query: one, header: ios[1:]}}},
		"class":              {blocklist.Entry{Class: "anonymous"}, []request{{query: one}}, []request{{query: one, token: "customer"}}},
		"fields":             {blocklist.Entry{Fields: []string{"Product.price", "Mutation.createOrder"}}, []request{{query: other}, {query: `{ search(text: "book") { ... on Product { ...P } } } fragment P on Product { price }`}}, []request{{query: one}}},
		"all of them":        {blocklist.Entry{Operation: "One", DocumentID: id, Kind: "query", Client: "shop-ios", ClientVersion: "2.1.0", Class: "anonymous", Fields: []string{"Query.product"}, Until: "2126-01-01"}, []request{{query: one, header: ios}}, []request{{query: one}, {query: one, header: ios, token: "customer"}, {query: other, header: ios}}},
		"mutations":          {blocklist.Entry{Operation: "One", Kind: "mutation"}, nil, []request{{query: one}}},
		"an end in the past": {blocklist.Entry{Operation: "*", Until: "2020-01-01"}, nil, []request{{query: one}}},
	} {
		t.Run(name, func(t *testing.T) {
			test.entry.Name, test.entry.Message = "incident 7", "Update the app."
			g := newGateway(t, func(c *config.Config) {
				c.Blocked = []blocklist.Entry{{Operation: "Nothing"}, test.entry, {Operation: "Nothing"}}
				c.Metrics.Public, c.Execution.Coalesce = true, true
			})
			tokens := map[string]string{"customer": g.token(t, services.Customer), "": ""}
			send := func(a request) []*response {
				a.token = tokens[a.token]
				return []*response{g.mustDo(t, a), g.getQuery(t, http.MethodGet, a), g.getQuery(t, http.MethodHead, a)}
			}
			for _, a := range test.blocked {
				for i, got := range send(a) {
					if got.Status != http.StatusForbidden {
						t.Errorf("%s %v, way %d: %d %s", a.query, a.header, i, got.Status, got.Body)
					}
					if i == 1 && (got.codes() != "FORBIDDEN" || got.Errors[0].Message != "Update the app." || len(got.Data) > 0) {
						t.Errorf("%+v", got)
					}
				}
				if extensions := g.mustDo(t, request{query: a.query, operation: a.operation, header: a.header}).Body; !strings.Contains(extensions, `"reason":"blocked"`) || strings.Contains(extensions, "until") != (test.entry.Until != "") {
					t.Errorf("extensions: %s", extensions)
				}
			}
			g.wantCalls(t, map[string]int{})
			refused := 4 * len(test.blocked)
			for _, a := range test.passing {
				for i, got := range send(a) {
					if got.Status != http.StatusOK || len(got.Errors) > 0 {
						t.Errorf("%s %v, way %d: %d %s", a.query, a.header, i, got.Status, got.Body)
					}
				}
			}
			if _, page := get(t, g.URL+"/metrics"); !strings.Contains(page, fmt.Sprintf("gateway_operations_refused_total{reason=\"blocked\"} %d\n", refused)) {
				t.Errorf("the metrics do not count %d refusals", refused)
			}
			logged := 0
			for _, line := range g.Log.operations(t) {
				if line["refused"] == "blocked" && line["refused_by"] == "incident 7" && line["codes"] == "FORBIDDEN" {
					logged++
				}
			}
			if logged != refused {
				t.Errorf("%d lines of the log have the refusal, want %d", logged, refused)
			}
		})
	}

	t.Run("mutation", func(t *testing.T) {
		g := newGateway(t, func(c *config.Config) { c.Blocked = []blocklist.Entry{{Kind: "mutation"}} })
		admin := g.token(t, services.Admin)
		if got := g.query(t, admin, change, nil); got.Status != http.StatusForbidden || got.Errors[0].Message != "this operation is blocked" {
			t.Errorf("%d %s", got.Status, got.Body)
		}
		g.wantCalls(t, map[string]int{})
		if got := g.query(t, admin, one, nil); len(got.Errors) > 0 {
			t.Errorf("%s", got.Body)
		}
	})
}

// A field that the schema lacks is found when the settings are checked, at the start and at a reload.
func TestBlockedFieldsAreChecked(t *testing.T) {
	_, ports := newShop(t)
	const want = `blocked[0].fields[1]: the schema has no field "Mutation.createOrdr"; did you mean "Mutation.createOrder"?`
	settings := shopSettings(ports)
	settings.Blocked = []blocklist.Entry{{Fields: []string{"Query.product", "Mutation.createOrdr"}}}
	graph := gateway.Graph{Schema: newSchema, Requirements: resolvers.Requirements}
	if _, err := graph.Check(settings); err == nil || err.Error() != want {
		t.Errorf("checked: %v", err)
	}
	r := newReloaded(t, fileOf(ports))
	r.change(fileOf(ports, "blocked: [{operation: A, until: 2020-01-01}]"))
	if log := r.Log.String(); !strings.Contains(log, "blocked[0].until has passed") {
		t.Errorf("the log does not warn of an entry that has ended:\n%s", log)
	}
	r.change(fileOf(ports, "blocked: [{fields: [Query.product, Mutation.createOrdr]}]"))
	if log := r.Log.String(); !strings.Contains(log, "Mutation.createOrdr") {
		t.Errorf("the log lacks the mistake:\n%s", log)
	}
	r.wantMetric(`gateway_config_last_reload_successful 0`)
}

// Under load, a reload blocks from one moment on and lets pass again, and no request is answered otherwise.
func TestBlockedReloadUnderLoad(t *testing.T) {
	_, ports := newShop(t)
	r := newReloaded(t, fileOf(ports))
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var passed, refused atomic.Int64
	for range 4 {
		load.Go(func() {
			for ctx.Err() == nil {
				got, err := r.do(ctx, request{query: `query Hot { product(sku: "B-100") { sku } }`})
				switch {
				case ctx.Err() != nil:
				case err == nil && got.Status == http.StatusOK && strings.Contains(got.Body, `{"data":{"product":{"sku":"B-100"}}}`):
					passed.Add(1)
				case err == nil && got.Status == http.StatusForbidden && strings.Contains(got.Body, "Not at this hour."):
					refused.Add(1)
				default:
					t.Errorf("%v %v", got, err)
				}
			}
		})
	}
	grows := func(n *atomic.Int64) func() bool {
		before := n.Load()
		return func() bool { return n.Load() > before+10 }
	}
	for range 5 {
		r.change(fileOf(ports, `blocked: [{fields: [Query.product], message: Not at this hour.}]`), true)
		r.await(grows(&refused))
		before := passed.Load()
		r.await(grows(&refused))
		if n := passed.Load() - before; n > 0 {
			t.Errorf("%d passed that are blocked", n)
		}
		r.change(fileOf(ports), true)
		r.await(grows(&passed))
	}
	stop()
	load.Wait()
}

// A blocked operation does not join the execution of an equal one of another client.
func TestBlockedDoesNotJoin(t *testing.T) {
	g, _, b := newCoalescing(t, func(c *config.Config) { c.Blocked = []blocklist.Entry{{Client: "ios"}} })
	web := g.leaver(t, request{query: oneProduct, header: []string{"GraphQL-Client-Name: web"}})
	coalescetest.Await(t, 2, b.count(1)) // the caller, and its execution for the call
	if got := g.mustDo(t, request{query: oneProduct, header: []string{"GraphQL-Client-Name: ios"}}); got.Status != http.StatusForbidden {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	close(b.open)
	if <-web.done; web.err != nil || web.got.Status != http.StatusOK {
		t.Errorf("%v, %v", web.got, web.err)
	}
	if n := b.calls.Load(); n != 1 {
		t.Errorf("%d calls", n)
	}
}
