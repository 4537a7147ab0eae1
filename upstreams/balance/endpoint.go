package balance

import (
	"net/http"
	"net/url"
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
	// Address is what Transport connects to: a host and port, or the path of a socket. Default the
	// host of URL.
	Address string
	// Transport has the endpoint's connections. Default none: see Endpoint.Transport.
	Transport http.RoundTripper
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
	id      uint64   // the hash of url and address
	name    string   // what String returns

	transport http.RoundTripper // nil if the Target has none

	// Read by every pick or written by every attempt.
	inFlight       atomic.Int64
	removed        atomic.Bool
	state          atomic.Int32 // a State, as of the current view
	stateSince     atomic.Int64 // attempts that began before say nothing about the state
	trialAt        atomic.Int64 // when the trial began
	trialRuns      atomic.Bool  // an attempt finds out whether the endpoint has healed
	calls          [attempt.Outcomes]atomic.Uint64
	failures       atomic.Int64  // in a row
	slowness       atomic.Int64  // slow responses in a row
	malformedStart atomic.Int64  // of the last attempt with a response that could not be decoded
	latency        latency       // of responses
	cost           decayingPeak  // for peak_ewma
	turn           float64       // belongs to round_robin, which guards it
	recent         failureWindow // guards itself
	last           atomic.Pointer[Failure]

	// Guarded by Balancer.mu.
	weight    int
	zone      string
	priority  int
	startedAt int64 // when its slow start began; 0 for none
	unhealthy bool  // by active checks
	ejection  ejection
}

func newEndpoint(t Target) *Endpoint {
	e := &Endpoint{
		url:     &url.URL{Scheme: t.URL.Scheme, Host: t.URL.Host, Path: strings.TrimRight(t.URL.Path, "/")},
		rawPath: strings.TrimRight(t.URL.EscapedPath(), "/"),
		address: t.Address, transport: t.Transport,
	}
	e.name = e.url.Host
	if e.address != "" && e.address != e.url.Host {
		e.name += " (" + e.address + ")"
	}
	e.id = HashKey(e.url.Scheme + "://" + e.url.Host + e.rawPath + " " + e.address)
	return e
}

// setTarget takes over what may change of t. It is called with Balancer.mu.
func (e *Endpoint) setTarget(t Target) {
	e.weight, e.zone, e.priority = max(t.Weight, 1), t.Zone, t.Priority
}

// same reports whether e and other are the same endpoint.
func (e *Endpoint) same(other *Endpoint) bool {
	return *e.url == *other.url && e.address == other.address
}

// String returns the endpoint's host and port, and its address if that is another text:
// "users.example.com:8080 (10.0.0.1:8080)".
func (e *Endpoint) String() string { return e.name }

// URL returns scheme, host and path of the endpoint. It must not be changed.
func (e *Endpoint) URL() *url.URL { return e.url }

// Transport returns the connections of the endpoint, nil if its Target had none.
func (e *Endpoint) Transport() http.RoundTripper { return e.transport }

// Address returns what is connected to instead of the host of the requests' URL, "" for that host.
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

// Available reports whether e may be chosen: it is neither ejected nor unhealthy.
func (e *Endpoint) Available() bool { return State(e.state.Load()) == Healthy }

// started is the beginning of the time that now measures. It lies so far back that the clock of
// testing/synctest, which begins in 2000, is after it.
var started = time.Now().Add(-100 * 365 * 24 * time.Hour) // AddDate would lose the monotonic time

// now returns the monotonic time in nanoseconds, so that a change of the machine's clock neither
// ends an ejection nor prolongs it. It is positive.
func now() int64 { return int64(time.Since(started)) }
