package metrics

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Load is what the gateway does at a moment, and what it has refused since it started.
type Load struct {
	// Running operations are executed, and Queued ones wait for that. Limit is how many may be
	// executed at the same time, 0 without a limit.
	Running, Queued, Limit int64
	// RefusedBusy counts operations that were refused since too many others were executed, and
	// RefusedMemory reservations of memory that were refused.
	RefusedBusy, RefusedMemory int64
	// Memory is an estimate of the bytes that requests hold, and MaxMemory its limit, 0 without
	// one.
	Memory, MaxMemory int64
	// LostLogLines counts lines of the log that were not written.
	LostLogLines int64
}

// ObserveLoad has the metrics show what load returns when they are read. It may be called for nil,
// and then does nothing.
func (m *Metrics) ObserveLoad(load func() Load) {
	if m != nil {
		m.load.Store(&load)
	}
}

// loadMetrics are the metrics of Load.
type loadMetrics struct{ source atomic.Pointer[func() Load] }

func (l *loadMetrics) Store(load *func() Load) { l.source.Store(load) }

const labelCause = attribute.Key("cause")

// register registers the instruments. They have no values before Store.
func (l *loadMetrics) register(meter metric.Meter) error {
	var failure error
	keep := func(err error) {
		if failure == nil {
			failure = err
		}
	}
	gauge := func(name, unit, description string) metric.Int64ObservableGauge {
		g, err := meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description))
		keep(err)
		return g
	}
	counter := func(name, unit, description string) metric.Int64ObservableCounter {
		c, err := meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
		keep(err)
		return c
	}
	running := gauge("gateway.operations.running", "{operation}", "Operations that are executed.")
	queued := gauge("gateway.operations.queued", "{operation}", "Operations that wait to be executed.")
	limit := gauge("gateway.operations.limit", "{operation}", "How many operations may be executed at the same time; 0 is no limit.")
	refused := counter("gateway.refused", "{refusal}", "Operations, and reservations of memory, that were refused with the code OVERLOADED, by cause.")
	memory := gauge("gateway.memory.reserved", "By", "Estimate of the memory that requests hold.")
	maxMemory := gauge("gateway.memory.limit", "By", "Memory that requests may hold, admission.maxBytes; 0 is no limit.")
	lost := counter("gateway.log.lost", "{line}", "Lines of the log that were lost, since they could not be written in time.")
	if failure != nil {
		return failure
	}
	busy := metric.WithAttributeSet(attribute.NewSet(labelCause.String("operations")))
	noMemory := metric.WithAttributeSet(attribute.NewSet(labelCause.String("memory")))
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		source := l.source.Load()
		if source == nil {
			return nil
		}
		load := (*source)()
		o.ObserveInt64(running, load.Running)
		o.ObserveInt64(queued, load.Queued)
		o.ObserveInt64(limit, load.Limit)
		o.ObserveInt64(refused, load.RefusedBusy, busy)
		o.ObserveInt64(refused, load.RefusedMemory, noMemory)
		o.ObserveInt64(memory, load.Memory)
		o.ObserveInt64(maxMemory, load.MaxMemory)
		o.ObserveInt64(lost, load.LostLogLines)
		return nil
	}, running, queued, limit, refused, memory, maxMemory, lost)
	return err
}
