package upstreams

import (
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/observe"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
)

// SourceStatus is the state of a source at a moment, for operators: it has addresses of services. The
// counts are those since the gateway started.
type SourceStatus struct {
	// Source is its name.
	Source string `json:"source"`
	observe.SourceCounts
	// Retries are the attempts that followed a failed one of the same call, and Hedges those that
	// began beside one that was late. HedgesWon counts hedges whose response was used.
	Retries   int64 `json:"retries"`
	Hedges    int64 `json:"hedges"`
	HedgesWon int64 `json:"hedgesWon"`
	// BudgetRefused counts the retries and hedges that the budget did not permit.
	BudgetRefused int64 `json:"budgetRefused"`
	// Breaker is the state of the circuit breaker of the whole service: closed, open or half-open; ""
	// without one. BreakerOpenUntil is when an open one permits a call again.
	Breaker          string     `json:"breaker,omitempty"`
	BreakerOpenUntil *time.Time `json:"breakerOpenUntil,omitempty"`
	// Queued is how many calls wait for others to end, and Limit how many may run; 0 is no limit.
	Queued int64 `json:"queued"`
	Limit  int   `json:"limit"`
	// Operations are those whose circuit breakers are not closed.
	Operations []OperationStatus `json:"operations"`
	// Endpoints are the endpoints that calls may be sent to.
	Endpoints []EndpointStatus `json:"endpoints"`
}

// OperationStatus is the state of the circuit breaker of an operation.
type OperationStatus struct {
	// Operation is the method and the path, with {} for each value.
	Operation        string     `json:"operation"`
	Breaker          string     `json:"breaker"`
	BreakerOpenUntil *time.Time `json:"breakerOpenUntil,omitempty"`
}

// EndpointStatus is the state of an endpoint at a moment.
type EndpointStatus struct {
	// Endpoint is host and port, with the address that is dialed if that is another: as in the log.
	Endpoint string `json:"endpoint"`
	// Address is the host and port that is dialed.
	Address string `json:"address"`
	// State is one of balance.States.
	State string `json:"state"`
	// EjectedUntil is when an ejected endpoint is tried again.
	EjectedUntil *time.Time `json:"ejectedUntil,omitempty"`
	// Ejections is how often the endpoint was ejected, each failed trial included.
	Ejections uint64 `json:"ejections"`
	// InFlight is how many attempts have not ended.
	InFlight int64 `json:"inFlight"`
	// Latency is the moving average of the times of responses, in seconds.
	Latency float64 `json:"latency"`
	// Weight, Zone and Priority are those of the settings or of discovery.
	Weight   int    `json:"weight"`
	Zone     string `json:"zone,omitempty"`
	Priority int    `json:"priority,omitempty"`
	// LastError is the last attempt or active check that failed, nil if none has.
	LastError *Failure `json:"lastError"`
	observe.EndpointCounts
}

// Failure is an attempt, or an active check, that failed.
type Failure struct {
	// Time is when it ended.
	Time time.Time `json:"time"`
	// Outcome is the attempt.Outcome, "check" for an active check.
	Outcome string `json:"outcome"`
	// Reason is an error for operators, which may have addresses, but no value of a client.
	Reason string `json:"reason,omitempty"`
}

// Status returns the state of all sources, in the order of their names. The counts are those of stats,
// which must be an observer of s, or zero without stats; it forgets endpoints that are not there any
// more.
func (s *Services) Status(stats *observe.Stats) []SourceStatus {
	sources := s.Sources().byName
	all := make([]SourceStatus, 0, len(sources))
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		all = append(all, sources[name].status(name, stats))
	}
	return all
}

func (s *source) status(name string, stats *observe.Stats) SourceStatus {
	if stats == nil {
		stats = &observe.Stats{}
	}
	endpoints := s.endpoints.balancer.Status()
	names := make([]string, len(endpoints))
	for i, e := range endpoints {
		names[i] = e.Name
	}
	stats.KeepEndpoints(name, names)
	attempts := s.client.Resilience.Status()
	status := SourceStatus{
		Source: name, SourceCounts: stats.Source(name), Endpoints: []EndpointStatus{},
		Retries: attempts.Retries, Hedges: attempts.Hedges, HedgesWon: attempts.HedgesWon, BudgetRefused: attempts.Refused,
	}
	status.setBreakers(attempts.Breakers)
	limit := s.limiter.Status()
	status.Queued, status.Limit = limit.Queued, limit.Limit
	for _, e := range endpoints {
		status.Endpoints = append(status.Endpoints, endpointStatus(e, stats.Endpoint(name, e.Name)))
	}
	return status
}

// setBreakers sets the states of circuit breakers: that of the whole service comes first.
func (s *SourceStatus) setBreakers(breakers []resilience.BreakerStatus) {
	s.Operations = []OperationStatus{}
	for _, b := range breakers {
		var until *time.Time
		if b.RetryIn > 0 {
			until = new(time.Now().Add(b.RetryIn))
		}
		switch {
		case b.Operation == "":
			s.Breaker, s.BreakerOpenUntil = b.State, until
		case b.State != resilience.Closed:
			s.Operations = append(s.Operations, OperationStatus{b.Operation, b.State, until})
		}
	}
}

func endpointStatus(e balance.EndpointStatus, counts observe.EndpointCounts) EndpointStatus {
	status := EndpointStatus{
		Endpoint: e.Name, Address: e.Address, State: e.State.String(), Ejections: e.Ejections, InFlight: e.InFlight,
		Latency: e.EWMA.Seconds(), Weight: e.Weight, Zone: e.Zone, Priority: e.Priority, EndpointCounts: counts,
	}
	if status.Address == "" {
		status.Address = e.Name
	}
	if !e.EjectedUntil.IsZero() {
		status.EjectedUntil = &e.EjectedUntil
	}
	if f := e.LastFailure; f != nil {
		status.LastError = &Failure{Time: f.Time, Outcome: f.Outcome.String()}
		if f.Outcome == attempt.Unjudged {
			status.LastError.Outcome = "check"
		}
		if f.Err != nil {
			status.LastError.Reason = f.Err.Error()
		}
	}
	return status
}
