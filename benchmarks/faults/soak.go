package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/internal/proc"
)

// dueGrowth is how much of a resource is due at the most after a long run, against its start.
const dueGrowth = 1.10

// resources are what a process uses.
type resources struct {
	goroutines, descriptors int
	memory                  int64
}

// resources returns those of the gateway when it is idle.
func (s *setup) resources(ctx context.Context) (r resources, err error) {
	var errs [3]error
	r.goroutines, errs[0] = s.metric(ctx, "go_goroutines")
	r.descriptors, errs[1] = proc.Descriptors(s.gateway.PID())
	r.memory, errs[2] = proc.Memory(s.gateway.PID())
	return r, errors.Join(errs[:]...)
}

// metric returns a metric without labels.
func (s *setup) metric(ctx context.Context, name string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.gateway.Address+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return int(f), err
		}
	}
	return 0, fmt.Errorf("/metrics has no %s", name)
}

// soak sends many requests while the faults of all replicas change at random, and compares what the
// gateway uses before and after.
func soak(ctx context.Context, l *lab) error {
	n := l.options.requests
	l.report.section("Faults at random",
		fmt.Sprintf("%d requests by 64 clients, reads, joins and mutations, while every 100 ms a replica changes to another mode at random, every other time to healthy. "+
			"Due: each is answered properly, no change is carried out twice, and idle again the gateway has at most 10 %% more goroutines, descriptors and memory than after a first tenth of them.", n),
		"requests", "requests/s", "succeed", "slowest", "improper", "changes carried out twice", "goroutines", "descriptors", "MB")
	s, err := l.start(ctx, plan{users: settings{"timeout": sourceTimeout.String()}, products: settings{"timeout": sourceTimeout.String()}})
	if err != nil {
		return err
	}
	defer s.stop()
	before, _, err := s.storm(ctx, n/10)
	if err != nil {
		return err
	}
	start := time.Now()
	after, reads, err := s.storm(ctx, n)
	if err != nil {
		return err
	}
	twice := 0
	for _, server := range s.users {
		for _, times := range server.Counts().Changes {
			if times > 1 {
				twice++
			}
		}
	}
	l.report.row(fmt.Sprint(n), plain("%.0f", float64(n)/time.Since(start).Seconds()), plain("%.1f%%", reads.success()*100), within(reads.quantile(1), answerTimeout),
		proper(reads), must(twice == 0, "%d", twice),
		grown(before.goroutines, after.goroutines), grown(before.descriptors, after.descriptors), grown(int(before.memory>>20), int(after.memory>>20)))
	return ctx.Err()
}

// grown returns a figure of two values, of which the second may be a tenth more, and a few.
func grown(before, after int) figure {
	return must(float64(after) <= dueGrowth*float64(before)+3, "%d to %d", before, after)
}

// storm sends requests while faults change, and returns what the gateway uses when it is idle again.
func (s *setup) storm(ctx context.Context, count int) (resources, outcomes, error) {
	changing, stop := context.WithCancel(ctx)
	defer stop()
	var done sync.WaitGroup
	done.Go(func() { s.change(changing) })
	var all [4]outcomes
	var clients sync.WaitGroup
	for i, op := range []operation{readUser, readProduct, join, updateUser} {
		clients.Go(func() { all[i] = s.burst(ctx, op, 16, count/4) })
	}
	clients.Wait()
	stop()
	done.Wait()
	servers := append(s.users[:len(s.users):len(s.users)], s.products...)
	if err := heal(servers...); err != nil {
		return resources{}, nil, err
	}
	if err := pause(ctx, sourceTimeout+3*time.Second); err != nil {
		return resources{}, nil, err
	}
	s.burst(ctx, readUser, 4, 100)
	s.burst(ctx, readProduct, 4, 100)
	r, err := s.resources(ctx)
	return r, append(append(append(all[0], all[1]...), all[2]...), all[3]...), err
}

// change has a replica play another mode, again and again.
func (s *setup) change(ctx context.Context) {
	servers := append(s.users[:len(s.users):len(s.users)], s.products...)
	modes := faulty.Modes(false)
	for pause(ctx, 100*time.Millisecond) == nil {
		f := faulty.Fault{Share: []float64{0.1, 0.5, 1}[rand.IntN(3)]}
		if rand.IntN(2) == 0 {
			f.Mode = modes[rand.IntN(len(modes))]
		}
		if err := servers[rand.IntN(len(servers))].Play(f); err != nil {
			fmt.Fprintln(logOutput, err)
		}
	}
}
