package balance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Policy answers one question: given these endpoints, which? There is always at least
// one, and it must be one of them. Who may be asked for is not its concern. It is
// called concurrently, must not keep or change the slice, and serves one balancer.
type Policy func(candidates []*Endpoint) *Endpoint

// policies by the names that a configuration uses.
var policies = map[string]func() Policy{
	"roundRobin": RoundRobin,
}

// Named makes the policy that a configuration calls by name; "" is "roundRobin".
func Named(name string) (Policy, error) {
	if name == "" {
		return RoundRobin(), nil
	}
	policy, ok := policies[name]
	if !ok {
		return nil, fmt.Errorf("unknown balance %q: there is %s", name, strings.Join(Names(), ", "))
	}
	return policy(), nil
}

// Names are those that Named knows, sorted.
func Names() []string { return slices.Sorted(maps.Keys(policies)) }

// RoundRobin lets endpoints take turns: among the same candidates each is chosen
// exactly as often as any other, also by concurrent calls. An endpoint that was no
// candidate for a while takes its next turn with the others; it does not catch up.
//
// A plain counter modulo the number of candidates would not do: with one endpoint
// dead, its successor would get every repeated request on top of its own.
func RoundRobin() Policy {
	var (
		mu  sync.Mutex
		now uint64 // the turn being given out; guarded by mu, as is each endpoint's
	)
	return func(candidates []*Endpoint) *Endpoint {
		mu.Lock()
		defer mu.Unlock()
		chosen := candidates[0]
		for _, e := range candidates {
			e.turn = max(e.turn, now)
			if e.turn < chosen.turn {
				chosen = e
			}
		}
		now = chosen.turn
		chosen.turn++
		return chosen
	}
}
