package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/internal/proc"
)

// dueGrowth is how much of a resource is due at the most after a long run, against its start.
const dueGrowth = 1.10

// collected is how long the gateway is given until it has returned memory: Go collects garbage every two
// minutes when nothing is allocated, and returns memory some time later.
const collected = 150 * time.Second

// resources are what a process uses.
type resources struct {
	goroutines, descriptors int
	memory                  int64
}

// within reports whether r is at most a tenth more than before, and a few.
func (r resources) within(before resources) bool {
	return !grown(before.goroutines, r.goroutines).missed && !grown(before.descriptors, r.descriptors).missed && !grown(before.megabytes(), r.megabytes()).missed
}

func (r resources) megabytes() int { return int(r.memory >> 20) }

// idle waits until the gateway, without load, uses little more than it did before, or has had time to
// return memory.
func (s *setup) idle(ctx context.Context, before resources) (r resources, err error) {
	for start := time.Now(); ; {
		if r, err = s.resources(ctx); err != nil || r.within(before) || time.Since(start) > collected {
			return r, err
		}
		if err := pause(ctx, time.Second); err != nil {
			return r, err
		}
	}
}

// resources returns those of the gateway.
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
			"Due: each is answered properly, no change is carried out twice, and idle again, after 150 s at most, the gateway has at most 10 %% more goroutines, descriptors and memory than after a first tenth of them.", n),
		"requests", "requests/s", "succeed", "slowest", "improper", "changes carried out twice", "goroutines", "descriptors", "MB", "MB at the end of the load")
	s, err := l.start(ctx, plan{users: settings{"timeout": sourceTimeout.String()}, products: settings{"timeout": sourceTimeout.String()}})
	if err != nil {
		return err
	}
	defer s.stop()
	if _, err := s.storm(ctx, n/10); err != nil {
		return err
	}
	before, err := s.idle(ctx, resources{})
	if err != nil {
		return err
	}
	start := time.Now()
	reads, err := s.storm(ctx, n)
	if err != nil {
		return err
	}
	took := time.Since(start)
	peak, err := s.resources(ctx)
	if err != nil {
		return err
	}
	idle := time.Now()
	after, err := s.idle(ctx, before)
	if err != nil {
		return err
	}
	quiet := time.Since(idle)
	twice := 0
	for _, server := range s.users {
		for _, times := range server.Counts().Changes {
			if times > 1 {
				twice++
			}
		}
	}
	l.report.row(fmt.Sprint(n), plain("%.0f", float64(n)/took.Seconds()), plain("%.1f%%", reads.success()*100), within(reads.quantile(1), answerTimeout),
		proper(reads), must(twice == 0, "%d", twice),
		grown(before.goroutines, after.goroutines), grown(before.descriptors, after.descriptors), grown(before.megabytes(), after.megabytes()), plain("%d, less after %s", peak.megabytes(), short(quiet)))
	return ctx.Err()
}

// grown returns a figure of two values, of which the second may be a tenth more, and a few.
func grown(before, after int) figure {
	return must(float64(after) <= dueGrowth*float64(before)+3, "%d to %d", before, after)
}

// storm sends requests while faults change, and heals all replicas in the end.
func (s *setup) storm(ctx context.Context, count int) (outcomes, error) {
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
		return nil, err
	}
	if err := pause(ctx, sourceTimeout+3*time.Second); err != nil {
		return nil, err
	}
	s.burst(ctx, readUser, 4, 100)
	s.burst(ctx, readProduct, 4, 100)
	return slices.Concat(all[:]...), nil
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
