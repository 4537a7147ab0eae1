// Package metrics owns what the gateway counts for its operators, and the page that shows
// it. It counts through OpenTelemetry's API and shows the counts in Prometheus' format.
//
// It promises that counting costs an operation nanoseconds and no memory, and that there
// are never more series than are fixed when it is made, whatever clients send. It tells
// nothing of any one client or operation.
package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

// Path is where the page is.
const Path = "/metrics"

// maxReaders is how many may read the page at a time. Others get 503.
const maxReaders = 4

// scope names this package among what an OpenTelemetry provider measures.
const scope = "github.com/gatehouse-graphql/gatehouse/gateway/metrics"

// Metrics counts and shows. It is safe for concurrent use, and holds no goroutine but those of Serve.
type Metrics struct {
	operations operations
	handler    http.Handler
}

// New makes metrics of operations, of the Go runtime and of the process. What goes wrong
// when somebody reads them is told to log.
func New(log *slog.Logger) (*Metrics, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister( // which fails for two of one name, and there is nothing else yet
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo())
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	m := &Metrics{}
	if err := m.observed(sdk.NewMeterProvider(sdk.WithReader(reader)).Meter(scope)); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError, // so that no error's text goes to the reader
		MaxRequestsInFlight: maxReaders,
	})
	return m, nil
}

// observed has the counts read when the page is.
func (m *Metrics) observed(meter metric.Meter) error {
	m.operations = newOperations()
	_, err := meter.Int64ObservableCounter("gateway.operations",
		metric.WithDescription("Operations that were executed, by type, by the executor that answered, and by why that was gqlgen's."),
		metric.WithUnit("{operation}"),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			m.operations.tell(o)
			return nil
		}),
	)
	return err
}

// Handler serves the page at any path.
func (m *Metrics) Handler() http.Handler { return m.handler }
