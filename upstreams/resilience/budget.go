package resilience

import (
	"sync"
	"time"
)

// The defaults of Budget.
const (
	DefaultBudgetPercent = 20
	DefaultBudgetBurst   = 10
)

// Budget bounds the retries and hedges of all calls to a service together, so that they cannot
// multiply the load of a service that is down.
type Budget struct {
	// Percent is how many retries and hedges there may be for 100 calls. Default 20.
	Percent int `yaml:"percent"`
	// Burst is how many retries and hedges there may be at once after a time without failures, even
	// if there were few calls. For more calls it is as many as percent permits for the calls of 10
	// seconds. Default 10.
	Burst int `yaml:"burst"`
}

func (b Budget) withDefaults() Budget {
	if b.Percent == 0 {
		b.Percent = DefaultBudgetPercent
	}
	if b.Burst == 0 {
		b.Burst = DefaultBudgetBurst
	}
	return b
}

const (
	// budgetWindow is for how long calls add to what may be saved in the bucket.
	budgetWindow = 10 * time.Second
	// refillTime is in how long an empty bucket of Burst tokens is full again without any call.
	refillTime = 100 * time.Second
	// token is a retry or hedge. The bucket counts hundredths, so that a call adds Percent.
	token = 100
)

// budget is a token bucket that is filled by calls. A retry takes a token. Other than a limit of
// concurrent retries, it bounds their total, also when all calls fail at once.
type budget struct {
	percent, burst int64

	mu       sync.Mutex
	tokens   int64     // hundredths; guarded by mu
	capacity int64     // hundredths; guarded by mu
	since    time.Time // the start of the second in which calls are counted; guarded by mu
	calls    int64     // in that second; guarded by mu
}

func (b *budget) init(o Budget) {
	b.percent, b.burst = int64(o.Percent), int64(o.Burst)*token
	b.tokens, b.capacity = b.burst, b.burst
}

// deposit adds what one call permits.
func (b *budget) deposit(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if passed := now.Sub(b.since); passed >= time.Second {
		b.roll(now, passed)
	}
	b.calls++
	b.tokens = min(b.tokens+b.percent, b.capacity)
}

// roll ends a second: it measures the rate of calls, sets the capacity by it, and adds what time
// alone permits. The capacity follows a falling rate slowly, and a rising one at once.
func (b *budget) roll(now time.Time, passed time.Duration) {
	if !b.since.IsZero() {
		perSecond := float64(b.calls) / passed.Seconds()
		saved := int64(perSecond * budgetWindow.Seconds() * float64(b.percent))
		keep := int64(float64(b.capacity) * max(0, 1-passed.Seconds()/budgetWindow.Seconds()))
		b.capacity = max(b.burst, saved, keep)
		b.tokens += int64(float64(b.burst) * min(passed.Seconds()/refillTime.Seconds(), 1))
	}
	b.since, b.calls = now, 0
}

// withdraw takes a token, and reports whether there was one.
func (b *budget) withdraw() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < token {
		return false
	}
	b.tokens -= token
	return true
}

// balance returns how many tokens there are.
func (b *budget) balance() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return int(b.tokens / token)
}
