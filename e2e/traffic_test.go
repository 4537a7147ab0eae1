package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/engine/coalesce/coalescetest"
	"github.com/gatehouse-graphql/gatehouse/gateway/blocklist"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/costlimit"
	trusted "github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/admission"
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

// There is one address of a client: that of the PROXY protocol is the peer's, and X-Forwarded-For counts if that
// peer is trusted, for networks, rate limits and the log.
func TestOneAddressOfAClient(t *testing.T) {
	g := newGateway(t, func(c *config.Config) {
		c.ProxyProtocol.Trusted = []string{"127.0.0.1"}
		c.Proxies.Trusted = []string{"127.0.0.1", "192.0.2.0/24"}
		c.Networks.Deny = []string{"203.0.113.66"}
		c.Log.ClientAddress = true
		c.RateLimits.Rules = []ratelimit.Rule{{Name: "ip", By: []string{"ip"}, Limits: []string{"1/h"}}}
	})
	var addresses []string
	for _, c := range []struct {
		peer, forwarded string
		status          int
		address         string
	}{
		{"203.0.113.9", "203.0.113.66", http.StatusOK, "203.0.113.9"},
		{"203.0.113.9", "198.51.100.1", http.StatusTooManyRequests, "203.0.113.9"},
		{"192.0.2.1", "203.0.113.9", http.StatusTooManyRequests, "203.0.113.9"},
		{"192.0.2.1", "203.0.113.66", http.StatusForbidden, "203.0.113.66"},
		{"203.0.113.66", "198.51.100.1", http.StatusForbidden, "203.0.113.66"},
		{"192.0.2.1", "203.0.113.66, 198.51.100.1, 127.0.0.1", http.StatusOK, "198.51.100.1"},
		{"198.51.100.1", "", http.StatusTooManyRequests, "198.51.100.1"},
	} {
		got, _ := g.raw(t, fmt.Sprintf("PROXY TCP4 %s 198.51.100.200 1234 443\r\nGET /graphql?query={__typename} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: %s\r\nConnection: close\r\n\r\n", c.peer, c.forwarded))
		if line, _, _ := strings.Cut(got, "\r\n"); !strings.Contains(line, fmt.Sprintf(" %d ", c.status)) {
			t.Errorf("%s for %s: %q, want %d", c.peer, c.forwarded, line, c.status)
		}
		addresses = append(addresses, c.address)
	}
	var logged []string
	for _, entry := range g.Log.records(t, "operation") {
		logged = append(logged, fmt.Sprint(entry["client_ip"]))
	}
	if !slices.Equal(logged, addresses) {
		t.Errorf("logged are %v, want %v", logged, addresses)
	}
}

// trafficSettings are settings of each part that has rules for traffic.
type trafficSettings map[string]string

// text returns the blocks in the order of their names.
func (s trafficSettings) text() string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		lines = append(lines, name+": "+s[name])
	}
	return strings.Join(lines, "\n")
}

// with returns the settings with another value of one of them.
func (s trafficSettings) with(name, value string) trafficSettings {
	changed := maps.Clone(s)
	changed[name] = value
	return changed
}

// rulesInUse returns what clients see of the rules of a gateway, by setting.
func (r *reloaded) rulesInUse() map[string]string {
	const post = "Content-Type: application/json"
	operation := func(body string, header ...string) *response {
		return r.gatewayUnderTest.send(r.t, http.MethodPost, "/graphql", body, append(header, post)...)
	}
	_, page := get(r.t, r.URL+"/metrics")
	_, limit, _ := strings.Cut(page, "\ngateway_operations_limit ")
	limit, _, _ = strings.Cut(limit, "\n")
	return map[string]string{
		"admission":  limit,
		"blocked":    operation(`{"query": "query Blocked { __typename }"}`).codes(),
		"cost":       operation(`{"query": "{ products(first: 50) { nodes { sku } } }"}`).codes(),
		"csrf":       fmt.Sprint(operation(`{"query": "{ __typename }"}`, "Sec-Fetch-Site: cross-site").Status),
		"documents":  operation(`{"documentId": "typename"}`).codes(),
		"networks":   fmt.Sprint(operation(`{"query": "{ __typename }"}`, "X-Forwarded-For: 192.0.2.1").Status),
		"rateLimits": operation(`{"query": "{ __typename }"}`).Header.Get("RateLimit-Policy"),
	}
}

// A reload takes up the rules of all parts together, or of none if one is wrong, also where only the part itself
// can see that, and no request is lost.
func TestReloadOfAllRules(t *testing.T) {
	_, ports := newShop(t)
	manifest := filepath.Join(t.TempDir(), "manifest.json")
	if err := os.WriteFile(manifest, []byte(`{"typename": "{ __typename }"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	before := trafficSettings{
		"admission": "{maxOperations: 70}", "blocked": "[{operation: Other}]", "cost": "{max: 1000}", "csrf": "{mode: enforce}",
		"documents": "{apq: {enabled: true}}", "networks": "{deny: [198.51.100.1]}", "proxies": "{trusted: [127.0.0.1]}",
		"rateLimits": "{rules: [{name: before, by: [everyone], limits: [1000000/s]}]}",
	}
	after := trafficSettings{
		"admission": "{maxOperations: 80}", "blocked": "[{operation: Blocked}]", "cost": "{max: 40}", "csrf": "{mode: off}",
		"documents": "{mode: log, manifests: [{files: [" + manifest + "]}]}", "networks": "{deny: [192.0.2.1]}", "proxies": "{trusted: [127.0.0.1]}",
		"rateLimits": "{rules: [{name: after, by: [everyone], limits: [1000000/s]}]}",
	}
	wantBefore := map[string]string{
		"admission": "70", "blocked": "", "cost": "", "csrf": "403", "documents": "PERSISTED_QUERY_NOT_FOUND", "networks": "200", "rateLimits": `"before";q=1000000;w=1`,
	}
	wantAfter := map[string]string{
		"admission": "80", "blocked": "FORBIDDEN", "cost": "COST_ESTIMATED_TOO_EXPENSIVE", "csrf": "200", "documents": "", "networks": "403", "rateLimits": `"after";q=1000000;w=1`,
	}
	r := newReloaded(t, fileOf(ports, before.text()))
	want := func(what string, want map[string]string) {
		t.Helper()
		if diff := cmp.Diff(want, r.rulesInUse()); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	want("before", wantBefore)

	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var requests, failed atomic.Int64
	for range 4 {
		load.Go(func() {
			for ctx.Err() == nil {
				a := r.query(t, "", `query Load { products(first: 3) { nodes { sku } } }`, nil)
				if requests.Add(1); len(a.Errors) > 0 && failed.Add(1) < 5 {
					t.Error(a.Body)
				}
			}
		})
	}
	wrong := []struct{ setting, value string }{
		{"admission", "{watermarks: {cpuPercent: 200}}"},
		{"blocked", "[{fields: [Query.none]}]"}, // which the front alone knows
		{"cost", "{max: -1}"},
		{"csrf", "{mode: on}"},
		{"documents", "{mode: log, manifests: [{files: [" + manifest + ".none]}]}"},
		{"networks", "{deny: [192.0.2.1/40]}"},
		{"rateLimits", "{rules: [{name: after, limits: [often]}]}"},
		{"proxyProtocol", "{trusted: [here]}"},
		{"store", "{redis: {urls: [http://localhost]}}"},
		{"tls", "{certificates: [{certFile: none.pem, keyFile: none.pem}]}"},
		{"tls", "{acme: {domains: [a.example], acceptTerms: true, cacheDir: " + t.TempDir() + "}}"}, // right, but it needs a restart
	}
	for _, c := range wrong {
		r.change(fileOf(ports, after.with(c.setting, c.value).text()))
		want(c.setting+": "+c.value, wantBefore)
	}
	if applied, refused := r.reloads(); applied != 0 || refused != len(wrong) {
		t.Errorf("%d applied, %d refused\n%s", applied, refused, r.Log)
	}
	r.change(fileOf(ports, after.text()))
	want("after", wantAfter)
	r.change(fileOf(ports, before.text()))
	want("before again", wantBefore)
	stop()
	load.Wait()
	if failed.Load() > 0 || requests.Load() < 100 {
		t.Errorf("%d of %d requests failed", failed.Load(), requests.Load())
	}
}

// Of the operations that wait for their turn, the one that costs the most is refused for a new one, although both
// select the same fields and no setting limits costs.
func TestExpensiveOperationsGiveWay(t *testing.T) {
	g, _, b := newCoalescing(t, func(c *config.Config) {
		c.Execution.Coalesce = false
		c.Metrics.Public = true
		c.Admission = admission.Options{MaxOperations: 1, MaxWaiting: -1, MaxQueued: 1, MaxWait: long}
	})
	var running sync.WaitGroup
	send := func(n string, status *int) {
		running.Go(func() {
			a, err := g.do(t.Context(), request{query: fivePlus, variables: `{"n": ` + n + `}`})
			if err != nil {
				t.Error(err)
				return
			}
			*status = a.Status
		})
	}
	var first, expensive, cheap int
	send("2", &first)
	eventually(t, func() bool { return b.calls.Load() == 1 })
	send("90", &expensive)
	eventually(t, func() bool {
		_, page := get(t, g.URL+"/metrics")
		return strings.Contains(page, `gateway_operations_queued{class="other"} 1`) || strings.Contains(page, "gateway_operations_queued 1")
	})
	send("1", &cheap)
	eventually(t, func() bool {
		_, page := get(t, g.URL+"/metrics")
		return strings.Contains(page, `gateway_refused_total{cause="operations"} 1`)
	})
	close(b.open)
	running.Wait()
	if first != http.StatusOK || expensive != http.StatusServiceUnavailable || cheap != http.StatusOK {
		t.Errorf("the first %d, the expensive one %d, the cheap one %d", first, expensive, cheap)
	}
}
