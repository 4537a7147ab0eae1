package metrics

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Load is what the gateway does at a moment, and what it has refused since it started.
type Load struct {
	// Operations are those of each class of callers that has turns of its own, by name; of all callers
	// under "" if no class has.
	Operations map[string]Operations
	// Limit is how many operations may be executed at the same time, 0 without a limit.
	Limit int64
	// Refused counts operations, and reservations of memory, that were refused, by cause.
	Refused map[string]int64
	// Memory is an estimate of the bytes that requests hold, and MaxMemory its limit, 0 without
	// one.
	Memory, MaxMemory int64
	// LostLogLines counts lines of the log that were not written.
	LostLogLines int64
}

// Operations are the operations of a moment: those that are executed, those of them that wait for
// services and do not count for the limit, and those that wait to be executed.
type Operations struct{ Running, Waiting, Queued int64 }

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

const (
	labelCause = attribute.Key("cause")
	labelClass = attribute.Key("class")
)

// classLabels returns the labels of a class of callers.
func classLabels(name string) metric.ObserveOption {
	if name == "" {
		return metric.WithAttributes()
	}
	return metric.WithAttributes(labelClass.String(name))
}

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
	running := gauge("gateway.operations.running", "{operation}", "Operations that are executed, without those that wait.")
	waiting := gauge("gateway.operations.waiting", "{operation}", "Operations that wait for services and do not count for the limit.")
	queued := gauge("gateway.operations.queued", "{operation}", "Operations that wait to be executed.")
	limit := gauge("gateway.operations.limit", "{operation}", "How many operations may be executed at the same time; 0 is no limit.")
	refused := counter("gateway.refused", "{refusal}", "Operations, and reservations of memory, that were refused with the code OVERLOADED, by cause.")
	memory := gauge("gateway.memory.reserved", "By", "Estimate of the memory that requests hold.")
	maxMemory := gauge("gateway.memory.limit", "By", "Memory that requests may hold, admission.maxBytes; 0 is no limit.")
	lost := counter("gateway.log.lost", "{line}", "Lines of the log that were lost, since they could not be written in time.")
	if failure != nil {
		return failure
	}
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		source := l.source.Load()
		if source == nil {
			return nil
		}
		load := (*source)()
		for class, n := range load.Operations {
			labels := classLabels(class)
			o.ObserveInt64(running, n.Running, labels)
			o.ObserveInt64(waiting, n.Waiting, labels)
			o.ObserveInt64(queued, n.Queued, labels)
		}
		o.ObserveInt64(limit, load.Limit)
		for cause, n := range load.Refused {
			o.ObserveInt64(refused, n, metric.WithAttributes(labelCause.String(cause)))
		}
		o.ObserveInt64(memory, load.Memory)
		o.ObserveInt64(maxMemory, load.MaxMemory)
		o.ObserveInt64(lost, load.LostLogLines)
		return nil
	}, running, waiting, queued, limit, refused, memory, maxMemory, lost)
	return err
}
