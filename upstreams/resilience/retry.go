package resilience

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// The defaults of Retry.
const (
	DefaultMaxAttempts   = 3
	DefaultBackoff       = 25 * time.Millisecond
	DefaultMaxBackoff    = 250 * time.Millisecond
	DefaultMaxRetryAfter = time.Second
)

// Retry configures what follows a failed attempt of a call that may be repeated.
type Retry struct {
	// MaxAttempts is how many attempts a call may have, the first one and hedges included. 1 is no
	// retry. Default 3.
	MaxAttempts int `yaml:"maxAttempts"`
	// Statuses are the statuses of responses that are retried, beside 429 with a Retry-After. Default
	// 502, 503 and 504, and for reads also 500, at another endpoint.
	Statuses []int `yaml:"statuses"`
	// Backoff is the longest wait before the first retry at an endpoint that was tried before. It is
	// doubled for each further one, and the wait is a random part of it. Default 25ms.
	Backoff time.Duration `yaml:"backoff"`
	// MaxBackoff bounds the doubling. Default 250ms.
	MaxBackoff time.Duration `yaml:"maxBackoff"`
	// MaxRetryAfter is the longest Retry-After that is waited for. With a longer one, the response is
	// that of the call. Default 1s.
	MaxRetryAfter time.Duration `yaml:"maxRetryAfter"`
	// Budget bounds the retries and hedges of all calls to the service.
	Budget Budget `yaml:"budget"`
}

func (r Retry) withDefaults() Retry {
	r.MaxAttempts = cmp.Or(r.MaxAttempts, DefaultMaxAttempts)
	r.Backoff = cmp.Or(r.Backoff, DefaultBackoff)
	r.MaxBackoff = cmp.Or(r.MaxBackoff, DefaultMaxBackoff)
	r.MaxRetryAfter = cmp.Or(r.MaxRetryAfter, DefaultMaxRetryAfter)
	r.Budget = r.Budget.withDefaults()
	return r
}

// Validate returns the mistakes in the settings, each with the setting's path from retry.
func (r Retry) Validate() error {
	errs := []error{
		notNegative("retry.maxAttempts", r.MaxAttempts), notNegative("retry.backoff", r.Backoff),
		notNegative("retry.maxBackoff", r.MaxBackoff), notNegative("retry.maxRetryAfter", r.MaxRetryAfter),
		notNegative("retry.budget.percent", r.Budget.Percent), notNegative("retry.budget.burst", r.Budget.Burst),
	}
	if r.Budget.Percent > 100 {
		errs = append(errs, fmt.Errorf("retry.budget.percent is %d: write at most 100", r.Budget.Percent))
	}
	for i, status := range r.Statuses {
		if status < 500 || status > 599 {
			errs = append(errs, fmt.Errorf("retry.statuses[%d] is %d: write statuses from 500 to 599; 429 is retried if it has a Retry-After", i, status))
		}
	}
	return errors.Join(errs...)
}

// MaxAttempts returns how many attempts a call may have.
func (p *Policy) MaxAttempts() int {
	if p == nil {
		return 1
	}
	return p.options.Retry.MaxAttempts
}

// RetriesStatus reports whether a response with this status may be followed by a retry, and whether
// only at an endpoint that was not tried before. isRead reports whether the call only reads.
func (p *Policy) RetriesStatus(status int, isRead bool) (retry, elsewhere bool) {
	switch {
	case p == nil:
		return false, false
	case len(p.options.Retry.Statuses) > 0:
		return slices.Contains(p.options.Retry.Statuses, status), false
	}
	switch status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, false
	case http.StatusInternalServerError:
		return isRead, true
	}
	return false, false
}

// TakeRetry takes a retry from the budget, and reports whether there was one.
func (p *Policy) TakeRetry() bool { return p.take(&p.retries) }

func (p *Policy) take(counter interface{ Add(int64) int64 }) bool {
	if !p.budget.withdraw() {
		p.refusals.Add(1)
		return false
	}
	counter.Add(1)
	return true
}

// Backoff returns the wait before the nth retry, from 1: a random part of the backoff ("full
// jitter"), so that calls that failed together do not come back together.
func (p *Policy) Backoff(n int) time.Duration {
	limit := p.options.Retry.MaxBackoff
	if shift := n - 1; shift < 16 {
		limit = min(limit, p.options.Retry.Backoff<<shift)
	}
	return rand.N(limit + 1)
}

// RetryAfter returns how long the Retry-After of a response asks to wait (RFC 9110, 10.2.3), and
// whether it has one. short reports whether it may be waited for.
func (p *Policy) RetryAfter(h http.Header, now time.Time) (wait time.Duration, ok, short bool) {
	wait, ok = parseRetryAfter(h.Get("Retry-After"), now)
	return wait, ok, ok && p != nil && wait <= p.options.Retry.MaxRetryAfter
}

// parseRetryAfter parses a Retry-After: seconds, or a date of HTTP. A date that has passed is a wait
// of 0.
func parseRetryAfter(text string, now time.Time) (wait time.Duration, ok bool) {
	if text == "" {
		return 0, false
	}
	const maxSeconds = 1 << 32 // a longer wait would overflow
	if seconds, err := strconv.ParseUint(text, 10, 63); err == nil {
		return time.Duration(min(seconds, maxSeconds)) * time.Second, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return max(at.Sub(now), 0), true
}
