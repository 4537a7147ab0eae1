package rest

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/replay"
)

// maxSent is how many endpoints may receive a call. Endpoints that could not be connected to are
// not counted, since nothing was sent to them. A call that breaks one server after the other must
// not reach all of them.
const maxSent = 2

// send makes attempts of a call until one may not be followed by another. Its result is that of the
// last one: a response that was read to its end, whatever its status, or an error. tried are the
// endpoints that the call was sent to before.
func (c *Client) send(ctx context.Context, call *Call, header http.Header, tried ...*balance.Endpoint) (*Response, error) {
	sent := len(tried)
	for {
		req, err := call.request(ctx, c.Service, header)
		if err != nil {
			return nil, err
		}
		var lease balance.Lease
		if c.Balancer != nil {
			if lease, err = c.Balancer.Pick(balance.Choice{Tried: tried}); err != nil {
				return nil, err
			}
			lease.Endpoint.Direct(req.URL)
		}
		r, err := c.exchange(ctx, req)
		outcome := outcomeOf(ctx, r, err)
		if lease.Endpoint != nil {
			lease.Done(ctx, outcome, err)
		}
		if r != nil {
			r.endpoint = lease.Endpoint
		}
		if !outcome.Unsent() {
			sent++
		}
		if !c.mayFollow(ctx, req, outcome, tried, sent) {
			return r, err
		}
		if outcome != attempt.Stale && lease.Endpoint != nil { // a stale connection says nothing about its endpoint
			tried = append(slices.Clip(tried), lease.Endpoint)
		}
	}
}

// mayFollow reports whether another attempt may follow one with this outcome.
func (c *Client) mayFollow(ctx context.Context, req *http.Request, o attempt.Outcome, tried []*balance.Endpoint, sent int) bool {
	switch {
	case contextDone(ctx):
		return false
	case o == attempt.Unreachable: // nothing was sent
		return c.Balancer != nil && len(tried)+1 < c.Balancer.Len()
	case o == attempt.Stale, o == attempt.Reset, o == attempt.BrokenOff, o == attempt.Malformed:
		return sent < maxSent && replay.Allowed(req)
	}
	return false
}

// outcomeOf judges an attempt by its response or its error. ctx is that of the attempt.
func outcomeOf(ctx context.Context, r *Response, err error) attempt.Outcome {
	if err != nil {
		return outcomeOfError(ctx, err)
	}
	switch {
	case r.isSuccess():
		return attempt.Unjudged
	case r.Status >= 500:
		return attempt.ServerError
	case r.Status == http.StatusTooManyRequests:
		return attempt.Throttled
	}
	return attempt.Success
}

// contextDone reports whether the caller no longer waits. It compares the deadline as
// well, since a dial may notice the deadline a moment before the context does.
func contextDone(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}
