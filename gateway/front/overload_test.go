package front_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/admission"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

var partners = caller.Options{Classes: []caller.Class{{Name: "partner", Scopes: []string{"partner"}}}}

// crowd is a gateway whose anonymous operations last until leave is closed.
func crowd(t *testing.T, o admission.Options) (g *gateway, leave func()) {
	t.Helper()
	left := make(chan struct{})
	leave = sync.OnceFunc(func() { close(left) })
	t.Cleanup(leave) // before the server closes, which waits for operations
	g = newGateway(t, front.Options{Admission: o, Callers: partners, Proxies: trusted}, func(ctx context.Context) *graphql.Response {
		if request.CallerOf(ctx).Class == caller.Anonymous {
			<-left
		}
		return &graphql.Response{Data: []byte(`{"n":1}`)}
	}, func(d *front.Deps) { d.Verify = scopesOf })
	t.Cleanup(leave)
	return g, leave
}

// flood sends anonymous operations, until the returned function waits for their responses. It returns
// their number by status then.
func (g *gateway) flood(t *testing.T, n int) (wait func() map[int]int) {
	t.Helper()
	statuses := make(chan int, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { statuses <- g.ask(t, "{n}", fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", i%250)).status })
	}
	return func() map[int]int {
		all.Wait()
		close(statuses)
		counts := map[int]int{}
		for status := range statuses {
			counts[status]++
		}
		return counts
	}
}

func (g *gateway) waitFor(t *testing.T, what string, condition func(admission.Stats) bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !condition(g.front.Load().Operations); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not %s: %+v", what, g.front.Load())
		}
	}
}

// A class that floods the gateway with operations that do not end holds up no other class, neither by
// what is executed nor by what queues. Without classes, it does.
func TestClassesDoNotStarveEachOther(t *testing.T) {
	for name, c := range map[string]struct {
		classes map[string]admission.Class
		want    int
	}{
		"with classes":    {map[string]admission.Class{"anonymous": {}, "partner": {Weight: 2, MinOperations: 1}}, http.StatusOK},
		"without classes": {nil, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			g, leave := crowd(t, admission.Options{MaxOperations: 4, MaxQueued: 20, MaxWait: 20 * time.Second, Classes: c.classes})
			served := 24 // that are executed, and queue
			if c.classes != nil {
				served = 23 // one of the four places is the partner's
			}
			wait := g.flood(t, 60)
			g.waitFor(t, "flooded", func(s admission.Stats) bool { return s.Queued == 20 && s.Refused.Queue == int64(60-served) })
			for range 20 {
				if got := g.ask(t, "{n}", "Authorization: partner"); got.status != c.want {
					t.Fatalf("the partner's operation: %d %s", got.status, got.text)
				}
			}
			if got := g.ask(t, "{__typename}", "Authorization: partner"); got.status != http.StatusOK {
				t.Errorf("a probe: %d %s", got.status, got.text)
			}
			leave()
			if got := wait(); got[http.StatusOK] != served || got[http.StatusServiceUnavailable] != 60-served {
				t.Errorf("statuses of the flood: %v, want %d to be served", got, served)
			}
			g.waitFor(t, "idle", func(s admission.Stats) bool { return s.Running == 0 && s.Queued == 0 })
		})
	}
}

// A caller with too many operations is refused, and no other caller of its class is.
func TestCallersDoNotStarveEachOther(t *testing.T) {
	g, leave := crowd(t, admission.Options{MaxOperationsPerCaller: 3})
	var all sync.WaitGroup
	var served, refused atomic.Int64
	ask := func(address string) {
		switch got := g.ask(t, "{n}", "X-Forwarded-For: "+address); {
		case got.status == http.StatusOK:
			served.Add(1)
		case got.status == http.StatusTooManyRequests && got.code() == "RATE_LIMITED" && got.header.Get("Retry-After") != "":
			refused.Add(1)
		default:
			t.Errorf("%d %s", got.status, got.text)
		}
	}
	for range 50 {
		all.Go(func() { ask("2001:db8::1") })
	}
	g.waitFor(t, "refused", func(s admission.Stats) bool { return s.Refused.Caller == 47 })
	for i := range 3 {
		all.Go(func() { ask(fmt.Sprintf("192.0.2.%d", i)) })
	}
	g.waitFor(t, "running", func(s admission.Stats) bool { return s.Running == 6 })
	ask("2001:db8::2") // of the same network
	leave()
	all.Wait()
	if served.Load() != 6 || refused.Load() != 48 {
		t.Errorf("%d served and %d refused", served.Load(), refused.Load())
	}
	logged := 0
	for _, line := range g.log.lines(t, "operation") {
		if line["refused"] == "rate_limit" {
			logged++
		}
	}
	if logged != 48 {
		t.Errorf("%d lines say why the request was refused, want 48", logged)
	}
}

// Settings of admission change under load: every request is served or refused as it should be, and no
// place is lost.
func TestAdmissionChangesUnderLoad(t *testing.T) {
	var running atomic.Int64
	g := newGateway(t, front.Options{Callers: partners}, func(context.Context) *graphql.Response {
		if running.Add(1) > 200 {
			t.Error("more run than there are clients")
		}
		defer running.Add(-1)
		time.Sleep(time.Millisecond)
		return &graphql.Response{Data: []byte(`{"n":1}`)}
	}, func(d *front.Deps) { d.Verify = scopesOf })
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var served atomic.Int64
	for i := range 40 {
		header := []string{"X-None: 1"}
		if i%2 == 0 {
			header = []string{"Authorization: partner"}
		}
		all.Go(func() {
			for ctx.Err() == nil {
				switch got := g.ask(t, "{n}", header...); {
				case got.status == http.StatusOK:
					served.Add(1)
				case got.code() != "OVERLOADED" && got.code() != "RATE_LIMITED":
					t.Errorf("%d %s", got.status, got.text)
				}
			}
		})
	}
	versions := []admission.Options{
		{MaxOperations: 2, MaxQueued: 5, MaxWait: 50 * time.Millisecond},
		{MaxOperations: 3, Classes: map[string]admission.Class{"partner": {Weight: 3, MaxOperations: 1}}},
		{MaxOperations: 1, MaxWaiting: -1, Classes: map[string]admission.Class{"anonymous": {}, "partner": {MaxOperationsPerCaller: 2}}},
		{MaxOperationsPerCaller: 1, Watermarks: admission.Watermarks{CPUPercent: 100}},
		{},
	}
	verify := func(d *front.Deps) { d.Verify = scopesOf }
	for i := range 50 {
		before := served.Load()
		g.prepare(t, front.Options{Callers: partners, Admission: versions[i%len(versions)]}, verify)()
		g.waitFor(t, "served", func(admission.Stats) bool { return served.Load() > before })
	}
	stop()
	all.Wait()
	if got := g.front.Load(); got.Operations.Running != 0 || got.Operations.Queued != 0 || got.Operations.Waiting != 0 || len(got.Classes) > 3 {
		t.Errorf("at the end: %+v", got)
	}
}

// A full queue refuses the operation that costs most, and not the newest; the same operation passes when
// the queue is not full.
func TestQueueRefusesTheExpensive(t *testing.T) {
	g, leave := crowd(t, admission.Options{MaxOperations: 1, MaxQueued: 2, MaxWait: 20 * time.Second})
	expensive := "{n" + strings.Repeat(" q{s many}", 20) + "}"
	var all sync.WaitGroup
	ask := func(query string, want int) {
		all.Go(func() {
			if got := g.ask(t, query); got.status != want {
				t.Errorf("%.20s: %d %s, want %d", query, got.status, got.text, want)
			}
		})
	}
	queued := func(n int, refused int64) {
		t.Helper()
		g.waitFor(t, "queued", func(s admission.Stats) bool { return s.Running == 1 && s.Queued == n && s.Refused.Queue == refused })
	}
	ask(expensive, http.StatusOK) // the first is executed
	queued(0, 0)
	ask(expensive, http.StatusServiceUnavailable)
	queued(1, 0)
	ask("{n}", http.StatusOK)
	queued(2, 0)
	ask("{s}", http.StatusOK)
	queued(2, 1)
	ask(expensive, http.StatusServiceUnavailable)
	queued(2, 2)
	leave()
	all.Wait()
}
