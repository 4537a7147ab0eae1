package metrics

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Reloads are what the reloads of the settings have done since the start.
type Reloads struct {
	// Applied and Refused count the reloads by their outcome.
	Applied, Refused int64
	// LastApplied is when the settings that are in use were loaded.
	LastApplied time.Time
	// LastWasApplied is whether the last reload was applied, or there was none.
	LastWasApplied bool
}

// ObserveReloads has the metrics show what reloads returns when they are read. It may be called for nil,
// and then does nothing.
func (m *Metrics) ObserveReloads(reloads func() Reloads) {
	if m != nil {
		m.reloads.source.Store(&reloads)
	}
}

// reloadMetrics are the metrics of Reloads.
type reloadMetrics struct {
	source atomic.Pointer[func() Reloads]
}

const labelOutcome = attribute.Key("outcome")

// register registers the instruments. They have no values before ObserveReloads.
func (r *reloadMetrics) register(meter metric.Meter) error {
	count, err1 := meter.Int64ObservableCounter("gateway.config.reloads", metric.WithUnit("{reload}"),
		metric.WithDescription("Reloads of the settings by outcome: applied, or refused since the settings had a mistake."))
	successful, err2 := meter.Int64ObservableGauge("gateway.config.last_reload.successful",
		metric.WithDescription("1 if the last reload of the settings was applied, or there was none; 0 if it was refused."))
	at, err3 := meter.Float64ObservableGauge("gateway.config.last_reload.success.timestamp", metric.WithUnit("s"),
		metric.WithDescription("When the settings that are in use were loaded, in seconds since 1970."))
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	applied := metric.WithAttributeSet(attribute.NewSet(labelOutcome.String("applied")))
	refused := metric.WithAttributeSet(attribute.NewSet(labelOutcome.String("refused")))
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		source := r.source.Load()
		if source == nil {
			return nil
		}
		reloads := (*source)()
		o.ObserveInt64(count, reloads.Applied, applied)
		o.ObserveInt64(count, reloads.Refused, refused)
		last := int64(0)
		if reloads.LastWasApplied {
			last = 1
		}
		o.ObserveInt64(successful, last)
		o.ObserveFloat64(at, float64(reloads.LastApplied.UnixMilli())/1000)
		return nil
	}, count, successful, at)
	return err
}
