package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/coalesce/coalescetest"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/costlimit"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
)

// fivePlus costs 7 for five products: an object of Query, one of the connection, and the products.
const fivePlus = `query Some($n: Int) { products(first: $n) { nodes { sku name } } }`

// costOf returns extensions.cost of a response as JSON, "" without it.
func (a *response) costOf(t *testing.T) string {
	t.Helper()
	var body struct {
		Extensions struct{ Cost json.RawMessage }
	}
	if err := json.Unmarshal([]byte(a.Body), &body); err != nil {
		t.Fatal(err)
	}
	return string(body.Extensions.Cost)
}

// An operation that costs more than its limit is refused by both transports and both executors, with both
// figures, and calls no service.
func TestCostLimit(t *testing.T) {
	for _, executor := range []string{engine.EnginePlan, engine.EngineGqlgen} {
		t.Run(executor, func(t *testing.T) {
			g := newGateway(t, func(c *config.Config) {
				c.Execution.Engine = executor
				c.Cost = costlimit.Options{Max: 7}
			})
			send := map[string]func(n int) *response{
				"POST": func(n int) *response { return g.query(t, "", fivePlus, map[string]any{"n": n}) },
				"GET":  func(n int) *response { return g.get(t, "", fivePlus, map[string]any{"n": n}) },
			}
			for method, send := range send {
				if a := send(5); a.Status != http.StatusOK || len(a.Errors) > 0 || a.costOf(t) != "" {
					t.Errorf("%s: %d %s", method, a.Status, a.Body)
				}
				g.Shop.ResetCalls()
				a := send(6)
				if a.Status != http.StatusBadRequest || a.codes() != "COST_ESTIMATED_TOO_EXPENSIVE" || a.Data != nil {
					t.Errorf("%s: %d %s", method, a.Status, a.Body)
				}
				for _, want := range []string{`costs up to 8; the limit is 7`, `"cost":{"estimated":8,"maximum":7}`} {
					if !strings.Contains(a.Body, want) {
						t.Errorf("%s: %s, want %s", method, a.Body, want)
					}
				}
				g.wantCalls(t, map[string]int{})
			}
			var lines []string
			for _, entry := range g.Log.operations(t) {
				lines = append(lines, fmt.Sprint(entry["status"], " ", entry["cost_estimated"], " ", entry["cost_actual"], " ", entry["refused"], " ", entry["refused_by"]))
			}
			log := strings.Join(lines, "\n")
			if strings.Count(log, "400 8 <nil> cost anonymous") != 2 || strings.Count(log, "200 7 7 <nil> <nil>") != 2 {
				t.Errorf("the log has\n%s", log)
			}
		})
	}
}

// Each class of callers has its limit, and the classes that the settings name are shown what operations cost.
func TestCostByClass(t *testing.T) {
	g := newGateway(t, func(c *config.Config) {
		c.Cost = costlimit.Options{Max: 1, Classes: map[string]int{caller.Anonymous: 7, caller.Authenticated: costlimit.Unlimited}, Expose: []string{caller.Authenticated}}
		c.Metrics.Public = true
	})
	token := g.token(t, services.Admin)
	for _, c := range []struct {
		token string
		n     int
		codes string
		cost  string
	}{
		{"", 5, "", ""},
		{"", 6, "COST_ESTIMATED_TOO_EXPENSIVE", ""},
		{token, 5, "", `{"actual":7,"estimated":7}`},
		{token, 200, "", ""}, // checked below
	} {
		a := g.query(t, c.token, fivePlus, map[string]any{"n": c.n})
		if a.codes() != c.codes || c.n != 200 && a.costOf(t) != c.cost {
			t.Errorf("%d: %s %s", c.n, a.codes(), a.costOf(t))
		}
		var shown struct{ Estimated, Actual float64 }
		if _ = json.Unmarshal([]byte(a.costOf(t)), &shown); c.n == 200 && (shown.Estimated != 202 || shown.Actual < 10 || shown.Actual > 202) {
			t.Errorf("200 products: %+v", shown)
		}
	}
	res, err := http.Get(g.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	for _, want := range []string{"gateway_operation_cost_estimated_count 4", `gateway_operation_cost_estimated_bucket{le="10"} 3`, "gateway_operation_cost_actual_count 3"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

// With mode log, what would be refused is executed and logged.
func TestCostIsOnlyLogged(t *testing.T) {
	g := newGateway(t, func(c *config.Config) {
		c.Cost = costlimit.Options{Max: 7, Expose: []string{costlimit.ExposeAll}, Mode: costlimit.ModeLog}
	})
	a := g.query(t, "", fivePlus, map[string]any{"n": 6})
	if len(a.Errors) > 0 || a.costOf(t) != `{"actual":8,"estimated":8,"maximum":7}` {
		t.Errorf("%s", a.Body)
	}
	if log := g.Log.String(); !strings.Contains(log, "cost.mode only logs") || !strings.Contains(log, `"cost_maximum":7`) {
		t.Errorf("the log is %s", log)
	}
}

// Callers whose responses say different things about costs share no execution; others do.
func TestCostAndCoalescing(t *testing.T) {
	for name, expose := range map[string][]string{"shown": {"partner"}, "not shown": nil} {
		t.Run(name, func(t *testing.T) {
			g, _, b := newCoalescing(t, func(c *config.Config) {
				c.Callers.Classes = []caller.Class{{Name: "partner", Clients: []string{"partner"}}}
				c.Cost = costlimit.Options{Max: 1000, Classes: map[string]int{"partner": 2000}, Expose: expose}
			})
			var answers [2]*response
			var all sync.WaitGroup
			for i, header := range [][]string{nil, {"GraphQL-Client-Name: partner"}} {
				all.Go(func() {
					var err error
					if answers[i], err = g.do(t.Context(), request{query: oneProduct, header: header}); err != nil {
						t.Error(err)
					}
				})
			}
			executions := 1 + len(expose)
			coalescetest.Await(t, 2+executions, b.count(1)) // equal calls of two executions are made once, too
			close(b.open)
			all.Wait()
			if t.Failed() {
				return
			}
			if strings.Contains(answers[0].Body, `"cost"`) || strings.Contains(answers[1].Body, `"maximum":2000`) != (expose != nil) {
				t.Errorf("%s\n%s", answers[0].Body, answers[1].Body)
			}
			coalesced := 0
			for _, entry := range g.Log.operations(t) {
				if entry["coalesced"] != nil {
					coalesced++
				}
			}
			if coalesced != 2-executions {
				t.Errorf("%d requests joined another one, of %d executions", coalesced, executions)
			}
		})
	}
}
