package main

import (
	"context"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
)

// When replicas are due to be used again after they have healed.
const (
	dueBack = 10 * time.Second
	dueUp   = 15 * time.Second
)

// healing measures how long a replica that has healed is left out.
func healing(ctx context.Context, l *lab) error {
	l.report.section("Back in rotation",
		"100 reads a second; one replica of three is bad for 5 s, then heals. Due: within 10 s it gets calls again, and within 15 s half of its fair share.",
		"the bad replica", "first call after", "half of its share after", "reads that succeed", "improper")
	for _, m := range []faulty.Mode{faulty.Status500, faulty.TruncatedJSON, faulty.HangBeforeHeaders, faulty.Refuse, faulty.Blackhole} {
		if err := l.playHealing(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) playHealing(ctx context.Context, m faulty.Mode) error {
	s, err := l.start(ctx, plan{})
	if err != nil {
		return err
	}
	defer s.stop()
	if err := play(faulty.Fault{Mode: m}, s.products[0]); err != nil {
		return err
	}
	stop := s.background(ctx, 100, readProduct)
	err = pause(ctx, 5*time.Second)
	var first, fair time.Duration
	if err == nil {
		first, fair, err = s.awaitRotation(ctx)
	}
	reads := stop()
	if err != nil {
		return err
	}
	l.report.row(string(m), within(first, dueBack), within(fair, dueUp), percent(reads.success(), dueReads), proper(reads))
	return nil
}

// awaitRotation heals the first replica of products, and returns how long it took until it got a call,
// and half of its share of the calls of a second. It gives up after 40 s.
func (s *setup) awaitRotation(ctx context.Context) (first, fair time.Duration, err error) {
	s.reset()
	if err := heal(s.products[0]); err != nil {
		return 0, 0, err
	}
	const step, limit = 100 * time.Millisecond, 40 * time.Second
	type sample struct{ healed, all int }
	samples := []sample{{}}
	start := time.Now()
	first, fair = limit, limit // until measured
	for time.Since(start) < limit && fair == limit {
		if err := pause(ctx, step); err != nil {
			return 0, 0, err
		}
		now := sample{s.products[0].Counts().Total(), 0}
		for _, server := range s.products {
			now.all += server.Counts().Total()
		}
		samples = append(samples, now)
		if now.healed > 0 && first == limit {
			first = time.Since(start)
		}
		if before := len(samples) - 1 - int(time.Second/step); before >= 0 {
			healed, all := now.healed-samples[before].healed, now.all-samples[before].all
			if healed*2*len(s.products) >= all && healed > 0 {
				fair = time.Since(start)
			}
		}
	}
	return first, fair, nil
}

// allDown measures how long a source is down after all of its replicas were.
func allDown(ctx context.Context, l *lab) error {
	l.report.section("All down, then up",
		"100 reads a second; all replicas are bad for 10 s, then heal. Due: 20 reads in turn succeed within 15 s, without a restart.",
		"all replicas", "reads succeed after", "p99 while down", "codes while down", "improper")
	for _, m := range []faulty.Mode{faulty.Status503, faulty.Status500, faulty.Refuse, faulty.HangBeforeHeaders, faulty.Blackhole} {
		if err := l.playAllDown(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) playAllDown(ctx context.Context, m faulty.Mode) error {
	s, err := l.start(ctx, plan{products: settings{"timeout": sourceTimeout.String()}})
	if err != nil {
		return err
	}
	defer s.stop()
	before := s.steady(ctx, 100, time.Second, readProduct)
	if err := play(faulty.Fault{Mode: m}, s.products...); err != nil {
		return err
	}
	down := s.steady(ctx, 100, 10*time.Second, readProduct)
	if err := heal(s.products...); err != nil {
		return err
	}
	start := time.Now()
	stop := s.background(ctx, 100, readProduct)
	err = pause(ctx, 20*time.Second)
	after := stop()
	l.report.row(string(m), within(after.recovered(start, 20), dueUp), plain("%s", short(down.quantile(0.99))), plain("%s", down.codes()), proper(before, down, after))
	return err
}

// recovered returns the time from start until the first of so many requests was sent that succeed in
// turn; a day if there are not so many.
func (r outcomes) recovered(start time.Time, successes int) time.Duration {
	since := 0
	for i, o := range r {
		if o.verdict != succeeded {
			since = i + 1
		} else if i-since+1 == successes {
			return r[since].started.Sub(start)
		}
	}
	return 24 * time.Hour
}
