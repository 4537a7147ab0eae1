package inputs

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/enginetest/inputs/graph"
	"github.com/gatehouse-graphql/gatehouse/enginetest/inputs/resolvers"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

var engines = []string{engine.EnginePlan, engine.EngineGqlgen}

// gateway is a gateway over a service that sends back what it receives. It counts the calls of the
// service and of the resolvers written by hand.
type gateway struct {
	handler http.Handler
	calls   atomic.Int64
	log     bytes.Buffer
}

func newGateway(t testing.TB, how string) *gateway {
	t.Helper()
	g := &gateway{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.calls.Add(1)
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodDelete {
			body, _ = json.Marshal(r.URL.RequestURI())
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	log := slog.New(slog.NewTextHandler(&g.log, nil))
	services, err := upstreams.New(upstreams.Options{"echo": {URLs: upstreams.URLs(server.URL)}}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { services.Close() })
	f, err := front.New(front.Options{Execution: engine.Options{Engine: how}, Introspection: true}, front.Deps{
		Schema: graph.NewSchema(&resolvers.Resolver{Services: services, OnCall: func() { g.calls.Add(1) }}),
		Log:    log,
	})
	if err != nil {
		t.Fatal(err)
	}
	g.handler = f.Handler()
	return g
}

// answer is the response of the gateway.
type answer struct {
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Path       []any
		Locations  []struct{ Line, Column int }
		Extensions struct{ Code string }
	}
	text string
}

// post sends an operation with the text of its variables.
func (g *gateway) post(t testing.TB, query, variables string) *answer {
	t.Helper()
	if variables == "" {
		variables = "{}"
	}
	text, err := json.Marshal(query)
	if err != nil {
		t.Fatal(err)
	}
	body := `{"query":` + string(text) + `,"variables":` + variables + `,"operationName":` + operationName(query) + `}`
	return g.do(t, httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/graphql", strings.NewReader(body)))
}

// operationName returns A if that is the name of the first operation, and null otherwise.
func operationName(query string) string {
	if strings.HasPrefix(query, "query A") {
		return `"A"`
	}
	return "null"
}

// get sends an operation in the URL.
func (g *gateway) get(t testing.TB, query, variables string) *answer {
	t.Helper()
	values := url.Values{"query": {query}}
	if strings.HasPrefix(query, "query A") {
		values.Set("operationName", "A")
	}
	if variables != "" {
		values.Set("variables", variables)
	}
	return g.do(t, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/graphql?"+values.Encode(), nil))
}

func (g *gateway) do(t testing.TB, r *http.Request) *answer {
	t.Helper()
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	a := &answer{text: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), a); err != nil {
		t.Fatalf("%s: %v", a.text, err)
	}
	return a
}
