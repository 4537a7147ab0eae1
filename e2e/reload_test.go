package e2e

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

// reloaded is a gateway whose settings are in a file that a test rewrites.
type reloaded struct {
	*gatewayUnderTest
	t       *testing.T
	path    string
	hangups chan struct{}
}

// newShop starts a shop whose tokens are those of every other one.
func newShop(t *testing.T) (*services.Shop, *services.Running) {
	t.Helper()
	shop := services.New(services.Options{Secret: []byte(secret)})
	ports, err := shop.Start(context.Background(), services.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ports.Close)
	return shop, ports
}

// fileOf returns the text of a settings file for a shop.
func fileOf(ports *services.Running, more ...string) string {
	return fmt.Sprintf(`
listen: 127.0.0.1:0
metrics: {public: true}
auth: {issuers: [{issuer: %s, audiences: [%s], algorithms: [HS256], secret: "%s"}]}
sources:
  users: {urls: [%q], forward: [Authorization]}
  orders: {urls: [%q], forward: [Authorization]}
  products: {urls: [%q, %q, %q]}
`, services.DemoIssuer, services.DemoAudience, secret, ports.Users, ports.Orders, ports.Products[0], ports.Products[1], ports.Products[2]) +
		strings.Join(more, "\n") + "\n"
}

// newReloaded starts a gateway with a settings file.
func newReloaded(t *testing.T, text string) *reloaded {
	t.Helper()
	r := &reloaded{t: t, path: filepath.Join(t.TempDir(), "gateway.yaml"), hangups: make(chan struct{})}
	r.write(text)
	load := func() (*config.Config, error) {
		c, err := config.Load(config.LoadOptions{Path: r.path, Explicit: true})
		if err == nil {
			c.Execution.Engine = cmp.Or(c.Execution.Engine, engineOfTests)
		}
		return c, err
	}
	settings, err := load()
	if err != nil {
		t.Fatal(err)
	}
	g, stop, stopped := serve(t, command.Start{Config: settings, Load: load, ConfigFile: r.path, Hangups: r.hangups}, nil)
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Errorf("the gateway stopped with: %v", err)
		}
	})
	r.gatewayUnderTest = g
	return r
}

// write replaces the file, as editors and configuration management do it.
func (r *reloaded) write(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.path+".tmp", []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(r.path+".tmp", r.path); err != nil {
		r.t.Fatal(err)
	}
}

// reloads returns how many reloads were applied and refused.
func (r *reloaded) reloads() (applied, refused int) {
	r.t.Helper()
	_, page := get(r.t, r.URL+"/metrics")
	for outcome, n := range map[string]*int{"applied": &applied, "refused": &refused} {
		prefix := fmt.Sprintf("gateway_config_reloads_total{outcome=%q} ", outcome)
		_, rest, ok := strings.Cut(page, prefix)
		if !ok {
			r.t.Fatalf("the metrics lack %s", prefix)
		}
		if _, err := fmt.Sscan(rest, n); err != nil {
			r.t.Fatal(err)
		}
	}
	return applied, refused
}

// change replaces the file and waits until it was applied or refused: after a hangup, if there is to be
// one, and otherwise when the gateway notices it.
func (r *reloaded) change(text string, hangup ...bool) {
	r.t.Helper()
	applied, refused := r.reloads()
	r.write(text)
	if len(hangup) > 0 && hangup[0] {
		r.hangups <- struct{}{}
	}
	r.await(func() bool {
		nowApplied, nowRefused := r.reloads()
		return nowApplied+nowRefused > applied+refused
	})
}

func (r *reloaded) await(holds func() bool) {
	r.t.Helper()
	for end := time.Now().Add(long); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("no reload; the log:\n%s", r.Log)
		}
	}
}

// wantMetric fails unless the metrics have a line.
func (r *reloaded) wantMetric(line string) {
	r.t.Helper()
	if _, page := get(r.t, r.URL+"/metrics"); !strings.Contains(page, "\n"+line+"\n") {
		r.t.Errorf("the metrics lack %q", line)
	}
}

// A file with a mistake changes nothing, and log and metrics say so.
func TestReloadOfABadFile(t *testing.T) {
	_, ports := newShop(t)
	r := newReloaded(t, fileOf(ports))
	r.wantMetric(`gateway_config_last_reload_successful 1`)
	for name, c := range map[string]struct{ text, reason string }{
		"not YAML":              {"sources: {", "gateway.yaml:2:1: not YAML"},
		"nothing":               {"", `the settings have no sources.orders; add it with its urls`},
		"an unknown setting":    {fileOf(ports, "limts: {depth: 3}"), `gateway.yaml:9:1: limts: no such setting; did you mean \"limits\"?`},
		"a source that is gone": {strings.Replace(fileOf(ports), "  users:", "  people:", 1), `the settings have no sources.users`},
		"a wrong URL":           {strings.Replace(fileOf(ports), ports.Users, "ftp://users", 1), "gateway.yaml:6:18: sources.users.urls[0]: must begin with http://, https:// or unix://"},
		"an issuer":             {strings.Replace(fileOf(ports), secret, "short", 1), "it needs at least 32"},
		"an origin":             {fileOf(ports, "cors: {origins: [x]}"), "cors.origins"},
	} {
		r.change(c.text)
		if log := r.Log.String(); !strings.Contains(log, c.reason) {
			t.Errorf("%s: the log lacks %q:\n%s", name, c.reason, log)
		}
		r.wantMetric(`gateway_config_last_reload_successful 0`)
		wantData(t, r.query(t, "", `{ product(sku: "B-100") { sku } }`, nil), `{"product": {"sku": "B-100"}}`)
		if status, _ := get(t, r.URL+"/readyz"); status != http.StatusOK {
			t.Errorf("%s: /readyz is %d", name, status)
		}
	}
	if applied, refused := r.reloads(); applied != 0 || refused != 7 {
		t.Errorf("%d applied, %d refused", applied, refused)
	}
	r.change(fileOf(ports, "limits: {depth: 3}"))
	r.wantMetric(`gateway_config_last_reload_successful 1`)
	r.wantMetric(`gateway_config_reloads_total{outcome="applied"} 1`)
	if _, page := get(t, r.URL+"/metrics"); !strings.Contains(page, "\ngateway_config_last_reload_success_timestamp_seconds 1.") {
		t.Error("the metrics lack the time of the last reload")
	}
}

// What a reload changes of the front, of tokens and of the log.
func TestReloadOfOtherSettings(t *testing.T) {
	shop, ports := newShop(t)
	r := newReloaded(t, fileOf(ports))
	token, err := shop.Token(services.Customer)
	if err != nil {
		t.Fatal(err)
	}
	status := func(token string, query string) string { return r.query(t, token, query, nil).codes() }
	const deep, introspects, me = `{ product(sku: "B-100") { category { name } } }`, `{ __schema { queryType { name } } }`, `{ me { id } }`
	if got := status(token, deep) + status(token, me); got != "" || status(token, introspects) != "INTROSPECTION_DISABLED" {
		t.Fatalf("before: %s", got)
	}

	r.change(fileOf(ports, "limits: {depth: 2}", "introspection: true", "playground: true", "cors: {origins: [https://shop.example]}"))
	if got := status("", deep); got != "MAX_DEPTH_LIMIT" {
		t.Errorf("limits.depth: %s", got)
	}
	if got := status(token, introspects); strings.Contains(got, "INTROSPECTION") {
		t.Errorf("introspection: %s", got)
	}
	if status, page := get(t, r.URL+"/"); status != http.StatusOK || !strings.Contains(page, "<html") {
		t.Errorf("playground: %d", status)
	}
	req, _ := http.NewRequest(http.MethodPost, r.URL+"/graphql", strings.NewReader(`{"query": "{ __typename }"}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", "https://shop.example")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.Header.Get("Access-Control-Allow-Origin") != "https://shop.example" {
		t.Errorf("cors: %v", res.Header)
	}

	r.change(strings.Replace(fileOf(ports), "["+services.DemoAudience+"]", "[another]", 1))
	if got := r.query(t, token, me, nil); got.Status != http.StatusUnauthorized {
		t.Errorf("auth.issuers: %d %s", got.Status, got.Body)
	}
	r.change(fileOf(ports))
	if got := status(token, me) + status(token, deep); got != "" {
		t.Errorf("back: %s", got)
	}
}

// Settings that need a restart stay as they are and are named; a hangup reloads a file that is the same.
func TestReloadNamesWhatNeedsARestart(t *testing.T) {
	_, ports := newShop(t)
	r := newReloaded(t, fileOf(ports))
	r.change(strings.NewReplacer("listen: 127.0.0.1:0", "listen: 127.0.0.1:1", "public: true", "public: false").Replace(fileOf(ports, "log: {format: text}", "limits: {depth: 3}")))
	const want = `"msg":"changed settings that need a restart of the gateway are not in use","settings":["listen","log.format","metrics.public"]`
	if log := r.Log.String(); !strings.Contains(log, want) || !strings.Contains(log, `"changed":["limits.depth"]`) {
		t.Errorf("the log lacks %s or the changes:\n%s", want, log)
	}
	applied, _ := r.reloads() // /metrics is still there
	r.hangups <- struct{}{}
	r.await(func() bool { now, _ := r.reloads(); return now == applied+1 })
	if log := r.Log.String(); !strings.Contains(log, `"cause":"signal"`) {
		t.Errorf("the log lacks the signal:\n%s", log)
	}
}

// An operation that runs ends by the settings with which it began, except that it finds a service where
// it is now: the endpoints of a source are those of one service.
func TestReloadDuringAnOperation(t *testing.T) {
	for name, c := range map[string]struct {
		change func(text string) string
		moves  bool
	}{
		"the service has moved": {func(text string) string { return text }, true},
		"the source is another one": {func(text string) string {
			return strings.Replace(text, "  orders: {", "  orders: {connectTimeout: 1s, ", 1)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			oldShop, oldPorts := newShop(t)
			newShop, newPorts := newShop(t)
			arrived, answer := make(chan struct{}), make(chan struct{})
			proxy := slowProxy(t, oldPorts.Users, func() { close(arrived); <-answer })
			r := newReloaded(t, strings.Replace(fileOf(oldPorts), oldPorts.Users, proxy, 1))
			token, err := oldShop.Token(services.Customer)
			if err != nil {
				t.Fatal(err)
			}
			const query = `{ me { id name orders(limit: 1) { id } } }`
			var got *response
			var running sync.WaitGroup
			running.Go(func() { got = r.query(t, token, query, nil) }) // the user first, then the orders
			select {
			case <-arrived:
			case <-time.After(long):
				t.Fatal("the service was not called")
			}
			r.change(c.change(fileOf(newPorts)))
			close(answer)
			running.Wait()
			if len(got.Errors) > 0 {
				t.Errorf("the operation that ran: %s", got.Body)
			}
			if before, now := len(oldShop.Calls("orders")), len(newShop.Calls("orders")); c.moves != (now == 1) || c.moves != (before == 0) {
				t.Errorf("calls for the orders: %d to the service before, %d to the one of now", before, now)
			}
			if got := r.query(t, token, query, nil); len(got.Errors) > 0 || len(newShop.Calls("users")) != 1 || newShop.Calls("orders")["orderHistory"] == 0 {
				t.Errorf("after the reload: %s, calls to the new services: %v %v", got.Body, newShop.Calls("users"), newShop.Calls("orders"))
			}
		})
	}
}

// slowProxy returns the URL of a server that calls before and then passes each request on.
func slowProxy(t *testing.T, to string, before func()) string {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// Sources move under a constant load, while the file is also broken in between, and the services that they
// have left stop: no request fails.
func TestReloadUnderLoad(t *testing.T) {
	first, firstPorts := newShop(t)
	second, secondPorts := newShop(t)
	r := newReloaded(t, fileOf(firstPorts))
	token, err := first.Token(services.Customer)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var requests, failed atomic.Int64
	for i := range 6 {
		query := []string{
			`{ products(first: 3) { nodes { sku category { name } } } }`,
			`{ me { id name orders(limit: 2) { id lines { product { sku } } } } }`,
			`{ inventory { left product { sku } } }`,
		}[i%3]
		load.Go(func() {
			for ctx.Err() == nil {
				got := r.query(t, token, query, nil)
				if requests.Add(1); len(got.Errors) > 0 || got.Status != http.StatusOK {
					if failed.Add(1) < 5 {
						t.Errorf("%d %s", got.Status, got.Body)
					}
				}
			}
		})
	}
	contents := []string{
		fileOf(secondPorts), // everything moves
		"sources: {users: {urls: [",
		fileOf(firstPorts, "limits: {depth: 14}", "execution: {coalesce: true}"),
		strings.Replace(fileOf(firstPorts), "  products: {", "  products: {connectTimeout: 1s, ", 1), // other connections
		"",
		fileOf(secondPorts, "admission: {maxOperations: 4}"),
		strings.Replace(fileOf(secondPorts), `, "`+secondPorts.Products[2]+`"`, "", 1), // a replica less
		strings.Replace(fileOf(secondPorts), "  products: {", "  products: {timeout: 7s, headers: {X-A: b}, ", 1),
		fileOf(firstPorts, "  unused: {urls: [http://localhost:1]}"), // a source more
	}
	const rounds = 6
	for range rounds {
		for i, text := range contents {
			r.change(text, i%2 == 0)
		}
	}
	r.change(fileOf(secondPorts))
	calls := func(s *services.Shop) int {
		n := 0
		for _, service := range []string{"users", "orders", "products"} {
			for _, calls := range s.Calls(service) {
				n += calls
			}
		}
		return n
	}
	r.await(func() bool { // the reload that was counted may be one of before
		firstCalls, secondCalls := calls(first), calls(second)
		time.Sleep(100 * time.Millisecond)
		return calls(first) == firstCalls && calls(second) > secondCalls
	})
	secondCalls := calls(second)
	firstPorts.Close() // lets running calls finish
	time.Sleep(300 * time.Millisecond)
	if calls(second) < secondCalls+10 {
		t.Errorf("after the last move, the new services got %d calls", calls(second)-secondCalls)
	}
	stop()
	load.Wait()
	applied, refused := r.reloads()
	t.Logf("%d requests, %d failed; %d reloads applied, %d refused", requests.Load(), failed.Load(), applied, refused)
	if failed.Load() > 0 || requests.Load() < 100 || applied < 4*rounds || refused < rounds {
		t.Errorf("%d of %d requests failed; %d reloads applied, %d refused", failed.Load(), requests.Load(), applied, refused)
	}
}

// The networks that may come change with the settings, and with the files of networks that they name.
func TestReloadOfNetworks(t *testing.T) {
	_, ports := newShop(t)
	settings := fileOf(ports, "proxies: {trusted: [127.0.0.1]}", "networks: {deny: [192.0.2.0/25], denyFile: deny.txt}")
	folder := t.TempDir()
	denyFile := filepath.Join(folder, "deny.txt")
	settings = strings.Replace(settings, "deny.txt", denyFile, 1)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(denyFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("203.0.113.1\n")
	r := newReloaded(t, settings)
	want := func(denied ...string) {
		t.Helper()
		for _, ip := range []string{"192.0.2.1", "192.0.2.200", "203.0.113.1", "203.0.113.2"} {
			req, err := http.NewRequest(http.MethodGet, r.URL+"/graphql?query={__typename}", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Forwarded-For", ip)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if isDenied := res.StatusCode == http.StatusForbidden; isDenied != slices.Contains(denied, ip) {
				t.Errorf("%s: %d", ip, res.StatusCode)
			}
		}
	}
	want("192.0.2.1", "203.0.113.1")
	r.change(strings.Replace(settings, "192.0.2.0/25", "192.0.2.128/25", 1))
	want("192.0.2.200", "203.0.113.1")
	write("203.0.113.2\n")
	r.change(settings, true)
	want("192.0.2.1", "203.0.113.2")
	write("all\n")
	r.change(settings+"\n", true)
	if log := r.Log.String(); !strings.Contains(log, "networks.denyFile: "+denyFile+`:1: \"all\" is not a network`) {
		t.Errorf("the log lacks the mistake:\n%s", log)
	}
	want("192.0.2.1", "203.0.113.2")
}

// A reload takes up who is believed about addresses, and which classes of callers there are.
func TestReloadOfCallers(t *testing.T) {
	_, ports := newShop(t)
	r := newReloaded(t, fileOf(ports))
	want := func(address, class any) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, r.URL+"/graphql?query={__typename}", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", "192.0.2.1")
		req.Header.Set("X-App", "ios")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		var line map[string]any
		r.await(func() bool { // the line follows the response
			for _, line = range r.Log.records(t, "operation") {
				if line["request_id"] == res.Header.Get("X-Request-Id") {
					return true
				}
			}
			return false
		})
		if line["client_ip"] != address || line["class"] != class {
			t.Errorf("%v, want %v and %v", line, address, class)
		}
	}
	want(nil, nil)
	r.change(fileOf(ports, "log: {clientAddress: true}"))
	want("127.0.0.1", nil)
	r.change(fileOf(ports, "log: {clientAddress: true}", "proxies: {trusted: [127.0.0.1]}", "callers: {classes: [{name: app, clients: [ios]}]}"))
	want("192.0.2.1", "anonymous")
	r.change(fileOf(ports, "log: {clientAddress: true}", "proxies: {trusted: [10.0.0.1]}", "callers: {clientNameHeaders: [X-App], classes: [{name: app, clients: [ios]}]}"))
	want("127.0.0.1", "app")
}

// The listeners for operators have no lists of networks: that they can be reached is up to their addresses.
func TestNetworksAreThoseOfClients(t *testing.T) {
	g := newGateway(t, func(c *config.Config) {
		c.Metrics.Listen, c.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0"
		c.Networks.Deny = []string{"127.0.0.0/8"}
	})
	metrics := regexp.MustCompile(`"msg":"serving metrics","address":"(.*?)"`).FindStringSubmatch(g.Log.String())
	if metrics == nil {
		t.Fatalf("the metrics are not served:\n%s", g.Log)
	}
	for url, want := range map[string]int{
		g.URL + "/": http.StatusForbidden, g.URL + "/readyz": http.StatusOK,
		"http://" + metrics[1] + "/metrics": http.StatusOK, adminURL(t, g) + "/sources": http.StatusOK,
	} {
		if status, _ := get(t, url); status != want {
			t.Errorf("%s: %d", url, status)
		}
	}
}
