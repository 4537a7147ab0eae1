package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/explain"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

// explainPlan returns the plan of an operation over the shop.
func explainPlan(t *testing.T, query string) *explain.Plan {
	t.Helper()
	files, err := filepath.Glob("schema/*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatal("no schema", err)
	}
	var sources []*ast.Source
	for _, file := range files {
		sources = append(sources, &ast.Source{Name: file, Input: readFile(t, file)})
	}
	schema, err := binding.Load(sources...)
	if err != nil {
		t.Fatal(err)
	}
	graph, err := binding.Compile(schema, binding.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	plans, err := explain.Operations(schema, graph, &ast.Source{Name: "query", Input: query}, explain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return plans[0]
}

// callsByRound returns a plan's calls, as `GET users`, sorted within each round.
func callsByRound(p *explain.Plan) [][]string {
	rounds := make([][]string, p.Rounds)
	for _, n := range p.Nodes {
		for range n.Call.Calls {
			rounds[n.Round-1] = append(rounds[n.Round-1], n.Call.Method+" "+n.Call.Source)
		}
	}
	for _, calls := range rounds {
		slices.Sort(calls)
	}
	return rounds
}

// barrier is a proxy before the services. It holds the calls of a round until as many have arrived
// as the plan has, so that the test sees exactly which calls belong to one round.
type barrier struct {
	mu    sync.Mutex
	want  []int
	got   [][]string    // by round; guarded by mu
	round int           // the one that gathers; guarded by mu
	pass  chan struct{} // closed when it is complete; guarded by mu
}

// before starts a gateway whose calls pass the barrier.
func (b *barrier) before(t *testing.T) *gatewayUnderTest {
	return newGateway(t, func(c *config.Config) {
		for name, source := range c.Sources {
			source.URLs = slices.Clone(source.URLs)
			for i, address := range source.URLs {
				to, err := url.Parse(address.URL)
				if err != nil {
					t.Fatal(err)
				}
				server := httptest.NewServer(b.hold(name, httputil.NewSingleHostReverseProxy(to)))
				t.Cleanup(server.Close)
				source.URLs[i].URL = server.URL
			}
			c.Sources[name] = source
		}
	})
}

func (b *barrier) hold(service string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-b.arrive(r.Method + " " + service):
		case <-time.After(long / 4): // an expected call did not arrive; the test fails later
		}
		next.ServeHTTP(w, r)
	})
}

func (b *barrier) arrive(call string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.got) == b.round {
		b.got, b.pass = append(b.got, nil), make(chan struct{})
	}
	b.got[b.round] = append(b.got[b.round], call)
	pass := b.pass
	if b.round == len(b.want) || len(b.got[b.round]) == b.want[b.round] {
		close(pass)
		b.round++
	}
	return pass
}

// With lists of known sizes, the explained calls and rounds are those that happen.
func TestExplainMatchesRounds(t *testing.T) {
	for name, query := range map[string]string{
		"one":           `{ product(sku: "B-100") { name } }`,
		"chain":         `{ user(id: "u6") { orders(limit: 2) { id customer { orders(limit: 3) { id } } } } }`,
		"fan out":       `{ orders(first: 20) { nodes { customer { name } lines { quantity } } } products(first: 3) { nodes { stock } } }`,
		"roots":         `{ a: product(sku: "B-100") { name } b: product(sku: "B-100") { name } users(first: 2) { nodes { name } } }`,
		"aliases":       `{ orders(first: 20) { nodes { a: customer { name orders(limit: 1) { id } } b: customer { email orders(limit: 1) { id } c: orders(limit: 2) { id } } } } }`,
		"whole, twice":  `{ product(sku: "B-100") { stock a: stock } products(first: 3) { nodes { stock } } }`,
		"fragments":     `{ ...q users(first: 3) { ...u ...u } } fragment q on Query { users(first: 3) { ...u } } fragment u on UserConnection { nodes { orders(limit: 1) { id } } }`,
		"full pages":    `{ users(first: 100) { nodes { orders(limit: 1) { customer { name } } } } }`,
		"equal roots":   `{ a: product(sku: "B-100") { name stock } b: product(sku: "B-100") { sku related { stock } } c: product(sku: "S-200") { name } }`,
		"equal pages":   `{ a: products(first: 3) { nodes { name stock } } b: products(first: 3) { totalCount nodes { stock } } products(first: 4) { nodes { sku } } }`,
		"two readings":  `{ inventory { left product { stock } } product(sku: "B-100") { stock } }`,
		"two fields":    `{ inventory { left } again: inventory { product { sku stock } } products(first: 2) { nodes { stock } } }`,
		"epochs":        `mutation { a: createOrder(input: {userId: "u1", lines: [{productId: "B-100"}]}) { lines { product { stock } } } b: createOrder(input: {userId: "u1", lines: [{productId: "B-100"}]}) { lines { product { stock } } } }`,
		"then the next": `mutation { a: createOrder(input: {userId: "u1", lines: [{productId: "B-100"}]}) { lines { product { name } } } b: cancelOrder(id: "9007199254740977") { customer { name } } }`,
	} {
		t.Run(name, func(t *testing.T) {
			p := explainPlan(t, query)
			want := callsByRound(p)
			b := &barrier{}
			for _, calls := range want {
				b.want = append(b.want, len(calls))
			}
			g := b.before(t)
			a := g.query(t, g.token(t, services.Admin), query, nil)
			if len(a.Errors) > 0 {
				t.Error(a.Body)
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, calls := range b.got {
				slices.Sort(calls)
			}
			if diff := cmp.Diff(want, b.got); diff != "" {
				t.Errorf("rounds (-explained +real):\n%s", diff)
			}
		})
	}
}

// No operation makes more calls to a service than explained, whatever the data.
func TestExplainIsUpperBound(t *testing.T) {
	g := newGateway(t)
	admin := g.token(t, services.Admin)
	for _, query := range []string{
		`{ orders(first: 100) { nodes { customer { name } lines { product { name related { stock related { sku } } } } } } }`,
		`{ a: order(id: "9007199254740977") { customer { name } replaces { customer { email } } } b: order(id: "9007199254755632") { customer { name } lines { product { sku } } } user(id: "u6") { orders(limit: 50) { customer { name orders { id } } } } }`,
		`{ users(first: 100) { nodes { id orders(limit: 50) { lines { product { stock } } customer { orders(limit: 5) { customer { name } } } } } } }`,
		`{ products(first: 200) { nodes { related { related { related { stock } } } } } product(sku: "S-200") { related { name } } }`,
	} {
		p := explainPlan(t, query)
		allowed := map[string]explain.Count{}
		for _, n := range p.Nodes {
			allowed[n.Call.Source] += n.Call.Calls
		}
		for range 5 {
			g.Shop.ResetCalls()
			if a := g.query(t, admin, query, nil); len(a.Errors) > 0 {
				t.Fatalf("%s: %s", query, a.Body)
			}
			for _, service := range []string{"users", "orders", "products"} {
				real := explain.Count(0)
				for n := range maps.Values(g.Shop.Calls(service)) {
					real += explain.Count(n)
				}
				if (real == 0) != (allowed[service] == 0) || real > allowed[service] {
					t.Errorf("%s: %s was called %s times, explained were at most %s", query, service, real, allowed[service])
				}
			}
		}
	}
}

// docs/explain.md shows what the tool prints.
func TestExplainIsDocumented(t *testing.T) {
	all := blocks(t, "docs/explain.md")
	query := regexp.MustCompile(`explain '(.*)'`).FindStringSubmatch(all[0].text)
	if query == nil || all[1].language != "text" {
		t.Fatal("docs/explain.md does not begin with an operation and its plan")
	}
	var text strings.Builder
	if err := explain.Text(&text, []*explain.Plan{explainPlan(t, query[1])}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all[1].text, text.String()); diff != "" {
		t.Errorf("docs/explain.md (-shown +real):\n%s", diff)
	}
}
