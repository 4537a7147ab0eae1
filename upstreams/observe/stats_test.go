package observe_test

import (
	"context"
	"fmt"
	"slices"
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
		Running: 1,
		Calls:   map[string]int64{"success": 1, "NOT_FOUND": 1, "OTHER": 1},
		Joined:  map[string]int64{"once": 1},
		Retries: 1, Hedges: 1,
		Durations: observe.Histogram{Buckets: []int64{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1}, Sum: 3602},
	}
	if diff := cmp.Diff(want, s.Source("users")); diff != "" {
		t.Error(diff)
	}
	wantEndpoints := map[string]observe.EndpointCounts{
		"a:1": {
			Attempts:  map[string]int64{"success": 1, "reset": 1},
			Durations: observe.Histogram{Buckets: []int64{1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}, Sum: 1.005},
			LastError: &observe.Failure{Time: at.Add(time.Second), Outcome: "reset", Reason: "reset by a"},
		},
		"b:1": {
			Attempts:  map[string]int64{"success": 0, "canceled": 1},
			Durations: observe.Histogram{Buckets: []int64{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, Sum: 0.03},
		},
	}
	if diff := cmp.Diff(wantEndpoints, s.Endpoints("users")); diff != "" {
		t.Error(diff)
	}
}

// A source that was not called has its counts as well, so that its first call is an increase.
func TestStatsWithoutCalls(t *testing.T) {
	var s observe.Stats
	if c := s.Source("users"); c.Calls["success"] != 0 || len(c.Calls) != 1 || c.Durations.Count() != 0 {
		t.Errorf("%+v", c)
	}
	if e := s.Endpoints("users"); e == nil || len(e) != 0 {
		t.Errorf("%+v", e)
	}
}

// An endpoint that has left is counted a little longer, and then forgotten. However many come, their
// number is bounded.
func TestStatsForgetEndpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s observe.Stats
		names := func() (all []string) {
			for name := range s.Endpoints("users") {
				all = append(all, name)
			}
			slices.Sort(all)
			return all
		}
		call := start(&s)
		for _, name := range []string{"a", "b", "c"} {
			tryOnce(call, name, 1, false, observe.AttemptResult{Start: time.Now()})
		}
		time.Sleep(time.Minute)
		tryOnce(call, "b", 1, false, observe.AttemptResult{Start: time.Now()})
		s.KeepEndpoints("users", []string{"c"})
		if got := names(); len(got) != 3 {
			t.Errorf("after a minute there are %v", got)
		}
		time.Sleep(time.Minute + time.Second)
		s.KeepEndpoints("users", []string{"c"})
		if got := names(); !slices.Equal(got, []string{"b", "c"}) {
			t.Errorf("after two minutes there are %v, want those called since and those that are there", got)
		}
		for i := range 2000 {
			time.Sleep(time.Millisecond)
			tryOnce(call, fmt.Sprint(i), 1, false, observe.AttemptResult{Start: time.Now()})
		}
		if got := names(); len(got) != 1000 || slices.Contains(got, "c") || !slices.Contains(got, "1999") {
			t.Errorf("%d endpoints are counted, among them the oldest: %v", len(got), slices.Contains(got, "c"))
		}
	})
}
