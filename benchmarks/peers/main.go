// Command peers measures the posts gateway beside others that answer the same operations
// over the same services: each in a process of its own, in rounds that take turns, with
// every answer checked. `make bench-peers` builds them all and runs it.
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

// settings say what is measured, and for how long.
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
	flag.DurationVar(&s.duration, "duration", 3*time.Second, "how long a peer is asked in each round")
	flag.DurationVar(&s.warmup, "warmup", time.Second, "how long a peer is asked before the first round")
	flag.IntVar(&s.conns, "connections", 64, "how many clients ask at a time")
	flag.StringVar(&s.note, "note", "", "a `sentence` for the report")
	flag.Parse()
	return s
}

// wants tells whether an operation is to be measured.
func (s settings) wants(op operations.Operation) bool {
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
		if !s.wants(op) {
			continue
		}
		results, err := s.measure(ctx, op, peers)
		if err != nil {
			return err
		}
		report.operation(op, results)
	}
	report.summary()
	return ctx.Err()
}
