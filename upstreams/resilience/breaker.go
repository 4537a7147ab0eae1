package resilience

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// The defaults of Breaker.
const (
	DefaultBreakerMinCalls = 20
	DefaultBreakerWindow   = 10 * time.Second
	DefaultBreakerOpenFor  = 5 * time.Second
	DefaultBreakerProbes   = 3
)

// Breaker configures the circuit breakers: one for all calls to the service, and one for each method
// and path. An open one refuses calls at once. They count calls, with all of their attempts.
type Breaker struct {
	// FailurePercent is how many of 100 calls must fail to open a breaker: by a status of 500 and
	// above, a timeout or a broken connection. Default 0: there are no breakers.
	FailurePercent int `yaml:"failurePercent"`
	// MinCalls is how many calls there must be in the window before a breaker opens. Default 20.
	MinCalls int `yaml:"minCalls"`
	// Window is the time in which calls are counted. Default 10s.
	Window time.Duration `yaml:"window"`
	// OpenFor is how long an open breaker refuses calls before it lets some through as probes.
	// Default 5s.
	OpenFor time.Duration `yaml:"openFor"`
	// Probes is how many probes must succeed to close the breaker. One that fails opens it again.
	// Default 3.
	Probes int `yaml:"probes"`
}

func (b Breaker) withDefaults() Breaker {
	b.MinCalls = cmp.Or(b.MinCalls, DefaultBreakerMinCalls)
	b.Window = cmp.Or(b.Window, DefaultBreakerWindow)
	b.OpenFor = cmp.Or(b.OpenFor, DefaultBreakerOpenFor)
	b.Probes = cmp.Or(b.Probes, DefaultBreakerProbes)
	return b
}

// Validate returns the mistakes in the settings, each with the setting's path from breaker.
func (b Breaker) Validate() error {
	errs := []error{
		notNegative("breaker.minCalls", b.MinCalls), notNegative("breaker.window", b.Window),
		notNegative("breaker.openFor", b.OpenFor), notNegative("breaker.probes", b.Probes),
	}
	if b.FailurePercent < 0 || b.FailurePercent > 100 {
		errs = append(errs, fmt.Errorf("breaker.failurePercent is %d: write 1 to 100, or leave it out for no breaker", b.FailurePercent))
	}
	if b.FailurePercent == 0 && b != (Breaker{}) {
		errs = append(errs, errors.New("breaker has no failurePercent: write how many of 100 calls must fail to open it, or remove breaker"))
	}
	return errors.Join(errs...)
}

// OpenError is the error of a call that an open breaker refused.
type OpenError struct {
	// Operation is the method and the path of the breaker, "" for that of the whole service.
	Operation string
	// RetryIn is when the breaker lets probes through.
	RetryIn time.Duration
}

func (e *OpenError) Error() string {
	of := "all calls"
	if e.Operation != "" {
		of = e.Operation
	}
	return fmt.Sprintf("the circuit breaker of %s is open for another %s", of, e.RetryIn.Round(time.Millisecond))
}

// breaker is a circuit breaker of failsafe-go. A nil *breaker is always closed.
type breaker struct {
	circuitbreaker.CircuitBreaker[struct{}]
	operation string
}

// newBreaker returns nil if the settings have no breaker.
func newBreaker(o Breaker, operation string, log *slog.Logger) *breaker {
	if o.FailurePercent == 0 {
		return nil
	}
	if operation != "" {
		log = log.With(slog.String("operation", operation))
	}
	changed := func(level slog.Level, message string, attrs ...slog.Attr) func(circuitbreaker.StateChangedEvent) {
		return func(circuitbreaker.StateChangedEvent) { log.LogAttrs(context.Background(), level, message, attrs...) }
	}
	return &breaker{operation: operation, CircuitBreaker: circuitbreaker.NewBuilder[struct{}]().
		WithFailureRateThreshold(float64(o.FailurePercent)/100, uint(o.MinCalls), o.Window).
		WithSuccessThreshold(uint(o.Probes)).
		WithDelay(o.OpenFor).
		OnOpen(changed(slog.LevelWarn, "circuit breaker opened", slog.Duration("retry_in", o.OpenFor))).
		OnHalfOpen(changed(slog.LevelInfo, "circuit breaker half-open")).
		OnClose(changed(slog.LevelInfo, "circuit breaker closed")).
		Build()}
}

// refusal returns the error of a call that b refuses now.
func (b *breaker) refusal() error {
	return &OpenError{Operation: b.operation, RetryIn: b.RemainingDelay()}
}

// isWaiting reports whether b is open, and not yet about to let probes through.
func (b *breaker) isWaiting() bool { return b != nil && b.IsOpen() && b.RemainingDelay() > 0 }

// acquire reports whether a call may be made, which ends with record.
func (b *breaker) acquire() bool { return b == nil || b.TryAcquirePermit() }

// record ends a call that acquire permitted. A probe that was given up has proved nothing, so that
// the breaker stays open.
func (b *breaker) record(o attempt.Outcome) {
	switch {
	case b == nil:
	case o.Failed():
		b.RecordFailure()
	case o == attempt.Unjudged, o == attempt.Success, o == attempt.Throttled:
		b.RecordSuccess()
	case b.IsHalfOpen():
		b.RecordFailure()
	}
}

// Allow reports whether a call of the operation may be made. Its error is an *OpenError; if it is
// nil, End must be called.
func (o *Operation) Allow() error {
	if o == nil || o.breaker == nil {
		return nil
	}
	all := o.policy.breaker
	switch {
	case all.isWaiting():
		return all.refusal()
	case !o.breaker.acquire():
		return o.breaker.refusal()
	case !all.acquire(): // its probes are running
		o.breaker.record(attempt.Canceled)
		return all.refusal()
	}
	return nil
}

// End ends a call that Allow permitted, by its last outcome.
func (o *Operation) End(outcome attempt.Outcome) {
	if o != nil && o.breaker != nil {
		o.policy.breaker.record(outcome)
		o.breaker.record(outcome)
	}
}

// The states of circuit breakers.
const (
	Closed   = "closed"
	Open     = "open"
	HalfOpen = "half-open"
)

// BreakerStatus is the state of a circuit breaker.
type BreakerStatus struct {
	// Operation is the method and the path, "" for the whole service.
	Operation string
	// State is Closed, Open or HalfOpen.
	State string
	// RetryIn is how long an open breaker refuses calls from now.
	RetryIn time.Duration
}

func (b *breaker) status() BreakerStatus {
	return BreakerStatus{Operation: b.operation, State: b.State().String(), RetryIn: b.RemainingDelay()}
}
