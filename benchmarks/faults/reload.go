package main

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
)

// reload moves a source while it is in use.
func reload(ctx context.Context, l *lab) error {
	l.report.section("Sources that move",
		"200 reads a second while gateway.yaml, once a second for 6 s, names another replica of products, and SIGHUP has it read again. "+
			"Each call takes 20 ms. Due: all reads succeed, the last replica that is named gets all calls in the end, and the others have no connection 35 s later.",
		"", "reads that succeed", "p99", "slowest", "calls of the last replica, of the last second", "connections of the others", "improper")
	s, err := l.start(ctx, plan{service: func(string, int) faulty.Options { return faulty.Options{Latency: 20 * time.Millisecond} }})
	if err != nil {
		return err
	}
	defer s.stop()
	stop := s.background(ctx, 200, readProduct)
	var last *faulty.Server
	for i := range 6 {
		last = s.products[i%len(s.products)]
		if err := l.writeSettings(s, plan{products: settings{"urls": []string{last.URL()}}}, s.gateway.Address); err != nil {
			return err
		}
		if err := s.gateway.Signal(syscall.SIGHUP); err != nil {
			return err
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
	s.reset()
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	own, all := calls(last), 0
	for _, server := range s.products {
		all += server.Counts().Total()
	}
	reads := stop()
	others := func() (n int) {
		for _, server := range s.products {
			if server != last {
				n += server.Counts().Open
			}
		}
		return n
	}
	_, _ = await(ctx, 35*time.Second, func() bool { return others() == 0 })
	l.report.row("products", must(reads.success() == 1, "%d of %d", reads.count(succeeded), len(reads)), plain("%s", short(reads.quantile(0.99))), plain("%s", short(reads.quantile(1))),
		must(own == all && own > 0, "%d of %d", own, all), must(others() == 0, "%s", fmt.Sprint(others())), proper(reads))
	return ctx.Err()
}
