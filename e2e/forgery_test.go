package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/playground/playgroundtest"
)

const (
	forgedQuery    = "{ products(first: 1) { nodes { sku } } }"
	forgedMutation = `mutation { cancelOrder(id: "1") { id } }`
)

// attackPage does whatever lets a page of another origin make a browser send an operation, and sets the
// global variable sent to their number when all have been sent.
const attackPage = `<!doctype html><link rel=icon href="data:,"><script>
const gateway = %[1]q, query = %[2]q, mutation = %[3]q;
const get = gateway + '?query=' + encodeURIComponent(query);
const body = JSON.stringify({query: mutation});
const quiet = promise => Promise.resolve(promise).catch(() => {});
const element = (name, members) => new Promise(done => {
	const e = Object.assign(document.createElement(name), members);
	e.onload = e.onerror = done;
	document.body.append(e);
});
const form = (method, enctype, fields) => new Promise(done => {
	const frame = Object.assign(document.createElement('iframe'), {name: 'f' + Math.random()});
	document.body.append(frame);
	const f = Object.assign(document.createElement('form'), {method, enctype, action: gateway, target: frame.name});
	for (const [name, value] of fields) f.append(Object.assign(document.createElement('input'), {name, value}));
	document.body.append(f);
	frame.onload = done;
	f.submit();
	setTimeout(done, 3000);
});
const attacks = () => [
	element('img', {src: get}), element('script', {src: get}), element('iframe', {src: get}),
	element('link', {rel: 'stylesheet', href: get}), element('video', {src: get}),
	form('GET', '', [['query', query]]),
	form('POST', 'text/plain', [['{"query":' + JSON.stringify(mutation) + ',"a":"', '"}']]),
	form('POST', 'application/x-www-form-urlencoded', [['query', mutation]]),
	form('POST', 'multipart/form-data', [['operations', body], ['map', '{}']]),
	quiet(fetch(get)), quiet(fetch(get, {credentials: 'include'})), quiet(fetch(get, {method: 'HEAD'})),
	quiet(fetch(get, {mode: 'no-cors', credentials: 'include', headers: {Accept: 'application/graphql-response+json'}})),
	quiet(fetch(get, {mode: 'no-cors', referrerPolicy: 'no-referrer'})),
	quiet(fetch(gateway, {method: 'POST', mode: 'no-cors', body})),
	quiet(fetch(gateway, {method: 'POST', mode: 'no-cors', body, headers: {'Content-Type': 'text/plain; application/json'}})),
	quiet(fetch(gateway, {method: 'POST', body, headers: {'Content-Type': 'application/json'}})),
	quiet(fetch(get, {headers: {'Apollo-Require-Preflight': 'true'}})),
	quiet(navigator.sendBeacon(gateway, body)), quiet(navigator.sendBeacon(gateway, new Blob([body], {type: 'application/json'}))),
];
addEventListener('load', async () => { const all = attacks(); await Promise.all(all); globalThis.sent = all.length; });
</script><body>`

// serveAttack serves the page that attacks a gateway, and returns its port.
func serveAttack(t *testing.T, gateway string) (port string) {
	t.Helper()
	page := fmt.Sprintf(attackPage, gateway, forgedQuery, forgedMutation)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(page))
	}))
	t.Cleanup(server.Close)
	return portOf(t, server.URL)
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

// A page of another site makes a real browser send no operation that is executed: neither to an address
// for which browsers send Sec-Fetch-Site, nor to a name without TLS, for which they do not.
func TestForgeryByABrowser(t *testing.T) {
	g := newGateway(t)
	page := playgroundtest.Visit(t, "about:blank", "evil.test", "gateway.test", "a.gateway.test", "localhost", "127.0.0.1")
	for _, test := range []struct{ gateway, attacker string }{
		{"127.0.0.1", "localhost"}, // another site
		{"gateway.test", "evil.test"},
		{"gateway.test", "a.gateway.test"}, // the same site, and another origin
	} {
		g.Shop.ResetCalls()
		before := len(g.Log.String())
		target := "http://" + test.gateway + ":" + portOf(t, g.URL) + "/graphql"
		page.Go("http://" + test.attacker + ":" + serveAttack(t, target) + "/")
		page.Eval(`new Promise(done => { const look = () => globalThis.sent ? done(sent) : setTimeout(look, 20); look(); })`)
		time.Sleep(time.Second) // beacons are sent in the background
		g.wantCalls(t, map[string]int{})
		arrived := 0
		for line := range strings.Lines(g.Log.String()[before:]) {
			if !strings.Contains(line, `"msg":"operation"`) {
				continue
			}
			arrived++
			if !strings.Contains(line, `"status":403`) && !strings.Contains(line, `"status":415`) {
				t.Errorf("%s: a request was not refused: %s", test.attacker, line)
			}
		}
		if arrived < 14 { // preflights are not among them
			t.Errorf("%s: only %d requests arrived", test.attacker, arrived)
		}
	}
}

// The same browser may send operations of the gateway's own page, and of pages that CORS allows.
func TestPagesThatMayCall(t *testing.T) {
	g := newGateway(t, func(c *config.Config) {
		c.CORS.Origins = []string{"http://localhost:*", "http://shop.test:*"}
	})
	port := portOf(t, g.URL)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
	}))
	t.Cleanup(other.Close)
	page := playgroundtest.Visit(t, "about:blank", "gateway.test", "shop.test", "localhost", "127.0.0.1")
	for _, test := range []struct{ page, gateway string }{
		{"http://127.0.0.1:" + port + "/", "/graphql"},
		{"http://gateway.test:" + port + "/", "/graphql"},
		{"http://localhost:" + portOf(t, other.URL) + "/", "http://127.0.0.1:" + port + "/graphql"},
		{"http://shop.test:" + portOf(t, other.URL) + "/", "http://gateway.test:" + port + "/graphql"},
	} {
		page.Go(test.page)
		for _, call := range []string{
			fmt.Sprintf(`fetch(%q, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({query: %q})})`, test.gateway, forgedQuery),
			fmt.Sprintf(`fetch(%q + '?query=' + encodeURIComponent(%q), {headers: {Accept: 'application/graphql-response+json'}})`, test.gateway, forgedQuery),
		} {
			got := page.Eval(call + `.then(async r => r.status + ' ' + await r.text(), e => 'failed: ' + e)`)
			if !strings.HasPrefix(got, `200 {"data":{"products":{"nodes":[`) {
				t.Errorf("%s: %s: %s", test.page, call, got)
			}
		}
	}
}
