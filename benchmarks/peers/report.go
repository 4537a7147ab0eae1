package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/internal/proc"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
)

// report writes Markdown while results arrive.
type report struct {
	w       io.Writer
	names   []string // of the operations
	results map[string]map[string]*result
}

func newReport(w io.Writer, s settings) *report {
	fmt.Fprintf(w, "%s; %s; Go %s; Tailcall %s; load average %s at the start. %d rounds of %s each, %d connections.%s\n",
		time.Now().UTC().Format(time.DateOnly), proc.Machine(), strings.TrimPrefix(runtime.Version(), "go"), tailcallVersion,
		proc.LoadAverage(), s.rounds, s.duration, s.conns, strings.TrimSuffix(" "+s.note, " "))
	return &report{w: w, results: map[string]map[string]*result{}}
}

// writeOperation writes the table of an operation.
func (r *report) writeOperation(op operations.Operation, results []*result) {
	fmt.Fprintf(r.w, "\n### %s `%s`\n\n", op.Name, op.Query)
	fmt.Fprintln(r.w, "| | requests/s | p50 ms | p99 ms | CPU ms/request | calls/request | peak MB |")
	fmt.Fprintln(r.w, "|---|---:|---:|---:|---:|---:|---:|")
	r.names = append(r.names, op.Name)
	r.results[op.Name] = map[string]*result{}
	for _, one := range results {
		r.results[op.Name][one.peer] = one
		fmt.Fprintf(r.w, "| %s | %.0f | %.2f | %.2f | %.4f | %.2f | %.0f |\n", one.peer, one.rate(), milliseconds(one.latency(0.5)),
			milliseconds(one.latency(0.99)), one.cpuPerRequest(), one.callsPerRequest(), float64(one.peak)/1e6)
	}
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1e3 }

// writeSummary writes how the gateway compares with the others.
func (r *report) writeSummary() {
	fmt.Fprintf(r.w, "\n### %s against the others\n\n| | %s |\n|---|%s\n", gatehouse, strings.Join(r.names, " | "), strings.Repeat("---:|", len(r.names)))
	r.writeRatios("requests/s against Tailcall", gatehouse, tailcall, (*result).rate)
	r.writeRatios("requests/s with coalesce against Tailcall, dedupe", gatehouseCoalesce, tailcallDedupe, (*result).rate)
	r.writeRatios("requests/s against gqlgen + dataloader", gatehouse, gqlgen, (*result).rate)
	r.writeRatios("CPU per request against gqlgen + dataloader", gatehouse, gqlgen, (*result).cpuPerRequest)
	r.writeRatios("CPU per request with coalesce against Tailcall, dedupe", gatehouseCoalesce, tailcallDedupe, (*result).cpuPerRequest)
	r.writeRatios("CPU per request against net/http by hand", gatehouse, byHand, (*result).cpuPerRequest)
}

// writeRatios writes a row of ratios, or nothing if a peer did not run.
func (r *report) writeRatios(what, ours, peer string, figure func(*result) float64) {
	row := "| " + what + " |"
	for _, name := range r.names {
		own, other := r.results[name][ours], r.results[name][peer]
		if own == nil || other == nil {
			return
		}
		row += fmt.Sprintf(" %.2fx |", figure(own)/figure(other))
	}
	fmt.Fprintln(r.w, row)
}
