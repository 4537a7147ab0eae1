// Package observe is how the calls to services are seen from outside: an Observer hears of each call,
// of its attempts, and of calls that share the response of another one. Metrics are an Observer
// (Stats), and traces can be one: a call is a span, its attempts are the spans below it, and a join is
// a link.
//
// It promises that a service without observers pays one comparison for each call, and that Stats
// allocates nothing for a call.
package observe

import (
	"context"
	"net/http"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// Observer hears of calls. It must be safe for concurrent use and must not block: calls wait for it.
type Observer interface {
	// StartCall is called when a field asks for a call, before anything is waited for or sent. ctx
	// is that of the field. The result hears of the rest, and may be nil.
	StartCall(ctx context.Context, c CallInfo) Call
}

// Call hears of one call. StartAttempt may be called concurrently, and while a call goes on for others
// that share its response, also after End.
type Call interface {
	// StartAttempt is called before a request is sent. ctx is that of the attempt. The result hears
	// how it ended, and may be nil.
	StartAttempt(ctx context.Context, a AttemptInfo) Attempt
	// Join is called when the call has shared the response of another one instead of making
	// attempts. with is the call that made them; nil if it failed, or if that is not known.
	Join(how Sharing, with Call)
	// End is called once.
	End(r CallResult)
}

// Attempt hears of one attempt.
type Attempt interface {
	// End is called once, when it is known what became of the attempt. The end of a complete
	// response is known when its body has been decoded, so that the time of the attempt is in r.
	End(r AttemptResult)
}

// CallInfo describes a call. It has no value of a client.
type CallInfo struct {
	// Source is the name of the service.
	Source string
	// Request is what the call sends.
	Request Request
}

// Request describes what a call sends. It is an interface so that a template which is not asked for
// costs nothing.
type Request interface {
	// Method returns the HTTP method.
	Method() string
	// Template returns the path with {} for each value: "/users/{}".
	Template() string
}

// CallResult is how a call ended.
type CallResult struct {
	// Err is nil, or the *fault.Error of the field.
	Err error
	// Start is when the field asked for the call. Duration is the time until its response had been
	// decoded, including all waiting.
	Start    time.Time
	Duration time.Duration
}

// AttemptInfo describes an attempt.
type AttemptInfo struct {
	// Endpoint is host and port, with the address that is dialed if that is another.
	Endpoint string
	// Number is 1 for the first attempt of a call, and grows by one for each further one.
	Number int
	// Hedge reports whether the attempt was started while another one was running.
	Hedge bool
	// Request is what is sent. The attempts of a call share its Header: an observer that adds to it,
	// such as traceparent, replaces it by a copy first. Nothing else must be changed.
	Request *http.Request
}

// AttemptResult is what became of an attempt.
type AttemptResult struct {
	// Outcome is final: never attempt.Unjudged.
	Outcome attempt.Outcome
	// Status is the HTTP status, 0 without a response.
	Status int
	// Err is the reason of a failure without a status, for operators; nil otherwise.
	Err error
	// Start is when the request was about to be sent. Duration is the time until its response had
	// been read.
	Start    time.Time
	Duration time.Duration
}

// Sharing is how a call came to the response of another one.
type Sharing uint8

// The ways to share a response.
const (
	// Coalesced is a call whose response another operation was waiting for: execution.coalesce.
	Coalesced Sharing = iota
	// Once is a call that the operation had made at another place.
	Once
)

// String returns the name in metrics: "coalesced".
func (s Sharing) String() string { return [...]string{"coalesced", "once"}[s] }

// All returns an Observer that passes everything on to each of the observers: nil for none, and the
// observer itself for one.
func All(observers ...Observer) Observer {
	switch len(observers) {
	case 0:
		return nil
	case 1:
		return observers[0]
	}
	return all(observers)
}

type (
	all         []Observer
	allCalls    []Call
	allAttempts []Attempt
)

func (a all) StartCall(ctx context.Context, c CallInfo) Call {
	calls := make(allCalls, len(a))
	for i, o := range a {
		calls[i] = o.StartCall(ctx, c)
	}
	return calls
}

func (a allCalls) StartAttempt(ctx context.Context, info AttemptInfo) Attempt {
	attempts := make(allAttempts, len(a))
	for i, c := range a {
		if c != nil {
			attempts[i] = c.StartAttempt(ctx, info)
		}
	}
	return attempts
}

func (a allCalls) Join(how Sharing, with Call) {
	others, _ := with.(allCalls)
	for i, c := range a {
		switch {
		case c == nil:
		case i < len(others):
			c.Join(how, others[i])
		default:
			c.Join(how, nil)
		}
	}
}

func (a allCalls) End(r CallResult) {
	for _, c := range a {
		if c != nil {
			c.End(r)
		}
	}
}

func (a allAttempts) End(r AttemptResult) {
	for _, one := range a {
		if one != nil {
			one.End(r)
		}
	}
}
