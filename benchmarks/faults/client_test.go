package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
)

// A response is judged by its data, its codes and what it must not show.
func TestVerdicts(t *testing.T) {
	for _, test := range []struct {
		body    string
		verdict verdict
		codes   string
	}{
		{`{"data":{"user":{"id":"U-1","name":"user U-1"}}}`, succeeded, ""},
		{`{"data":{"user":{"id":"U-2","name":"user U-2"}}}`, wrong, ""},
		{`{"data":{"user":null}}`, wrong, ""},
		{`{"data":{"user":null},"errors":[{"message":"m","extensions":{"code":"B"}},{"message":"m","extensions":{"code":"A"}},{"message":"m","extensions":{"code":"A"}}]}`, failed, "A+B"},
		{`{"data":{"user":{"id":"U-1","name":"user U-1"}},"errors":[{"message":"m","extensions":{"code":"A"}}]}`, failed, "A"},
		{`{"data":null,"errors":[{"message":"m"}]}`, unclean, ""},
		{`{"data":null,"errors":[{"message":"dial 10.0.0.1:80","extensions":{"code":"A"}}]}`, unclean, ""},
		{`{"data":{"user":{"id":"` + faulty.Secret + `"}}}`, unclean, ""},
		{`<html>`, unanswered, ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(test.body)) }))
		c := newClient(server.URL, "token", []string{"10.0.0.1:80"})
		if o := c.send(t.Context(), readUser); o.verdict != test.verdict || o.codes != test.codes {
			t.Errorf("%s: %s %q, want %s %q", test.body, o.verdict, o.codes, test.verdict, test.codes)
		}
		server.Close()
		if o := c.send(t.Context(), readUser); o.verdict != unanswered {
			t.Errorf("without a server: %s", o.verdict)
		}
	}
}

// What an operation is compared with is JSON; otherwise every response would be wrong.
func TestOperations(t *testing.T) {
	for _, op := range []operation{readUser, readProduct, join, typename, createUser, updateUser, deleteUser} {
		if text := op.want(7); !json.Valid([]byte(text)) {
			t.Errorf("%s: %s", op.name, text)
		}
	}
}

func TestOutcomes(t *testing.T) {
	start := time.Now()
	at := func(i int, v verdict) outcome {
		return outcome{verdict: v, started: start.Add(time.Duration(i) * time.Second), took: time.Duration(i+1) * time.Millisecond, detail: "d"}
	}
	r := outcomes{at(0, succeeded), at(1, failed), at(2, succeeded), at(3, wrong), at(4, succeeded), at(5, succeeded), at(6, succeeded), at(7, failed), at(8, succeeded), at(9, succeeded)}
	if r.success() != 0.7 || r.quantile(0.5) != 6*time.Millisecond || r.quantile(0.99) != 10*time.Millisecond || r.quantile(1) != 10*time.Millisecond {
		t.Error(r.success(), r.quantile(0.5), r.quantile(0.99), r.quantile(1))
	}
	if n, example := r.improper(); n != 1 || example != "wrong: d" {
		t.Error(n, example)
	}
	for successes, want := range map[int]time.Duration{1: 0, 2: 4 * time.Second, 3: 4 * time.Second, 4: 24 * time.Hour} {
		if got := r.recovered(start, successes); got != want {
			t.Errorf("%d successes after %s, want %s", successes, got, want)
		}
	}
	if r[1].codes, r[7].codes, r[3].codes = "A", "B", "B"; r.codes() != "B, A" {
		t.Error(r.codes())
	}
}

// A load sends what it promises, and a background load stops.
func TestLoads(t *testing.T) {
	var c *client
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"data":{"__typename":"Query"}}`))
	}))
	defer server.Close()
	c = newClient(server.URL, "", nil)
	if r := c.burst(t.Context(), typename, 3, 20); len(r) != 20 || r.success() != 1 {
		t.Errorf("a burst: %d, %v", len(r), r.success())
	}
	if r := c.steady(t.Context(), 200, 100*time.Millisecond, typename); len(r) != 20 || r.success() != 1 {
		t.Errorf("a steady load: %d, %v", len(r), r.success())
	}
	stop := c.background(t.Context(), 1000, typename)
	for c.number.Load() < 60 {
		time.Sleep(time.Millisecond)
	}
	if r := stop(); len(r) < 20 || r.success() != 1 {
		t.Errorf("a background load: %d, %v", len(r), r.success())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if r := c.steady(ended, 1, time.Hour, typename); len(r) > 1 {
		t.Errorf("a load that is cancelled: %d", len(r))
	}
}

func TestReport(t *testing.T) {
	var text strings.Builder
	r := newReport(&text)
	r.section("Title", "A sentence.", "mode", "a", "b")
	r.row("500", percent(0.99, 0.99), below(0.1, 0.1))
	r.row("503", within(1500*time.Millisecond, time.Second), plain("%d", 3))
	for _, want := range []string{"### Title\n\nA sentence.\n\n| mode | a | b |\n|---|---:|---:|\n", "| 500 | 99.0% | 10.0% ✗ |\n", "| 503 | 1.5s ✗ | 3 |\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, &text)
		}
	}
	if r.missed != 2 {
		t.Errorf("%d figures are missed", r.missed)
	}
	for d, want := range map[time.Duration]string{12345 * time.Millisecond: "12s", 1234 * time.Millisecond: "1.2s", 123456 * time.Microsecond: "123ms", 1234 * time.Microsecond: "1.2ms"} {
		if short(d) != want {
			t.Errorf("%s is %s, want %s", d, short(d), want)
		}
	}
}

func TestIncludes(t *testing.T) {
	for list, want := range map[string]bool{"": true, "a": true, "b,a": true, "b": false, "aa": false} {
		if includes(list, "a") != want {
			t.Errorf("%q includes a: %t", list, !want)
		}
	}
}
