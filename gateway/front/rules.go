package front

import (
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/engine/facts"
	"github.com/gatehouse-graphql/gatehouse/gateway/blocklist"
	"github.com/gatehouse-graphql/gatehouse/gateway/costlimit"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
	"github.com/gatehouse-graphql/gatehouse/gateway/ratelimit"
)

// rules returns the rules that decide about operations, in their order: those that count what they let
// pass come after those that do not. The error says which setting is wrong.
func (f *Front) rules(o Options, d Deps, limits *ratelimit.Limiter) ([]execute.Rule, error) {
	var rules []execute.Rule
	blocked, err := blocklist.New(o.Blocked, d.Schema.Schema())
	if blocked != nil {
		rules = append(rules, blocked)
	}
	if rule := costlimit.New(o.Cost, costlimit.Deps{Models: f.costs, Log: f.log}); rule != nil {
		rules = append(rules, rule)
	}
	if limits.Enabled() {
		rules = append(rules, limits)
	}
	return rules, err
}

// newRateLimits returns the rate limits of a version that follows another one, nil for none.
func newRateLimits(before *version, o Options, d Deps) (l *ratelimit.Limiter, err error) {
	if before != nil {
		l, err = before.rateLimits.With(o.RateLimits)
	} else {
		l, err = ratelimit.New(o.RateLimits, ratelimit.Deps{Schema: d.Schema.Schema(), Facts: facts.Of(d.Schema), Store: d.Store, Log: d.Log, Cost: (*execute.Operation).EstimatedCost})
	}
	if err != nil {
		return nil, fmt.Errorf("rateLimits: %w", err)
	}
	return l, nil
}

// RateLimits returns what the rate limits have decided since the start.
func (f *Front) RateLimits() ratelimit.Stats { return f.current.Load().rateLimits.Stats() }
