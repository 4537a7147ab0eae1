package binding

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/facts"
	"github.com/gatehouse-graphql/gatehouse/internal/period"
)

// maxRateLimit bounds the numbers of a @rateLimit.
const maxRateLimit = 1_000_000_000

// rateLimitKeys are the values of @rateLimit(by:) that name no claim and no argument.
var rateLimitKeys = []string{"caller", "ip", "client", "class", "operation", "everyone"}

// checkRateLimits checks every @rateLimit.
func (c *compiler) checkRateLimits() {
	for _, def := range c.typesOf(ast.Object, ast.Interface) {
		for _, field := range def.Fields {
			type kind struct {
				by     string
				period time.Duration
			}
			seen := map[kind]bool{}
			for _, d := range field.Directives.ForNames("rateLimit") {
				if c.invalid[d] || !c.checkRateLimit(def.Name+"."+field.Name, field, d) {
					continue
				}
				l := rateLimitOf(d)
				if seen[kind{l.By, l.Period}] {
					c.faults.Add(RepeatedRateLimit, d.Position, "%s.%s has two rate limits for %s by %q; keep the lower one", def.Name, field.Name, period.Format(l.Period), l.By)
				}
				seen[kind{l.By, l.Period}] = true
			}
		}
	}
}

// checkRateLimit checks one @rateLimit, and reports whether it is right. name is the field's name in messages.
func (c *compiler) checkRateLimit(name string, field *ast.FieldDefinition, d *ast.Directive) bool {
	before := len(c.faults)
	for _, number := range []string{"limit", "burst"} {
		if v := argument(d, number); v != nil && v.Kind == ast.IntValue && (intValue(v) < 1 || intValue(v) > maxRateLimit) {
			c.faults.Add(InvalidRateLimit, v.Position, "%s is %s; write a number from 1 to 1,000,000,000, and remove a field that may never be selected", number, v.Raw)
		}
	}
	if v := argument(d, "duration"); v != nil {
		if _, err := period.Parse(v.Raw); err != nil {
			c.faults.Add(InvalidRateLimit, v.Position, "the duration %s", err)
		}
	}
	if v := argument(d, "by"); v != nil {
		c.checkRateLimitKey(name, field, v)
	}
	return len(c.faults) == before
}

// checkRateLimitKey checks what a @rateLimit counts apart.
func (c *compiler) checkRateLimitKey(name string, field *ast.FieldDefinition, v *ast.Value) {
	if path, ok := strings.CutPrefix(v.Raw, "$claims."); ok && path != "" {
		return
	}
	path, ok := strings.CutPrefix(v.Raw, "$args.")
	if !ok {
		if !slices.Contains(rateLimitKeys, v.Raw) {
			c.faults.Add(UnknownRateLimitKey, v.Position, "%q is not something to count by; write one of %s, a claim as \"$claims.org\", or an argument as \"$args.email\"%s",
				v.Raw, strings.Join(rateLimitKeys, ", "), DidYouMean(v.Raw, rateLimitKeys))
		}
		return
	}
	steps := strings.Split(path, ".")
	arg := field.Arguments.ForName(steps[0])
	if arg == nil {
		c.faults.Add(UnknownRateLimitKey, v.Position, "%s has no argument %q%s", name, steps[0], DidYouMean(steps[0], argumentNames(field.Arguments)))
		return
	}
	t := arg.Type
	for _, member := range steps[1:] {
		def := c.schema.Types[t.Name()]
		if isList(t) || def == nil || def.Kind != ast.InputObject {
			c.faults.Add(UnknownRateLimitKey, v.Position, "%q: %s is not an object, so it has no field %q", v.Raw, t, member)
			return
		}
		inner := def.Fields.ForName(member)
		if inner == nil {
			c.faults.Add(UnknownRateLimitKey, v.Position, "%s has no field %q%s", def.Name, member, DidYouMean(member, fieldNames(def)))
			return
		}
		t = inner.Type
	}
}

// rateLimitOf reads a @rateLimit, which checkRateLimit has checked.
func rateLimitOf(d *ast.Directive) facts.RateLimit {
	l := facts.RateLimit{Limit: int64(intValue(argument(d, "limit"))), By: "caller"}
	l.Burst = l.Limit
	if v := argument(d, "burst"); v != nil && v.Kind == ast.IntValue {
		l.Burst = int64(intValue(v))
	}
	if v := argument(d, "by"); v != nil {
		l.By = v.Raw
	}
	l.Period, _ = period.Parse(argumentText(d, "duration"))
	return l
}

// statesRateLimits returns the facts that the @rateLimits of a field state.
func statesRateLimits(uses ast.DirectiveList) []Fact {
	limits := make([]string, len(uses))
	for i, d := range uses {
		l := rateLimitOf(d)
		limits[i] = fmt.Sprintf("{Limit: %d, Burst: %d, Period: %d, By: %q}", l.Limit, l.Burst, l.Period, l.By)
	}
	return []Fact{{"RateLimits", "[]facts.RateLimit{" + strings.Join(limits, ", ") + "}"}}
}
