// Package health checks endpoints actively: it requests a path of each in intervals and says which
// endpoints pass. Passive checks, by what becomes of calls, are those of package balance.
package health

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
)

// The defaults of a Check.
const (
	DefaultInterval       = 3 * time.Second
	DefaultTimeout        = 2 * time.Second
	DefaultHealthyAfter   = 2
	DefaultUnhealthyAfter = 3
	DefaultJitter         = 10
)

// Check says how endpoints are checked. Without a Path they are not.
type Check struct {
	// Path is requested by GET with the headers of the source, such as "/healthz". It follows the path
	// of the endpoint's URL. Default none: there are no checks.
	Path string `yaml:"path"`
	// Interval is the time from one check of an endpoint to the next. Default 3s.
	Interval time.Duration `yaml:"interval"`
	// Timeout is how long the response may take. It is at most the interval. Default 2s.
	Timeout time.Duration `yaml:"timeout"`
	// HealthyAfter is how many checks in a row must pass before an unhealthy endpoint is used. Default 2.
	HealthyAfter int `yaml:"healthyAfter"`
	// UnhealthyAfter is how many checks in a row must fail before an endpoint is not used. For an
	// endpoint that has never passed it is 1. Default 3.
	UnhealthyAfter int `yaml:"unhealthyAfter"`
	// Jitter is the percentage by which intervals differ at random, so that gateways that were started
	// together do not check together. Default 10; negative is none.
	Jitter int `yaml:"jitter"`
	// Status is that of a response that passes. Default 0: any from 200 to 299.
	Status int `yaml:"status"`
}

func (c Check) withDefaults() Check {
	c.Interval = cmp.Or(c.Interval, DefaultInterval)
	c.Timeout = min(cmp.Or(c.Timeout, DefaultTimeout), c.Interval)
	c.HealthyAfter = cmp.Or(c.HealthyAfter, DefaultHealthyAfter)
	c.UnhealthyAfter = cmp.Or(c.UnhealthyAfter, DefaultUnhealthyAfter)
	c.Jitter = max(cmp.Or(c.Jitter, DefaultJitter), 0)
	return c
}

// Validate returns the mistakes in c. Each begins with the name of its setting.
func (c Check) Validate() error {
	var errs []error
	if c.Path == "" {
		if c != (Check{}) {
			errs = append(errs, errors.New(`path is missing, without which there are no checks: write one like "/healthz"`))
		}
	} else if _, err := url.ParseRequestURI(c.Path); err != nil || !strings.HasPrefix(c.Path, "/") || strings.Contains(c.Path, "#") {
		errs = append(errs, errors.New(`path is not a path: write it like "/healthz"`))
	}
	if c.Interval < 0 {
		errs = append(errs, errors.New("interval is negative: leave it out to get the default"))
	}
	if c.Timeout < 0 {
		errs = append(errs, errors.New("timeout is negative: leave it out to get the default"))
	}
	if c.HealthyAfter < 0 {
		errs = append(errs, errors.New("healthyAfter is negative: leave it out to get the default"))
	}
	if c.UnhealthyAfter < 0 {
		errs = append(errs, errors.New("unhealthyAfter is negative: leave it out to get the default"))
	}
	if c.Jitter > 100 {
		errs = append(errs, errors.New("jitter is not a percentage: write a number up to 100"))
	}
	if c.Status != 0 && (c.Status < 100 || c.Status > 599) {
		errs = append(errs, errors.New("status is not one of HTTP: write one like 200, or leave it out for any from 200 to 299"))
	}
	return errors.Join(errs...)
}

// Checker checks the endpoints of a Balancer, also those that it gets later.
type Checker struct {
	check    Check
	balancer *balance.Balancer
	header   atomic.Pointer[http.Header]
	results  map[*balance.Endpoint]*result // of the endpoints in the last round; owned by run

	begin   sync.Once
	ctx     context.Context // ends when the Checker is stopped
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// result is what the checks of one endpoint have found.
type result struct {
	healthy bool
	checked bool // at least once
	row     int  // how many checks in a row contradict healthy
}

// New returns a Checker, which does nothing before Start. It is nil if c has no path; the methods of a
// nil Checker do nothing. c must be valid. Checks are sent by the transports of the endpoints, with these headers.
func New(c Check, b *balance.Balancer, header http.Header) *Checker {
	if c.Path == "" {
		return nil
	}
	k := &Checker{check: c.withDefaults(), balancer: b, results: map[*balance.Endpoint]*result{}}
	k.SetHeader(header)
	k.ctx, k.cancel = context.WithCancel(context.Background())
	return k
}

// SetHeader changes the headers of checks to come.
func (k *Checker) SetHeader(header http.Header) {
	if k != nil {
		k.header.Store(&header)
	}
}

// Start begins to check. Further calls have no effect.
func (k *Checker) Start() {
	if k != nil {
		k.begin.Do(func() { k.running.Go(k.run) })
	}
}

// Stop ends the checks, and waits for those that run, which end at once.
func (k *Checker) Stop() {
	if k != nil {
		k.begin.Do(func() {}) // it must not begin any more
		k.cancel()
		k.running.Wait()
	}
}

// startDelay is how long at least the first check waits: services that were made only to validate
// their settings are closed before that.
const startDelay = 100 * time.Millisecond

// run checks all endpoints in rounds.
func (k *Checker) run() {
	wait := startDelay + time.Duration(rand.Int64N(int64(k.check.Interval)*int64(k.check.Jitter)/100+1))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-k.ctx.Done():
			return
		case <-timer.C:
		}
		began := time.Now()
		k.checkAll()
		timer.Reset(max(k.interval()-time.Since(began), 0))
	}
}

// interval returns the time from one round to the next.
func (k *Checker) interval() time.Duration {
	spread := float64(k.check.Jitter) / 100
	return time.Duration(float64(k.check.Interval) * (1 + spread*(2*rand.Float64()-1)))
}

// checkAll checks all endpoints at the same time.
func (k *Checker) checkAll() {
	var checks sync.WaitGroup
	results := make(map[*balance.Endpoint]*result)
	for _, e := range k.balancer.Endpoints() {
		r := k.results[e]
		if r == nil {
			r = &result{healthy: true}
		}
		results[e] = r
		checks.Go(func() {
			err := k.checkOne(e)
			if k.ctx.Err() == nil && r.add(err == nil, k.check) {
				k.balancer.SetHealthy(k.ctx, e, r.healthy, err)
			}
		})
	}
	checks.Wait()
	k.results = results // without those that have left
}

// add adds the result of a check, and reports whether r.healthy has changed.
func (r *result) add(passed bool, c Check) bool {
	first := !r.checked
	r.checked = true
	if passed == r.healthy {
		r.row = 0
		return false
	}
	r.row++
	needed := c.HealthyAfter
	switch {
	case first:
		needed = 1
	case r.healthy:
		needed = c.UnhealthyAfter
	}
	if r.row < needed {
		return false
	}
	r.healthy, r.row = passed, 0
	return true
}

// maxBody is how much of a response is read so that the connection can be reused, in bytes.
const maxBody = 64 << 10

// checkOne checks an endpoint once. It returns why it does not pass.
func (k *Checker) checkOne(e *balance.Endpoint) error {
	ctx, cancel := context.WithTimeout(k.ctx, k.check.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://service"+k.check.Path, nil)
	if err != nil {
		return err
	}
	req.Header = k.header.Load().Clone()
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "gatehouse")
	}
	e.Direct(req.URL)
	req.Host = req.URL.Host
	resp, err := e.Transport().RoundTrip(req)
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxBody)
	_ = resp.Body.Close()
	passes := resp.StatusCode >= 200 && resp.StatusCode <= 299
	if k.check.Status != 0 {
		passes = resp.StatusCode == k.check.Status
	}
	if !passes {
		return fmt.Errorf("status %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return nil
}
