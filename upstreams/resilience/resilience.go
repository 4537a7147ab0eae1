// Package resilience decides for one service whether a call is attempted, how often, and when: the
// budget of retries and hedges, the wait before a retry, the delay of a hedge, circuit breakers. It
// sends nothing itself: rest.Client asks it around each attempt.
//
// It promises that
//   - retries and hedges together stay below a share of the calls, whatever fails;
//   - a call that succeeds at once costs no allocation here;
//   - what it remembers of operations is bounded.
package resilience

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure the attempts of calls to a service. The zero value has all defaults.
type Options struct {
	Retry   Retry
	Hedge   Hedge
	Breaker Breaker
	// Log receives a line when a breaker changes its state. Default none.
	Log *slog.Logger
}

// Policy is the state of one service. It is safe for concurrent use. A nil *Policy permits neither
// retries nor hedges.
type Policy struct {
	options Options // with defaults
	budget  budget
	breaker *breaker // of all calls; nil if there is none

	timers     sync.Pool                             // of *Timer, stopped
	operations atomic.Pointer[map[string]*Operation] // by method and template; a map does not change
	adding     sync.Mutex                            // held while operations is replaced
	others     *Operation                            // all operations that have no place in the map

	retries, refusals, hedges, hedgesWon atomic.Int64
}

// New returns the Policy of a service. o is valid: see Options.Validate.
func New(o Options) *Policy {
	o = o.withDefaults()
	p := &Policy{options: o, breaker: newBreaker(o.Breaker, "", o.Log)}
	p.budget.init(o.Retry.Budget)
	p.others = newOperation(p, "others")
	p.operations.Store(&map[string]*Operation{})
	return p
}

// withDefaults returns o with the defaults of fields that are zero.
func (o Options) withDefaults() Options {
	o.Retry = o.Retry.withDefaults()
	o.Hedge = o.Hedge.withDefaults()
	o.Breaker = o.Breaker.withDefaults()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// maxOperations is how many operations of a service are told apart. A graph has as many as its
// bindings have methods and paths, but handwritten code may write values into paths.
const maxOperations = 512

// Operation is the state of the calls that have one method and one template of a path.
type Operation struct {
	policy  *Policy
	times   histogram
	breaker *breaker // nil if there is none
}

func newOperation(p *Policy, key string) *Operation {
	o := &Operation{policy: p, breaker: newBreaker(p.options.Breaker, key, p.options.Log)}
	o.times.delay.Store(int64(p.options.Hedge.firstDelay()))
	return o
}

// Operation returns the operation with a key, which Operation does not keep.
func (p *Policy) Operation(key []byte) *Operation {
	if p == nil {
		return nil
	}
	if o := (*p.operations.Load())[string(key)]; o != nil {
		return o
	}
	return p.addOperation(string(key))
}

func (p *Policy) addOperation(key string) *Operation {
	p.adding.Lock()
	defer p.adding.Unlock()
	known := *p.operations.Load()
	if o := known[key]; o != nil {
		return o
	}
	if len(known) >= maxOperations {
		return p.others
	}
	all := maps.Clone(known)
	o := newOperation(p, key)
	all[key] = o
	p.operations.Store(&all)
	return o
}

// Begin counts a call, which adds to the budget.
func (p *Policy) Begin(now time.Time) {
	if p != nil {
		p.budget.deposit(now)
	}
}

// Status is the state of a Policy, for people and metrics.
type Status struct {
	// Retries is how many attempts were made after one that had failed. Those that replaced a stale
	// connection, or followed an endpoint that could not be reached, are not counted.
	Retries int64
	// Refused is how many retries and hedges the budget has refused.
	Refused int64
	// Hedges is how many attempts were made beside one that was late, and HedgesWon how many of them
	// had the response.
	Hedges, HedgesWon int64
	// Budget is how many retries and hedges may be made at once.
	Budget int
	// Breakers has that of the whole service first, then those of operations, sorted. It is nil if
	// there are none.
	Breakers []BreakerStatus
}

// Status returns the present state.
func (p *Policy) Status() Status {
	if p == nil {
		return Status{}
	}
	s := Status{
		Retries: p.retries.Load(), Refused: p.refusals.Load(), Hedges: p.hedges.Load(), HedgesWon: p.hedgesWon.Load(),
		Budget: p.budget.balance(),
	}
	if p.breaker == nil {
		return s
	}
	s.Breakers = append(s.Breakers, p.breaker.status())
	operations := *p.operations.Load()
	for _, key := range slices.Sorted(maps.Keys(operations)) {
		s.Breakers = append(s.Breakers, operations[key].breaker.status())
	}
	return s
}

// notNegative returns an error if the setting at path is negative.
func notNegative[N int | time.Duration](path string, n N) error {
	if n < 0 {
		return fmt.Errorf("%s is negative: leave it out to get the default", path)
	}
	return nil
}
