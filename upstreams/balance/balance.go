// Package balance chooses which replica of a service receives an attempt of a call. A Balancer
// gives out leases of endpoints, and hears by each lease what became of the attempt. The package
// sends nothing itself.
//
// It promises that
//   - an endpoint that cannot be reached does not disturb the fairness among the others;
//   - an endpoint that was tried already is chosen again only if there is no other;
//   - there is always a choice: if no endpoint is available, all of them are candidates.
package balance

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// ErrNoEndpoints is the error of a Balancer without endpoints.
var ErrNoEndpoints = errors.New("no endpoints to choose from")

// DefaultCooldown is how long an endpoint that refused a connection is not chosen.
const DefaultCooldown = time.Second

// Options configure a Balancer. The zero value is round robin.
type Options struct {
	// Policy chooses among endpoints. Default a RoundRobin of its own.
	Policy Policy
	// Cooldown is how long an endpoint that refused a connection is not chosen while other
	// endpoints are available. Default DefaultCooldown; negative is no cooldown.
	Cooldown time.Duration
	// Log receives a warning when an endpoint fails, and a line when one that could not be
	// connected to is back. Default none.
	Log *slog.Logger
}

// Balancer chooses among the endpoints of one service. It is safe for concurrent use.
type Balancer struct {
	endpoints atomic.Pointer[[]*Endpoint]
	policy    Policy
	cooldown  time.Duration
	log       *slog.Logger
}

// New returns a Balancer over endpoints. Only scheme, host and path of a URL count; its path is put
// before that of each request.
func New(endpoints []*url.URL, o Options) *Balancer {
	b := &Balancer{policy: o.Policy, cooldown: o.Cooldown, log: o.Log}
	if b.policy == nil {
		b.policy = RoundRobin()
	}
	if b.cooldown == 0 {
		b.cooldown = DefaultCooldown
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.SetEndpoints(endpoints)
	return b
}

// SetEndpoints replaces the endpoints. One that is in the list already stays as it is. Leases of
// endpoints that are not in the list any more remain valid.
func (b *Balancer) SetEndpoints(urls []*url.URL) {
	var old []*Endpoint
	if current := b.endpoints.Load(); current != nil {
		old = *current
	}
	endpoints := make([]*Endpoint, len(urls))
	for i, u := range urls {
		e := newEndpoint(u)
		if known := slices.IndexFunc(old, func(o *Endpoint) bool { return *o.url == *e.url }); known >= 0 {
			e = old[known]
		}
		endpoints[i] = e
	}
	b.endpoints.Store(&endpoints)
}

// Len returns how many endpoints there are.
func (b *Balancer) Len() int { return len(*b.endpoints.Load()) }

// Choice is what a choice among the endpoints depends on, apart from the endpoints themselves.
type Choice struct {
	// Tried are endpoints that the call was sent to already. Others are preferred.
	Tried []*Endpoint
	// Key is the hash (HashKey) of what ring_hash and rendezvous choose by. It counts if HasKey.
	Key    uint64
	HasKey bool
}

// Lease is an endpoint that was chosen for one attempt, which ends with Done.
type Lease struct {
	// Endpoint is the chosen one.
	Endpoint *Endpoint

	balancer *Balancer
}

// Pick chooses an endpoint. The error is ErrNoEndpoints.
func (b *Balancer) Pick(c Choice) (Lease, error) {
	candidates := *b.endpoints.Load()
	if len(candidates) == 0 {
		return Lease{}, ErrNoEndpoints
	}
	if len(c.Tried) > 0 {
		candidates = untried(candidates, c.Tried)
	}
	return Lease{b.policy(available(candidates)), b}, nil
}

// Done ends the attempt. It must be called once, when the connection is not in use any more. err is
// the reason of a failure, for the log. An Unjudged outcome is followed by Endpoint.Judge.
func (l Lease) Done(ctx context.Context, o attempt.Outcome, err error) {
	b, e := l.balancer, l.Endpoint
	switch {
	case o == attempt.Unreachable:
		if b.cooldown > 0 {
			e.coolDown(b.cooldown)
		}
		fallthrough
	case o.Failed() && err != nil:
		b.log.LogAttrs(ctx, slog.LevelWarn, "backend endpoint failed",
			slog.String("endpoint", e.url.Host), slog.Any("error", err))
	case o != attempt.Canceled && e.markHealthy():
		b.log.LogAttrs(ctx, slog.LevelInfo, "backend endpoint is back", slog.String("endpoint", e.url.Host))
	}
}

// untried returns the endpoints that are not in tried, or all of them if there are none.
func untried(endpoints, tried []*Endpoint) []*Endpoint {
	others := make([]*Endpoint, 0, len(endpoints))
	for _, e := range endpoints {
		if !slices.Contains(tried, e) {
			others = append(others, e)
		}
	}
	if len(others) == 0 {
		return endpoints
	}
	return others
}
