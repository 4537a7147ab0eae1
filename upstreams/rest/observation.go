package rest

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/observe"
)

// Observed returns a copy of the call whose attempts and joins to hears of. The copy is sent once, and
// EndObservation ends that.
func (c *Call) Observed(to observe.Call) *Call {
	observed := &struct {
		call        Call
		observation observation
	}{*c, observation{to: to, start: time.Now()}} // in one allocation
	observed.call.observation = &observed.observation
	return &observed.call
}

// EndObservation ends a call that Observed returned. err is that of its field.
func (c *Call) EndObservation(err error) { c.observation.end(err) }

// ObserveJoin reports that the call has the response r of another one; nil if that failed.
func (c *Call) ObserveJoin(how observe.Sharing, r *Response) {
	if c.observation == nil {
		return
	}
	var with observe.Call
	if r != nil && r.observation != nil {
		with = r.observation.to
	}
	c.observation.to.Join(how, with)
}

// observation is what an observer hears of one call. The methods of a nil *observation do nothing.
// Other calls may have joined the call, and their attempts go on when it has ended.
type observation struct {
	to       observe.Call
	start    time.Time
	attempts atomic.Int32 // that were started
	sent     atomic.Bool  // see sends

	mu sync.Mutex
	// unjudged is the attempt whose response has not been decoded, nil if there is none, and result
	// what is known of it; guarded by mu.
	unjudged observe.Attempt
	result   observe.AttemptResult
	ended    bool // guarded by mu
}

// observedAttempt is an attempt that an observer hears of. Its zero value is one that none does.
type observedAttempt struct {
	of    *observation
	to    observe.Attempt
	start time.Time
}

// startAttempt reports an attempt at an endpoint, nil without a balancer.
func (o *observation) startAttempt(ctx context.Context, req *http.Request, e *balance.Endpoint, hedge bool) observedAttempt {
	if o == nil {
		return observedAttempt{}
	}
	endpoint := req.URL.Host
	if e != nil {
		endpoint = e.String()
	}
	to := o.to.StartAttempt(ctx, observe.AttemptInfo{
		Endpoint: endpoint, Number: int(o.attempts.Add(1)), Hedge: hedge, Request: req,
	})
	if to == nil {
		return observedAttempt{}
	}
	return observedAttempt{o, to, time.Now()}
}

// end reports the end of the attempt, the last one of a lane. If its outcome is attempt.Unjudged, the observation waits until
// the response is judged.
func (a observedAttempt) end(l *lane) {
	if a.of == nil {
		return
	}
	result := observe.AttemptResult{Outcome: l.outcome, Err: l.err, Start: a.start, Duration: time.Since(a.start)}
	if l.response != nil {
		result.Status = l.response.Status
	}
	if l.outcome != attempt.Unjudged {
		a.to.End(result)
		return
	}
	a.of.mu.Lock()
	if !a.of.ended {
		a.of.unjudged, a.of.result = a.to, result
		a.of.mu.Unlock()
		return
	}
	a.of.mu.Unlock()
	result.Outcome = attempt.Success // its call has left, so that it is not known better
	a.to.End(result)
}

// judge ends the attempt that has not been judged yet.
func (o *observation) judge(outcome attempt.Outcome) {
	if o == nil {
		return
	}
	o.mu.Lock()
	to, result := o.unjudged, o.result
	o.unjudged = nil
	o.mu.Unlock()
	if to != nil {
		result.Outcome = outcome
		to.End(result)
	}
}

func (o *observation) end(err error) {
	if o == nil {
		return
	}
	o.mu.Lock()
	o.ended = true
	o.mu.Unlock()
	o.judge(attempt.Success)
	o.to.End(observe.CallResult{Err: err, Start: o.start, Duration: time.Since(o.start)})
}

// sends notes that the call makes attempts of its own, so that it has not joined another one.
func (o *observation) sends() {
	if o != nil {
		o.sent.Store(true)
	}
}
