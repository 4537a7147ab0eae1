package balance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Endpoint is one replica. It is safe for concurrent use.
type Endpoint struct {
	url     *url.URL // with no slash at the end of its path; never changed
	rawPath string   // its escaped path

	// resting is when it may be chosen again, in Unix nanoseconds; 0 when it may be.
	resting atomic.Int64
	// turn belongs to the policy, which guards it.
	turn uint64
}

func newEndpoint(u *url.URL) *Endpoint {
	raw := strings.TrimRight(u.EscapedPath(), "/")
	base := *u
	base.Path = strings.TrimRight(u.Path, "/")
	return &Endpoint{url: &base, rawPath: raw}
}

// String is the endpoint's host and port.
func (e *Endpoint) String() string { return e.url.Host }

// Available tells whether e may be chosen: it has not just refused a connection.
func (e *Endpoint) Available() bool {
	until := e.resting.Load()
	return until == 0 || time.Now().UnixNano() >= until
}

func (e *Endpoint) rest(pause time.Duration) {
	e.resting.Store(time.Now().Add(pause).UnixNano())
}

// reached ends a rest. The load spares the common case a write that all share.
func (e *Endpoint) reached() {
	if e.resting.Load() != 0 {
		e.resting.Store(0)
	}
}

// available are the endpoints that may be chosen, or all when none may: a call that
// might fail is better than one that must.
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

// address is req for this endpoint. As a RoundTripper must, it leaves req as it is.
func (e *Endpoint) address(req *http.Request) *http.Request {
	out, target := *req, *req.URL
	target.Scheme, target.Host, target.User = e.url.Scheme, e.url.Host, nil
	// Both forms, or net/http would choose an escaping of its own.
	target.RawPath = e.rawPath + req.URL.EscapedPath()
	target.Path = e.url.Path + req.URL.Path
	out.URL, out.Host = &target, ""
	return &out
}
