package balance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Policy chooses one of the candidates, of which there is always at least one. Which
// endpoints are candidates is not its concern. It is called concurrently, must neither
// keep nor change the slice, and serves one Balancer.
type Policy func(candidates []*Endpoint) *Endpoint

// policies are the constructors by the names that a configuration uses.
var policies = map[string]func() Policy{
	"roundRobin": RoundRobin,
}

// NewPolicy returns a new policy by its name in the configuration; "" is "roundRobin".
func NewPolicy(name string) (Policy, error) {
	if name == "" {
		return RoundRobin(), nil
	}
	newPolicy, ok := policies[name]
	if !ok {
		return nil, fmt.Errorf("unknown balance %q: there is %s", name, strings.Join(PolicyNames(), ", "))
	}
	return newPolicy(), nil
}

// PolicyNames returns the names that NewPolicy knows, sorted.
func PolicyNames() []string { return slices.Sorted(maps.Keys(policies)) }

// RoundRobin returns a policy that lets endpoints take turns: among the same candidates
// each is chosen exactly as often as any other, also by concurrent calls. An endpoint that
// was not a candidate for a while takes its next turn with the others; it does not catch
// up.
//
// Invariant: every endpoint has the number of its next turn, and the candidate with the
// lowest number is chosen. An endpoint that returns is first moved up to the current turn.
// A plain counter modulo the number of candidates would not be fair: with one endpoint
// dead, its successor would receive every repeated request in addition to its own.
func RoundRobin() Policy {
	var (
		mu      sync.Mutex
		current uint64 // the lowest turn that is given out; guarded by mu, as is Endpoint.turn
	)
	return func(candidates []*Endpoint) *Endpoint {
		mu.Lock()
		defer mu.Unlock()
		chosen := candidates[0]
		for _, e := range candidates {
			e.turn = max(e.turn, current)
			if e.turn < chosen.turn {
				chosen = e
			}
		}
		current = chosen.turn
		chosen.turn++
		return chosen
	}
}
