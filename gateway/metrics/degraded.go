package metrics

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

// labelMode is the label of degraded fields beside labelSource.
const labelMode = attribute.Key("mode")

// degraded counts degraded fields by source and mode. A series exists from its first field on. There
// are three for each source of the settings at most.
type degraded struct{ counts sync.Map } // by engine.DegradedBy, *atomic.Int64

// CountDegraded counts fields whose service failed and which have another value in its place.
func (m *Metrics) CountDegraded(by engine.DegradedBy, n int) {
	count, ok := m.degraded.counts.Load(by)
	if !ok {
		count, _ = m.degraded.counts.LoadOrStore(by, new(atomic.Int64))
	}
	count.(*atomic.Int64).Add(int64(n))
}

// register registers the instrument.
func (d *degraded) register(meter metric.Meter) error {
	_, err := meter.Int64ObservableCounter("gateway.fields.degraded",
		metric.WithDescription("Fields of responses that have another value in the place of one that a service failed to send, by source and mode (onError)."),
		metric.WithUnit("{field}"),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			d.counts.Range(func(key, count any) bool {
				by := key.(engine.DegradedBy)
				o.Observe(count.(*atomic.Int64).Load(), metric.WithAttributes(labelSource.String(by.Service), labelMode.String(string(by.Mode))))
				return true
			})
			return nil
		}),
	)
	return err
}
