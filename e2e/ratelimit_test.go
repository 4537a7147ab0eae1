package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/store/redistest"
)

// limitedRequest is a request by GET whose operation calls one service.
const limitedRequest = "/graphql?query=%7Bproducts(first:1)%7Bnodes%7Bsku%7D%7D%7D"

// limits returns the settings of these tests: rate limits, and Redis if there is a URL.
func limits(onFailure, url, limit string) string {
	text := fmt.Sprintf("rateLimits: {onStoreFailure: %s, rules: [{name: all, by: [everyone], limits: [%s]}]}", onFailure, limit)
	if url != "" {
		text += fmt.Sprintf("\nstore: {redis: {urls: [%q], timeout: 20ms}}", url)
	}
	return text
}

// send sends a request and returns the status and the fields of the response.
func (r *reloaded) send() (status int, header http.Header, took time.Duration) {
	begin := time.Now()
	response, err := http.Get(r.URL + limitedRequest)
	if err != nil {
		r.t.Error(err)
		return 0, nil, 0
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		r.t.Error(err)
	}
	return response.StatusCode, response.Header, time.Since(begin)
}

// passed sends n requests and returns how many passed, and the longest time that one took.
func (r *reloaded) passed(n int) (passed int, longest time.Duration) {
	for range n {
		status, _, took := r.send()
		longest = max(longest, took)
		switch status {
		case http.StatusOK:
			passed++
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		default:
			r.t.Errorf("status %d", status)
		}
	}
	return passed, longest
}

// TestRateLimit limits requests over HTTP: a refused one has 429, Retry-After and the fields of the draft, and makes
// no call. A reload keeps the counts.
func TestRateLimit(t *testing.T) {
	shop, ports := newShop(t)
	r := newReloaded(t, fileOf(ports, limits("memory", "", "3/h")))
	for i := range 5 {
		status, header, _ := r.send()
		refused := i >= 3
		if (status == http.StatusTooManyRequests) != refused || (header.Get("Retry-After") == "3600") != refused {
			t.Errorf("request %d: status %d, Retry-After %q", i, status, header.Get("Retry-After"))
		}
		if got, want := header.Get("RateLimit"), fmt.Sprintf(`"all";r=%d;t=%d`, max(2-i, 0), min(i+1, 3)*1200); got != want {
			t.Errorf("request %d: RateLimit %s, want %s", i, got, want)
		}
		if got, want := header.Get("RateLimit-Policy"), `"all";q=3;w=3600`; got != want {
			t.Errorf("RateLimit-Policy: %s, want %s", got, want)
		}
	}
	if calls := shop.Calls("products")["listProducts"]; calls != 3 {
		t.Errorf("%d calls, want 3", calls)
	}
	r.wantMetric(`gateway_ratelimit_decisions_total{limit="all",outcome="passed"} 3`)
	r.wantMetric(`gateway_ratelimit_decisions_total{limit="all",outcome="refused"} 2`)
	r.wantMetric(`gateway_operations_refused_total{reason="rate_limit"} 2`)
	r.change(fileOf(ports, limits("memory", "", "5/h")), true)
	if passed, _ := r.passed(4); passed != 2 {
		t.Errorf("%d pass after the limit was raised by 2", passed)
	}
}

// TestReplicasShareLimits has two gateways and one Redis hold a limit together, under load from both.
func TestReplicasShareLimits(t *testing.T) {
	server := redistest.Start(t)
	_, ports := newShop(t)
	text := fileOf(ports, limits("closed", server.URL(), "200/h"))
	text = strings.Replace(text, "timeout: 20ms", "timeout: 900ms", 1) // the test loads the machine, too
	replicas := []*reloaded{newReloaded(t, text), newReloaded(t, text)}
	var passed [8]int
	var running sync.WaitGroup
	for i := range passed {
		running.Go(func() { passed[i], _ = replicas[i%2].passed(60) })
	}
	running.Wait()
	total := 0
	for _, n := range passed {
		total += n
	}
	if total != 200 {
		t.Errorf("%v pass, %d in all, want 200", passed, total)
	}
}

// TestRedisOutage lets Redis hang and die under requests. Their time stays within its bound, and what holds is what
// the settings say.
func TestRedisOutage(t *testing.T) {
	_, ports := newShop(t)
	for _, test := range []struct {
		mode        string
		begin       func(*redistest.Server)
		end         func(*redistest.Server)
		wantDuring  int // of 20 requests
		alreadyPass int // of the limit's 5 before
	}{
		{"memory", (*redistest.Server).Kill, (*redistest.Server).Run, 5, 2},
		{"open", (*redistest.Server).Hang, (*redistest.Server).Resume, 20, 2},
		{"closed", (*redistest.Server).Hang, (*redistest.Server).Resume, 0, 2},
	} {
		t.Run(test.mode, func(t *testing.T) {
			server := redistest.Start(t)
			r := newReloaded(t, fileOf(ports, limits(test.mode, server.URL(), "5/h")))
			r.await(func() bool {
				_, page := get(t, r.URL+"/metrics")
				return strings.Contains(page, "\ngateway_store_up 1\n")
			})
			if passed, _ := r.passed(test.alreadyPass); passed != test.alreadyPass {
				t.Fatalf("%d pass before", passed)
			}
			test.begin(server)
			passed, longest := r.passed(20)
			if passed != test.wantDuring {
				t.Errorf("%d of 20 pass while Redis does not answer, want %d", passed, test.wantDuring)
			}
			if longest > 500*time.Millisecond {
				t.Errorf("a request took %s while Redis did not answer", longest)
			}
			r.wantMetric("gateway_store_up 0")
			if status, _ := get(t, r.URL+"/readyz"); status != http.StatusOK {
				t.Errorf("/readyz: %d", status)
			}
			test.end(server)
			r.await(func() bool {
				_, page := get(t, r.URL+"/metrics")
				return strings.Contains(page, "\ngateway_store_up 1\n")
			})
			// Redis has lost what it had when it was killed. When it was hung, it still decides about the
			// requests that were sent meanwhile.
			if passed, _ := r.passed(10); test.mode == "memory" && passed != 5 || test.mode != "memory" && passed > 5-test.alreadyPass {
				t.Errorf("%d pass when Redis is back", passed)
			}
			lost, back := strings.Count(r.Log.String(), "Redis does not answer"), strings.Count(r.Log.String(), "Redis answers again")
			if lost == 0 || lost != back {
				t.Errorf("lost %d times and back %d times in the log", lost, back)
			}
		})
	}
}
