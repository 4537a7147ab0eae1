package front

import (
	"math"
	"runtime/debug"

	"github.com/gatehouse-graphql/gatehouse/gateway/blocklist"
	"github.com/gatehouse-graphql/gatehouse/gateway/costlimit"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
)

// rules returns the rules that decide about operations, in their order: those that count what they let
// pass come after those that do not. The error says which setting is wrong.
func (f *Front) rules(o Options, d Deps) ([]execute.Rule, error) {
	var rules []execute.Rule
	blocked, err := blocklist.New(o.Blocked, d.Schema.Schema())
	if blocked != nil {
		rules = append(rules, blocked)
	}
	if rule := costlimit.New(o.Cost, costlimit.Deps{Models: f.costs, Log: f.log, Needed: o.shedsByCost()}); rule != nil {
		rules = append(rules, rule)
	}
	return rules, err
}

// shedsByCost reports whether a watermark may refuse operations by their cost. That of memory needs a
// memory limit of Go.
func (o Options) shedsByCost() bool {
	w := o.Admission.Watermarks
	return w.CPUPercent > 0 || w.MemoryPercent >= 0 && debug.SetMemoryLimit(-1) != math.MaxInt64
}
