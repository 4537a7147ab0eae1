package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/playground/playgroundtest"
)

const productsQuery = `{ products(first: 3) { nodes { sku name } } }`

// adminURL returns the URL of the admin listener.
func adminURL(t *testing.T, g *gatewayUnderTest) string {
	t.Helper()
	at := regexp.MustCompile(`"msg":"serving the admin listener","address":"(.*?)"`).FindStringSubmatch(g.Log.String())
	if at == nil {
		t.Fatal("there is no admin listener")
	}
	return "http://" + at[1]
}

// series returns the value of a metric with labels, -1 if there is none.
func series(page, name string, labels ...string) float64 {
	for line := range strings.Lines(page) {
		line, ok := strings.CutPrefix(strings.TrimSpace(line), name+"{")
		if !ok {
			continue
		}
		has, text, _ := strings.Cut(line, "} ")
		if all := "," + has + ","; containsAll(all, labels) {
			value, _ := strconv.ParseFloat(text, 64)
			return value
		}
	}
	return -1
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, ","+part+",") {
			return false
		}
	}
	return true
}

// port returns the label of a replica's port.
func port(t *testing.T, replica string) string {
	t.Helper()
	u, err := url.Parse(replica)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("server_port=%q", u.Port())
}

// What became of calls and of attempts at each replica is in the metrics and at the admin listener, and
// a replica that fails is the one that they name. The log has a few lines about it, not one for each call.
func TestFailingReplicaIsSeen(t *testing.T) {
	const queries = 1000
	g := newGateway(t, func(c *config.Config) { c.Metrics.Public, c.Admin.Listen = true, "127.0.0.1:0" })
	_, before := get(t, g.URL+"/metrics")
	if got := series(before, "gateway_calls_total", `source="products"`, `outcome="success"`); got != 0 {
		t.Errorf("before the first call the counter is %v, want 0, so that the call is an increase", got)
	}
	g.Shop.Spoil(2, services.ServerErrors)
	succeeded := 0
	for range queries {
		if r := g.query(t, "", productsQuery, nil); len(r.Errors) == 0 {
			succeeded++
		}
	}
	status, page := get(t, g.URL+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, page)
	}
	if got := series(page, "gateway_calls_total", `source="products"`, `outcome="success"`); got != float64(succeeded) {
		t.Errorf("%v calls succeeded, want %d", got, succeeded)
	}
	if got := series(page, "gateway_call_duration_seconds_count", `source="products"`); got != queries {
		t.Errorf("the durations are those of %v calls, want %d", got, queries)
	}
	if got := series(page, "gateway_calls_running", `source="products"`); got != 0 {
		t.Errorf("%v calls run", got)
	}
	for i, replica := range g.Ports.Products {
		calls := float64(g.Shop.ReplicaCalls(i + 1)["listProducts"])
		failures := max(series(page, "gateway_attempts_total", port(t, replica), `outcome="server_error"`), 0)
		successes := series(page, "gateway_attempts_total", port(t, replica), `outcome="success"`)
		canceled := max(series(page, "gateway_attempts_total", port(t, replica), `outcome="canceled"`), 0) // hedges that were not needed
		if (i == 1) != (failures > 0) || successes > calls || successes+canceled < calls {
			t.Errorf("replica %d has %v failures and %v successes, and served %v calls", i+1, failures, successes, calls)
		}
		if n := series(page, "http_client_request_duration_seconds_count", port(t, replica)); n != successes+failures+canceled {
			t.Errorf("replica %d has %v durations, want %v", i+1, n, successes+failures+canceled)
		}
	}
	if lines := strings.Count(g.Log.String(), `"msg":"backend endpoint`); lines == 0 || lines > 20 {
		t.Errorf("the log has %d lines about endpoints after %d queries", lines, queries)
	}

	status, text := get(t, adminURL(t, g)+"/sources")
	var state struct {
		Sources []struct {
			Source    string
			Calls     map[string]int
			Endpoints []struct {
				Endpoint, State string
				Attempts        map[string]int
				LastError       *struct {
					Outcome string
					Status  int
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &state); err != nil || status != http.StatusOK {
		t.Fatal(status, err, text)
	}
	if len(state.Sources) != 3 || state.Sources[1].Source != "products" || state.Sources[1].Calls["success"] != succeeded || len(state.Sources[1].Endpoints) != 3 {
		t.Fatalf("sources: %s", text)
	}
	for i, e := range state.Sources[1].Endpoints {
		if "http://"+e.Endpoint != g.Ports.Products[i] || (i == 1) != (e.LastError != nil) || e.State == "" {
			t.Errorf("endpoint %d: %+v", i+1, e)
		}
	}
	if e := state.Sources[1].Endpoints[1]; e.LastError != nil && (e.LastError.Outcome != "server_error" || e.LastError.Status != 500 && e.LastError.Status != 0) {
		t.Errorf("the last error is %+v", e.LastError)
	}
}

// The admin listener has pages of its own, which are not at the address for clients. It is off by
// default.
func TestAdminListener(t *testing.T) {
	g := newGateway(t, func(c *config.Config) { c.Admin.Listen = "127.0.0.1:0" })
	g.query(t, "", productsQuery, nil)
	for path, want := range map[string]string{
		"/":              "GET /sources",
		"/sources":       `"source": "products"`,
		"/build":         `"go": "go1.`,
		"/metrics":       "gateway_calls_total{",
		"/debug/pprof/":  "goroutine",
		"/graphql":       "404",
		"/services":      "404",
		"/sources/other": "404",
	} {
		status, text := get(t, adminURL(t, g)+path)
		if want == "404" {
			if status != http.StatusNotFound {
				t.Errorf("%s: %d", path, status)
			}
			continue
		}
		if status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d %.300s, want %s", path, status, text, want)
		}
		if status, _ := get(t, g.URL+path); path != "/" && status != http.StatusNotFound {
			t.Errorf("%s is served to clients: %d", path, status)
		}
	}
	off := newGateway(t)
	if strings.Contains(off.Log.String(), "admin listener") {
		t.Error("the admin listener is on by default")
	}
}

// The page of services shows internal addresses: it is there in development only, whatever the settings
// say of the playground.
func TestServicesPageIsForDevelopment(t *testing.T) {
	for name, test := range map[string]struct {
		mode command.Mode
		want int
	}{"--dev": {command.Mode{Dev: true}, 200}, "--demo": {command.Mode{Demo: true}, 200}, "production": {command.Mode{}, 404}} {
		t.Run(name, func(t *testing.T) {
			shop := services.New(services.Options{Secret: []byte(secret)})
			ports, err := shop.Start(t.Context(), services.Addresses{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(ports.Close)
			g, stop, stopped := serve(t, command.Start{Config: shopSettings(ports), Mode: test.mode}, nil)
			t.Cleanup(func() {
				stop()
				<-stopped
			})
			for _, path := range []string{"/services", "/services/state"} {
				if status, text := get(t, g.URL+path); status != test.want || test.want == 404 && strings.Contains(text, "127.0.0.1") {
					t.Errorf("%s: %d %.200s", path, status, text)
				}
			}
		})
	}
}

// A replica that fails is seen on the page of services.
func TestServicesPageInDemo(t *testing.T) {
	g := newDemo(t)
	page := playgroundtest.OpenServices(t, g.URL+"/services")
	for range 20 {
		g.query(t, "", productsQuery, nil)
	}
	page.Await("calls/s 2")
	page.Await("healthy")
	page.Screenshot("services-demo")
}
