package enginetest

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/enginetest/graph"
	"github.com/gatehouse-graphql/gatehouse/enginetest/resolvers"
	"github.com/gatehouse-graphql/gatehouse/gateway/costlimit"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// longestList is a size that no list exceeds in the responses of the random service and of the
// handwritten resolvers.
const longestList = 30

// cost executes an operation in a gateway of its own, which shows what it costs.
func (s *randomService) cost(t *testing.T, op *operation, executor string) (estimated, actual float64, r response) {
	t.Helper()
	services, err := upstreams.New(upstreams.Options{"answers": {URLs: upstreams.URLs(s.url + "/" + strconv.FormatUint(op.seed, 10))}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer services.Close()
	body, err := json.Marshal(map[string]any{"query": op.query, "variables": op.variables})
	if err != nil {
		t.Fatal(err)
	}
	schema := graph.NewSchema(&resolvers.Resolver{Services: services, Seed: op.seed, OnCall: (&callRecorder{}).record})
	f, _ := newGateway(t, executor, op.identity, schema, func(o *front.Options) {
		o.Cost = costlimit.Options{DefaultListSize: longestList, Expose: []string{costlimit.ExposeAll}}
	})
	r = post(t, f, body)
	s.takeRequests()
	shown, ok := r.Extensions["cost"].(map[string]any)
	if !ok {
		if r.Data == nil { // the operation was refused
			return 0, 0, r
		}
		t.Fatalf("%s\nthe response does not say what it costs: %v", op, r.Extensions)
	}
	return shown["estimated"].(float64), shown["actual"].(float64), r
}

// An operation costs no more than its estimate, by either executor, and the same by both.
func TestEstimatesAreUpperBounds(t *testing.T) {
	const operations, alsoByBoth = 3000, 10
	s := newRandomService(t)
	executors := []string{engine.EnginePlan, engine.EngineGqlgen}
	executed, equal, tight := 0, 0, 0
	for seed := range uint64(operations) {
		op := randomOperation(seed)
		estimated, actual, r := s.cost(t, op, executors[seed%2])
		if estimated == 0 {
			continue
		}
		executed++
		if actual > estimated {
			t.Errorf("%s\nby %s it costs %v, and is estimated to cost %v", op, executors[seed%2], actual, estimated)
		}
		if actual > 0 && actual*4 >= estimated {
			tight++
		}
		if seed%alsoByBoth != 0 || len(r.Errors) > 0 {
			continue
		}
		if otherEstimate, other, _ := s.cost(t, op, executors[1-seed%2]); other != actual || otherEstimate != estimated {
			t.Errorf("%s\nby %s it costs %v, and by %s %v", op, executors[seed%2], actual, executors[1-seed%2], other)
		}
		equal++
	}
	if text := fmt.Sprintf("%d operations were executed, %d compared, %d cost a fourth of their estimate or more", executed, equal, tight); executed < operations*9/10 || equal < 20 || tight < 20 {
		t.Error(text)
	} else {
		t.Log(text)
	}
}
