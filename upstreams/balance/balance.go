// Package balance chooses which replica of a service receives a request. Balancer is an
// http.RoundTripper over another one: its caller uses an ordinary HTTP client and cannot
// tell that it is balanced. The package knows requests and connections, and nothing of
// what they carry.
//
// It promises that
//   - no replica receives a request twice;
//   - a request that may have reached a replica is sent to one other at most, and only if
//     replay.Allowed permits it;
//   - a replica that cannot be reached does not disturb the fairness among the others;
//   - the caller's deadline or cancellation ends all attempts at once.
package balance

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/replay"
)

// ErrNoEndpoints is the error of a Balancer without endpoints.
var ErrNoEndpoints = errors.New("no endpoints to choose from")

// DefaultCooldown is how long an endpoint that refused a connection is not chosen.
const DefaultCooldown = time.Second

// maxSent is how many endpoints may receive a request. Endpoints that refused the
// connection are not counted, since nothing was sent to them. A request that breaks one
// server after the other must not reach all of them.
const maxSent = 2

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

// Balancer sends each request to one of its endpoints. It is safe for concurrent use.
type Balancer struct {
	endpoints []*Endpoint
	policy    Policy
	cooldown  time.Duration
	log       *slog.Logger
	next      http.RoundTripper
}

// New returns a Balancer over endpoints. Only scheme, host and path of an endpoint count;
// its path is put before that of each request. Requests are sent by next; nil is
// http.DefaultTransport.
func New(endpoints []*url.URL, o Options, next http.RoundTripper) *Balancer {
	b := &Balancer{policy: o.Policy, cooldown: o.Cooldown, log: o.Log, next: next}
	if b.policy == nil {
		b.policy = RoundRobin()
	}
	if b.cooldown == 0 {
		b.cooldown = DefaultCooldown
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

// RoundTrip sends req to the endpoint that the policy chooses; the host that req names is
// replaced. When an endpoint cannot be connected to, the request is sent to the others,
// each at most once. When the connection breaks before a response began, it is sent to one
// other endpoint, and only if replay.Allowed permits it. A request whose body cannot be
// rewound is sent once. The error is that of the last endpoint, ErrNoEndpoints, or that of rewinding the
// body.
func (b *Balancer) RoundTrip(req *http.Request) (*http.Response, error) {
	untried, attempt, sent := b.endpoints, req, 0
	for len(untried) > 0 {
		endpoint := b.policy(available(untried))
		resp, err := b.next.RoundTrip(endpoint.direct(attempt))
		if err == nil {
			if endpoint.markHealthy() {
				b.log.LogAttrs(req.Context(), slog.LevelInfo, "backend endpoint is back", slog.String("endpoint", endpoint.url.Host))
			}
			return resp, nil
		}
		// The error follows from the caller's own end, and says nothing about the endpoint.
		if contextDone(req.Context()) {
			return nil, err
		}
		b.markFailed(req.Context(), endpoint, err)
		if !isDialError(err) {
			sent++
		}
		untried = without(untried, endpoint)
		if len(untried) == 0 || sent == maxSent || !canRetry(req, err) {
			return nil, err
		}
		if attempt, err = replay.Rewind(req); err != nil {
			return nil, err
		}
	}
	if req.Body != nil { // a RoundTripper closes it, also on errors
		req.Body.Close()
	}
	return nil, ErrNoEndpoints
}

// CloseIdleConnections closes those of the transport below, as
// http.Client.CloseIdleConnections expects.
func (b *Balancer) CloseIdleConnections() {
	if next, ok := b.next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// markFailed reports a failure of e, and begins its cooldown if it could not be connected
// to. An endpoint that broke a connection is not cooled down: the reason may lie in the
// request, which would then take one replica after the other out of service.
func (b *Balancer) markFailed(ctx context.Context, e *Endpoint, err error) {
	if isDialError(err) && b.cooldown > 0 {
		e.coolDown(b.cooldown)
	}
	b.log.LogAttrs(ctx, slog.LevelWarn, "backend endpoint failed",
		slog.String("endpoint", e.url.Host), slog.Any("error", err))
}

// canRetry reports whether req may be sent to another endpoint after err.
func canRetry(req *http.Request, err error) bool {
	return replay.CanRewind(req) && (isDialError(err) || replay.Allowed(req))
}

// isDialError reports whether err comes from connecting, before a byte of the request was
// sent.
func isDialError(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// contextDone reports whether the caller no longer waits. It compares the deadline as
// well, since a dial may notice the deadline a moment before the context does.
func contextDone(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// without returns a copy of endpoints that lacks excluded. The argument is not changed,
// since concurrent requests share it.
func without(endpoints []*Endpoint, excluded *Endpoint) []*Endpoint {
	return slices.DeleteFunc(slices.Clone(endpoints), func(e *Endpoint) bool { return e == excluded })
}
