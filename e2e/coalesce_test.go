package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/coalesce/coalescetest"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// callGate is a proxy before all services. It counts their calls and holds every GET until it is
// opened, so that requests sent meanwhile are certainly concurrent.
type callGate struct {
	calls     atomic.Int32
	cancelled atomic.Int32 // calls that were cancelled while they were held
	open      chan struct{}
	fail      atomic.Bool // calls that pass get an error
}

// passes reports whether a call is not held: a write, so that the read after it is.
var passes = func() chan struct{} { open := make(chan struct{}); close(open); return open }()

func (b *callGate) count(n int32) func() bool { return func() bool { return b.calls.Load() == n } }

// newCoalescing returns a gateway that coalesces, unless change disables it, with a callGate before
// its services, and the same gateway without both.
func newCoalescing(t *testing.T, change ...func(*config.Config)) (g, plain *gatewayUnderTest, b *callGate) {
	t.Helper()
	b = &callGate{open: make(chan struct{})}
	var behind *config.Config
	g = newGateway(t, func(c *config.Config) {
		c.Execution.Engine, c.Execution.Coalesce = engine.EnginePlan, true
		for name, source := range c.Sources {
			source.Forward = append(source.Forward, "X-Tenant")
			c.Sources[name] = source
		}
		before := *c
		before.Sources = config.Sources{}
		for name, source := range c.Sources {
			before.Sources[name] = source
			source.URLs = upstreams.URLs(b.before(t, source.URLs[0].URL))
			c.Sources[name] = source
		}
		before.Execution.Coalesce = false
		behind = &before
		for _, more := range change {
			more(c)
		}
	})
	plain = newGateway(t, func(c *config.Config) { c.Sources, c.Execution.Engine = behind.Sources, engine.EnginePlan })
	return g, plain, b
}

// before starts a proxy before the server at a URL.
func (b *callGate) before(t *testing.T, behind string) string {
	t.Helper()
	to, err := url.Parse(behind)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // net/http notices that the client disconnects only after the body has been read
		r.Body = io.NopCloser(bytes.NewReader(body))
		b.calls.Add(1)
		hold := b.open
		if r.Method != http.MethodGet {
			hold = passes
		}
		select {
		case <-hold:
		case <-r.Context().Done():
			b.cancelled.Add(1)
			return
		}
		if b.fail.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// request is what one caller sends.
type request struct {
	token, query, operation string
	variables               string // as JSON text
	header                  []string
}

func (g *gatewayUnderTest) do(ctx context.Context, a request) (*response, error) {
	if a.variables == "" {
		a.variables = "null"
	}
	body, _ := json.Marshal(map[string]any{"query": a.query, "operationName": a.operation, "variables": json.RawMessage(a.variables)})
	sent, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sent.Header.Set("Content-Type", "application/json")
	if a.token != "" {
		sent.Header.Set("Authorization", "Bearer "+a.token)
	}
	for _, line := range a.header {
		name, value, _ := strings.Cut(line, ": ")
		sent.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(sent)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return &response{Status: res.StatusCode, Body: string(text), Header: res.Header}, err
}

func (g *gatewayUnderTest) mustDo(t *testing.T, a request) *response {
	t.Helper()
	got, err := g.do(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// operations returns the access log lines by request id.
func (b *logBuffer) operations(t *testing.T) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for line := range strings.Lines(b.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if entry["msg"] == "operation" {
			all[fmt.Sprint(entry["request_id"])] = entry
		}
	}
	return all
}

const (
	oneProduct  = `{ product(sku: "B-100") { name price } }`
	anyProduct  = `query($sku: ID!, $with: Boolean!) { product(sku: $sku) { name price @include(if: $with) } }`
	twoProducts = `query A { product(sku: "B-100") { name } } query B { product(sku: "B-100") { price } }`
	personal    = `{ user(id: "u2") { name email } }`
	change      = `mutation { updateUser(id: "u2", input: {name: "Zoe"}) { name orders { id } } }`
	byHand      = `{ person(id: "u2") { name } }`
)

// Of two concurrent requests, equal ones are executed once, and requests that differ in anything
// that matters are not. Each caller gets the response that it gets alone.
func TestCoalesce(t *testing.T) {
	shop := services.New(services.Options{Secret: []byte(secret)})
	sign := func(subject, scope string) string {
		token, err := shop.Token(services.Identity{Subject: subject, Scope: scope, Roles: []string{"admin"}})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	reader, plainUser, other := sign("u1", "users:read users:write orders:read"), sign("u1", ""), sign("u3", "users:read users:write")
	sku := func(variables string) request { return request{query: anyProduct, variables: variables} }
	off := func(c *config.Config) { c.Execution.Coalesce = false }
	for name, c := range map[string]struct {
		first, second request
		calls         int32 // of the services
		operations    int   // callers that wait for an execution, shared or not
		calling       int   // executions that wait for a call
		coalesced     bool
		change        func(*config.Config)
	}{
		"equal":                    {first: request{query: oneProduct}, second: request{query: oneProduct}, calls: 1, operations: 2, calling: 1, coalesced: true},
		"equal with a token":       {first: request{query: personal, token: reader}, second: request{query: personal, token: reader}, calls: 1, operations: 2, calling: 1, coalesced: true},
		"headers of no account":    {first: request{query: oneProduct, header: []string{"X-Other: 1", "User-Agent: a"}}, second: request{query: oneProduct, header: []string{"X-Other: 2", "Accept: application/graphql-response+json"}}, calls: 1, operations: 2, calling: 1, coalesced: true},
		"order of variables":       {first: sku(`{"sku": "B-100", "with": true}`), second: sku(`{"with": true, "sku": "B-100"}`), calls: 1, operations: 2, calling: 1, coalesced: true},
		"off":                      {first: request{query: oneProduct}, second: request{query: oneProduct}, calls: 2, change: off},
		"identities":               {first: request{query: oneProduct, token: reader}, second: request{query: oneProduct, token: other}, calls: 2, operations: 2, calling: 2},
		"identities not forwarded": {first: request{query: oneProduct, token: reader}, second: request{query: oneProduct, token: other}, calls: 2, operations: 2, calling: 2, change: forwardsNothing},
		"scopes not forwarded":     {first: request{query: oneProduct, token: reader}, second: request{query: oneProduct, token: plainUser}, calls: 2, operations: 2, calling: 2, change: forwardsNothing},
		"anonymous and not":        {first: request{query: oneProduct}, second: request{query: oneProduct, token: other}, calls: 2, operations: 2, calling: 2},
		"scopes of one subject":    {first: request{query: personal, token: reader}, second: request{query: personal, token: plainUser}, calls: 2, operations: 2, calling: 2},
		"forwarded header":         {first: request{query: oneProduct, header: []string{"X-Tenant: a"}}, second: request{query: oneProduct, header: []string{"X-Tenant: b"}}, calls: 2, operations: 2, calling: 2},
		"forwarded header, empty":  {first: request{query: oneProduct, header: []string{"X-Tenant: "}}, second: request{query: oneProduct}, calls: 2, operations: 2, calling: 2},
		"variables":                {first: sku(`{"sku": "B-100", "with": true}`), second: sku(`{"sku": "B-200", "with": true}`), calls: 2, operations: 2, calling: 2},
		"conditions":               {first: sku(`{"sku": "B-100", "with": true}`), second: sku(`{"sku": "B-100", "with": false}`), calls: 1, operations: 2, calling: 2},
		"names":                    {first: request{query: twoProducts, operation: "A"}, second: request{query: twoProducts, operation: "B"}, calls: 1, operations: 2, calling: 2},
		"one call of two":          {first: request{query: oneProduct}, second: request{query: `{ product(sku: "B-100") { sku rating } }`}, calls: 1, operations: 2, calling: 2},
		"one call of two, not":     {first: request{query: oneProduct, token: reader}, second: request{query: `{ product(sku: "B-100") { sku rating } }`, token: other}, calls: 2, operations: 2, calling: 2},
		"mutation":                 {first: request{query: change, token: reader}, second: request{query: change, token: reader}, calls: 4},
		"code by hand":             {first: request{query: byHand, token: reader}, second: request{query: byHand, token: reader}, calls: 1, calling: 2},
		"introspection":            {first: request{query: `{ __schema { queryType { name } } product(sku: "B-100") { name } }`}, second: request{query: `{ __schema { queryType { name } } product(sku: "B-100") { name } }`}, calls: 1, calling: 2},
		"names that are told on":   {first: request{query: oneProduct, header: []string{"X-Request-Id: a"}}, second: request{query: oneProduct, header: []string{"X-Request-Id: b"}}, calls: 2, operations: 2, calling: 2, change: forwardsIDs},
		"names that are ours":      {first: request{query: oneProduct}, second: request{query: oneProduct}, calls: 2, operations: 2, calling: 2, change: forwardsIDs},
		"names that are not":       {first: request{query: oneProduct, header: []string{"X-Request-Id: a"}}, second: request{query: oneProduct, header: []string{"X-Request-Id: b"}}, calls: 1, operations: 2, calling: 1, coalesced: true},
		"traces":                   {first: request{query: oneProduct, header: []string{"Traceparent: a", "B3: 1", "X-Correlation-Id: x"}}, second: request{query: oneProduct, header: []string{"Traceparent: b", "Sentry-Trace: 2", "X-Correlation-Id: y"}}, calls: 1, operations: 2, calling: 1, coalesced: true, change: forwardsTraces},
		"calls of traces":          {first: request{query: oneProduct, header: []string{"Traceparent: a"}}, second: request{query: `{ product(sku: "B-100") { sku rating } }`, header: []string{"Traceparent: b"}}, calls: 1, operations: 2, calling: 2, change: forwardsTraces},
		"baggage":                  {first: request{query: oneProduct, header: []string{"Baggage: user=1"}}, second: request{query: oneProduct, header: []string{"Baggage: user=2"}}, calls: 2, operations: 2, calling: 2, change: forwardsTraces},
		"one source varies": {first: request{query: oneProduct, header: []string{"X-Correlation-Id: x"}}, second: request{query: oneProduct, header: []string{"X-Correlation-Id: y"}}, calls: 1, operations: 2, calling: 2, change: func(c *config.Config) {
			forwardsTraces(c)
			users := c.Sources["users"]
			users.NoVary = nil
			c.Sources["users"] = users
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.change == nil {
				c.change = func(*config.Config) {}
			}
			g, plain, b := newCoalescing(t, c.change)
			var answers [2]*response
			var all sync.WaitGroup
			for i, a := range []request{c.first, c.second} {
				all.Go(func() {
					var err error
					if answers[i], err = g.do(t.Context(), a); err != nil {
						t.Error(err)
					}
				})
			}
			coalescetest.Await(t, c.operations+c.calling, b.count(c.calls))
			close(b.open)
			all.Wait()
			if t.Failed() {
				return
			}
			if n := b.calls.Load(); n != c.calls {
				t.Errorf("%d calls, want %d", n, c.calls)
			}
			log, coalesced := g.Log.operations(t), 0
			for i, a := range []request{c.first, c.second} {
				if alone := plain.mustDo(t, a); answers[i].Body != alone.Body || answers[i].Status != alone.Status || !strings.Contains(alone.Body, `"data":{"`) {
					t.Errorf("caller %d got %d %s\nalone %d %s", i, answers[i].Status, answers[i].Body, alone.Status, alone.Body)
				}
				line := log[answers[i].Header.Get("X-Request-Id")]
				if of, ok := line["coalesced"]; ok {
					coalesced++
					if begun := log[fmt.Sprint(of)]; begun == nil || begun["coalesced"] != nil || begun["backend_calls"] != float64(1) || line["backend_calls"] != float64(0) {
						t.Errorf("%v joined %v", line, begun)
					}
				}
			}
			if want := map[bool]int{true: 1}[c.coalesced]; coalesced != want || len(log) != 2 {
				t.Errorf("%d of the log's lines say that an execution was joined, want %d: %v", coalesced, want, log)
			}
		})
	}
}

// forwardsIDs makes the gateway forward request ids to the services.
func forwardsIDs(c *config.Config) {
	for name, source := range c.Sources {
		source.Forward = append(source.Forward, "X-Request-ID")
		c.Sources[name] = source
	}
}

// forwardsTraces makes the gateway forward headers for tracing to the services, and two others, of which
// responses depend on baggage.
func forwardsTraces(c *config.Config) {
	for name, source := range c.Sources {
		source.Forward = append(source.Forward, "traceparent", "b3", "sentry-trace", "baggage", "X-Correlation-ID")
		source.NoVary = []string{"x-correlation-id"}
		c.Sources[name] = source
	}
}

// forwardsNothing makes the gateway forward no headers.
func forwardsNothing(c *config.Config) {
	for name, source := range c.Sources {
		source.Forward = nil
		c.Sources[name] = source
	}
}

// Two concurrent tokens of one subject with different scopes get different fields.
func TestCoalescingKeepsScopesApart(t *testing.T) {
	g, _, b := newCoalescing(t)
	close(b.open)
	for scope, want := range map[string]string{"users:read": `"email":"`, "": `"email":null`} {
		token := g.token(t, services.Identity{Subject: "u1", Scope: scope})
		if a := g.mustDo(t, request{query: personal, token: token}); !strings.Contains(a.Body, want) {
			t.Errorf("with the scopes %q: %s", scope, a.Body)
		}
	}
}

// leaver is a client that can disconnect.
type leaver struct {
	leave context.CancelFunc
	done  chan struct{}
	got   *response
	err   error
}

func (g *gatewayUnderTest) leaver(t *testing.T, a request) *leaver {
	ctx, cancel := context.WithCancel(t.Context())
	l := &leaver{leave: cancel, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		l.got, l.err = g.do(ctx, a)
	}()
	return l
}

// When the first caller disconnects, the others still get the response; when all have, the call to
// the service is cancelled.
func TestCoalesceLeaving(t *testing.T) {
	g, _, b := newCoalescing(t)
	first := g.leaver(t, request{query: oneProduct})
	coalescetest.Await(t, 2, b.count(1)) // the caller, and its execution for the call
	second := g.leaver(t, request{query: oneProduct})
	third := g.leaver(t, request{query: oneProduct})
	coalescetest.Await(t, 4, b.count(1))
	first.leave()
	if <-first.done; !errors.Is(first.err, context.Canceled) {
		t.Errorf("the first has left with %v", first.err)
	}
	coalescetest.Await(t, 3, b.count(1))
	close(b.open)
	<-second.done
	<-third.done
	for _, l := range []*leaver{second, third} {
		if l.err != nil || l.got.Status != http.StatusOK || !strings.Contains(l.got.Body, `"price"`) {
			t.Errorf("who stayed got %+v %v", l.got, l.err)
		}
	}
	if b.calls.Load() != 1 || b.cancelled.Load() != 0 {
		t.Errorf("%d calls, %d cancelled", b.calls.Load(), b.cancelled.Load())
	}

	g, _, b = newCoalescing(t)
	both := []*leaver{g.leaver(t, request{query: oneProduct}), g.leaver(t, request{query: oneProduct})}
	coalescetest.Await(t, 3, b.count(1))
	for _, l := range both {
		l.leave()
	}
	coalescetest.Await(t, 0, func() bool { return b.cancelled.Load() == 1 })
	close(b.open)
	if a := g.mustDo(t, request{query: oneProduct}); !strings.Contains(a.Body, `"price"`) || b.calls.Load() != 2 {
		t.Errorf("after %d calls: %s", b.calls.Load(), a.Body)
	}
}

// A failed execution gives every caller all errors and is logged once.
func TestCoalesceFailing(t *testing.T) {
	g, _, b := newCoalescing(t)
	b.fail.Store(true)
	both := []*leaver{g.leaver(t, request{query: oneProduct}), g.leaver(t, request{query: oneProduct})}
	coalescetest.Await(t, 3, b.count(1))
	close(b.open)
	for _, l := range both {
		<-l.done
		if l.err != nil || strings.Count(l.got.Body, `"DOWNSTREAM_SERVICE_ERROR"`) != 1 || !strings.Contains(l.got.Body, `"path":["product"]`) {
			t.Errorf("%+v %v", l.got, l.err)
		}
	}
	if n := strings.Count(g.Log.String(), `"the service failed"`); n != 1 {
		t.Errorf("the log tells of the failure %d times", n)
	}
}

// Hundreds of callers with different identities and response sizes share reused buffers, and each
// gets its own bytes.
func TestCoalesceKeepsApart(t *testing.T) {
	g, plain, b := newCoalescing(t)
	close(b.open)
	var asks []request
	for user := range 8 {
		scope := []string{"users:read orders:read", "users:read"}[user%2]
		token := g.token(t, services.Identity{Subject: fmt.Sprintf("u%d", user+1), Scope: scope, Roles: []string{"admin"}})
		for _, n := range []int{1, 7, 40} {
			asks = append(asks, request{token: token, query: `query($n: Int) { me { id name orders(limit: $n) { id } } user(id: "u2") { email orders { id } } products(first: $n) { nodes { sku name description } } }`, variables: fmt.Sprintf(`{"n": %d}`, n)})
		}
	}
	want := make([]string, len(asks))
	different := map[string]bool{}
	for i, a := range asks {
		want[i] = plain.mustDo(t, a).Body
		different[want[i]] = true
	}
	if len(different) != len(asks) {
		t.Fatalf("of %d answers %d are different", len(asks), len(different))
	}
	const callers, rounds = 300, 6
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for round := range rounds {
				at := (i + round*7) % len(asks)
				got, err := g.do(t.Context(), asks[at])
				if err != nil || got.Body != want[at] {
					t.Errorf("caller %d got %+v %v\nwant %s", i, got, err, want[at])
					return
				}
			}
		})
	}
	all.Wait()
	joined := 0
	for _, line := range g.Log.operations(t) {
		if line["coalesced"] != nil {
			joined++
		}
	}
	if joined == 0 {
		t.Error("nothing was shared")
	}
	t.Logf("%d of %d requests joined an execution", joined, callers*rounds)
}
