package ratelimit

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The values of Options.Headers.
const (
	HeadersStandard = "standard"
	HeadersNone     = "none"
)

// The values of Options.OnStoreFailure.
const (
	FailMemory = "memory"
	FailOpen   = "open"
	FailClosed = "closed"
)

// The values of Rule.Count and Rule.Mode.
const (
	CountRequests = "requests"
	CountCost     = "cost"
	ModeEnforce   = "enforce"
	ModeLog       = "log"
)

// TierClass is the value of Rule.Tier by which the tiers are classes of callers.
const TierClass = "class"

// unlimited is what stands for no limit in a tier.
const unlimited = "unlimited"

// DefaultMaxKeys is the default of Options.MaxKeys.
const DefaultMaxKeys = 1_000_000

// Options are the limits of requests. They are counted in Redis if the settings have one (store.redis),
// and else in the memory of each replica. The zero value has no limits.
type Options struct {
	// Rules are the limits. A request has to keep those of all rules that match it; one that is refused
	// counts for none of them. Default none.
	Rules []Rule `yaml:"rules"`
	// Headers is standard or none. By standard, responses have the fields RateLimit and
	// RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers). Default standard.
	Headers string `yaml:"headers"`
	// OnStoreFailure is what holds while Redis does not answer in time: memory counts in each replica by
	// itself, open lets everything pass, and closed refuses, with the status 503, what a limit would have
	// to count. Default memory.
	OnStoreFailure string `yaml:"onStoreFailure"`
	// MaxKeys is the number of callers, addresses and others whose counts a replica keeps in memory, at about
	// 100 bytes each. When there are more, those that have used the least are forgotten. Default 1,000,000.
	MaxKeys int `yaml:"maxKeys"`
}

// Rule limits the requests that match it.
type Rule struct {
	// Name identifies the rule in the fields of responses, in metrics and in the log: letters, digits,
	// "-" and "_". Required.
	Name string `yaml:"name"`
	// Limits are how much may pass, as 100/s, 5/15m, 10000/day or 100/s burst 20. The time is s, m, h, d,
	// second, minute, hour, day, week, month (30 days) or a duration. Without a burst all of it may pass at
	// once. If there are several, all of them hold. Required, unless tiers has limits.
	Limits []string `yaml:"limits"`
	// By is what is counted apart: caller (the subject of the token, or the address of an anonymous
	// client), ip (IPv6 addresses by /64), client (the name that the client states), class (of the
	// caller), operation (its name), claims.NAME (a claim of the token), or everyone (all together).
	// Several count each combination apart. Default caller.
	By []string `yaml:"by"`
	// Count is requests or cost. By cost, each request counts its estimated cost. Default requests.
	Count string `yaml:"count"`
	// Match selects the requests that are limited. Default all.
	Match Match `yaml:"match"`
	// Tier is what distinguishes the tiers: class, or claims.NAME. Default class.
	Tier string `yaml:"tier"`
	// Tiers has, by the names of tiers, the limits that their callers have in the place of limits, as gold:
	// [1000/s]. A tier with [unlimited] has none. Default none.
	Tiers map[string][]string `yaml:"tiers"`
	// Mode is enforce or log. By log, requests that would be refused are counted and logged, and pass.
	// Default enforce.
	Mode string `yaml:"mode"`
}

// Match selects the requests that a rule is for. Of each list that is not empty, one value has to fit.
type Match struct {
	// Classes are classes of callers. Default all.
	Classes []string `yaml:"classes"`
	// Clients are names that clients state. Default all.
	Clients []string `yaml:"clients"`
	// Operations are names of operations, which clients choose. Default all.
	Operations []string `yaml:"operations"`
	// Kinds are query, mutation and subscription. Default all.
	Kinds []string `yaml:"kinds"`
}

func (o Options) withDefaults() Options {
	o.Headers = cmp.Or(o.Headers, HeadersStandard)
	o.OnStoreFailure = cmp.Or(o.OnStoreFailure, FailMemory)
	if o.MaxKeys <= 0 {
		o.MaxKeys = DefaultMaxKeys
	}
	return o
}

// ruleName is the form of names, which are strings in header fields and parts of keys.
var ruleName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Validate returns what is wrong with the options, as errors that begin with the setting.
func (o Options) Validate() error {
	_, err := o.compile()
	return err
}

// compile returns the rules as they are applied.
func (o Options) compile() ([]*rule, error) {
	var wrong []error
	mistake := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	oneOf := func(setting, value string, allowed ...string) {
		if value != "" && !slices.Contains(allowed, value) {
			mistake("%s must be %s, not %.40q", setting, listed(allowed), value)
		}
	}
	oneOf("headers", o.Headers, HeadersStandard, HeadersNone)
	oneOf("onStoreFailure", o.OnStoreFailure, FailMemory, FailOpen, FailClosed)
	if o.MaxKeys < 0 {
		mistake("maxKeys is negative; leave it out to get the default, %d", DefaultMaxKeys)
	}
	rules := make([]*rule, len(o.Rules))
	names := map[string]bool{}
	for i, r := range o.Rules {
		at := fmt.Sprintf("rules[%d]", i)
		switch {
		case r.Name == "":
			mistake("%s has no name; write one, as name: per-caller", at)
		case !ruleName.MatchString(r.Name):
			mistake(`%s has the name %.80q; use letters, digits, "-" and "_", at most 64`, at, r.Name)
		case names[r.Name]:
			mistake("%s has the name %q, which another rule has; write another one", at, r.Name)
		}
		names[r.Name] = true
		oneOf(at+" has a count that", r.Count, CountRequests, CountCost)
		oneOf(at+" has a mode that", r.Mode, ModeEnforce, ModeLog)
		for _, kind := range r.Match.Kinds {
			oneOf(at+" matches a kind that", kind, "query", "mutation", "subscription")
		}
		compiled, err := r.compile()
		for _, one := range err {
			mistake("%s %w", at, one)
		}
		rules[i] = compiled
	}
	return rules, errors.Join(wrong...)
}

// listed returns words as "a, b or c".
func listed(words []string) string {
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// compile returns the rule as it is applied.
func (r Rule) compile() (*rule, []error) {
	var wrong []error
	keep := func(format string, err error) {
		if err != nil {
			wrong = append(wrong, fmt.Errorf(format, err))
		}
	}
	c := &rule{
		name: r.Name, byCost: r.Count == CountCost, dryRun: r.Mode == ModeLog, tiers: map[string][]*window{},
		classes: r.Match.Classes, clients: r.Match.Clients, operations: r.Match.Operations, kinds: r.Match.Kinds,
	}
	var err error
	by := r.By
	if len(by) == 0 {
		by = []string{"caller"}
	}
	for _, text := range by {
		s, err := parseSelector(text)
		keep("has a by that %w", err)
		c.by = append(c.by, s)
	}
	c.tier, err = parseTier(cmp.Or(r.Tier, TierClass))
	keep("has a tier that %w", err)
	if r.Tier != "" && len(r.Tiers) == 0 {
		wrong = append(wrong, errors.New("has a tier without tiers; write the limits of each, as tiers: {gold: [1000/s]}"))
	}
	if len(r.Limits) == 0 && len(r.Tiers) == 0 {
		wrong = append(wrong, errors.New("has no limits; write them, as limits: [100/s]"))
	}
	c.windows, err = windowsOf(r.Name, r.Limits)
	keep("has limits of which %w", err)
	for name, limits := range r.Tiers {
		if slices.Equal(limits, []string{unlimited}) {
			c.tiers[name] = nil
			continue
		}
		if len(limits) == 0 {
			wrong = append(wrong, fmt.Errorf("has no limits for the tier %.40q; write them, or [unlimited]", name))
		}
		windows, err := windowsOf(r.Name, limits)
		keep(fmt.Sprintf("has limits for the tier %.40q of which %%w", name), err)
		c.tiers[name] = windows
	}
	return c, wrong
}

// windowsOf returns the limits of a rule. Those of one period have the same counts in all tiers.
func windowsOf(name string, limits []string) ([]*window, error) {
	windows := make([]*window, len(limits))
	seen := map[time.Duration]bool{}
	for i, text := range limits {
		l, err := ParseLimit(text)
		if err != nil {
			return nil, err
		}
		if seen[l.Period] {
			return nil, fmt.Errorf("two are for the same time, %q; keep the lower one", text)
		}
		seen[l.Period] = true
		windows[i] = newWindow(name, l, len(limits) > 1)
	}
	return windows, nil
}
