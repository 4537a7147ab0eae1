package balance

import (
	"slices"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// Failure is a failed attempt, or a failed active check.
type Failure struct {
	// Outcome is that of the attempt, Unjudged for a check.
	Outcome attempt.Outcome
	Time    time.Time
	// Err is for operators, and may be nil. It is not meant for clients.
	Err error
}

// EndpointStatus is the state of an endpoint at one moment, for operators.
type EndpointStatus struct {
	Name     string // as Endpoint.String returns it
	URL      string // scheme, host and path
	Address  string // that is dialed, if it is not the URL's
	Zone     string
	Weight   int
	Priority int
	State    State
	// EjectedUntil is when the present ejection ends, zero if there is none.
	EjectedUntil time.Time
	// InFlight is how many attempts are running.
	InFlight int64
	// EWMA is the moving average of the latencies of responses.
	EWMA time.Duration
	// Calls are the attempts that ended so far, by attempt.Outcome. Those that are Unjudged are counted
	// again when they are judged.
	Calls [attempt.Outcomes]uint64
	// Ejections is how often the endpoint was ejected, each failed trial included.
	Ejections uint64
	// LastFailure is the latest one, nil if there was none.
	LastFailure *Failure
}

// Status returns the states of the endpoints in their order, and then of those that are draining.
func (b *Balancer) Status() []EndpointStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, wall := now(), time.Now()
	b.forgetRemoved()
	list := make([]EndpointStatus, 0, len(b.endpoints)+len(b.removed))
	for _, e := range b.endpoints {
		list = append(list, e.status(e.stateAt(t), t, wall))
	}
	for _, e := range b.removed {
		list = append(list, e.status(Draining, t, wall))
	}
	return list
}

// status is called with Balancer.mu.
func (e *Endpoint) status(state State, t int64, wall time.Time) EndpointStatus {
	s := EndpointStatus{
		Name: e.String(), URL: e.url.String(), Address: e.address, Zone: e.zone, Weight: e.weight, Priority: e.priority,
		State: state, InFlight: e.inFlight.Load(), EWMA: time.Duration(e.latency.average()),
		Ejections: e.ejection.count, LastFailure: e.last.Load(),
	}
	if state == Ejected {
		s.EjectedUntil = wall.Add(time.Duration(e.ejection.until - t))
	}
	for o := range s.Calls {
		s.Calls[o] = e.calls[o].Load()
	}
	return s
}

// States returns the names of all states.
func States() []string { return slices.Clone(stateNames[:]) }
