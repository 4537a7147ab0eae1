package main

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
)

// sample has 100 requests of 1 to 100 ms.
func sample(peer string, factor int) *result {
	r := &result{peer: peer, rates: []float64{30, 10, 20, 40}, cpu: time.Duration(factor) * time.Second, calls: 250, peak: 12e6}
	for i := range 100 {
		r.latencies = append(r.latencies, time.Duration(i+1)*time.Millisecond)
	}
	return r
}

func TestFigures(t *testing.T) {
	r := sample("a", 1)
	if r.rate() != 25 || r.latency(0.5) != 51*time.Millisecond || r.latency(0.99) != 100*time.Millisecond || r.latency(1) != 100*time.Millisecond {
		t.Error(r.rate(), r.latency(0.5), r.latency(0.99), r.latency(1))
	}
	if r.cpuPerRequest() != 10 || r.callsPerRequest() != 2.5 {
		t.Error(r.cpuPerRequest(), r.callsPerRequest())
	}
	if r.rates = r.rates[:3]; r.rate() != 20 {
		t.Error(r.rate())
	}
}

func TestReport(t *testing.T) {
	var text strings.Builder
	r := newReport(&text, settings{note: "Nobody else was there."})
	r.writeOperation(operations.All()[0], []*result{sample(gatehouse, 3), sample(byHand, 2)})
	r.writeSummary()
	for _, want := range []string{
		"Nobody else was there.\n", "### Q1 `{greet}`\n", "| Gatehouse | 25 | 51.00 | 100.00 | 30.0000 | 2.50 | 12 |\n",
		"| | Q1 |\n|---|---:|\n", "| CPU per request against net/http by hand | 1.50x |\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("without %q:\n%s", want, &text)
		}
	}
	if strings.Contains(text.String(), "against Tailcall") {
		t.Errorf("Tailcall did not run:\n%s", &text)
	}
	r.writeOperation(operations.All()[0], []*result{sample(gatehouse, 3), sample(gatehouseCoalesce, 1), sample(tailcallDedupe, 2)})
	r.writeSummary()
	if want := "| CPU per request with coalesce against Tailcall, dedupe | 0.50x | 0.50x |\n"; !strings.Contains(text.String(), want) {
		t.Errorf("without %q:\n%s", want, &text)
	}
}

func TestFill(t *testing.T) {
	text, err := compositions.ReadFile("tailcall/batched.graphql")
	if err != nil {
		t.Fatal(err)
	}
	got := string(expand(text, "127.0.0.1:12345", "http://127.0.0.1:678"))
	if !strings.Contains(got, "port: 12345)") || !strings.Contains(got, `url: "http://127.0.0.1:678/posts/{{.args.id}}"`) || strings.Contains(got, "UPSTREAM") {
		t.Error(got)
	}
}
