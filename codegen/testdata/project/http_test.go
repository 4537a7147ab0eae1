package everything

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"example.com/everything/graph"
	"example.com/everything/resolvers"
	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// servicesAt returns clients for all sources of the project, at one address, with their other settings
// changed.
func servicesAt(t *testing.T, url string, change ...func(*upstreams.Source)) *upstreams.Services {
	t.Helper()
	options := upstreams.Options{}
	for _, name := range resolvers.Requirements.Sources {
		source := upstreams.Source{URLs: upstreams.URLs(url), Config: map[string]string{"tenant": "of " + name}}
		for _, change := range change {
			change(&source)
		}
		options[name] = source
	}
	services, err := upstreams.New(options, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(services.Close)
	return services
}

// startGateway starts the whole gateway over one service that stands for all sources, and returns
// its URL. Every token is valid and belongs to identity. The settings of the sources are changed.
func startGateway(t *testing.T, service http.Handler, identity *auth.Identity, change ...func(*upstreams.Source)) string {
	t.Helper()
	backend := httptest.NewServer(service)
	t.Cleanup(backend.Close)
	f, err := front.New(front.Options{Execution: engine.Options{Engine: os.Getenv("GATEWAY_EXECUTION_ENGINE")}}, front.Deps{
		Schema: graph.NewSchema(&resolvers.Resolver{Services: servicesAt(t, backend.URL, change...)}),
		Verify: func(context.Context, string) (*auth.Identity, error) { return identity, nil },
		Log:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	gateway := httptest.NewServer(f.Handler())
	t.Cleanup(gateway.Close)
	return gateway.URL
}

// post sends an operation, with headers in the form "Name: value".
func post(t *testing.T, gateway string, operation map[string]any, headers ...string) []byte {
	t.Helper()
	body, err := json.Marshal(operation)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, gateway+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
