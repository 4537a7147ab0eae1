package metrics

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// refused counts refused operations by reason. All series exist from the beginning, so that the first
// refusal is seen as an increase, and so that no other reason can add one.
type refused map[string]*atomic.Int64

func newRefused() refused {
	r := refused{other: new(atomic.Int64)}
	for _, reason := range request.Refusals() {
		r[string(reason)] = new(atomic.Int64)
	}
	return r
}

// CountRefused counts an operation that one of the gateway's rules has refused.
func (m *Metrics) CountRefused(reason string) {
	count, known := m.refused[reason]
	if !known {
		count = m.refused[other]
	}
	count.Add(1)
}

// register registers the instrument.
func (r refused) register(meter metric.Meter) error {
	_, err := meter.Int64ObservableCounter("gateway.operations.refused",
		metric.WithDescription("Operations that a rule of the gateway has refused before they were executed, by reason."),
		metric.WithUnit("{operation}"),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			for reason, count := range r {
				if n := count.Load(); n > 0 || reason != other {
					o.Observe(n, metric.WithAttributes(labelReason.String(reason)))
				}
			}
			return nil
		}),
	)
	return err
}
