// Package balance chooses which replica of a service gets a request. It is an
// http.RoundTripper over another one: a caller holds a plain HTTP client and cannot
// tell that it is balanced. It knows requests and connections, and nothing of what
// they carry.
//
// It promises that no replica sees a request twice, that a request which may have reached
// a replica is sent to one other at most, and only if it is Repeatable, that a replica out
// of reach takes nothing from the fairness among the others, and that a caller's deadline
// or cancellation ends everything at once.
package balance

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// ErrNoEndpoints is what a balancer without endpoints answers.
var ErrNoEndpoints = errors.New("no endpoints to choose from")

// DefaultPause is how long an endpoint that refused a connection is left alone.
const DefaultPause = time.Second

// Options say how to choose. The zero value is round robin.
type Options struct {
	// Policy chooses among endpoints. Default a RoundRobin of its own.
	Policy Policy
	// Cooldown is how long an endpoint that could not be connected to is left alone,
	// while others can be. Default DefaultPause; negative is not at all.
	Cooldown time.Duration
	// Log gets a warning when an endpoint fails. Default none.
	Log *slog.Logger
}

// Balancer sends each request to one of its endpoints. It is safe for concurrent use.
type Balancer struct {
	endpoints []*Endpoint
	policy    Policy
	pause     time.Duration
	log       *slog.Logger
	next      http.RoundTripper
}

// New makes a balancer over endpoints, of each of which scheme, host and path count;
// the path is put before that of each request. What is chosen is sent by next, nil
// being http.DefaultTransport.
func New(endpoints []*url.URL, o Options, next http.RoundTripper) *Balancer {
	b := &Balancer{policy: o.Policy, pause: o.Cooldown, log: o.Log, next: next}
	if b.policy == nil {
		b.policy = RoundRobin()
	}
	if b.pause == 0 {
		b.pause = DefaultPause
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.next == nil {
		b.next = http.DefaultTransport
	}
	for _, u := range endpoints {
		b.endpoints = append(b.endpoints, newEndpoint(u))
	}
	return b
}

// RoundTrip sends req to the endpoint whose turn it is; whatever host req names is
// replaced. When an endpoint refuses the connection, the others follow, each at most once.
// When the connection breaks before an answer began, one other endpoint follows, and only
// if req is Repeatable. A body must be one that req.GetBody can bring again. The error is
// that of the last endpoint.
func (b *Balancer) RoundTrip(req *http.Request) (*http.Response, error) {
	untried, attempt, sent := b.endpoints, req, 0
	for len(untried) > 0 {
		endpoint := b.policy(available(untried))
		resp, err := b.next.RoundTrip(endpoint.address(attempt))
		if err == nil {
			endpoint.reached()
			return resp, nil
		}
		if over(req.Context()) {
			return nil, err
		}
		b.failed(req.Context(), endpoint, err)
		if !unsent(err) {
			sent++
		}
		untried = without(untried, endpoint)
		if len(untried) == 0 || sent == maxSent || !mayFollow(req, err) {
			return nil, err
		}
		if attempt, err = again(req); err != nil {
			return nil, err
		}
	}
	closeBody(req)
	return nil, ErrNoEndpoints
}

// CloseIdleConnections closes those of the transport below, as
// http.Client.CloseIdleConnections expects.
func (b *Balancer) CloseIdleConnections() {
	if below, ok := b.next.(interface{ CloseIdleConnections() }); ok {
		below.CloseIdleConnections()
	}
}

// failed lets an endpoint rest that cannot be connected to. One that broke a
// connection may have had its reason in the request, and is only reported.
func (b *Balancer) failed(ctx context.Context, e *Endpoint, err error) {
	if unsent(err) && b.pause > 0 {
		e.rest(b.pause)
	}
	b.log.LogAttrs(ctx, slog.LevelWarn, "backend endpoint failed",
		slog.String("endpoint", e.url.Host), slog.Any("error", err))
}

// over tells whether the caller waits no more. The deadline is compared as well,
// since a dial may notice it a moment before the context does.
func over(ctx context.Context) bool {
	deadline, bounded := ctx.Deadline()
	return ctx.Err() != nil || bounded && !time.Now().Before(deadline)
}

// without leaves its argument as it is: other requests share it.
func without(endpoints []*Endpoint, one *Endpoint) []*Endpoint {
	return slices.DeleteFunc(slices.Clone(endpoints), func(e *Endpoint) bool { return e == one })
}
