package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
)

// The names of the peers in the report.
const (
	gatehouse         = "Gatehouse"
	gatehouseCoalesce = "Gatehouse, coalesce"
	gqlgen            = "gqlgen + dataloader"
	byHand            = "net/http by hand"
	tailcall          = "Tailcall"
	tailcallDedupe    = "Tailcall, dedupe"
)

// peer is a program that serves the operations.
type peer struct {
	name string
	// command returns the command line that serves on an address over services at a URL.
	command func(address, upstream string) ([]string, error)
	// operations are the names of the operations that are measured. Default all.
	operations []string
}

// supports reports whether an operation is measured with the peer.
func (p peer) supports(op operations.Operation) bool {
	return p.operations == nil || slices.Contains(p.operations, op.Name)
}

// peers returns the peers that can run on this system.
func (s settings) peers(ctx context.Context) ([]peer, error) {
	peers := []peer{
		{name: gatehouse, command: s.programCommand("posts")},
		{name: gatehouseCoalesce, command: s.programCommand("posts", "--coalesce")},
		{name: byHand, command: s.programCommand("byhand")},
		{name: gqlgen, command: s.programCommand("gqlgen")},
	}
	run, err := s.findTailcall(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "Tailcall is left out:", err)
		return peers, ctx.Err()
	}
	return append(peers,
		peer{name: tailcall, command: s.tailcallCommand(run, "plain"), operations: []string{"Q1", "Q2", "Q4"}},
		peer{name: tailcall, command: s.tailcallCommand(run, "batched"), operations: []string{"Q3", "Q5"}},
		peer{name: tailcallDedupe, command: s.tailcallCommand(run, "dedupe")},
	), nil
}

// programCommand is the command of one of our programs, which have the same two flags.
func (s settings) programCommand(name string, more ...string) func(address, upstream string) ([]string, error) {
	return func(address, upstream string) ([]string, error) {
		return append([]string{filepath.Join(s.bin, name), "--listen", address, "--upstream", upstream}, more...), nil
	}
}
