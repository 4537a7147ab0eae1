package balance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Endpoint is one replica of a service. It is safe for concurrent use.
type Endpoint struct {
	url     *url.URL // without a slash at the end of its path; never changed
	rawPath string   // the escaped path of url

	// cooldownEnd is when the endpoint may be chosen again, in Unix nanoseconds; 0 when it
	// may be chosen now.
	cooldownEnd atomic.Int64
	// turn belongs to the policy, which guards it.
	turn uint64
}

func newEndpoint(u *url.URL) *Endpoint {
	raw := strings.TrimRight(u.EscapedPath(), "/")
	base := *u
	base.Path = strings.TrimRight(u.Path, "/")
	return &Endpoint{url: &base, rawPath: raw}
}

// String returns the endpoint's host and port.
func (e *Endpoint) String() string { return e.url.Host }

// Available reports whether e may be chosen: it is not in a cooldown.
func (e *Endpoint) Available() bool {
	end := e.cooldownEnd.Load()
	return end == 0 || time.Now().UnixNano() >= end
}

// coolDown keeps e from being chosen for d.
func (e *Endpoint) coolDown(d time.Duration) {
	e.cooldownEnd.Store(time.Now().Add(d).UnixNano())
}

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

// direct returns a copy of req that goes to e. As http.RoundTripper demands, req itself is
// not changed.
func (e *Endpoint) direct(req *http.Request) *http.Request {
	out, target := *req, *req.URL
	target.Scheme, target.Host, target.User = e.url.Scheme, e.url.Host, nil
	// Both forms are set, or else net/http would escape Path in its own way.
	target.RawPath = e.rawPath + req.URL.EscapedPath()
	target.Path = e.url.Path + req.URL.Path
	out.URL, out.Host = &target, ""
	return &out
}
