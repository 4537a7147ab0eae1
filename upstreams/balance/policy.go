package balance

import (
	"cmp"
	"math/rand/v2"
	"sync"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// policy chooses one of the candidates. Which endpoints are candidates is not its concern. It is
// used concurrently, and serves one Balancer.
type policy interface {
	// choose returns one of the candidates, of which there is at least one. It neither keeps nor
	// changes the slice. key is the hash of the call's key if the policy is keyed.
	choose(candidates []candidate, key uint64) *Endpoint
	// keyed reports whether the policy chooses by a key.
	keyed() bool
	// setEndpoints says which endpoints there are, whether available or not. It is called with
	// Balancer.mu.
	setEndpoints(endpoints []*Endpoint)
	// observe hears that an attempt at e ended at the time t and took so many nanoseconds.
	observe(e *Endpoint, took int64, o attempt.Outcome, t int64)
}

// base has the methods of a policy that chooses by neither key nor history.
type base struct{}

func (base) keyed() bool                                      { return false }
func (base) setEndpoints([]*Endpoint)                         {}
func (base) observe(*Endpoint, int64, attempt.Outcome, int64) {}

const defaultPolicy = "round_robin"

// policies are the constructors by the names that a configuration uses.
var policies = map[string]func() policy{
	defaultPolicy:    func() policy { return new(roundRobin) },
	"least_requests": func() policy { return leastRequests{} },
	"peak_ewma":      func() policy { return peakEWMA{} },
	"ring_hash":      func() policy { return new(ringHash) },
	"rendezvous":     func() policy { return rendezvous{} },
}

// newPolicy returns a new policy by its name in the configuration; "" is the default.
func newPolicy(name string) policy { return policies[cmp.Or(name, defaultPolicy)]() }

// roundRobin lets endpoints take turns by their weights: among the same candidates, each is chosen as
// often as its weight says, also by concurrent calls, and the choices of each are spread evenly. An
// endpoint that was not a candidate for a while takes its next turn with the others; it does not
// catch up.
//
// Invariant: every endpoint has the time of its next turn, and the candidate with the lowest is chosen.
// A turn lasts the longer, the lower the weight is. An endpoint that returns is first moved up to the
// current time. A plain counter modulo the number of candidates would not be fair: with one endpoint
// dead, its successor would receive every repeated request in addition to its own.
type roundRobin struct {
	base
	mu      sync.Mutex
	current float64 // the lowest turn that is given out; guarded by mu, as is Endpoint.turn
}

func (p *roundRobin) choose(candidates []candidate, _ uint64) *Endpoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	chosen := &candidates[0]
	for i := range candidates {
		c := &candidates[i]
		c.turn = max(c.turn, p.current)
		if c.turn < chosen.turn {
			chosen = c
		}
	}
	p.current = chosen.turn
	chosen.turn += 1 / chosen.weight
	return chosen.Endpoint
}

// twoOf returns two candidates at random: the first in proportion to the weights of all, the second to
// those of the others. If there is only one, it returns that twice.
func twoOf(candidates []candidate) (first, second *candidate) {
	total := 0.0
	for i := range candidates {
		total += candidates[i].weight
	}
	first = randomOf(candidates, total, nil)
	if second = randomOf(candidates, total-first.weight, first); second == nil {
		second = first
	}
	return first, second
}

// randomOf returns a candidate other than not at random, nil if there is none. total is the sum of their weights.
func randomOf(candidates []candidate, total float64, not *candidate) (chosen *candidate) {
	left := rand.Float64() * total
	for i := range candidates {
		if c := &candidates[i]; c != not {
			chosen = c // the last one if rounding leaves something
			if left -= c.weight; left < 0 {
				break
			}
		}
	}
	return chosen
}

// leastRequests chooses of two candidates the one with fewer requests in flight for its weight.
// Comparing two is nearly as good as comparing all, and does not send all calls to an endpoint that
// has just become idle (power of two choices).
type leastRequests struct{ base }

func (leastRequests) choose(candidates []candidate, _ uint64) *Endpoint {
	a, b := twoOf(candidates)
	if float64(b.inFlight.Load())/b.weight < float64(a.inFlight.Load())/a.weight {
		return b.Endpoint
	}
	return a.Endpoint // also when both are idle, so that weights count then, too
}

// peakEWMA chooses of two candidates the one whose latency and requests in flight promise the earlier
// response. Two are drawn by their weights.
type peakEWMA struct{ base }

func (peakEWMA) choose(candidates []candidate, _ uint64) *Endpoint {
	t := now()
	a, b := twoOf(candidates)
	if b.expected(t) < a.expected(t) {
		return b.Endpoint
	}
	return a.Endpoint
}

// unknownLatency is that of an endpoint which has not yet responded to its first requests, so that
// it is not sent many more.
const unknownLatency = 1e9

// expected returns the time that e is expected to need for one more request, about.
func (e *Endpoint) expected(t int64) float64 {
	inFlight := float64(e.inFlight.Load())
	latency := e.cost.value(t)
	if latency == 0 && inFlight > 0 {
		latency = unknownLatency
	}
	return latency * (inFlight + 1)
}

func (peakEWMA) observe(e *Endpoint, took int64, o attempt.Outcome, t int64) {
	switch {
	case o == attempt.Stale, o == attempt.Refused:
		return
	case (o == attempt.Canceled || o == attempt.Slow) && float64(took) <= e.cost.value(t):
		return // it would have taken longer
	case o.Failed():
		// A fast failure must not attract more calls.
		took = max(took, int64(2*e.cost.value(t)), int64(unknownLatency))
	}
	e.cost.observe(took, t)
}
