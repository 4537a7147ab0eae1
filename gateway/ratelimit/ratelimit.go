// Package ratelimit decides how often callers may send operations, and select fields.
//
// It promises that a request is charged to all of its limits in one step, before it joins another one's
// execution and before any service is called; that a request which is refused is charged to none of
// them; and that deciding takes less than 2 microseconds in memory, or one bounded round trip to Redis.
package ratelimit

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/facts"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/store"
)

// Deps are the parts that a Limiter needs.
type Deps struct {
	// Schema is the schema, whose fields may have limits of their own. Nil has none.
	Schema *ast.Schema
	// Facts has the limits of the schema's fields.
	Facts facts.Table
	// Store is where the replicas count together. Nil, and one that is not configured, counts in memory.
	Store *store.Store
	// Cost returns the estimated cost of an operation, at least 0. Nil is a cost of 1.
	Cost func(*execute.Operation) int64
	// Log gets a line when a rule in dry run would refuse, at most one for each rule in ten seconds.
	Log *slog.Logger
}

// Limiter is the rule of an executor that keeps to rate limits. It is safe for concurrent use.
type Limiter struct {
	deps    Deps
	options Options
	rules   []*rule
	fields  fields
	shared  *shared
}

var _ execute.Rule = (*Limiter)(nil)

// shared is what limiters have in common that follow each other when settings change.
type shared struct {
	memory *memory
	pool   sync.Pool // of *charges

	failures atomic.Int64 // decisions for which Redis did not answer

	mu       sync.Mutex
	counters map[string]*counter // guarded by mu
}

// counter counts the decisions of a rule or of a field.
type counter struct {
	name            string
	passed, refused atomic.Int64
	logged          atomic.Int64 // when a refusal in dry run was logged last, in Unix seconds
	_               [64]byte     // so that two counters share no cache line
}

// New returns a limiter. The error says which setting is wrong.
func New(o Options, d Deps) (*Limiter, error) {
	l := &Limiter{deps: d, shared: &shared{counters: map[string]*counter{}}}
	l.shared.pool.New = func() any { return &charges{} }
	l.shared.memory = newMemory(o.withDefaults().MaxKeys)
	var err error
	if l.fields, err = newFields(d.Schema, d.Facts, l.shared.counter); err != nil {
		return nil, err
	}
	return l.With(o)
}

// With returns a limiter by other options, which goes on with the counts of l: those of a rule with the
// same name and a limit for the same time. l itself does not change. Use must be called before the returned limiter
// decides.
func (l *Limiter) With(o Options) (*Limiter, error) {
	rules, err := o.compile()
	if err != nil {
		return nil, err
	}
	with := *l
	with.options, with.rules = o.withDefaults(), rules
	for _, r := range rules {
		r.counter = l.shared.counter(r.name)
	}
	return &with, nil
}

// Use has the memory keep as many keys as the options of l say, also for limiters before l.
func (l *Limiter) Use() { l.shared.memory.setMaxKeys(l.options.MaxKeys) }

// counter returns the counter with a name.
func (s *shared) counter(name string) *counter {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counters[name]
	if c == nil {
		c = &counter{name: name}
		s.counters[name] = c
	}
	return c
}

// Enabled reports whether there is any limit.
func (l *Limiter) Enabled() bool { return len(l.rules) > 0 || l.fields != nil }

// Check implements execute.Rule. It charges the operation to its limits and sets the fields of the
// response that tell the client about them. Refused fields are left to the executors.
func (l *Limiter) Check(ctx context.Context, op *execute.Operation) error {
	c := l.shared.pool.Get().(*charges)
	defer func() { c.reset(); l.shared.pool.Put(c) }()
	l.addRules(c, op)
	if l.fields != nil && !c.addFields(l.fields, l.deps.Schema, op) {
		return errTooManyPlaces()
	}
	l.addDryRuns(c, op)
	if len(c.list) == 0 {
		return nil
	}
	if err := l.decide(ctx, c); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return l.storeFailure(op, c, err)
	}
	l.count(c)
	return l.apply(ctx, op, c)
}

// addRules adds the charges to the rules that decide about the whole request.
func (l *Limiter) addRules(c *charges, op *execute.Operation) {
	for _, r := range l.rules {
		if !r.dryRun {
			l.addRule(c, wholeRequest, r, op)
		}
	}
}

// addDryRuns adds the charges to the rules that refuse nothing, each in a group of its own after all others.
func (l *Limiter) addDryRuns(c *charges, op *execute.Operation) {
	for i, r := range l.rules {
		if r.dryRun {
			l.addRule(c, maxPlaces+1+i, r, op)
		}
	}
}

func (l *Limiter) addRule(c *charges, group int, r *rule, op *execute.Operation) {
	c.subject = subject{op: op}
	by := callerOf(&c.subject)
	if !r.matches(op, by) {
		return
	}
	quantity := int64(1)
	if r.byCost && l.deps.Cost != nil {
		quantity = max(l.deps.Cost(op), 0)
	}
	c.add(group, r.windowsFor(by), r.by, charge{quantity: quantity, counter: r.counter, rule: r})
}

// decide decides about the charges in Redis or in memory. The error says that Redis has not decided.
func (l *Limiter) decide(ctx context.Context, c *charges) error {
	if l.deps.Store.Configured() {
		err := takeFromStore(ctx, l.deps.Store, c)
		if err == nil {
			return nil
		}
		l.shared.failures.Add(1)
		if ctx.Err() != nil || l.options.OnStoreFailure != FailMemory {
			return err
		}
	}
	l.shared.memory.take(c)
	return nil
}

// storeFailure returns what holds for a request when Redis has not decided about it.
func (l *Limiter) storeFailure(op *execute.Operation, c *charges, err error) error {
	if l.options.OnStoreFailure == FailOpen {
		return nil
	}
	unavailable := fault.New(fault.ServiceUnavailable, "rate limits cannot be counted at present; try again later").WithCause(err)
	if c.list[0].group == wholeRequest {
		op.SetHeader(headerRetryAfter, "1")
		return unavailable
	}
	var refused engine.RefusedFields
	for i := range c.place {
		if refused == nil {
			refused = engine.RefusedFields{}
		}
		refused[c.place[i].Place] = unavailable
	}
	if refused != nil {
		engine.RefuseFields(&op.OperationContext, refused)
	}
	return nil
}

// count counts the decisions.
func (l *Limiter) count(c *charges) {
	for first := 0; first < len(c.list) && c.list[first].decided; first = c.groupEnd(first) {
		group := c.list[first:c.groupEnd(first)]
		if refused := isRefused(group); group[0].group != wholeRequest {
			group[0].counter.add(refused) // the limits of one rule, or of one field
			continue
		} else if !refused {
			for i := range group {
				if i == 0 || group[i].counter != group[i-1].counter {
					group[i].counter.add(false)
				}
			}
			continue
		}
		_, by, _ := retryAfter(group)
		by.counter.add(true)
	}
}

func (c *counter) add(refused bool) {
	if refused {
		c.refused.Add(1)
	} else {
		c.passed.Add(1)
	}
}

// apply returns the error of a request that is refused, has the executors refuse fields, and tells the
// client about its limits.
func (l *Limiter) apply(ctx context.Context, op *execute.Operation, c *charges) error {
	whole := c.list[:0]
	if c.list[0].group == wholeRequest {
		whole = c.list[:c.groupEnd(0)]
	}
	if l.options.Headers != HeadersNone && len(whole) > 0 {
		addHeaders(op, whole)
	}
	if isRefused(whole) {
		wait, by, ok := retryAfter(whole)
		if ok {
			op.SetHeader(headerRetryAfter, strconv.FormatInt(seconds(wait), 10))
		}
		request.LogEntryOf(ctx).Refuse(request.RefusedRateLimit, by.rule.name)
		return refusal(`too many requests: the limit "`+by.rule.name+`" is `+by.window.text, wait, ok)
	}
	if refused := c.refusedFields(); refused != nil {
		engine.RefuseFields(&op.OperationContext, refused)
	}
	l.logDryRuns(c)
	return nil
}

// The fields of responses, in the form of http.Header.
const (
	headerPolicy     = "Ratelimit-Policy"
	headerState      = "Ratelimit"
	headerRetryAfter = "Retry-After"
)

// addHeaders adds the fields of draft-ietf-httpapi-ratelimit-headers-10.
func addHeaders(op *execute.Operation, group []charge) {
	policy, state := make([]byte, 0, 64*len(group)), make([]byte, 0, 48*len(group))
	for i := range group {
		c := &group[i]
		if i > 0 {
			policy, state = append(policy, ", "...), append(state, ", "...)
		}
		policy = append(policy, c.window.policy...)
		state = append(append(append(state, '"'), c.window.label...), `";r=`...)
		state = strconv.AppendInt(state, c.status.remaining, 10)
		state = append(state, ";t="...)
		state = strconv.AppendInt(state, seconds(c.status.wait), 10)
	}
	op.SetHeader(headerPolicy, string(policy))
	op.SetHeader(headerState, string(state))
}

// seconds returns a duration in whole seconds, rounded up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// refusal returns the error of a request or a field that is refused. Without ok it may never pass.
func refusal(what string, wait time.Duration, ok bool) error {
	if !ok {
		return &fault.Error{Code: fault.RateLimited, Message: what + ", and this needs more than passes at once"}
	}
	after := seconds(wait)
	return &fault.Error{
		Code: fault.RateLimited, Message: what + "; try again in " + strconv.FormatInt(after, 10) + " s",
		Extensions: map[string]any{"retryAfter": after},
	}
}

// dryRunLogInterval is how often a rule in dry run is logged, in seconds.
const dryRunLogInterval = 10

// logDryRuns logs the rules in dry run that would have refused the request.
func (l *Limiter) logDryRuns(c *charges) {
	for first := 0; first < len(c.list); first = c.groupEnd(first) {
		group := c.list[first:c.groupEnd(first)]
		if group[0].rule == nil || !group[0].rule.dryRun || !isRefused(group) {
			continue
		}
		counter, now := group[0].counter, time.Now().Unix()
		if last := counter.logged.Load(); now-last < dryRunLogInterval || !counter.logged.CompareAndSwap(last, now) {
			continue
		}
		_, by, _ := retryAfter(group)
		l.deps.Log.Info("a rate limit in dry run would refuse requests; this is logged at most every ten seconds",
			"limit", by.rule.name, "allows", by.window.text, "refused", counter.refused.Load())
	}
}

// Stats are what a Limiter has decided since the start.
type Stats struct {
	// Limits are the rules, and the fields with limits, in the order of their names.
	Limits []LimitStats
	// StoreFailures counts decisions for which Redis did not answer in time.
	StoreFailures int64
	// Keys is the number of counts in memory, and Evicted how many were forgotten too early.
	Keys, Evicted int64
}

// LimitStats are the decisions of a rule, or of a field.
type LimitStats struct {
	// Name is that of the rule, or the schema coordinate of the field.
	Name string
	// Passed and Refused count requests, or places of the field. A rule in dry run counts as Refused what
	// it would refuse.
	Passed, Refused int64
}

// Stats returns what has been decided.
func (l *Limiter) Stats() Stats {
	s := Stats{StoreFailures: l.shared.failures.Load()}
	s.Keys, s.Evicted = l.shared.memory.stats()
	l.shared.mu.Lock()
	defer l.shared.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(l.shared.counters)) {
		c := l.shared.counters[name]
		s.Limits = append(s.Limits, LimitStats{Name: name, Passed: c.passed.Load(), Refused: c.refused.Load()})
	}
	return s
}
