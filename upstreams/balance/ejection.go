package balance

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// connectTime is how long the first ejection of an endpoint lasts that could not be connected to. It is
// short, since finding out costs little.
const connectTime = time.Second

// reason is why an endpoint is ejected.
type reason string

const (
	reasonFailures    reason = "consecutive failures"
	reasonRate        reason = "failure rate"
	reasonUnreachable reason = "unreachable"
	reasonSlow        reason = "slow"
)

// ejection is the present or the last ejection of an endpoint.
type ejection struct {
	until  int64         // as returned by now; 0 when the endpoint is not ejected
	lasts  time.Duration // how long the present one lasts
	row    int           // how many followed each other
	endsAt int64         // when the last one ended
	probed bool          // Options.Probe ends it
	timer  *time.Timer   // of the next probe
	count  uint64        // of all ejections
}

// fail records a failed attempt, and ejects the endpoint if it has failed too often. isNew is false for
// an attempt that was counted as a call already.
func (l Lease) fail(ctx context.Context, o attempt.Outcome, isNew bool, t int64, err error) {
	b, e := l.balancer, l.Endpoint
	e.last.Store(&Failure{Outcome: o, Time: time.Now(), Err: err})
	if l.start < e.stateSince.Load() {
		return
	}
	calls, failures := e.recent.add(t, b.eject.Window, isNew, true)
	switch n := int(e.failures.Add(1)); {
	case o == attempt.Unreachable:
		b.ejectEndpoint(ctx, l, reasonUnreachable, t, err)
	case l.Trial, b.eject.ConsecutiveFailures > 0 && n >= b.eject.ConsecutiveFailures:
		b.ejectEndpoint(ctx, l, reasonFailures, t, err)
	case b.eject.FailureRate > 0 && calls >= b.eject.MinCalls && failures*100 >= calls*b.eject.FailureRate:
		b.ejectEndpoint(ctx, l, reasonRate, t, err)
	}
}

// respond records a complete response.
func (l Lease) respond(ctx context.Context, o attempt.Outcome, took, t int64) {
	b, e := l.balancer, l.Endpoint
	e.recent.add(t, b.eject.Window, true, false)
	e.latency.add(took)
	switch {
	case b.isSlow(e, took):
		l.slow(ctx, t)
		if l.Trial {
			return
		}
	case e.slowness.Load() != 0:
		e.slowness.Store(0)
	}
	switch {
	case o != attempt.Unjudged:
		l.succeed(ctx)
	case l.Trial: // Judge decides
		e.trialRuns.Store(false)
	}
}

// succeed records a response that speaks for the endpoint. It loads first, so that healthy endpoints,
// which are nearly all, are not written to.
func (l Lease) succeed(ctx context.Context) {
	e := l.Endpoint
	switch {
	case e.state.Load() != int32(Healthy):
		l.balancer.readmit(ctx, l)
	case e.failures.Load() != 0 && l.start >= e.stateSince.Load():
		e.failures.Store(0)
	}
}

// inconclusive records an attempt that says nothing about the endpoint. A canceled trial prolongs the
// ejection by its time: one that hangs until its caller leaves must not be followed by another at once.
func (l Lease) inconclusive(o attempt.Outcome, t int64) {
	if !l.Trial {
		return
	}
	b, e := l.balancer, l.Endpoint
	b.mu.Lock()
	defer b.mu.Unlock()
	if o == attempt.Canceled && l.start >= e.stateSince.Load() && e.ejection.until != 0 {
		e.ejection.until = t + int64(e.ejection.lasts)
		b.rebuild(t)
	}
	e.trialRuns.Store(false)
}

// slow records an attempt that took too long, with or without a response.
func (l Lease) slow(ctx context.Context, t int64) {
	b, e := l.balancer, l.Endpoint
	if l.start < e.stateSince.Load() {
		return
	}
	limit := b.eject.ConsecutiveFailures
	if limit < 0 {
		limit = DefaultConsecutiveFailures
	}
	if n := int(e.slowness.Add(1)); l.Trial || n >= limit {
		b.ejectEndpoint(ctx, l, reasonSlow, t, nil)
	}
}

// isSlow reports whether a response of e that took so long is an outlier.
func (b *Balancer) isSlow(e *Endpoint, took int64) bool {
	if took < int64(b.eject.MinLatency) || b.eject.LatencyFactor < 0 {
		return false
	}
	others := b.view.Load().meanLatency(e)
	return others > 0 && float64(took) >= others*float64(b.eject.LatencyFactor)
}

// meanLatency returns the mean latency in nanoseconds of the candidates apart from e, 0 if it is not
// known.
func (v *view) meanLatency(e *Endpoint) float64 {
	sum, n := 0.0, 0
	for _, c := range v.candidates {
		if mean := c.latency.mean(); c.Endpoint != e && mean > 0 {
			sum, n = sum+mean, n+1
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// ejectEndpoint ejects the endpoint of l, unless too many are ejected or another attempt did so before.
func (b *Balancer) ejectEndpoint(ctx context.Context, l Lease, why reason, t int64, err error) {
	e := l.Endpoint
	b.mu.Lock()
	isOut := e.ejection.until != 0
	switch {
	case e.removed.Load(), l.start < e.stateSince.Load(), isOut && !l.Trial,
		!isOut && why != reasonUnreachable && !b.mayEject():
		b.mu.Unlock()
		return
	}
	base := b.eject.BaseTime
	if why == reasonUnreachable {
		base = min(base, connectTime)
	}
	e.ejection.begin(base, b.eject.MaxTime, t)
	e.resetHealth(t)
	if why == reasonUnreachable && b.check != nil {
		b.scheduleProbe(e)
	}
	b.rebuild(t)
	lasts := e.ejection.lasts
	b.mu.Unlock()

	level := slog.LevelWarn
	if isOut { // it was reported already
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{slog.String("endpoint", e.String()), slog.String("reason", string(why)), slog.Int64("duration_ms", lasts.Milliseconds())}
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	b.log.LogAttrs(ctx, level, "backend endpoint ejected", attrs...)
}

// mayEject reports whether one more endpoint may be ejected. It is called with b.mu.
func (b *Balancer) mayEject() bool {
	out := 0
	for _, e := range b.endpoints {
		if e.unhealthy || e.ejection.until != 0 {
			out++
		}
	}
	return out < b.eject.maxEjected(len(b.endpoints))
}

// begin begins an ejection at t. It lasts twice as long as the one before, from base up to longest,
// unless the endpoint was in use for longer than that.
func (j *ejection) begin(base, longest time.Duration, t int64) {
	if j.until == 0 && t-j.endsAt > int64(longest) {
		j.row = 0
	}
	j.lasts = longest
	if factor := math.Pow(2, float64(j.row)); float64(base)*factor < float64(longest) {
		j.lasts = base * time.Duration(factor)
	}
	j.row++
	j.count++
	j.until = t + int64(j.lasts)
}

// resetHealth forgets what was counted of e, when its state changes at t. It is called with
// Balancer.mu.
func (e *Endpoint) resetHealth(t int64) {
	e.stateSince.Store(t)
	e.failures.Store(0)
	e.slowness.Store(0)
	e.recent.reset()
	e.trialRuns.Store(false)
}

// readmit ends the ejection of the endpoint of l, which has answered.
func (b *Balancer) readmit(ctx context.Context, l Lease) {
	e, t := l.Endpoint, now()
	b.mu.Lock()
	if e.ejection.until == 0 || l.start < e.stateSince.Load() {
		b.mu.Unlock()
		return
	}
	b.endEjection(e, t)
	b.rebuild(t)
	b.mu.Unlock()
	b.log.LogAttrs(ctx, slog.LevelInfo, "backend endpoint is back", slog.String("endpoint", e.String()))
}

// endEjection makes e available at t, unless it fails its active checks. It is called with b.mu.
func (b *Balancer) endEjection(e *Endpoint, t int64) {
	e.stopProbe()
	e.ejection.until, e.ejection.endsAt, e.startedAt = 0, t, t
	e.resetHealth(t)
}

// SetHealthy says whether e passes its active checks. err is why it does not.
func (b *Balancer) SetHealthy(ctx context.Context, e *Endpoint, healthy bool, err error) {
	b.mu.Lock()
	if e.removed.Load() || e.unhealthy == !healthy {
		b.mu.Unlock()
		return
	}
	t := now()
	e.unhealthy = !healthy
	if healthy {
		b.endEjection(e, t) // it was most likely ejected for what the checks found, too
	} else {
		e.last.Store(&Failure{Outcome: attempt.Unjudged, Time: time.Now(), Err: err})
	}
	b.rebuild(t)
	b.mu.Unlock()
	if healthy {
		b.log.LogAttrs(ctx, slog.LevelInfo, "backend endpoint passes its health check", slog.String("endpoint", e.String()))
		return
	}
	b.log.LogAttrs(ctx, slog.LevelWarn, "backend endpoint fails its health check", slog.String("endpoint", e.String()), slog.Any("error", err))
}

// probes are the background checks of endpoints that could not be connected to.
type probes struct {
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func (p *probes) init() { p.ctx, p.cancel = context.WithCancel(context.Background()) }

// scheduleProbe has e probed at the end of its ejection, which then lasts until the probe succeeds. It
// is called with b.mu.
func (b *Balancer) scheduleProbe(e *Endpoint) {
	e.stopProbe()
	if b.probes.ctx.Err() != nil {
		return
	}
	e.ejection.probed = true
	e.ejection.timer = time.AfterFunc(e.ejection.lasts, func() { b.probe(e) })
}

// probe probes e once. A success begins a trial, and a failure another ejection.
func (b *Balancer) probe(e *Endpoint) {
	b.mu.Lock()
	if !e.ejection.probed || b.probes.ctx.Err() != nil {
		b.mu.Unlock()
		return
	}
	b.probes.running.Add(1)
	b.mu.Unlock()
	defer b.probes.running.Done()
	err := b.check(b.probes.ctx, e)

	b.mu.Lock()
	defer b.mu.Unlock()
	if !e.ejection.probed { // a call has succeeded, or the endpoint was removed
		return
	}
	t := now()
	if err == nil {
		e.stopProbe()
		e.ejection.until = t
	} else {
		e.ejection.begin(min(b.eject.BaseTime, connectTime), b.eject.MaxTime, t)
		b.scheduleProbe(e)
	}
	b.rebuild(t)
}

// stopProbe ends the probing of e. It is called with Balancer.mu.
func (e *Endpoint) stopProbe() {
	if e.ejection.timer != nil {
		e.ejection.timer.Stop()
		e.ejection.timer = nil
	}
	e.ejection.probed = false
}
