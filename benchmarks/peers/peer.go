package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
)

// The peers' names, as the report has them.
const (
	gatehouse         = "Gatehouse"
	gatehouseCoalesce = "Gatehouse, coalesce"
	gqlgen            = "gqlgen + dataloader"
	byHand            = "net/http by hand"
	tailcall          = "Tailcall"
	tailcallDedupe    = "Tailcall, dedupe"
)

// peer is a program that answers the operations.
type peer struct {
	name string
	// command makes the command line that serves on an address over services at a URL.
	command func(address, upstream string) ([]string, error)
	// only are the operations that it is asked. Default all.
	only []string
}

// answers tells whether the peer is asked an operation.
func (p peer) answers(op operations.Operation) bool {
	return p.only == nil || slices.Contains(p.only, op.Name)
}

// peers are all that can run here.
func (s settings) peers(ctx context.Context) ([]peer, error) {
	peers := []peer{
		{name: gatehouse, command: s.program("posts")},
		{name: gatehouseCoalesce, command: s.program("posts", "--coalesce")},
		{name: byHand, command: s.program("byhand")},
		{name: gqlgen, command: s.program("gqlgen")},
	}
	run, err := s.findTailcall(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "Tailcall is left out:", err)
		return peers, ctx.Err()
	}
	return append(peers,
		peer{name: tailcall, command: s.composition(run, "plain"), only: []string{"Q1", "Q2", "Q4"}},
		peer{name: tailcall, command: s.composition(run, "batched"), only: []string{"Q3", "Q5"}},
		peer{name: tailcallDedupe, command: s.composition(run, "dedupe")},
	), nil
}

// program is one of ours, each of which has the same two flags.
func (s settings) program(name string, more ...string) func(address, upstream string) ([]string, error) {
	return func(address, upstream string) ([]string, error) {
		return append([]string{filepath.Join(s.bin, name), "--listen", address, "--upstream", upstream}, more...), nil
	}
}
