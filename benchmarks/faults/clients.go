package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
)

// What is due to clients while services hang.
const (
	dueCancelled = 200 * time.Millisecond
	dueTypename  = 100 * time.Millisecond
	dueCalm      = 1.5
)

// waiting returns how many calls the servers hold.
func waiting(servers []*faulty.Server) (n int) {
	for _, s := range servers {
		n += s.Counts().Waiting
	}
	return n
}

// await waits until a condition holds, and returns how long that took. It gives up after a time.
func await(ctx context.Context, limit time.Duration, condition func() bool) (time.Duration, error) {
	start := time.Now()
	for !condition() {
		if time.Since(start) > limit {
			return limit, fmt.Errorf("what should happen has not happened in %s", limit)
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

// disconnect measures how long services work for clients that have left.
func disconnect(ctx context.Context, l *lab) error {
	l.report.section("Clients that leave", "The calls of 20 clients hang when they all disconnect. Due: all calls are cancelled within 200 ms.",
		"calls that hang", "cancelled after")
	for _, m := range []faulty.Mode{faulty.HangBeforeHeaders, faulty.HangAfterHeaders, faulty.HangMidBody} {
		if err := l.playDisconnect(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) playDisconnect(ctx context.Context, m faulty.Mode) error {
	s, err := l.start(ctx, plan{})
	if err != nil {
		return err
	}
	defer s.stop()
	if err := play(faulty.Fault{Mode: m}, s.users...); err != nil {
		return err
	}
	leaving, leave := context.WithCancel(ctx)
	defer leave()
	done := make(chan outcomes)
	go func() { done <- s.burst(leaving, readUser, 20, 20) }()
	_, err = await(ctx, 5*time.Second, func() bool { return waiting(s.users) >= 20 })
	leave()
	if err != nil {
		<-done
		return err
	}
	took, _ := await(ctx, 5*time.Second, func() bool { return waiting(s.users) == 0 })
	<-done
	l.report.row(fmt.Sprintf("%s: 20", m), within(took, dueCancelled))
	return nil
}

// hanging measures what 200 hanging queries mean for a query that needs no service.
func hanging(ctx context.Context, l *lab) error {
	l.report.section("200 hanging queries", "All replicas of users hang while 200 clients query them, and 300 times `{__typename}` is sent. Due: p99 below 100 ms.",
		"", "p50", "p99", "slowest")
	s, err := l.start(ctx, plan{})
	if err != nil {
		return err
	}
	defer s.stop()
	if err := play(faulty.Fault{Mode: faulty.HangBeforeHeaders}, s.users...); err != nil {
		return err
	}
	leaving, leave := context.WithCancel(ctx)
	defer leave()
	done := make(chan outcomes)
	go func() { done <- s.burst(leaving, readUser, 200, 1<<20) }()
	_, err = await(ctx, 5*time.Second, func() bool { return waiting(s.users) > 0 })
	if err == nil {
		names := s.burst(ctx, typename, 1, 300)
		l.report.row("`{__typename}`", plain("%s", short(names.quantile(0.5))), within(names.quantile(0.99), dueTypename), plain("%s", short(names.quantile(1))))
	}
	leave()
	<-done
	return err
}

// isolation measures the latency of one source while another one is dead.
func isolation(ctx context.Context, l *lab) error {
	l.report.section("A dead source beside another one",
		"100 reads of products and 50 of users a second. In five rounds, users is well for 2 s and dead for 2 s. "+
			"Due: the median p99 of products is at most 1.5 times that of calm, or 2 ms more.",
		"all replicas of users", "calm: p50", "p99", "dead: p50", "p99", "ratio of p99", "products that succeed", "improper")
	for _, m := range []faulty.Mode{faulty.HangBeforeHeaders, faulty.Refuse, faulty.Status503, faulty.ResetBeforeHeaders} {
		if err := l.playIsolation(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) playIsolation(ctx context.Context, m faulty.Mode) error {
	s, err := l.start(ctx, plan{})
	if err != nil {
		return err
	}
	defer s.stop()
	s.burst(ctx, readProduct, 4, 200) // warm
	var calm, dead []outcomes
	for range 5 {
		for _, state := range []struct {
			mode faulty.Mode
			runs *[]outcomes
		}{{faulty.Healthy, &calm}, {m, &dead}} {
			if err := play(faulty.Fault{Mode: state.mode}, s.users...); err != nil {
				return err
			}
			stop := s.background(ctx, 50, readUser)
			products := s.steady(ctx, 100, 2*time.Second, readProduct)
			_ = play(faulty.Fault{Mode: faulty.Refuse}, s.users...) // so that hanging reads end
			stop()
			*state.runs = append(*state.runs, products)
		}
	}
	before, after := medianOf(calm, 0.99), medianOf(dead, 0.99)
	ratio := float64(after) / float64(before)
	all := slices.Concat(append(calm, dead...)...)
	l.report.row(string(m), plain("%s", short(medianOf(calm, 0.5))), plain("%s", short(before)), plain("%s", short(medianOf(dead, 0.5))), plain("%s", short(after)),
		must(ratio <= dueCalm || after-before <= 2*time.Millisecond, "%.2f", ratio), percent(all.success(), dueReads), proper(all))
	return ctx.Err()
}

// medianOf returns the median of a quantile of runs.
func medianOf(runs []outcomes, share float64) time.Duration {
	var times []time.Duration
	for _, r := range runs {
		times = append(times, r.quantile(share))
	}
	slices.Sort(times)
	return times[len(times)/2]
}
