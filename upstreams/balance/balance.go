// Package balance chooses which replica of a service receives an attempt of a call. A Balancer
// gives out leases of endpoints, and hears by each lease what became of the attempt. From that it
// learns which endpoints are healthy, and ejects the others for a while (passive health checks, or
// outlier detection). The package sends nothing itself.
//
// It promises that
//   - an endpoint that is ejected does not disturb the fairness among the others;
//   - an endpoint that was tried already is chosen again only if no other is available;
//   - one call at a time finds out whether an ejected endpoint has healed;
//   - there is always a choice: if no endpoint is available, all of them are candidates.
//
// A Pick reads an immutable view of the endpoints, so that healthy endpoints cost no lock beyond
// that of the policy. The view is computed anew when the health of an endpoint changes.
package balance

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// ErrNoEndpoints is the error of a Balancer without endpoints.
var ErrNoEndpoints = errors.New("no endpoints to choose from")

// Options configure a Balancer. The zero value is round robin over endpoints that are ejected when
// they fail.
type Options struct {
	// Settings say how endpoints are chosen. They must be valid.
	Settings Settings
	// Eject says when endpoints are ejected. It must be valid.
	Eject Eject
	// Probe, if set, reports whether an endpoint that could not be connected to can be connected to
	// again. It is called in the background, until it returns nil or ctx ends. Default none: a call
	// finds out.
	Probe func(ctx context.Context, e *Endpoint) error
	// OnRemoved, if set, is called for an endpoint that SetEndpoints has removed when no attempt uses
	// it any more. A Pick that runs at the same time may still return the endpoint; it is called again
	// then. It must not call the Balancer.
	OnRemoved func(e *Endpoint)
	// Log receives a warning when an endpoint is ejected, and a line when it is back. Default none.
	Log *slog.Logger
}

// Balancer chooses among the endpoints of one service. It is safe for concurrent use.
type Balancer struct {
	policy    policy
	keyless   policy // chooses for calls without a key
	settings  Settings
	eject     Eject
	check     func(context.Context, *Endpoint) error // Options.Probe
	onRemoved func(*Endpoint)
	log       *slog.Logger

	view atomic.Pointer[view]

	mu        sync.Mutex // guards what follows, and the state of the endpoints
	endpoints []*Endpoint
	removed   []*Endpoint // those that attempts may still use, for Status
	probes    probes
}

// New returns a Balancer over targets. Close ends what it does in the background.
func New(targets []Target, o Options) *Balancer {
	b := &Balancer{
		settings: o.Settings, eject: o.Eject.withDefaults(), check: o.Probe, onRemoved: o.OnRemoved, log: o.Log,
		keyless: new(roundRobin),
	}
	b.policy = newPolicy(o.Settings.Policy)
	if !b.policy.keyed() {
		b.keyless = b.policy
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.probes.init()
	b.SetEndpoints(targets)
	return b
}

// Close ends the probes and waits for those that run. The Balancer may still be used afterwards.
func (b *Balancer) Close() {
	b.mu.Lock()
	b.probes.cancel()
	for _, e := range b.endpoints {
		e.stopProbe()
	}
	b.mu.Unlock()
	b.probes.running.Wait()
}

// SetEndpoints replaces the endpoints. One that is in the list already, by URL and address, keeps its
// health and gets the new weight, zone and priority. Leases of endpoints that are not in the list any
// more remain valid.
func (b *Balancer) SetEndpoints(targets []Target) {
	b.mu.Lock()
	t := now()
	before := b.endpoints
	b.endpoints = make([]*Endpoint, len(targets))
	for i, target := range targets {
		e := newEndpoint(target)
		if known := slices.IndexFunc(before, e.same); known >= 0 {
			e = before[known]
		} else if len(before) > 0 {
			e.startedAt = t // among the first endpoints, which all are new, there is nothing to spare
		}
		e.setTarget(target)
		b.endpoints[i] = e
	}
	var unused []*Endpoint
	for _, e := range before {
		if !slices.Contains(b.endpoints, e) {
			e.stopProbe()
			e.removed.Store(true)
			b.removed = append(b.removed, e)
			if e.inFlight.Load() == 0 {
				unused = append(unused, e)
			}
		}
	}
	b.forgetRemoved()
	b.rebuild(t)
	b.mu.Unlock()
	for _, e := range unused {
		b.reportRemoved(e)
	}
}

// forgetRemoved drops the removed endpoints that no attempt uses. It is called with b.mu.
func (b *Balancer) forgetRemoved() {
	b.removed = slices.DeleteFunc(b.removed, func(e *Endpoint) bool { return e.inFlight.Load() == 0 })
}

func (b *Balancer) reportRemoved(e *Endpoint) {
	if b.onRemoved != nil {
		b.onRemoved(e)
	}
}

// Len returns how many endpoints there are.
func (b *Balancer) Len() int { return len(b.view.Load().all) }

// Endpoints returns the endpoints, which must not be changed.
func (b *Balancer) Endpoints() []*Endpoint { return b.view.Load().all }

// Choice is what a choice among the endpoints depends on, apart from the endpoints themselves.
type Choice struct {
	// Tried are endpoints that the call was sent to already. Others are preferred.
	Tried []*Endpoint
	// Key is the hash (HashKey) of what ring_hash and rendezvous choose by. It counts if HasKey.
	Key    uint64
	HasKey bool
	// Unrepeatable says that the call must not be sent again. It is not used to find out whether an
	// endpoint has healed, as long as there are other calls for that.
	Unrepeatable bool
}

// Lease is an endpoint that was chosen for one attempt. It ends with Done.
type Lease struct {
	// Endpoint is the chosen one.
	Endpoint *Endpoint
	// Trial says that the endpoint was ejected and that this attempt finds out whether it has healed.
	// It may well fail; a call that may be hedged should be, after a short delay. An attempt that is
	// canceled proves nothing, and the endpoint remains ejected.
	Trial bool

	balancer *Balancer
	start    int64 // as returned by now
}

// Pick chooses an endpoint. The error is ErrNoEndpoints.
func (b *Balancer) Pick(c Choice) (Lease, error) {
	t := now()
	v := b.view.Load()
	if v.until != 0 && t >= v.until {
		v = b.refresh(t)
	}
	if len(v.all) == 0 {
		return Lease{}, ErrNoEndpoints
	}
	l := Lease{balancer: b, start: t}
	if len(v.trials) > 0 {
		l.Endpoint = v.startTrial(c, t)
		l.Trial = l.Endpoint != nil
	}
	if l.Endpoint == nil {
		l.Endpoint = b.choose(v, c)
	}
	l.Endpoint.inFlight.Add(1)
	return l, nil
}

// choose has the policy choose among the candidates that were not tried.
func (b *Balancer) choose(v *view, c Choice) *Endpoint {
	if len(v.all) == 1 {
		return v.all[0]
	}
	candidates := v.candidates
	if len(c.Tried) > 0 {
		candidates = v.untried(c.Tried)
	}
	if c.HasKey {
		return b.policy.choose(candidates, c.Key)
	}
	// Also if there is one candidate: round_robin counts its turn.
	return b.keyless.choose(candidates, 0)
}

// Done ends the attempt. It must be called once, when the connection is not in use any more. err is
// the reason of a failure, for operators. An Unjudged outcome is followed by Judge.
func (l Lease) Done(ctx context.Context, o attempt.Outcome, err error) {
	t := now()
	l.release(o)
	took := t - l.start
	l.balancer.policy.observe(l.Endpoint, took, o, t)
	switch {
	case o == attempt.Canceled, o == attempt.Stale, o == attempt.Refused:
		l.inconclusive(o, t)
	case o == attempt.Slow:
		l.slow(ctx, t)
	case o.Failed():
		l.fail(ctx, o, true, t, err)
	default:
		l.respond(ctx, o, took, t)
	}
}

// Judge says whether a response that Done reported as attempt.Unjudged could be decoded: o is
// Success or Malformed. Copies of a response may each be judged; its first rejection counts.
func (l Lease) Judge(o attempt.Outcome) {
	ctx := context.Background() // it is judged by whichever of its readers is first
	e := l.Endpoint
	e.calls[o].Add(1)
	if o == attempt.Success {
		l.succeed(ctx)
		return
	}
	if e.malformedStart.Swap(l.start) != l.start {
		l.fail(ctx, o, false, now(), errMalformed)
	}
}

var errMalformed = errors.New("the response could not be decoded")

// release counts the attempt as ended.
func (l Lease) release(o attempt.Outcome) {
	e := l.Endpoint
	e.calls[o].Add(1)
	if e.inFlight.Add(-1) == 0 && e.removed.Load() {
		l.balancer.reportRemoved(e)
	}
}
