package balance

import (
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// Target says where an endpoint is and how much of the calls it gets. URL and Address identify the
// endpoint.
type Target struct {
	// URL is that of the requests. Only scheme, host and path count; its path is put before that of
	// each request. Required.
	URL *url.URL
	// Address is the host and port that is dialed. Default that of URL.
	Address string
	// Weight is the endpoint's share of the calls, in proportion to the weights of the others.
	// Default 1.
	Weight int
	// Zone is where the endpoint is. Default unknown.
	Zone string
	// Priority orders groups of endpoints: those with a higher number are chosen when none with a
	// lower one is available. Default 0.
	Priority int
}

// Endpoint is one replica of a service. It is safe for concurrent use.
type Endpoint struct {
	url     *url.URL // without a slash at the end of its path; never changed
	rawPath string   // the escaped path of url
	address string   // of the Target

	// cooldownEnd is when the endpoint may be chosen again, as returned by now; 0 when it may be
	// chosen now.
	cooldownEnd atomic.Int64
	// turn belongs to the policy, which guards it.
	turn uint64
}

func newEndpoint(t Target) *Endpoint {
	u := t.URL
	return &Endpoint{
		address: t.Address,
		url:     &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")},
		rawPath: strings.TrimRight(u.EscapedPath(), "/"),
	}
}

// String returns the endpoint's host and port.
func (e *Endpoint) String() string { return e.url.Host }

// Address returns the host and port to dial instead of those of the requests' URL, "" for the URL's own.
func (e *Endpoint) Address() string { return e.address }

// Direct makes u, the URL of a request with a path and maybe a query, one of the endpoint.
func (e *Endpoint) Direct(u *url.URL) {
	u.Scheme, u.Host, u.User = e.url.Scheme, e.url.Host, nil
	if e.rawPath != "" {
		// Both forms are set, or else net/http would escape Path in its own way.
		u.RawPath = e.rawPath + u.EscapedPath()
		u.Path = e.url.Path + u.Path
	}
}

// Judge tells whether a response that Lease.Done reported as attempt.Unjudged could be decoded.
func (e *Endpoint) Judge(attempt.Outcome) {}

// Available reports whether e may be chosen: it is not in a cooldown.
func (e *Endpoint) Available() bool {
	end := e.cooldownEnd.Load()
	return end == 0 || now() >= end
}

// started is the beginning of the time that now measures.
var started = time.Now()

// now returns the monotonic time in nanoseconds, so that a change of the machine's clock neither
// ends a cooldown nor prolongs it. It is never 0.
func now() int64 { return int64(time.Since(started)) + 1 }

// coolDown keeps e from being chosen for d.
func (e *Endpoint) coolDown(d time.Duration) { e.cooldownEnd.Store(now() + int64(d)) }

// markHealthy ends a cooldown, and reports whether there was one. It loads first, so that
// successful requests, which are nearly all, do not write to memory that all goroutines share.
func (e *Endpoint) markHealthy() bool {
	return e.cooldownEnd.Load() != 0 && e.cooldownEnd.Swap(0) != 0
}

// available returns the endpoints that may be chosen, or all of them when none may: a
// request that might fail is better than one that certainly fails.
func available(endpoints []*Endpoint) []*Endpoint {
	if !slices.ContainsFunc(endpoints, unavailable) {
		return endpoints
	}
	if !slices.ContainsFunc(endpoints, (*Endpoint).Available) {
		return endpoints
	}
	return slices.DeleteFunc(slices.Clone(endpoints), unavailable)
}

func unavailable(e *Endpoint) bool { return !e.Available() }
