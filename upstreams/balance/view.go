package balance

import (
	"cmp"
	"slices"
	"time"
)

// State is whether an endpoint is used.
type State int32

// The states of endpoints.
const (
	// Healthy endpoints are available.
	Healthy State = iota
	// Ejected endpoints have failed, and are not used for a while.
	Ejected
	// Trial is when an ejection is over and one call at a time finds out whether the endpoint has healed.
	Trial
	// Unhealthy endpoints fail their active checks.
	Unhealthy
	// Draining endpoints were removed, and are used only by attempts that began before.
	Draining
)

var stateNames = [...]string{"healthy", "ejected", "trial", "unhealthy", "draining"}

// String returns the state as metrics and logs write it: "ejected".
func (s State) String() string { return stateNames[s] }

// candidate is an endpoint that a policy may choose, with its current weight.
type candidate struct {
	*Endpoint
	weight float64
}

// view is what picks see of the endpoints. It does not change.
type view struct {
	all        []*Endpoint
	candidates []candidate // empty only if all is
	others     []candidate // those that are available, but in another zone or of another priority
	trials     []*Endpoint // those in state Trial
	until      int64       // when the view is out of date, as returned by now; 0 for never
}

// expires makes v out of date at t at the latest.
func (v *view) expires(t int64) {
	if v.until == 0 || t < v.until {
		v.until = t
	}
}

// untried returns the candidates that are not in tried, or other available endpoints if there are
// none, or all candidates if these were tried as well.
func (v *view) untried(tried []*Endpoint) []candidate {
	for _, from := range [...][]candidate{v.candidates, v.others} {
		if left := except(from, tried); len(left) > 0 {
			return left
		}
	}
	return v.candidates
}

func except(candidates []candidate, tried []*Endpoint) []candidate {
	left := make([]candidate, 0, len(candidates))
	for _, c := range candidates {
		if !slices.Contains(tried, c.Endpoint) {
			left = append(left, c)
		}
	}
	return left
}

// trialPatience is how long a trial waits for a call that may be repeated.
const trialPatience = int64(3 * time.Second)

// startTrial returns an endpoint that the call is to find out about, nil for none. At each endpoint
// there is one such call at a time.
func (v *view) startTrial(c Choice, t int64) *Endpoint {
	for _, e := range v.trials {
		if slices.Contains(c.Tried, e) || c.Unrepeatable && t < e.trialAt.Load()+trialPatience {
			continue
		}
		if State(e.state.Load()) == Trial && e.trialRuns.CompareAndSwap(false, true) {
			return e
		}
	}
	return nil
}

// refresh returns the current view, after computing it anew if it is out of date.
func (b *Balancer) refresh(t int64) *view {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v := b.view.Load(); v.until == 0 || t < v.until {
		return v
	}
	return b.rebuild(t)
}

// rebuild computes the view anew. It is called with b.mu, after each change of an endpoint.
func (b *Balancer) rebuild(t int64) *view {
	v := arrange(b.endpoints, b.settings, t)
	b.policy.setEndpoints(b.endpoints)
	b.view.Store(v)
	return v
}

// arrange returns the view of endpoints at the time t, and sets their states. It depends on nothing
// else.
func arrange(endpoints []*Endpoint, s Settings, t int64) *view {
	v := &view{all: endpoints}
	for _, e := range endpoints {
		state := e.stateAt(t)
		e.state.Store(int32(state))
		switch state {
		case Ejected:
			if !e.ejection.probed { // or else the probe ends the ejection
				v.expires(e.ejection.until)
			}
		case Trial:
			e.trialAt.Store(e.ejection.until)
			v.trials = append(v.trials, e)
		}
	}
	group := firstAvailable(endpoints, s.PanicThreshold)
	chosen := group
	if len(group) == 0 {
		return v
	}
	if local := inZone(endpoints, group, s.Zone); len(local) > 0 {
		chosen = local
	}
	for _, e := range endpoints {
		c := candidate{e, float64(e.weight)}
		if share, next := e.slowStart(s.SlowStart, t); share < 1 {
			c.weight *= share
			v.expires(next)
		}
		switch {
		case slices.Contains(chosen, e):
			v.candidates = append(v.candidates, c)
		case e.Available():
			v.others = append(v.others, c)
		}
	}
	return v
}

// firstAvailable returns the available endpoints of the first priority that has any. If they are
// fewer than threshold percent, it returns all of that priority; and if no endpoint at all is
// available, all endpoints: a call that might fail is better than one that certainly fails.
func firstAvailable(endpoints []*Endpoint, threshold int) []*Endpoint {
	byPriority := slices.Clone(endpoints)
	slices.SortStableFunc(byPriority, func(a, b *Endpoint) int { return cmp.Compare(a.priority, b.priority) })
	var panicking []*Endpoint // the first group of which some are available
	for len(byPriority) > 0 {
		n := 1
		for n < len(byPriority) && byPriority[n].priority == byPriority[0].priority {
			n++
		}
		group := byPriority[:n]
		byPriority = byPriority[n:]
		available := slices.DeleteFunc(slices.Clone(group), func(e *Endpoint) bool { return !e.Available() })
		switch {
		case len(available) > 0 && len(available)*100 >= threshold*len(group):
			return available
		case len(available) > 0 && panicking == nil:
			panicking = group
		}
	}
	if panicking == nil {
		return endpoints
	}
	return panicking
}

// inZone returns those endpoints of group that are in zone, or nil if fewer than half of all endpoints
// of that zone and of the group's priority are: these could not bear the load.
func inZone(endpoints, group []*Endpoint, zone string) []*Endpoint {
	if zone == "" {
		return nil
	}
	total := 0
	for _, e := range endpoints {
		if e.zone == zone && e.priority == group[0].priority {
			total++
		}
	}
	local := slices.DeleteFunc(slices.Clone(group), func(e *Endpoint) bool { return e.zone != zone })
	if len(local)*2 < total {
		return nil
	}
	return local
}

const (
	slowStartSteps = 20  // how often the weight grows
	slowStartMin   = 0.1 // the share of its weight with which an endpoint begins
)

// slowStart returns the share of its weight that e has at the time t, and when it has more.
func (e *Endpoint) slowStart(lasts time.Duration, t int64) (share float64, next int64) {
	elapsed := t - e.startedAt
	if e.startedAt == 0 || elapsed >= int64(lasts) {
		return 1, 0
	}
	return max(slowStartMin, float64(elapsed)/float64(lasts)), t + max(int64(lasts)/slowStartSteps, 1)
}

// stateAt returns the state of e at the time t. It is called with Balancer.mu.
func (e *Endpoint) stateAt(t int64) State {
	switch {
	case e.unhealthy:
		return Unhealthy
	case e.ejection.until == 0:
		return Healthy
	case e.ejection.probed || t < e.ejection.until:
		return Ejected
	}
	return Trial
}
