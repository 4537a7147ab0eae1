package main

import (
	"context"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
)

// dueCalls is how many calls services are due to get at the most for each of the client's.
const dueCalls = 1.5

// overload measures the calls that services get which cannot answer.
func overload(ctx context.Context, l *lab) error {
	l.report.section("All replicas fail", "100 reads a second for 30 s, each of which needs one call. Due: at most 1.5 calls a read.",
		"all replicas", "calls per read", "p99", "codes", "improper")
	for _, m := range []faulty.Mode{faulty.Status503, faulty.Status503Plain, faulty.Status429, faulty.ResetBeforeHeaders} {
		if err := l.playOverload(ctx, m, 30*time.Second); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) playOverload(ctx context.Context, m faulty.Mode, d time.Duration) error {
	s, err := l.start(ctx, plan{})
	if err != nil {
		return err
	}
	defer s.stop()
	if err := play(faulty.Fault{Mode: m}, s.products...); err != nil {
		return err
	}
	reads := s.steady(ctx, 100, d, readProduct)
	each := float64(calls(s.products...)) / float64(len(reads))
	l.report.row(string(m), must(each <= dueCalls, "%.2f", each), plain("%s", short(reads.quantile(0.99))), plain("%s", reads.codes()), proper(reads))
	return ctx.Err()
}
