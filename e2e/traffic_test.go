package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine/coalesce/coalescetest"
	"github.com/gatehouse-graphql/gatehouse/gateway/blocklist"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/costlimit"
	trusted "github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/ratelimit"
	"github.com/gatehouse-graphql/gatehouse/store"
	"github.com/gatehouse-graphql/gatehouse/store/redistest"
)

// A limit that counts costs charges an operation what it is estimated to cost, with a limit of costs or without, and
// nothing for an operation that is refused.
func TestRateLimitByCost(t *testing.T) {
	for name, limit := range map[string]costlimit.Options{"no limit of costs": {}, "a limit of costs": {Max: 20}} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, func(c *config.Config) {
				c.Cost = limit
				c.RateLimits.Rules = []ratelimit.Rule{{Name: "work", By: []string{"everyone"}, Count: ratelimit.CountCost, Limits: []string{"20/h"}}}
			})
			for _, step := range []struct {
				products, status int
				left             string
			}{ // each costs two more than the products
				{5, http.StatusOK, "13"},
				{1, http.StatusOK, "10"},
				{9, http.StatusTooManyRequests, "10"},
				{8, http.StatusOK, "0"},
				{0, http.StatusTooManyRequests, "0"},
			} {
				g.Shop.ResetCalls()
				a := g.query(t, "", fivePlus, map[string]any{"n": step.products})
				if state := a.Header.Get("RateLimit"); a.Status != step.status || !strings.HasPrefix(state, `"work";r=`+step.left+";") {
					t.Errorf("%d products: %d, RateLimit %s, want %d and %s left", step.products, a.Status, state, step.status, step.left)
				}
				if step.status != http.StatusOK {
					g.wantCalls(t, map[string]int{})
				}
			}
		})
	}
}

// What another rule refuses is charged to no rate limit, and what a rate limit refuses makes no call.
func TestRefusedRequestsAreNotCharged(t *testing.T) {
	manifest := filepath.Join(t.TempDir(), "manifest.json")
	const listed = `{"cheap": "{ products(first: 1) { nodes { sku } } }", "expensive": "{ products(first: 9) { nodes { sku } } }",
		"blocked": "query Blocked { products(first: 1) { nodes { sku } } }", "invalid": "query($n: Int!) { products(first: $n) { nodes { sku } } }"}`
	if err := os.WriteFile(manifest, []byte(listed), 0o600); err != nil {
		t.Fatal(err)
	}
	g := newGateway(t, enforcing(manifest), func(c *config.Config) {
		c.Blocked = []blocklist.Entry{{Operation: "Blocked"}}
		c.Cost = costlimit.Options{Max: 5}
		c.RateLimits.Rules = []ratelimit.Rule{{Name: "all", By: []string{"everyone"}, Limits: []string{"2/h"}}}
	})
	send := func(body string) *response { return g.post(t, "", strings.NewReader(body)) }
	for _, c := range []struct{ body, code string }{
		{`{"documentId": "blocked"}`, "FORBIDDEN"},
		{`{"documentId": "expensive"}`, "COST_ESTIMATED_TOO_EXPENSIVE"},
		{`{"documentId": "invalid"}`, "BAD_USER_INPUT"},
		{`{"documentId": "none"}`, "PERSISTED_QUERY_NOT_FOUND"},
		{`{"query": "{ products(first: 1) { nodes { name } } }"}`, "QUERY_NOT_IN_SAFELIST"},
	} {
		for range 3 {
			if a := send(c.body); a.codes() != c.code || a.Header.Get("RateLimit") != "" {
				t.Errorf("%s: %s, RateLimit %q", c.body, a.codes(), a.Header.Get("RateLimit"))
			}
		}
	}
	g.wantCalls(t, map[string]int{})
	for i, code := range []string{"", "", "RATE_LIMITED"} {
		if a := send(`{"documentId": "cheap"}`); a.codes() != code {
			t.Errorf("request %d: %s", i, a.Body)
		}
	}
	g.wantCalls(t, map[string]int{"listProducts": 2})
}

// Requests that share an execution have the header fields of their own limits, and one that is refused joins none.
func TestRateLimitsOfCoalescedRequests(t *testing.T) {
	g, _, b := newCoalescing(t, func(c *config.Config) {
		c.RateLimits.Rules = []ratelimit.Rule{{Name: "app", By: []string{"client"}, Limits: []string{"2/h"}}}
	})
	// The first request of "a" is charged before, so that the callers have different counts.
	if a := g.mustDo(t, request{query: `{ products(first: 1) { nodes { nope } } }`, header: []string{"GraphQL-Client-Name: a"}}); a.Header.Get("RateLimit") != "" {
		t.Errorf("an invalid request is charged: %s", a.Header.Get("RateLimit"))
	}
	if a := g.mustDo(t, request{query: `{ __typename }`, header: []string{"GraphQL-Client-Name: a"}}); a.Status != http.StatusOK {
		t.Fatal(a.Body)
	}
	var all sync.WaitGroup
	left := map[string]*response{}
	var mu sync.Mutex
	for _, client := range []string{"a", "b"} {
		all.Go(func() {
			a, err := g.do(t.Context(), request{query: oneProduct, header: []string{"GraphQL-Client-Name: " + client}})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			left[client] = a
		})
	}
	coalescetest.Await(t, 2+1, b.count(1))
	refused := g.mustDo(t, request{query: oneProduct, header: []string{"GraphQL-Client-Name: a"}}) // while the others wait
	if refused.Status != http.StatusTooManyRequests || refused.Header.Get("Retry-After") == "" || !strings.HasPrefix(refused.Header.Get("RateLimit"), `"app";r=0;`) {
		t.Errorf("refused: %d %v", refused.Status, refused.Header)
	}
	close(b.open)
	all.Wait()
	if t.Failed() {
		return
	}
	for client, want := range map[string]string{"a": `"app";r=0;`, "b": `"app";r=1;`} {
		if a := left[client]; a.Status != http.StatusOK || !strings.HasPrefix(a.Header.Get("RateLimit"), want) || a.Header.Get("Retry-After") != "" {
			t.Errorf("%s: %d %v, want %s", client, a.Status, a.Header, want)
		}
	}
	coalesced := 0
	for _, entry := range g.Log.operations(t) {
		if entry["coalesced"] != nil {
			coalesced++
		}
	}
	if coalesced != 1 || b.calls.Load() != 1 {
		t.Errorf("%d requests joined, %d calls, want 1 and 1", coalesced, b.calls.Load())
	}
}

// A document that a client registers at one gateway is known to another one with the same Redis.
func TestRegisteredDocumentsAreShared(t *testing.T) {
	server := redistest.Start(t)
	shared := func(c *config.Config) {
		c.Documents.APQ = trusted.APQ{Enabled: true, Store: trusted.StoreRedis}
		c.Store = config.Store(store.Options{Redis: store.Redis{URLs: []string{server.URL()}, Timeout: time.Second}})
	}
	first, second := newGateway(t, shared), newGateway(t, shared)
	alone := newGateway(t, func(c *config.Config) { c.Documents.APQ.Enabled = true })
	const text = `{ product(sku: "B-100") { sku } }`
	hash := fmt.Sprintf(`"extensions": {"persistedQuery": {"version": 1, "sha256Hash": %q}}`, trusted.Hash(text))
	find := func(g *gatewayUnderTest) *response { return g.post(t, "", strings.NewReader("{"+hash+"}")) }
	for _, g := range []*gatewayUnderTest{first, second} {
		if a := find(g); a.codes() != "PERSISTED_QUERY_NOT_FOUND" {
			t.Fatalf("before it is registered: %s", a.Body)
		}
	}
	register := first.post(t, "", strings.NewReader(fmt.Sprintf(`{"query": %q, %s}`, text, hash)))
	wantData(t, register, `{"product": {"sku": "B-100"}}`)
	wantData(t, find(second), `{"product": {"sku": "B-100"}}`)
	if a := find(alone); a.codes() != "PERSISTED_QUERY_NOT_FOUND" {
		t.Errorf("a gateway without Redis: %s", a.Body)
	}
	server.Kill()
	wantData(t, find(second), `{"product": {"sku": "B-100"}}`) // which has asked for it before
}
