package balance

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// newCandidates returns a candidate for each letter, with the weights in their order, by default 1.
func newCandidates(letters string, weights ...float64) []candidate {
	var list []candidate
	for i, letter := range strings.Split(letters, "") {
		c := candidate{newEndpoint(Target{URL: &url.URL{Scheme: "http", Host: letter}}), 1}
		if i < len(weights) {
			c.weight = weights[i]
		}
		c.Endpoint.weight = int(c.weight)
		list = append(list, c)
	}
	return list
}

// those returns the candidates of letters, in their order.
func those(all []candidate, letters string) (list []candidate) {
	for letter := range strings.SplitSeq(letters, "") {
		list = append(list, all[slices.IndexFunc(all, func(c candidate) bool { return c.String() == letter })])
	}
	return list
}

func TestRoundRobin(t *testing.T) {
	for _, test := range []struct {
		name       string
		weights    []float64
		candidates string // those of one choice after another
		want       string
	}{
		{"one", nil, "a a a", "aaa"},
		{"in turn", nil, "abc abc abc abc abc abc", "abcabc"},
		{"order of candidates does not matter", nil, "abc cba bca", "acb"},
		{"dead b, its calls repeated", nil, "abc abc ac abc abc ac", "abcabc"},
		{"b absent", nil, "ac ac ac ac", "acac"},
		{"b back: no catching up", nil, "abc ac ac ac ac abc abc abc abc abc abc", "acacabcabca"},
		{"newcomer takes its turn, no more", nil, "ab ab ab ab abc abc abc abc abc abc", "ababcabcab"},
		{"weights", []float64{2, 1, 1}, "abc abc abc abc abc abc abc abc", "abcaabca"},
		{"weights, spread", []float64{5, 1, 1}, strings.Repeat("abc ", 14), "abcaaaaabcaaaa"},
	} {
		all, policy := newCandidates("abc", test.weights...), new(roundRobin)
		var got strings.Builder
		for candidates := range strings.FieldsSeq(test.candidates) {
			got.WriteString(policy.choose(those(all, candidates), 0).String())
		}
		if got.String() != test.want {
			t.Errorf("%s: %s, want %s", test.name, got.String(), test.want)
		}
	}
}

// A dead endpoint's calls are repeated elsewhere, and the rest still share evenly.
func TestRoundRobinWithDeadEndpoint(t *testing.T) {
	all, policy := newCandidates("abcd"), new(roundRobin)
	served := map[string]int{}
	for range 300 {
		e := policy.choose(all, 0)
		if e.String() == "b" {
			e = policy.choose(those(all, "acd"), 0)
		}
		served[e.String()]++
	}
	for _, name := range []string{"a", "c", "d"} {
		if n := served[name]; n != 100 {
			t.Errorf("%s served %d of 300, want 100", name, n)
		}
	}
}

// Whatever the weights are, concurrent calls keep them: no endpoint is more than a turn off.
func TestRoundRobinIsConcurrentlyExact(t *testing.T) {
	for _, test := range []struct {
		weights []float64
		want    []float64 // of 300
	}{
		{[]float64{1, 1, 1}, []float64{100, 100, 100}},
		{[]float64{3, 2, 1}, []float64{150, 100, 50}},
		{[]float64{1000, 1, 1}, []float64{299.4, 0.3, 0.3}},
		{[]float64{0.1, 1, 0.9}, []float64{15, 150, 135}},
	} {
		all, policy := newCandidates("abc", test.weights...), new(roundRobin)
		var (
			mu     sync.Mutex
			chosen = map[string]int{}
			wg     sync.WaitGroup
		)
		for range 30 {
			wg.Go(func() {
				for range 10 {
					e := policy.choose(all, 0)
					mu.Lock()
					chosen[e.String()]++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for i, c := range all {
			if n := chosen[c.String()]; math.Abs(float64(n)-test.want[i]) >= 2 {
				t.Errorf("weights %v: %s has %d of 300, want %v", test.weights, c, n, test.want[i])
			}
		}
	}
}

func TestLeastRequests(t *testing.T) {
	for _, test := range []struct {
		name     string
		inFlight []int64
		weights  []float64
		want     []float64 // shares
	}{
		{"idle", []int64{0, 0, 0}, nil, []float64{1. / 3, 1. / 3, 1. / 3}},
		{"idle, by weights", []int64{0, 0}, []float64{3, 1}, []float64{.75, .25}},
		{"the busiest is never better", []int64{0, 0, 1}, nil, []float64{.5, .5, 0}},
		{"the idlest wins each of its pairs", []int64{1, 2, 3}, nil, []float64{2. / 3, 1. / 3, 0}},
		{"requests for their weight", []int64{2, 1}, []float64{3, 1}, []float64{1, 0}},
	} {
		all := newCandidates("abc"[:len(test.inFlight)], test.weights...)
		for i := range all {
			all[i].inFlight.Store(test.inFlight[i])
		}
		checkShares(t, test.name, all, test.want, func() *Endpoint { return leastRequests{}.choose(all, 0) })
	}
}

// checkShares compares the shares of 30,000 choices with want. One percent is more than four standard
// deviations.
func checkShares(t *testing.T, name string, all []candidate, want []float64, choose func() *Endpoint) {
	t.Helper()
	const n = 30000
	chosen := map[*Endpoint]int{}
	for range n {
		chosen[choose()]++
	}
	for i, c := range all {
		if share := float64(chosen[c.Endpoint]) / n; math.Abs(share-want[i]) > .012 {
			t.Errorf("%s: %s has %.3f of the calls, want %.3f", name, c, share, want[i])
		}
	}
}

func TestPeakEWMA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, policy := newCandidates("abc"), peakEWMA{}
		a, b, c := all[0].Endpoint, all[1].Endpoint, all[2].Endpoint
		choose := func() *Endpoint { return policy.choose(all, 0) }
		respond := func(e *Endpoint, d time.Duration, o attempt.Outcome) { policy.observe(e, int64(d), o, now()) }

		respond(a, 10*time.Millisecond, attempt.Success)
		respond(b, 20*time.Millisecond, attempt.Unjudged)
		respond(c, 100*time.Millisecond, attempt.Success)
		checkShares(t, "by latency", all, []float64{2. / 3, 1. / 3, 0}, choose)

		a.inFlight.Store(4)
		checkShares(t, "by latency and requests in flight", all, []float64{1. / 3, 2. / 3, 0}, choose)
		a.inFlight.Store(0)

		respond(b, time.Millisecond, attempt.ServerError)
		checkShares(t, "a fast failure does not attract", all, []float64{2. / 3, 0, 1. / 3}, choose)

		before := a.cost.value(now())
		respond(a, time.Millisecond, attempt.Canceled)
		if got := a.cost.value(now()); got != before {
			t.Errorf("a canceled attempt has changed the latency from %v to %v", before, got)
		}
		respond(a, time.Second, attempt.Canceled)
		if got := a.cost.value(now()); got != 1e9 {
			t.Errorf("after an attempt that was canceled after 1s the latency is %v", got)
		}

		time.Sleep(10 * time.Second)
		if got := c.cost.value(now()) / 100e6; math.Abs(got-1/math.E) > .01 {
			t.Errorf("after the time of decay %.2f of the latency is left", got)
		}
		for range 5 {
			respond(c, 5*time.Millisecond, attempt.Success)
			time.Sleep(10 * time.Second)
		}
		if got := time.Duration(c.cost.value(now())); got > 6*time.Millisecond {
			t.Errorf("after fast responses the latency is still %v", got)
		}
	})
}

// An endpoint without a response so far gets one call and not all of them.
func TestPeakEWMAOfNewEndpoint(t *testing.T) {
	all, policy := newCandidates("ab"), peakEWMA{}
	policy.observe(all[0].Endpoint, int64(time.Millisecond), attempt.Success, now())
	if e := policy.choose(all, 0); e != all[1].Endpoint {
		t.Errorf("chose %s", e)
	}
	all[1].inFlight.Store(1)
	if e := policy.choose(all, 0); e != all[0].Endpoint {
		t.Errorf("chose %s while it has not responded", e)
	}
}

// keyed returns a policy that chooses by a key, over all.
func keyed(name string, all []candidate) policy {
	p := newPolicy(name)
	var endpoints []*Endpoint
	for _, c := range all {
		endpoints = append(endpoints, c.Endpoint)
	}
	p.setEndpoints(endpoints)
	return p
}

const keys = 20000

func TestKeyedPolicies(t *testing.T) {
	for _, name := range []string{"ring_hash", "rendezvous"} {
		for _, n := range []int{2, 3, 5, 10} {
			all := newCandidates("abcdefghij"[:n])
			p, again := keyed(name, all), keyed(name, newCandidates("jihgfedcba"[10-n:]))
			reversed := newCandidates("jihgfedcba"[10-n:])
			again.setEndpoints(endpointsOf(reversed))
			moved, wrong, counts := 0, 0, map[string]int{}
			for i := range keys {
				key := HashKey("user-" + strconv.Itoa(i))
				e := p.choose(all, key)
				counts[e.String()]++
				if other := again.choose(reversed, key); other.String() != e.String() {
					wrong++
				}
				switch left := p.choose(all[1:], key); {
				case e == all[0].Endpoint:
					moved++
				case left != e:
					t.Fatalf("%s of %d: a key of %s moved when another endpoint left", name, n, e)
				}
			}
			if wrong > 0 {
				t.Errorf("%s of %d: %d keys depend on the order of the endpoints", name, n, wrong)
			}
			if limit := 1.5 * keys / float64(n); float64(moved) > limit || moved == 0 {
				t.Errorf("%s of %d: %d of %d keys moved, want under %.0f", name, n, moved, keys, limit)
			}
			for e, count := range counts {
				if share := float64(count) * float64(n) / keys; share < .8 || share > 1.2 {
					t.Errorf("%s of %d: %s has %.2f of its share", name, n, e, share)
				}
			}
		}
	}
}

func endpointsOf(candidates []candidate) (list []*Endpoint) {
	for _, c := range candidates {
		list = append(list, c.Endpoint)
	}
	return list
}

// The keys of an endpoint that left are spread over all others.
func TestKeysOfAbsentEndpointAreSpread(t *testing.T) {
	for _, name := range []string{"ring_hash", "rendezvous"} {
		all := newCandidates("abcd")
		p, heirs := keyed(name, all), map[*Endpoint]int{}
		for i := range keys {
			key := HashKey(strconv.Itoa(i))
			if p.choose(all, key) == all[0].Endpoint {
				heirs[p.choose(all[1:], key)]++
			}
		}
		for _, c := range all[1:] {
			if n := heirs[c.Endpoint]; n < keys/4/3*7/10 {
				t.Errorf("%s: %s got %d of about %d keys", name, c, n, keys/4)
			}
		}
	}
}

func TestKeyedPoliciesKeepWeights(t *testing.T) {
	for _, name := range []string{"ring_hash", "rendezvous"} {
		all := newCandidates("abc", 4, 2, 2)
		p, counts := keyed(name, all), map[*Endpoint]int{}
		for i := range keys {
			counts[p.choose(all, HashKey(strconv.Itoa(i)))]++
		}
		for i, want := range []float64{.5, .25, .25} {
			if got := float64(counts[all[i].Endpoint]) / keys; math.Abs(got-want) > .03 {
				t.Errorf("%s: %s has %.3f of the keys, want %.3f", name, all[i], got, want)
			}
		}
	}
}

func TestSettingsValidate(t *testing.T) {
	for _, test := range []struct {
		settings Settings
		want     string // "" if they are valid
	}{
		{Settings{}, ""},
		{Settings{Policy: "least_requests"}, ""},
		{Settings{Policy: "ring_hash", Key: "$claims.sub"}, ""},
		{Settings{Policy: "roundrobin"}, `policy "roundrobin" is unknown: write one of least_requests, peak_ewma, rendezvous, ring_hash, round_robin`},
		{Settings{Policy: "rendezvous"}, "key is missing, by which rendezvous chooses"},
		{Settings{Key: "$claims.sub"}, "key has no effect: set policy to ring_hash or rendezvous"},
		{Settings{SlowStart: -1}, "slowStart is negative"},
		{Settings{PanicThreshold: 101}, "panicThreshold is not a percentage"},
	} {
		checkError(t, test.settings.Validate(), test.want)
	}
	for _, test := range []struct {
		eject Eject
		want  string
	}{
		{Eject{}, ""},
		{Eject{ConsecutiveFailures: -1, FailureRate: -1, LatencyFactor: -1, MaxShare: -1}, ""},
		{Eject{Window: -1}, "window is negative"},
		{Eject{MinCalls: -1}, "minCalls is negative"},
		{Eject{FailureRate: 101}, "failureRate is not a percentage"},
		{Eject{MaxShare: 101}, "maxShare is not a percentage"},
		{Eject{BaseTime: 2, MaxTime: 1}, "maxTime is shorter than baseTime"},
	} {
		checkError(t, test.eject.Validate(), test.want)
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestMaxEjected(t *testing.T) {
	for _, test := range []struct{ n, share, want int }{
		{1, 50, 0}, {2, 50, 1}, {3, 50, 2}, {4, 50, 2}, {5, 50, 3}, {3, 100, 2}, {1, 100, 0}, {10, 10, 1}, {10, 1, 1}, {3, -1, 0},
	} {
		if got := (Eject{MaxShare: test.share}).maxEjected(test.n); got != test.want {
			t.Errorf("%d %% of %d: %d, want %d", test.share, test.n, got, test.want)
		}
	}
}
