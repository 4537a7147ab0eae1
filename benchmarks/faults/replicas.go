package main

import (
	"context"
	"net/http"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
)

// What is due when one of three replicas is bad.
const (
	dueReads     = 0.99
	dueShare     = 0.10
	dueLatency   = time.Second
	dueRandom    = 0.98
	shortReads   = 300
	shortClients = 8
)

// badReplica is a fault of one of three replicas.
type badReplica struct {
	name  string
	fault faulty.Fault
}

var badReplicas = []badReplica{
	{"500", faulty.Fault{Mode: faulty.Status500}},
	{"breaks off in the body", faulty.Fault{Mode: faulty.BreakMidBody}},
	{"hangs", faulty.Fault{Mode: faulty.HangBeforeHeaders}},
	{"truncated JSON", faulty.Fault{Mode: faulty.TruncatedJSON}},
	{"3 s late", faulty.Fault{Mode: faulty.Latency, Delay: 3 * time.Second}},
	{"resets", faulty.Fault{Mode: faulty.ResetBeforeHeaders}},
	{"refuses connections", faulty.Fault{Mode: faulty.Refuse}},
	{"does not answer to connecting", faulty.Fault{Mode: faulty.Blackhole}},
	{"flaps each second", faulty.Fault{Mode: faulty.Flap}},
}

// oneBad plays the faults of one of three replicas: 300 reads at once by a few clients, which includes
// the time in which the gateway finds out, then reads at a steady rate, then joins.
func oneBad(ctx context.Context, l *lab) error {
	l.report.section("One bad replica of three, no settings",
		"300 reads by 8 clients from the start, then 150 reads a second for 4 s and 50 joins, of three calls each, a second for 4 s. "+
			"Due: 99 % of reads and joins succeed, under 10 % of all calls go to the bad replica, and p99 is below 1 s after the first 300.",
		"the bad replica", "first reads that succeed", "their calls to it", "their p99", "later reads that succeed", "their calls to it", "their p99", "joins that succeed", "their p99", "improper")
	for _, b := range badReplicas {
		if err := l.playOneBad(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// startBad starts a setup whose first replica of products is bad.
func (l *lab) startBad(ctx context.Context, f faulty.Fault) (*setup, error) {
	s, err := l.start(ctx, plan{})
	if err != nil {
		return nil, err
	}
	if err := play(f, s.products[0]); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// badShare returns the share of the calls to products that the first replica got while it was bad.
func (s *setup) badShare() float64 {
	all := calls(s.products...)
	bad := calls(s.products[0]) - s.products[0].Counts().Calls[faulty.Healthy][http.MethodGet]
	return float64(bad) / float64(max(1, all))
}

func (l *lab) playOneBad(ctx context.Context, b badReplica) error {
	s, err := l.startBad(ctx, b.fault)
	if err != nil {
		return err
	}
	defer s.stop()
	first := s.burst(ctx, readProduct, shortClients, shortReads)
	firstShare := s.badShare()
	s.reset()
	later := s.steady(ctx, 150, 4*time.Second, readProduct)
	laterShare := s.badShare()
	joins := s.steady(ctx, 50, 4*time.Second, join)
	if err := ctx.Err(); err != nil {
		return err
	}
	l.report.row(b.name,
		percent(first.success(), dueReads), below(firstShare, dueShare), plain("%s", short(first.quantile(0.99))),
		percent(later.success(), dueReads), below(laterShare, dueShare), within(later.quantile(0.99), dueLatency),
		percent(joins.success(), dueReads), within(joins.quantile(0.99), dueLatency), proper(first, later, joins))
	return nil
}

// oneClient plays the same faults before a single client, which sees each of them.
func oneClient(ctx context.Context, l *lab) error {
	l.report.section("One bad replica, one client", "300 reads after one another, then 100 joins. Due: as above.",
		"the bad replica", "reads that succeed", "calls to it", "p50", "p99", "slowest", "joins that succeed", "their p99", "improper")
	for _, b := range badReplicas {
		if err := l.playOneClient(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) playOneClient(ctx context.Context, b badReplica) error {
	s, err := l.startBad(ctx, b.fault)
	if err != nil {
		return err
	}
	defer s.stop()
	reads := s.burst(ctx, readProduct, 1, shortReads)
	share := s.badShare()
	joins := s.burst(ctx, join, 1, 100)
	if err := ctx.Err(); err != nil {
		return err
	}
	l.report.row(b.name, percent(reads.success(), dueReads), below(share, dueShare),
		plain("%s", short(reads.quantile(0.5))), plain("%s", short(reads.quantile(0.99))), plain("%s", short(reads.quantile(1))),
		percent(joins.success(), dueReads), within(joins.quantile(0.99), dueLatency), proper(reads, joins))
	return nil
}

// errorsEverywhere has every replica fail for a share of its calls.
func errorsEverywhere(ctx context.Context, l *lab) error {
	l.report.section("10 % errors of every replica", "300 reads by 8 clients, then 150 a second for 4 s. Due: 98 % succeed.",
		"10 % of calls", "first reads that succeed", "later reads that succeed", "calls per read", "p99", "codes", "improper")
	for _, m := range []faulty.Mode{faulty.Status500, faulty.Status503, faulty.Status503Plain, faulty.ResetBeforeHeaders, faulty.BreakMidBody, faulty.TruncatedJSON} {
		if err := l.playEverywhere(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) playEverywhere(ctx context.Context, m faulty.Mode) error {
	s, err := l.start(ctx, plan{})
	if err != nil {
		return err
	}
	defer s.stop()
	if err := play(faulty.Fault{Mode: m, Share: 0.1}, s.products...); err != nil {
		return err
	}
	first := s.burst(ctx, readProduct, shortClients, shortReads)
	later := s.steady(ctx, 150, 4*time.Second, readProduct)
	l.report.row(string(m), percent(first.success(), dueRandom), percent(later.success(), dueRandom),
		plain("%.2f", float64(calls(s.products...))/float64(len(first)+len(later))), plain("%s", short(later.quantile(0.99))),
		plain("%s", append(first, later...).codes()), proper(first, later))
	return ctx.Err()
}
