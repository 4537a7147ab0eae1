package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
)

// policies compares policies with one slow replica.
func policies(ctx context.Context, l *lab) error {
	l.report.section("One replica ten times slower",
		"Calls take 5 ms, those of one replica of three 50 ms; 200 reads a second for 6 s, of which the last 4 s count. "+
			"In the second part, each replica works on two calls at a time, so that a third of all calls is too much for the slow one. "+
			"Slow replicas are not ejected, and nothing is hedged, which would hide the policy. "+
			"Due: least_requests and peak_ewma have a lower mean than round robin, and in the second part at most a third of its p99.",
		"policy", "p50", "p99", "mean", "calls to the slow replica", "two at a time: p50", "p99", "mean", "calls to the slow replica", "reads that succeed")
	var roundRobin [2]outcomes // of round robin
	for _, policy := range []string{"round_robin", "least_requests", "peak_ewma"} {
		all, allShare, err := l.playSlow(ctx, policy, 0)
		if err != nil {
			return err
		}
		two, twoShare, err := l.playSlow(ctx, policy, 2)
		if err != nil {
			return err
		}
		if policy == "round_robin" {
			roundRobin = [2]outcomes{all, two}
		}
		better := func(r, than outcomes) figure {
			return must(policy == "round_robin" || r.mean() < than.mean(), "%s", short(r.mean()))
		}
		p99 := must(policy == "round_robin" || two.quantile(0.99) <= roundRobin[1].quantile(0.99)/3, "%s", short(two.quantile(0.99)))
		l.report.row("`"+policy+"`", plain("%s", short(all.quantile(0.5))), plain("%s", short(all.quantile(0.99))), better(all, roundRobin[0]), plain("%.1f%%", allShare*100),
			plain("%s", short(two.quantile(0.5))), p99, better(two, roundRobin[1]), plain("%.1f%%", twoShare*100), percent(append(all, two...).success(), dueReads))
	}
	return nil
}

// mean returns the mean time of the requests.
func (r outcomes) mean() time.Duration {
	var sum time.Duration
	for _, o := range r {
		sum += o.took
	}
	return sum / time.Duration(len(r))
}

// playSlow reads by a policy over replicas that work on some calls at a time, 0 for no limit.
func (l *lab) playSlow(ctx context.Context, policy string, parallel int) (reads outcomes, share float64, err error) {
	s, err := l.start(ctx, plan{
		products: settings{
			"balance": settings{"policy": policy},
			"health":  settings{"eject": settings{"latencyFactor": -1}},
			"hedge":   settings{"delay": "-1s"},
		},
		service: func(source string, replica int) faulty.Options {
			if source == "products" && replica == 0 {
				return faulty.Options{Latency: 50 * time.Millisecond, Parallel: parallel}
			}
			return faulty.Options{Latency: 5 * time.Millisecond, Parallel: parallel}
		},
	})
	if err != nil {
		return nil, 0, err
	}
	defer s.stop()
	s.steady(ctx, 200, 2*time.Second, readProduct)
	s.reset()
	reads = s.steady(ctx, 200, 4*time.Second, readProduct)
	return reads, float64(calls(s.products[0])) / float64(calls(s.products...)), ctx.Err()
}

// weights compares the calls of replicas with their weights.
func weights(ctx context.Context, l *lab) error {
	l.report.section("Weights", "3,000 reads by 8 clients over replicas of the weights 5, 3 and 2, by round robin. Due: each gets its share within 2 % of it.",
		"", "weight 5", "weight 3", "weight 2")
	s, err := l.start(ctx, plan{})
	if err != nil {
		return err
	}
	defer s.stop()
	weights := []int{5, 3, 2}
	var list []settings
	for i, w := range weights {
		list = append(list, settings{"url": s.products[i].URL(), "weight": w})
	}
	if err := l.restart(ctx, s, plan{products: settings{"urls": list}}); err != nil {
		return err
	}
	reads := s.burst(ctx, readProduct, 8, 3000)
	var figures []figure
	for i, w := range weights {
		share, due := float64(calls(s.products[i]))/float64(len(reads)), float64(w)/10
		figures = append(figures, must(math.Abs(share-due) <= 0.02*due, "%.2f%%", share*100))
	}
	l.report.row("share of the calls", figures...)
	return ctx.Err()
}

// restart replaces the gateway of a setup by one with other settings over the same services.
func (l *lab) restart(ctx context.Context, s *setup, p plan) error {
	s.client.close()
	s.gateway.Stop()
	s.reset()
	return l.startGateway(ctx, s, p)
}

// ringHash counts how many keys move when a replica leaves.
func ringHash(ctx context.Context, l *lab) error {
	const n, keys = 4, 1000
	l.report.section("Keys that move",
		"1,000 keys over four replicas, of which one then refuses connections. Due: under 1.5/n of the keys, 37.5 %, are served by another one, and all reads succeed.",
		"policy", "fewest and most keys of a replica", "keys that moved", "reads that succeed")
	for _, policy := range []string{"ring_hash", "rendezvous"} {
		var mu sync.Mutex
		served := map[string]int{} // the replica that served a key last
		s, err := l.start(ctx, plan{
			replicas: n,
			users:    settings{"balance": settings{"policy": policy, "key": "$args.id"}},
			service: func(source string, replica int) faulty.Options {
				return faulty.Options{OnCall: func(r *http.Request) {
					if source == "users" {
						mu.Lock()
						defer mu.Unlock()
						served[strings.TrimPrefix(r.URL.Path, "/users/")] = replica
					}
				}}
			},
		})
		if err != nil {
			return err
		}
		before := s.burst(ctx, readUser, 4, keys)
		mu.Lock()
		first := served
		served = map[string]int{}
		mu.Unlock()
		err = s.users[0].Play(faulty.Fault{Mode: faulty.Refuse})
		s.number.Store(0)
		after := s.burst(ctx, readUser, 4, keys)
		s.stop()
		if err != nil {
			return err
		}
		byReplica, moved := make([]int, n), 0
		for key, replica := range first {
			byReplica[replica]++
			if served[key] != replica {
				moved++
			}
		}
		fewest, most := keys, 0
		for _, count := range byReplica {
			fewest, most = min(fewest, count), max(most, count)
		}
		l.report.row("`"+policy+"`", plain("%s", fmt.Sprint(fewest, " and ", most)), below(float64(moved)/keys, 1.5/n), percent(append(before, after...).success(), dueReads))
	}
	return ctx.Err()
}
