package rest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/replay"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
)

const (
	// maxBroken is how many attempts of a call may end without a complete response. A call that
	// breaks one server after the other must not reach all of them.
	maxBroken = 2
	// slowFactor is how many times longer than the winner an attempt took that is reported as slow.
	slowFactor = 3
	// longAttempt is how long an attempt had at least when the end of the operation's time speaks
	// against the endpoint.
	longAttempt = time.Second
)

// history is what the attempts of a call leave to those that follow if its response cannot be
// decoded: see Client.Again.
type history struct {
	deadline time.Time           // of the whole call; zero is none
	made     int                 // attempts
	last     *balance.Endpoint   // that was tried last
	earlier  []*balance.Endpoint // that were tried before; apart, so that a call with one attempt allocates nothing
}

// attempts are those of one call.
//
// The first lane runs in the caller's goroutine and makes one attempt after the other. If the call
// has no response after a while, a timer starts the second lane, the hedge, in its own goroutine.
// The first lane with a response wins and cancels the other one. Both have ended when send returns,
// so that no attempt outlasts its call, and an attempts can be reused.
type attempts struct {
	client   *Client
	call     *Call
	op       *resilience.Operation
	ctx      context.Context // of the caller, or of the run that callers share
	deadline time.Time       // of the whole call; zero is none
	timer    *resilience.Timer

	mu          sync.Mutex
	tried       []*balance.Endpoint // guarded by mu
	made        int                 // attempts that count; guarded by mu
	broken      int                 // attempts that ended without a complete response; guarded by mu
	stopped     bool                // no hedge may begin; guarded by mu
	winner      *lane               // guarded by mu
	first, next lane                // next is the hedge
}

// lane is a sequence of attempts with the result of the last one: a response that was read to its
// end, whatever its status, or an error.
type lane struct {
	cancel   context.CancelFunc // nil if there is none; guarded by attempts.mu
	header   http.Header        // of its requests
	request  *http.Request
	response *Response
	err      error
	outcome  attempt.Outcome
	took     time.Duration // the last attempt
}

// isComplete reports whether the lane has a response that ends the call.
func (l *lane) isComplete() bool {
	return l.outcome == attempt.Success || l.outcome == attempt.Unjudged
}

// cause returns the error of the last attempt, or one that says why its response is a failure.
func (l *lane) cause() error {
	switch {
	case l.err != nil || !l.outcome.Failed():
		return l.err
	case l.response.isSuccess():
		return errMalformed
	}
	return fmt.Errorf("status %d %s", l.response.Status, http.StatusText(l.response.Status))
}

// attemptsPool has those that are not in use.
var attemptsPool = sync.Pool{New: func() any { return new(attempts) }}

// send makes attempts of a call until one may not be followed by another. Its result is that of the
// last one: a response that was read to its end, whatever its status, or an error. h is the history
// of the call.
func (c *Client) send(ctx context.Context, call *Call, header http.Header, h history) (*Response, error) {
	a := attemptsPool.Get().(*attempts)
	defer a.free()
	a.client, a.call, a.ctx = c, call, ctx
	a.continueFrom(h)
	if err := a.op.Allow(); err != nil {
		return nil, &fault.Error{Code: fault.ServiceUnavailable, Message: "the service fails too often, and is not called for a while", Service: c.Service, Cause: err}
	}
	bounded, cancel := a.bound()
	if cancel != nil {
		defer cancel()
	}
	a.first.cancel, a.first.header = cancel, header
	a.run(bounded, &a.first)
	return a.end()
}

// free makes a reusable. It forgets everything else, since a response may be kept for long.
func (a *attempts) free() {
	clear(a.tried)
	tried := a.tried[:0]
	*a = attempts{}
	a.tried = tried
	attemptsPool.Put(a)
}

// continueFrom sets what the attempts so far have left. A call without a history is a new one.
func (a *attempts) continueFrom(h history) {
	c, now := a.client, time.Now()
	a.deadline, a.made = h.deadline, h.made
	a.tried = append(a.tried, h.earlier...)
	if h.last != nil {
		a.tried = append(a.tried, h.last)
	}
	if h.made == 0 {
		if timeout := c.timeoutOf(a.call); timeout > 0 {
			a.deadline = now.Add(timeout)
		}
		c.Resilience.Begin(now)
	}
	var key [128]byte
	a.op = c.Resilience.Operation(a.call.appendOperation(key[:0]))
}

// bound returns the context of a lane, and the function that ends it. The function is nil if the
// context is that of the caller, which suffices if there is neither a timeout nor a hedge.
func (a *attempts) bound() (context.Context, context.CancelFunc) {
	switch {
	case !a.deadline.IsZero():
		return context.WithDeadline(a.ctx, a.deadline)
	case a.client.Resilience != nil:
		return context.WithCancel(a.ctx)
	}
	return a.ctx, nil
}

// run makes the attempts of a lane.
func (a *attempts) run(ctx context.Context, l *lane) {
	for retries := 0; ; retries++ {
		endpoint := a.attempt(ctx, l)
		wait, ok := a.mayFollow(ctx, l, endpoint, retries)
		if !ok || !sleep(ctx, wait) {
			return
		}
		l.response.discard()
	}
}

// attempt makes one attempt and sets the result of the lane. It returns the endpoint, nil without a
// balancer.
func (a *attempts) attempt(ctx context.Context, l *lane) *balance.Endpoint {
	l.response, l.outcome = nil, attempt.Refused
	bounded := ctx
	if timeout := a.client.AttemptTimeout; timeout > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	if l.request, l.err = a.call.request(bounded, a.client.Service, l.header); l.err != nil {
		return nil
	}
	lease, err := a.pick(l.request)
	if err != nil {
		l.err = err
		return nil
	}
	if l == &a.first && a.timer == nil {
		a.startTimer(lease.Trial)
	}
	observed := a.call.observation.startAttempt(bounded, l.request, lease.Endpoint, l == &a.next)
	began := time.Now()
	l.response, l.err = a.client.exchange(bounded, l.request, lease.Endpoint)
	l.took = time.Since(began)
	a.judge(ctx, bounded, l)
	observed.end(l)
	if l.response != nil {
		l.response.observation = a.call.observation
	}
	if lease.Endpoint != nil {
		lease.Done(ctx, l.outcome, l.cause())
		if l.outcome == attempt.Unjudged {
			l.response.lease = lease
		}
	}
	return lease.Endpoint
}

// pick chooses the endpoint of an attempt and directs its request there.
func (a *attempts) pick(req *http.Request) (lease balance.Lease, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.made++
	if a.client.Balancer == nil {
		return lease, nil
	}
	choice := balance.Choice{
		Tried: a.tried, Key: a.call.hashKey, HasKey: a.call.hasHashKey, Unrepeatable: !replay.Allowed(req),
	}
	if lease, err = a.client.Balancer.Pick(choice); err != nil {
		return lease, err
	}
	lease.Endpoint.Direct(req.URL)
	if !slices.Contains(a.tried, lease.Endpoint) {
		a.tried = append(a.tried, lease.Endpoint)
	}
	return lease, nil
}

// judge sets the outcome of an attempt. ctx is that of its lane, and bounded its own.
func (a *attempts) judge(ctx, bounded context.Context, l *lane) {
	if l.err != nil {
		l.outcome = a.outcomeOfError(ctx, bounded, l)
	} else {
		l.outcome = outcomeOfResponse(a.call, l.request, l.response)
	}
	if l.outcome == attempt.TimedOut {
		l.err = wrapOnce(context.DeadlineExceeded, l.err)
	}
	if l.isComplete() && !a.win(l) {
		l.outcome = attempt.Canceled
	}
}

// outcomeOfError judges an attempt that has no complete response.
func (a *attempts) outcomeOfError(ctx, bounded context.Context, l *lane) attempt.Outcome {
	a.mu.Lock()
	winner := a.winner
	a.mu.Unlock()
	if winner != nil { // this attempt was cancelled
		if l.took >= slowFactor*winner.took {
			return attempt.Slow
		}
		return attempt.Canceled
	}
	o := outcomeOfError(bounded, l.err)
	if o == attempt.TimedOut && contextDone(ctx) && !a.isLong(l.took) {
		l.err = wrapOnce(context.DeadlineExceeded, l.err)
		return attempt.Canceled
	}
	return o
}

// isLong reports whether an attempt that took d when the operation's time ended had enough of it: a
// call that begins shortly before the end says nothing about its endpoint.
func (a *attempts) isLong(d time.Duration) bool {
	timeout := a.client.timeoutOf(a.call)
	return d >= longAttempt || timeout > 0 && d >= timeout/2
}

// outcomeOfResponse judges a complete response.
func outcomeOfResponse(c *Call, req *http.Request, r *Response) attempt.Outcome {
	failed := r.Status >= 500 || r.Status == http.StatusTooManyRequests
	switch {
	case r.isSuccess() && r.isImplausible() && replay.Allowed(req): // of other calls, the body may not matter
		return attempt.Malformed
	case r.isSuccess():
		return attempt.Unjudged
	case failed && c.expects != nil && c.expects(r), !failed:
		return attempt.Success
	case r.Status == http.StatusTooManyRequests:
		return attempt.Throttled
	}
	return attempt.ServerError
}

// win has the lane win the call, unless the other lane has won it, and cancels that one. It reports
// whether l has won.
func (a *attempts) win(l *lane) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.winner != nil {
		return a.winner == l
	}
	a.winner = l
	other := &a.first
	if l == other {
		other = &a.next
	}
	if other.cancel != nil {
		other.cancel()
	}
	return true
}

// mayFollow reports whether another attempt of the lane may follow, and after which wait. retries is
// how many did already.
func (a *attempts) mayFollow(ctx context.Context, l *lane, endpoint *balance.Endpoint, retries int) (wait time.Duration, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.winner != nil || contextDone(ctx) {
		return 0, false
	}
	policy := a.client.Resilience
	elsewhere := a.client.Balancer != nil && len(a.tried) < a.client.Balancer.Len()
	switch l.outcome {
	case attempt.Unreachable: // nothing was sent
		if elsewhere {
			a.made--
			return 0, true
		}
	case attempt.Stale:
		// It says nothing about its endpoint, and a new connection there may succeed.
		if a.broken++; a.broken >= maxBroken || !replay.Allowed(l.request) {
			return 0, false
		}
		a.made--
		a.tried = slices.DeleteFunc(a.tried, func(e *balance.Endpoint) bool { return e == endpoint })
		return 0, true
	case attempt.Reset, attempt.BrokenOff, attempt.Malformed, attempt.TimedOut:
		if l.outcome != attempt.TimedOut && l.err != nil {
			a.broken++
		}
		if a.broken >= maxBroken || !replay.Allowed(l.request) {
			return 0, false
		}
	case attempt.ServerError:
		retry, onlyElsewhere := policy.RetriesStatus(l.response.Status, replay.IsRead(l.request))
		if !retry || onlyElsewhere && !elsewhere || !replay.Allowed(l.request) {
			return 0, false
		}
		if after, asked, short := policy.RetryAfter(l.response.Header, time.Now()); asked && !elsewhere {
			if !short {
				return 0, false
			}
			wait = after
		}
	case attempt.Throttled:
		after, _, short := policy.RetryAfter(l.response.Header, time.Now())
		if !short || !replay.Allowed(l.request) {
			return 0, false
		}
		wait = after
	default:
		return 0, false
	}
	if a.made >= policy.MaxAttempts() {
		return 0, false
	}
	// The first retry need not wait for an endpoint to recover if there is another one.
	if !elsewhere || retries > 0 {
		wait = max(wait, policy.Backoff(retries+1))
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return 0, false
	}
	return wait, policy.TakeRetry()
}

// sleep waits for d, and reports whether it has passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// startTimer starts the timer of the hedge, if the call may have one. isTrial reports whether the first
// attempt goes to an endpoint that was ejected.
func (a *attempts) startTimer(isTrial bool) {
	policy, balancer := a.client.Resilience, a.client.Balancer
	if policy.MaxAttempts() < 2 || balancer == nil || balancer.Len() < 2 || !replay.IsRead(a.first.request) {
		return
	}
	if delay := a.op.HedgeDelay(isTrial); delay > 0 {
		a.timer = policy.StartTimer(delay, a)
	}
}

// Late implements resilience.Late: it runs the hedge. If the budget refuses it, it returns when to
// try again, since other calls fill the budget meanwhile.
func (a *attempts) Late() time.Duration {
	policy := a.client.Resilience
	a.mu.Lock()
	if a.stopped || a.winner != nil || a.made >= policy.MaxAttempts() || len(a.tried) >= a.client.Balancer.Len() {
		a.mu.Unlock()
		return 0
	}
	if !policy.TakeHedge() {
		a.mu.Unlock()
		return a.op.HedgeDelay(false)
	}
	ctx, cancel := a.bound()
	a.next.cancel = cancel
	a.mu.Unlock()
	defer cancel()
	a.next.header = a.client.headers(a.ctx, a.call) // an attempt may change its headers
	a.runHedge(ctx)
	return 0
}

// runHedge runs the second lane. A panic ends the lane, and not the process.
func (a *attempts) runHedge(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			a.next.response, a.next.outcome = nil, attempt.Refused
			a.next.err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	a.run(ctx, &a.next)
}

// end ends both lanes, and returns the result of the call.
func (a *attempts) end() (*Response, error) {
	l := &a.first
	if a.timer != nil {
		a.mu.Lock()
		a.stopped = true
		a.mu.Unlock()
		a.timer.Stop() // waits for a hedge, which ends at once if the first lane has won
		if a.winner == &a.next {
			a.client.Resilience.HedgeWon()
			l = &a.next
		}
		for _, loser := range [...]*lane{&a.first, &a.next} {
			if loser != l {
				loser.response.discard()
			}
		}
	}
	if l.isComplete() {
		a.op.Record(l.took)
	}
	a.op.End(l.outcome)
	if r := l.response; r != nil {
		r.history = history{deadline: a.deadline, made: a.made}
		if n := len(a.tried); n > 0 {
			r.history.last, r.history.earlier = a.tried[n-1], slices.Clone(a.tried[:n-1])
		}
	}
	return l.response, l.err
}

// discard returns the memory of a response that is not used. r may be nil.
func (r *Response) discard() {
	if r != nil {
		r.Release()
	}
}

// isImplausible reports whether a body that is said to be JSON does not end as it begins: it was
// most likely cut off. It looks at two bytes.
func (r *Response) isImplausible() bool {
	mediaType, _, _ := strings.Cut(r.Header.Get(contentType), ";")
	body := bytes.TrimSpace(r.Body)
	if len(body) == 0 || !strings.HasSuffix(strings.TrimSpace(mediaType), "json") {
		return false
	}
	switch last := body[len(body)-1]; body[0] {
	case '{':
		return last != '}'
	case '[':
		return last != ']'
	}
	return false
}

// contextDone reports whether the caller no longer waits. It compares the deadline as
// well, since a dial may notice the deadline a moment before the context does.
func contextDone(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}
