package observe_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
	"github.com/gatehouse-graphql/gatehouse/upstreams/observe"
)

func start(s *observe.Stats) observe.Call {
	return s.StartCall(context.Background(), observe.CallInfo{Source: "users"})
}

func tryOnce(c observe.Call, endpoint string, number int, hedge bool, r observe.AttemptResult) {
	c.StartAttempt(context.Background(), observe.AttemptInfo{Endpoint: endpoint, Number: number, Hedge: hedge}).End(r)
}

func TestStats(t *testing.T) {
	var s observe.Stats
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	first := start(&s)
	tryOnce(first, "a:1", 1, false, observe.AttemptResult{Outcome: attempt.Reset, Err: fmt.Errorf("reset by a"), Start: at, Duration: time.Second})
	tryOnce(first, "b:1", 2, false, observe.AttemptResult{Outcome: attempt.Canceled, Start: at, Duration: 30 * time.Millisecond})
	tryOnce(first, "a:1", 3, true, observe.AttemptResult{Outcome: attempt.Success, Status: 200, Start: at, Duration: 5 * time.Millisecond})
	first.End(observe.CallResult{Duration: 2 * time.Second})
	start(&s).End(observe.CallResult{Err: fault.New(fault.NotFound, "x"), Duration: time.Hour})
	start(&s).End(observe.CallResult{Err: fault.New("MADE_UP", "x")})
	joining := start(&s)
	joining.Join(observe.Once, first)

	want := observe.SourceCounts{
		Running:   1,
		Calls:     map[string]int64{"success": 1, "NOT_FOUND": 1, "OTHER": 1},
		Joined:    map[string]int64{"once": 1},
		Durations: observe.Histogram{Buckets: []int64{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1}, Sum: 3602},
	}
	if diff := cmp.Diff(want, s.Source("users")); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]observe.EndpointCounts{
		"a:1": {
			Attempts:  map[string]int64{"success": 1, "reset": 1},
			Durations: observe.Histogram{Buckets: []int64{1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}, Sum: 1.005},
		},
		"b:1": {
			Attempts:  map[string]int64{"success": 0, "canceled": 1},
			Durations: observe.Histogram{Buckets: []int64{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, Sum: 0.03},
		},
		"c:1": {Attempts: map[string]int64{"success": 0}},
	} {
		if diff := cmp.Diff(want, s.Endpoint("users", name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A source that was not called has its counts as well, so that its first call is an increase.
func TestStatsWithoutCalls(t *testing.T) {
	var s observe.Stats
	if c := s.Source("users"); c.Calls["success"] != 0 || len(c.Calls) != 1 || c.Durations.Count() != 0 {
		t.Errorf("%+v", c)
	}
}

// An endpoint that has left is counted a little longer, and then forgotten. However many come, their
// number is bounded.
func TestStatsForgetEndpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s observe.Stats
		counted := func(name string) int64 { return s.Endpoint("users", name).Durations.Count() }
		call := start(&s)
		for _, name := range []string{"a", "b", "c"} {
			tryOnce(call, name, 1, false, observe.AttemptResult{Start: time.Now()})
		}
		time.Sleep(time.Minute)
		tryOnce(call, "b", 1, false, observe.AttemptResult{Start: time.Now()})
		s.KeepEndpoints("users", []string{"c"})
		if counted("a") != 1 || counted("b") != 2 || counted("c") != 1 {
			t.Errorf("after a minute they have %d, %d and %d attempts", counted("a"), counted("b"), counted("c"))
		}
		time.Sleep(time.Minute + time.Second)
		s.KeepEndpoints("users", []string{"c"})
		if counted("a") != 0 || counted("b") != 2 || counted("c") != 1 {
			t.Errorf("after two minutes they have %d, %d and %d attempts, want none of one that left and was not called since", counted("a"), counted("b"), counted("c"))
		}
		for i := range 2000 {
			time.Sleep(time.Millisecond)
			tryOnce(call, fmt.Sprint(i), 1, false, observe.AttemptResult{Start: time.Now()})
		}
		if counted("c") != 0 || counted("999") != 0 || counted("1000") != 1 || counted("1999") != 1 {
			t.Error("not the last 1,000 endpoints are counted")
		}
	})
}
