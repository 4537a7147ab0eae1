package main

import (
	"bytes"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/services"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// newGateway returns the gateway's handler over services at a URL. There is at most one
// execution.
func newGateway(t testing.TB, url string, execution ...engine.Options) http.Handler {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	backends, err := upstreams.New(upstreams.Options{"posts": {URLs: upstreams.URLs(url)}}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(backends.Close)
	served, err := front.New(front.Options{Execution: append(execution, engine.Options{})[0]}, front.Deps{Schema: schema(backends), Forwarded: backends.ForwardedHeaders(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return served.Handler()
}

// ask sends an operation.
func ask(gateway http.Handler, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	gateway.ServeHTTP(w, r)
	return w
}

// Every operation of the benchmarks has the right response, with the expected number of calls.
func TestOperations(t *testing.T) {
	for _, op := range operations.All() {
		t.Run(op.Name, func(t *testing.T) {
			op.Services.Latency = 0 // which changes no answer
			backend := services.New(op.Services)
			server := httptest.NewServer(backend)
			t.Cleanup(server.Close)
			gateway := newGateway(t, server.URL)
			for turn := range op.Services.Turns() + 1 {
				if answer := ask(gateway, op.Request()); answer.Code != http.StatusOK {
					t.Fatal(turn, answer.Code, answer.Body)
				} else if err := op.Check(answer.Body.Bytes()); err != nil {
					t.Fatal(turn, err)
				}
			}
			calls := 0
			for n := range maps.Values(backend.Calls()) {
				calls += n
			}
			if want := op.Calls * (op.Services.Turns() + 1); calls != want {
				t.Errorf("%v calls, want %d", backend.Calls(), want)
			}
		})
	}
}
