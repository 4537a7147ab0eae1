package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

// relatedTen serves 200 products, each with ten related ones and a description of 500 bytes.
func relatedTen(w http.ResponseWriter, r *http.Request) {
	product := func(sku int) map[string]any {
		related := make([]string, 10)
		for i := range related {
			related[i] = fmt.Sprintf("P-%d", (sku*7+i*13+1)%200)
		}
		return map[string]any{
			"sku": fmt.Sprintf("P-%d", sku), "name": "n", "description": strings.Repeat("d", 500),
			"price": 1, "currency": "EUR", "related": related,
		}
	}
	found := []any{}
	for sku := range 200 {
		found = append(found, product(sku))
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"data": found, "total": 200})
}

// A few calls can multiply to a huge response. It ends at the budget, with little memory and long
// before the deadline, with one error that names the limit. The bounds of allocated memory leave
// plans a third of headroom; gqlgen's executor varies by as much again.
func TestHostileResponses(t *testing.T) {
	below := func(fields string) string { return "{products(first:200){nodes{related{related{" + fields + "}}}}}" }
	alias := "a#" + strings.Repeat("x", 250)
	for _, how := range []string{engine.EnginePlan, engine.EngineGqlgen} {
		for _, attack := range []struct {
			name, query, code, text string
			megabytes               map[string]uint64 // the most that may be allocated
			change                  func(*config.Config)
		}{
			{"2,000,000 refusals", below(repeatNumbered(100, "a#:timesOrdered ")), "MAX_RESPONSE_LIMIT", "values", map[string]uint64{engine.EnginePlan: 15, engine.EngineGqlgen: 600}, nil},
			{"200 MB of text", below(repeatNumbered(20, "a#:description ")), "MAX_RESPONSE_LIMIT", "more than 32000000 bytes", map[string]uint64{engine.EnginePlan: 100, engine.EngineGqlgen: 60}, nil},
			{"60 MB of names", below(repeatNumbered(11, alias+":__typename ")), "MAX_RESPONSE_LIMIT", "more than 32000000 bytes", map[string]uint64{engine.EnginePlan: 100, engine.EngineGqlgen: 300}, nil},
			{"60 MB of names of refusals", below(repeatNumbered(11, alias+":timesOrdered ")), "MAX_RESPONSE_LIMIT", "more than 32000000 bytes", map[string]uint64{engine.EnginePlan: 100, engine.EngineGqlgen: 500}, nil},
			{"its time is over", below(repeatNumbered(100, "a#:description ")), "GATEWAY_TIMEOUT", "took too long", nil, func(c *config.Config) {
				c.Execution.Deadline, c.Execution.MaxValues, c.Execution.MaxBytes = 300*time.Millisecond, 1e9, 1e12
			}},
		} {
			t.Run(how+"/"+attack.name, func(t *testing.T) {
				g := newGateway(t, replaceSource(t, "products", long, relatedTen), func(c *config.Config) {
					c.Execution.Engine = how
					if attack.change != nil {
						attack.change(c)
					}
				})
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				start := time.Now()
				a := g.query(t, "", attack.query, nil)
				took := time.Since(start)
				runtime.ReadMemStats(&after)
				allocated := (after.TotalAlloc - before.TotalAlloc) >> 20
				t.Logf("%s, %d MB allocated, %d MB from the system", took.Round(time.Millisecond), allocated, (after.Sys-before.Sys)>>20)
				if a.Status != http.StatusOK || string(a.Data) != "null" || len(a.Errors) != 1 || a.Errors[0].Extensions.Code != attack.code || !strings.Contains(a.Errors[0].Message, attack.text) {
					t.Errorf("got %d %.300s", a.Status, a.Body)
				}
				if most := attack.megabytes[how]; most > 0 && allocated > most {
					t.Errorf("%d MB were allocated, want %d at the most", allocated, most)
				}
			})
		}
	}
}
