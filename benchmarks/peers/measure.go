package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/internal/proc"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
)

// result is the result of a peer over all rounds of an operation.
type result struct {
	peer      string
	rates     []float64 // requests a second, by round
	latencies []time.Duration
	cpu       time.Duration
	calls     int
	peak      int64 // bytes
}

// runningPeer is a peer whose process runs, with its load.
type runningPeer struct {
	*proc.Process
	load   *load
	result *result
}

// measure runs the rounds of an operation over services of its own. Each round measures each
// peer, and starts with another one, so that disturbances of the machine affect all peers.
func (s settings) measure(ctx context.Context, op operations.Operation, peers []peer) ([]*result, error) {
	services, err := startServices(ctx, op.Services)
	if err != nil {
		return nil, err
	}
	defer services.Stop()
	contenders, err := s.startPeers(ctx, op, peers, services.url())
	for _, c := range contenders {
		defer c.Stop()
	}
	if err != nil {
		return nil, err
	}
	for round := range s.rounds {
		for i := range contenders {
			c := contenders[(i+round)%len(contenders)]
			if err := c.runRound(ctx, s.duration, services); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", op.Name, c.Name, err)
			}
		}
		fmt.Fprintf(os.Stderr, "%s: round %d of %d\n", op.Name, round+1, s.rounds)
	}
	return finish(contenders)
}

// startPeers starts the peers and warms them up. The caller must stop those that it returns,
// also with an error.
func (s settings) startPeers(ctx context.Context, op operations.Operation, peers []peer, upstream string) ([]*runningPeer, error) {
	var all []*runningPeer
	for _, p := range peers {
		if !p.supports(op) {
			continue
		}
		process, err := p.start(ctx, upstream)
		if err != nil {
			return all, err
		}
		c := &runningPeer{process, newLoad(op, process.Address, s.conns), &result{peer: p.name}}
		all = append(all, c)
		if _, err := c.load.run(ctx, s.warmup); err != nil {
			return all, fmt.Errorf("%s, %s: %w", op.Name, p.name, err)
		}
	}
	return all, nil
}

// start starts the peer over services at a URL.
func (p peer) start(ctx context.Context, upstream string) (*proc.Process, error) {
	address, err := proc.FreeAddress()
	if err != nil {
		return nil, err
	}
	command, err := p.command(address, upstream)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	return startCommand(ctx, p.name, address, command)
}

// startCommand starts a command that listens on an address.
func startCommand(ctx context.Context, name, address string, command []string) (*proc.Process, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	p, err := proc.Start(ctx, name, address, cmd)
	if err != nil {
		return nil, fmt.Errorf("%w; make bench-peers builds it", err)
	}
	return p, nil
}

// runRound measures the peer for one round.
func (c *runningPeer) runRound(ctx context.Context, duration time.Duration, services *backend) error {
	before, err := c.usage(services)
	if err != nil {
		return err
	}
	asked, err := c.load.run(ctx, duration)
	if err != nil {
		return err
	}
	after, err := c.usage(services)
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

// usage is the CPU time and the calls so far.
type usage struct {
	cpu   time.Duration
	calls int
}

func (c *runningPeer) usage(services *backend) (a usage, err error) {
	if a.cpu, err = proc.CPU(c.PID()); err != nil {
		return a, err
	}
	a.calls, err = services.calls()
	return a, err
}

// finish completes the results with what is known only at the end.
func finish(contenders []*runningPeer) ([]*result, error) {
	var results []*result
	for _, c := range contenders {
		peak, err := proc.PeakMemory(c.PID())
		if err != nil {
			return nil, err
		}
		c.result.peak = peak
		slices.Sort(c.result.latencies)
		results = append(results, c.result)
	}
	return results, nil
}

// rate returns the median of requests per second over the rounds.
func (r *result) rate() float64 {
	sorted := slices.Sorted(slices.Values(r.rates))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// latency returns a quantile of all latencies.
func (r *result) latency(part float64) time.Duration {
	return r.latencies[min(int(part*float64(len(r.latencies))), len(r.latencies)-1)]
}

// cpuPerRequest returns milliseconds.
func (r *result) cpuPerRequest() float64 {
	return r.cpu.Seconds() * 1e3 / float64(len(r.latencies))
}

func (r *result) callsPerRequest() float64 { return float64(r.calls) / float64(len(r.latencies)) }
