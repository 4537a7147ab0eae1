// Command faults is the gateway's fault laboratory. It builds the gateway of the shop, starts it before
// services that fail in every way that package faulty knows, sends requests, and prints as Markdown what
// clients and services saw of it, beside what is due.
//
//	go run ./benchmarks/faults
//	go run ./benchmarks/faults -only one-bad,overload
//	go run ./benchmarks/faults serve
//
// The last one starts the services alone, to be controlled by hand. The exit status is 1 if a figure is worse
// than due.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		err = serve(ctx, os.Args[2:])
	} else {
		err = run(ctx, flags())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// options configure what is measured.
type options struct {
	gateway  string
	only     string
	requests int
	modes    string
	set      string
	logs     string
}

func flags() options {
	var o options
	flag.StringVar(&o.gateway, "gateway", "", "the `program` of the shop's gateway (default: built from the working directory)")
	flag.StringVar(&o.only, "only", "", "scenarios to run, as `one-bad,overload` (default all): "+strings.Join(scenarioNames(), ", "))
	flag.IntVar(&o.requests, "requests", 20_000, "how many requests the scenario soak sends")
	flag.StringVar(&o.modes, "modes", "", "modes of the scenarios modes and mutations, as `500,drip` (default all)")
	flag.StringVar(&o.set, "set", "", "settings of every source, as `JSON`, such as '{\"hedge\": {\"delay\": \"50ms\"}}'")
	flag.StringVar(&o.logs, "logs", "", "a `folder` for the gateways' logs (default: none are kept)")
	flag.Parse()
	return o
}

// includes reports whether a list as `a,b` has a name; an empty one has all.
func includes(list, name string) bool {
	return list == "" || strings.Contains(","+list+",", ","+name+",")
}

// errMissed is the error of a run in which a figure is worse than due.
var errMissed = errors.New("figures are worse than due; they are marked with ✗")

// run plays the scenarios and prints the report.
func run(ctx context.Context, o options) error {
	l, err := newLab(ctx, o)
	if err != nil {
		return err
	}
	defer l.close()
	for _, s := range scenarios {
		if !includes(o.only, s.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, s.name)
		if e := s.play(ctx, l); e != nil {
			e = fmt.Errorf("%s: %w", s.name, e)
			fmt.Fprintln(os.Stderr, e)
			err = errors.Join(err, e)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if l.report.missed > 0 {
		err = errors.Join(err, fmt.Errorf("%d %w", l.report.missed, errMissed))
	}
	return err
}
