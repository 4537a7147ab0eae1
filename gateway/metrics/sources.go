package metrics

import (
	"context"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/observe"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
)

// The labels of sources and endpoints. server.address and server.port are OpenTelemetry's names.
const (
	labelSource  = attribute.Key("source")
	labelAddress = attribute.Key("server.address")
	labelPort    = attribute.Key("server.port")
	labelState   = attribute.Key("state")
	labelHow     = attribute.Key("how")
)

// ObserveSources has the metrics show what status returns when they are read. It may be called for
// nil, and then does nothing.
func (m *Metrics) ObserveSources(status func() []upstreams.SourceStatus) {
	if m != nil {
		m.sources.status.Store(&status)
	}
}

// sourceMetrics produces the metrics of sources and endpoints from their status. Instruments would
// keep the series of endpoints that have left; these are gone with the endpoints.
type sourceMetrics struct {
	status  atomic.Pointer[func() []upstreams.SourceStatus]
	started time.Time
}

// Produce implements metric.Producer.
func (m *sourceMetrics) Produce(context.Context) ([]metricdata.ScopeMetrics, error) {
	status := m.status.Load()
	if status == nil {
		return nil, nil
	}
	w := &writer{started: m.started, now: time.Now(), at: map[string]int{}, endpoints: map[string]bool{}}
	for _, s := range (*status)() {
		w.source(s)
	}
	return []metricdata.ScopeMetrics{{Scope: instrumentation.Scope{Name: scope}, Metrics: w.metrics}}, nil
}

// writer collects metrics.
type writer struct {
	started, now time.Time
	metrics      []metricdata.Metrics
	at           map[string]int // the place of a metric in metrics, by name
	endpoints    map[string]bool
}

// source writes the metrics of a source.
func (w *writer) source(s upstreams.SourceStatus) {
	name := labelSource.String(s.Source)
	for _, outcome := range slices.Sorted(maps.Keys(s.Calls)) {
		w.count("gateway.calls", "{call}", "Calls to services by outcome: success, or the code of the error.", s.Calls[outcome], name, labelOutcome.String(outcome))
	}
	for _, how := range slices.Sorted(maps.Keys(s.Joined)) {
		w.count("gateway.calls.joined", "{call}", "Calls that shared the response of another one.", s.Joined[how], name, labelHow.String(how))
	}
	w.histogram("gateway.call.duration", "Durations of calls to services, with all attempts and waiting.", s.Durations, name)
	w.gauge("gateway.calls.running", "{call}", "Calls to services that have not ended.", s.Running, name)
	w.gauge("gateway.calls.queued", "{call}", "Calls to services that wait for others to end.", s.Queued, name)
	w.gauge("gateway.calls.limit", "{call}", "How many calls to a service may run at the same time; 0 is no limit.", int64(s.Limit), name)
	w.count("gateway.retries", "{attempt}", "Attempts that followed a failed one of the same call.", s.Retries, name)
	w.count("gateway.hedges.won", "{attempt}", "Hedges whose response was used.", s.HedgesWon, name)
	w.count("gateway.retries.refused", "{attempt}", "Retries and hedges that the budget did not permit.", s.BudgetRefused, name)
	w.count("gateway.hedges", "{attempt}", "Attempts that began while another one of the same call was running.", s.Hedges, name)
	if s.Breaker != "" {
		for _, state := range []string{resilience.Closed, resilience.Open, resilience.HalfOpen} {
			w.gauge("gateway.breaker.state", "", "1 for the state in which the circuit breaker of a service is, and 0 for others.", oneIf(s.Breaker == state), name, labelState.String(state))
		}
		w.gauge("gateway.breaker.operations.open", "{operation}", "Operations of a service whose circuit breakers are not closed.", int64(len(s.Operations)), name)
	}
	for _, e := range s.Endpoints {
		w.endpoint(name, e)
	}
}

// endpoint writes the metrics of an endpoint. Of endpoints at one address only the first one is written,
// since a series with the same labels twice would be a mistake.
func (w *writer) endpoint(source attribute.KeyValue, e upstreams.EndpointStatus) {
	key := source.Value.AsString() + " " + e.Address
	if w.endpoints[key] {
		return
	}
	w.endpoints[key] = true
	labels := append([]attribute.KeyValue{source}, addressLabels(e.Address)...)
	for _, outcome := range slices.Sorted(maps.Keys(e.Attempts)) {
		w.count("gateway.attempts", "{attempt}", "Requests to endpoints of services by outcome.", e.Attempts[outcome], append(slices.Clone(labels), labelOutcome.String(outcome))...)
	}
	w.histogram("http.client.request.duration", "Durations of requests to endpoints of services.", e.Durations, labels...)
	w.gauge("gateway.endpoint.running", "{attempt}", "Requests to an endpoint that have not ended.", e.InFlight, labels...)
	gauge(w, "gateway.endpoint.latency", "s", "Moving average of the times of responses.", e.Latency, labels...)
	w.count("gateway.endpoint.ejections", "{ejection}", "How often an endpoint was ejected, each failed trial included.", int64(e.Ejections), labels...)
	for _, state := range balance.States() {
		w.gauge("gateway.endpoint.state", "", "1 for the state in which an endpoint is, and 0 for others.", oneIf(e.State == state), append(slices.Clone(labels), labelState.String(state))...)
	}
}

func oneIf(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// addressLabels returns the labels of an endpoint.
func addressLabels(endpoint string) []attribute.KeyValue {
	host, text, err := net.SplitHostPort(endpoint)
	if err != nil {
		return []attribute.KeyValue{labelAddress.String(endpoint)}
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return []attribute.KeyValue{labelAddress.String(endpoint)}
	}
	return []attribute.KeyValue{labelAddress.String(host), labelPort.Int(port)}
}

// metric returns the place of the data of a metric, which it adds with empty data.
func (w *writer) metric(name, unit, description string, empty metricdata.Aggregation) *metricdata.Metrics {
	at, ok := w.at[name]
	if !ok {
		at = len(w.metrics)
		w.at[name] = at
		w.metrics = append(w.metrics, metricdata.Metrics{Name: name, Unit: unit, Description: description, Data: empty})
	}
	return &w.metrics[at]
}

// count adds a value of a counter.
func (w *writer) count(name, unit, description string, n int64, labels ...attribute.KeyValue) {
	m := w.metric(name, unit, description, metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: true})
	sum := m.Data.(metricdata.Sum[int64])
	sum.DataPoints = append(sum.DataPoints, metricdata.DataPoint[int64]{Attributes: attribute.NewSet(labels...), StartTime: w.started, Time: w.now, Value: n})
	m.Data = sum
}

// gauge adds a value of a gauge.
func (w *writer) gauge(name, unit, description string, n int64, labels ...attribute.KeyValue) {
	gauge(w, name, unit, description, n, labels...)
}

// gauge adds a value of a gauge.
func gauge[N int64 | float64](w *writer, name, unit, description string, n N, labels ...attribute.KeyValue) {
	m := w.metric(name, unit, description, metricdata.Gauge[N]{})
	g := m.Data.(metricdata.Gauge[N])
	g.DataPoints = append(g.DataPoints, metricdata.DataPoint[N]{Attributes: attribute.NewSet(labels...), Time: w.now, Value: n})
	m.Data = g
}

// histogram adds durations.
func (w *writer) histogram(name, description string, h observe.Histogram, labels ...attribute.KeyValue) {
	m := w.metric(name, "s", description, metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality})
	histogram := m.Data.(metricdata.Histogram[float64])
	buckets := make([]uint64, len(observe.Bounds())+1)
	for i, n := range h.Buckets {
		buckets[i] = uint64(n)
	}
	histogram.DataPoints = append(histogram.DataPoints, metricdata.HistogramDataPoint[float64]{
		Attributes: attribute.NewSet(labels...), StartTime: w.started, Time: w.now,
		Count: uint64(h.Count()), Bounds: observe.Bounds(), BucketCounts: buckets, Sum: h.Sum,
	})
	m.Data = histogram
}
