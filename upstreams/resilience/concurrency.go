package resilience

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/failsafe-go/failsafe-go/bulkhead"
)

// DefaultMaxCalls is the default of Concurrency.MaxCalls.
const DefaultMaxCalls = 1000

// The limits between which an adaptive one moves, apart from MaxCalls, and where it begins.
const (
	minAdaptiveLimit   = 4
	firstAdaptiveLimit = 50
)

// Concurrency bounds the calls to a service that run at the same time, on all replicas together: a
// bulkhead, so that a slow service does not take all memory and connections. Calls that share a
// response count once, and so does a call with all of its attempts.
type Concurrency struct {
	// MaxCalls is how many calls may run. Further ones wait in the order in which they came. Default
	// 1,000; negative is no limit.
	MaxCalls int `yaml:"maxCalls"`
	// MaxQueued is how many calls may wait. Further ones are refused with SERVICE_UNAVAILABLE.
	// Default no limit; negative lets none wait.
	MaxQueued int `yaml:"maxQueued"`
	// MaxWait is how long a call waits before it is refused with SERVICE_UNAVAILABLE. Default none:
	// it waits until its operation ends.
	MaxWait time.Duration `yaml:"maxWait"`
	// Adaptive lowers the limit below maxCalls while more calls at the same time only make the
	// service slower, and raises it again. Default false.
	Adaptive bool `yaml:"adaptive"`
}

// Validate returns the mistakes in the settings, each with the setting's path from concurrency.
func (c Concurrency) Validate() error {
	err := notNegative("concurrency.maxWait", c.MaxWait)
	if c.Adaptive && c.MaxCalls > 0 && c.MaxCalls < minAdaptiveLimit {
		err = errors.Join(err, fmt.Errorf("concurrency.maxCalls is %d: an adaptive limit needs at least %d", c.MaxCalls, minAdaptiveLimit))
	}
	return err
}

// The errors of a call that a Limiter refuses.
var (
	ErrQueueFull  = errors.New("as many calls to the service wait as concurrency.maxQueued permits")
	ErrWaitedLong = errors.New("the call has waited for the service as long as concurrency.maxWait permits")
)

// Limiter bounds the calls to one service that run at the same time. It is safe for concurrent use.
type Limiter struct {
	options  Concurrency
	slots    bulkhead.Bulkhead[struct{}]               // nil is no limit
	adaptive adaptivelimiter.AdaptiveLimiter[struct{}] // nil is no adaptive limit

	running, queued atomic.Int64
}

// NewLimiter returns a Limiter without calls. o is valid: see Concurrency.Validate.
func NewLimiter(o Concurrency) *Limiter {
	l := &Limiter{options: o}
	maxCalls := cmp.Or(o.MaxCalls, DefaultMaxCalls)
	if maxCalls > 0 {
		l.slots = bulkhead.New[struct{}](uint(maxCalls))
	}
	if o.Adaptive {
		if maxCalls < 0 {
			maxCalls = DefaultMaxCalls
		}
		l.adaptive = adaptivelimiter.NewBuilder[struct{}]().
			WithLimits(minAdaptiveLimit, uint(maxCalls), uint(min(firstAdaptiveLimit, maxCalls))).Build()
	}
	return l
}

// Slot is the permission of one call, which ends with Release.
type Slot struct {
	limiter *Limiter
	permit  adaptivelimiter.Permit // nil if the limit is not adaptive
}

// Acquire takes a slot. If there is none it waits for one, in the order of arrival. The error is
// ErrQueueFull, ErrWaitedLong, or that of ctx.
func (l *Limiter) Acquire(ctx context.Context) (Slot, error) {
	s, ok := l.tryAcquire()
	if !ok {
		var err error
		if s, err = l.wait(ctx); err != nil {
			return Slot{}, err
		}
	}
	l.running.Add(1)
	return s, nil
}

// tryAcquire takes a slot if it need not wait. It does not overtake those that do: while they wait,
// there is no slot.
func (l *Limiter) tryAcquire() (Slot, bool) {
	s := Slot{limiter: l}
	if l.slots != nil && !l.slots.TryAcquirePermit() {
		return Slot{}, false
	}
	if l.adaptive == nil {
		return s, true
	}
	var ok bool
	if s.permit, ok = l.adaptive.TryAcquirePermit(); !ok && l.slots != nil {
		l.slots.ReleasePermit()
	}
	return s, ok
}

func (l *Limiter) wait(ctx context.Context) (s Slot, err error) {
	defer l.queued.Add(-1)
	if n, most := l.queued.Add(1), int64(l.options.MaxQueued); most < 0 || most > 0 && n > most {
		return Slot{}, ErrQueueFull
	}
	if d := l.options.MaxWait; d > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, d, ErrWaitedLong)
		defer cancel()
	}
	s.limiter = l
	if l.slots != nil {
		if err := l.slots.AcquirePermit(ctx); err != nil {
			return Slot{}, waitError(ctx, err)
		}
	}
	if l.adaptive == nil {
		return s, nil
	}
	if s.permit, err = l.adaptive.AcquirePermit(ctx); err != nil {
		if l.slots != nil {
			l.slots.ReleasePermit()
		}
		return Slot{}, waitError(ctx, err)
	}
	return s, nil
}

// waitError returns ErrWaitedLong if ctx ended for that reason.
func waitError(ctx context.Context, err error) error {
	if context.Cause(ctx) == ErrWaitedLong {
		return ErrWaitedLong
	}
	return err
}

// Release ends the call. measured reports whether the service has responded, so that the time of the
// call says how busy it is.
func (s Slot) Release(measured bool) {
	l := s.limiter
	l.running.Add(-1)
	switch {
	case s.permit == nil:
	case measured:
		s.permit.Record()
	default:
		s.permit.Drop()
	}
	if l.slots != nil {
		l.slots.ReleasePermit()
	}
}

// LimiterStatus is the state of a Limiter.
type LimiterStatus struct {
	// Running is how many calls run, and Queued how many wait.
	Running, Queued int64
	// Limit is the present limit; 0 is none.
	Limit int
}

// Status returns the present state.
func (l *Limiter) Status() LimiterStatus {
	s := LimiterStatus{Running: l.running.Load(), Queued: l.queued.Load()}
	switch {
	case l.adaptive != nil:
		s.Limit = l.adaptive.Limit()
	case l.slots != nil:
		s.Limit = cmp.Or(l.options.MaxCalls, DefaultMaxCalls)
	}
	return s
}
