package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/internal/proc"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
)

// result is what a peer did in all rounds of an operation.
type result struct {
	peer      string
	rates     []float64 // requests a second, by round
	latencies []time.Duration
	cpu       time.Duration
	calls     int
	peak      int64 // bytes
}

// contender is a peer that runs, with its load.
type contender struct {
	*process
	load   *load
	result *result
}

// measure runs an operation's rounds over services of its own. In each round each peer has
// its turn, and each round begins with another peer, so that what disturbs the machine
// disturbs all of them.
func (s settings) measure(ctx context.Context, op operations.Operation, peers []peer) ([]*result, error) {
	services, err := startServices(ctx, op.Services)
	if err != nil {
		return nil, err
	}
	defer services.stop()
	contenders, err := s.contenders(ctx, op, peers, services.url())
	for _, c := range contenders {
		defer c.stop()
	}
	if err != nil {
		return nil, err
	}
	for round := range s.rounds {
		for i := range contenders {
			c := contenders[(i+round)%len(contenders)]
			if err := c.turn(ctx, s.duration, services); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", op.Name, c.name, err)
			}
		}
		fmt.Fprintf(os.Stderr, "%s: round %d of %d\n", op.Name, round+1, s.rounds)
	}
	return finish(contenders)
}

// contenders starts the peers and warms them up. Those that it gives are to be stopped, also
// with an error.
func (s settings) contenders(ctx context.Context, op operations.Operation, peers []peer, upstream string) ([]*contender, error) {
	var all []*contender
	for _, p := range peers {
		if !p.answers(op) {
			continue
		}
		process, err := p.start(ctx, upstream)
		if err != nil {
			return all, err
		}
		c := &contender{process, newLoad(op, process.address, s.conns), &result{peer: p.name}}
		all = append(all, c)
		if _, err := c.load.run(ctx, s.warmup); err != nil {
			return all, fmt.Errorf("%s, %s: %w", op.Name, p.name, err)
		}
	}
	return all, nil
}

// start runs the peer over services at a URL.
func (p peer) start(ctx context.Context, upstream string) (*process, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	command, err := p.command(address, upstream)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	return start(ctx, p.name, address, command)
}

// turn asks the peer once more.
func (c *contender) turn(ctx context.Context, duration time.Duration, services *backend) error {
	before, err := c.account(services)
	if err != nil {
		return err
	}
	asked, err := c.load.run(ctx, duration)
	if err != nil {
		return err
	}
	after, err := c.account(services)
	if err != nil {
		return err
	}
	r := c.result
	r.rates = append(r.rates, float64(len(asked.latencies))/asked.took.Seconds())
	r.latencies = append(r.latencies, asked.latencies...)
	r.cpu += after.cpu - before.cpu
	r.calls += after.calls - before.calls
	return nil
}

// account is what was spent so far.
type account struct {
	cpu   time.Duration
	calls int
}

func (c *contender) account(services *backend) (a account, err error) {
	if a.cpu, err = proc.CPU(c.pid()); err != nil {
		return a, err
	}
	a.calls, err = services.calls()
	return a, err
}

// finish reads what is known only at the end.
func finish(contenders []*contender) ([]*result, error) {
	var results []*result
	for _, c := range contenders {
		peak, err := proc.PeakMemory(c.pid())
		if err != nil {
			return nil, err
		}
		c.result.peak = peak
		slices.Sort(c.result.latencies)
		results = append(results, c.result)
	}
	return results, nil
}

// rate is the median of the rounds' requests a second.
func (r *result) rate() float64 {
	sorted := slices.Sorted(slices.Values(r.rates))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// latency is the one that a part of all requests did not exceed.
func (r *result) latency(part float64) time.Duration {
	return r.latencies[min(int(part*float64(len(r.latencies))), len(r.latencies)-1)]
}

// cpuPerRequest is in milliseconds.
func (r *result) cpuPerRequest() float64 {
	return r.cpu.Seconds() * 1e3 / float64(len(r.latencies))
}

func (r *result) callsPerRequest() float64 { return float64(r.calls) / float64(len(r.latencies)) }
