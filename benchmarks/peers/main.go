// Command peers compares the posts gateway with other programs that serve the same operations
// over the same services. Each runs in a process of its own, in alternating rounds, and every
// response is checked. `make bench-peers` builds and runs all of them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 1 && os.Args[1] == servicesRole {
		err = serveServices(os.Args[2:])
	} else {
		err = run(ctx, flags())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// settings configure what is measured, and for how long.
type settings struct {
	bin      string
	tailcall string
	only     string
	rounds   int
	duration time.Duration
	warmup   time.Duration
	conns    int
	note     string
}

func flags() settings {
	var s settings
	flag.StringVar(&s.bin, "bin", "bin/bench", "the `folder` of the peers' programs")
	flag.StringVar(&s.tailcall, "tailcall", "", "the `command` that runs Tailcall, for systems whose glibc is older than its own (default: from npm)")
	flag.StringVar(&s.only, "only", "", "operations to run, as `Q2,Q3` (default all)")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds for each operation")
	flag.DurationVar(&s.duration, "duration", 3*time.Second, "how long a peer is measured in each round")
	flag.DurationVar(&s.warmup, "warmup", time.Second, "how long a peer is warmed up before the first round")
	flag.IntVar(&s.conns, "connections", 64, "how many clients send requests concurrently")
	flag.StringVar(&s.note, "note", "", "a `sentence` for the report")
	flag.Parse()
	return s
}

// includes reports whether an operation is measured.
func (s settings) includes(op operations.Operation) bool {
	return s.only == "" || strings.Contains(","+s.only+",", ","+op.Name+",")
}

// run measures all operations and prints the report as Markdown.
func run(ctx context.Context, s settings) error {
	peers, err := s.peers(ctx)
	if err != nil {
		return err
	}
	report := newReport(os.Stdout, s)
	for _, op := range operations.All() {
		if !s.includes(op) {
			continue
		}
		results, err := s.measure(ctx, op, peers)
		if err != nil {
			return err
		}
		report.writeOperation(op, results)
	}
	report.writeSummary()
	return ctx.Err()
}
