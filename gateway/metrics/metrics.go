// Package metrics owns the metrics of the gateway and the handler that serves them. It counts with the
// API of OpenTelemetry and serves the text format of Prometheus.
//
// It promises that counting an operation takes nanoseconds and no memory, and that the number of
// series follows from the settings and from the endpoints of services, whatever clients send. No metric
// identifies a client or an operation.
package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
)

// Path is the path of the metrics.
const Path = "/metrics"

// maxConcurrentRequests is how many requests are served at a time. Others get 503.
const maxConcurrentRequests = 4

// scope is the name of the instrumentation scope, which is this package.
const scope = "github.com/gatehouse-graphql/gatehouse/gateway/metrics"

// Metrics counts operations and serves the counts. It is safe for concurrent use. Only Serve starts
// goroutines.
type Metrics struct {
	operations  operations
	load        loadMetrics
	reloads     reloadMetrics
	connections connectionMetrics
	degraded    degraded
	documents   documentCounts
	rateLimits  rateLimitMetrics
	refused     refused
	costs       costs
	sources     sourceMetrics
	handler     http.Handler
}

// New returns metrics of operations, of the Go runtime and of the process. It logs errors of serving
// them to log.
func New(log *slog.Logger) (*Metrics, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister( // panics for two collectors of one name, which these are not
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m := &Metrics{sources: sourceMetrics{started: time.Now()}}
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo(), exporter.WithProducer(&m.sources))
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	if err := m.register(sdk.NewMeterProvider(sdk.WithReader(reader)).Meter(scope)); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError, // so that no text of an error is sent
		MaxRequestsInFlight: maxConcurrentRequests,
	})
	return m, nil
}

// register registers the instruments. Their callbacks run when the metrics are read.
func (m *Metrics) register(meter metric.Meter) error {
	m.operations = newOperations()
	_, err := meter.Int64ObservableCounter("gateway.operations",
		metric.WithDescription("Executed operations by type, by executor, and by the reason for a fallback to gqlgen's executor."),
		metric.WithUnit("{operation}"),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			m.operations.observe(o)
			return nil
		}),
	)
	if err != nil {
		return err
	}
	if err := m.reloads.register(meter); err != nil {
		return err
	}
	m.documents = newDocumentCounts()
	if err := m.documents.register(meter); err != nil {
		return err
	}
	if err := m.degraded.register(meter); err != nil {
		return err
	}
	if err := m.rateLimits.register(meter); err != nil {
		return err
	}
	if err := m.costs.register(meter); err != nil {
		return err
	}
	m.refused = newRefused()
	if err := m.refused.register(meter); err != nil {
		return err
	}
	if err := m.connections.register(meter); err != nil {
		return err
	}
	return m.load.register(meter)
}

// Handler returns a handler that serves the metrics at any path.
func (m *Metrics) Handler() http.Handler { return m.handler }
