package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/services"
)

func TestOperations(t *testing.T) {
	for _, op := range operations.All() {
		op.Services.Latency = 0
		server := httptest.NewServer(services.New(op.Services))
		t.Cleanup(server.Close)
		base, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		newAggregator(base).ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(op.Request())))
		if err := op.Check(w.Body.Bytes()); w.Code != http.StatusOK || err != nil {
			t.Error(w.Code, err)
		}
	}
}

func TestScan(t *testing.T) {
	const list = ` [ {"a" : "x\"}\\", "skipped": {"a": ["]", {}]}, "b":-1.5e3}, { "b": null ,"a":[1, "}"] },{} ]`
	rows, err := scan([]byte(list), []string{"a", "b"})
	if err != nil || len(rows) != 3 {
		t.Fatal(rows, err)
	}
	for i, want := range [][2]string{{`"x\"}\\"`, `-1.5e3`}, {`[1, "}"]`, `null`}, {}} {
		if got := [2]string{string(rows[i][0]), string(rows[i][1])}; got != want {
			t.Errorf("%d: %q, want %q", i, got, want)
		}
	}
	if rows, err := scan([]byte(`{"a": 1}`), []string{"a"}); err != nil || len(rows) != 1 || string(rows[0][0]) != "1" {
		t.Error(rows, err)
	}
	for _, wrong := range []string{`7`, `[{"a"`, `[{"a":`, `[{"a":"x}]`, `[{"a":[1}`, `[{"a" 1}]`, `[{"a":1]`, `["a"]`} {
		if rows, err := scan([]byte(wrong), []string{"a"}); err == nil {
			t.Errorf("%s is read as %q", wrong, rows)
		}
	}
}
