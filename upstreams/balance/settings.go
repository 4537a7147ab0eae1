package balance

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Settings say how the endpoint of an attempt is chosen. The zero value is round_robin.
type Settings struct {
	// Policy is how an endpoint is chosen: round_robin (in turn), least_requests (the less loaded of
	// two), peak_ewma (the faster of two), or ring_hash or rendezvous (by key). All keep to the
	// weights of endpoints. Default round_robin.
	Policy string `yaml:"policy,scalar"`
	// Key is what ring_hash and rendezvous choose by, such as "$claims.sub" or "$args.id": calls with
	// equal keys go to the same endpoint. A call for which it has no value is sent to any endpoint in
	// turn. Default none.
	Key string `yaml:"key"`
	// SlowStart is how long the share of calls of an endpoint grows that is new or back after an
	// ejection. Default 0s: it has its whole share at once.
	SlowStart time.Duration `yaml:"slowStart"`
	// Zone is where the gateway runs. Endpoints of the same zone are preferred while at least half of
	// them are available. Default none: all zones are equal.
	Zone string `yaml:"zone"`
	// PanicThreshold is a percentage: when fewer endpoints than that are available, all of them
	// are chosen from, since few would not bear the load of all. Default 0: only when none is available.
	PanicThreshold int `yaml:"panicThreshold"`
}

// Validate returns the mistakes in s. Each begins with the name of its setting.
func (s Settings) Validate() error {
	var errs []error
	name := s.Policy
	if p, ok := policies[cmp.Or(name, defaultPolicy)]; !ok {
		errs = append(errs, fmt.Errorf("policy %q is unknown: write one of %s", name, strings.Join(Policies(), ", ")))
	} else if p().keyed() && s.Key == "" {
		errs = append(errs, fmt.Errorf(`key is missing, by which %s chooses: write one like "$claims.sub"`, name))
	} else if !p().keyed() && s.Key != "" {
		errs = append(errs, fmt.Errorf("key has no effect: set policy to ring_hash or rendezvous, or remove it"))
	}
	if s.SlowStart < 0 {
		errs = append(errs, errors.New("slowStart is negative: leave it out to have none"))
	}
	if s.PanicThreshold < 0 || s.PanicThreshold > 100 {
		errs = append(errs, errors.New("panicThreshold is not a percentage: write a number from 0 to 100"))
	}
	return errors.Join(errs...)
}

// The defaults of an Eject.
const (
	DefaultConsecutiveFailures = 5
	DefaultFailureRate         = 50
	DefaultMinCalls            = 20
	DefaultWindow              = 10 * time.Second
	DefaultLatencyFactor       = 5
	DefaultMinLatency          = 500 * time.Millisecond
	DefaultBaseTime            = 2 * time.Second
	DefaultMaxTime             = 5 * time.Second
	DefaultMaxShare            = 50
)

// Eject says when an endpoint is ejected, which means that it is not chosen for a while. A call fails
// if it has no response, a broken or undecodable one, or one with a status of 500 and above. An
// endpoint that cannot be connected to is ejected at once, whatever these settings are.
type Eject struct {
	// ConsecutiveFailures is how many calls must fail in a row. Default 5; negative is no such rule.
	ConsecutiveFailures int `yaml:"consecutiveFailures"`
	// FailureRate is the percentage of calls that must fail in the window. Default 50; negative is no
	// such rule.
	FailureRate int `yaml:"failureRate"`
	// MinCalls is how many calls there must be in the window for failureRate to count. Default 20.
	MinCalls int `yaml:"minCalls"`
	// Window is the time over which failureRate is measured. Default 10s.
	Window time.Duration `yaml:"window"`
	// LatencyFactor is how many times slower than the mean of the other endpoints a response is that
	// counts as slow. As many slow responses in a row as consecutiveFailures eject an endpoint. So do
	// attempts that lost to a later one. Default 5; negative is no such rule.
	LatencyFactor int `yaml:"latencyFactor"`
	// MinLatency is below which time no response counts as slow. Default 500ms.
	MinLatency time.Duration `yaml:"minLatency"`
	// BaseTime is how long the first ejection lasts. One that follows soon lasts twice as long as the one
	// before. Then one call at a time finds out if the endpoint has healed. Default 2s.
	BaseTime time.Duration `yaml:"baseTime"`
	// MaxTime is the longest time of an ejection, and so the longest time that an endpoint that has
	// healed is not used. Default 5s.
	MaxTime time.Duration `yaml:"maxTime"`
	// MaxShare is the percentage of endpoints, rounded up, that may be ejected, but never all. It does
	// not count for endpoints that cannot be connected to. Default 50; negative is none.
	MaxShare int `yaml:"maxShare"`
}

func (o Eject) withDefaults() Eject {
	o.ConsecutiveFailures = cmp.Or(o.ConsecutiveFailures, DefaultConsecutiveFailures)
	o.FailureRate = cmp.Or(o.FailureRate, DefaultFailureRate)
	o.MinCalls = cmp.Or(o.MinCalls, DefaultMinCalls)
	o.Window = cmp.Or(o.Window, DefaultWindow)
	o.LatencyFactor = cmp.Or(o.LatencyFactor, DefaultLatencyFactor)
	o.MinLatency = cmp.Or(o.MinLatency, DefaultMinLatency)
	o.BaseTime = cmp.Or(o.BaseTime, DefaultBaseTime)
	o.MaxTime = max(cmp.Or(o.MaxTime, DefaultMaxTime), o.BaseTime)
	o.MaxShare = cmp.Or(o.MaxShare, DefaultMaxShare)
	return o
}

// Validate returns the mistakes in o. Each begins with the name of its setting.
func (o Eject) Validate() error {
	var errs []error
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"window", o.Window}, {"minLatency", o.MinLatency}, {"baseTime", o.BaseTime}, {"maxTime", o.MaxTime}} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("%s is negative: leave it out to get the default", d.name))
		}
	}
	if o.MinCalls < 0 {
		errs = append(errs, errors.New("minCalls is negative: leave it out to get the default"))
	}
	if o.FailureRate > 100 {
		errs = append(errs, errors.New("failureRate is not a percentage: write a number from 1 to 100"))
	}
	if o.MaxShare > 100 {
		errs = append(errs, errors.New("maxShare is not a percentage: write a number from 1 to 100"))
	}
	if o.MaxTime > 0 && o.MaxTime < o.BaseTime {
		errs = append(errs, errors.New("maxTime is shorter than baseTime: write a longer one"))
	}
	return errors.Join(errs...)
}

// maxEjected returns how many of n endpoints may be ejected.
func (o Eject) maxEjected(n int) int {
	if o.MaxShare < 0 {
		return 0
	}
	return min((n*o.MaxShare+99)/100, n-1)
}

// Policies returns the names of the policies, sorted.
func Policies() []string {
	var names []string
	for name := range policies {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
