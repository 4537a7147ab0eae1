package metrics

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/gatehouse-graphql/gatehouse/gateway/ratelimit"
	"github.com/gatehouse-graphql/gatehouse/store"
)

// ObserveRateLimits has the metrics show what limits and shared return when they are read. It may be
// called for nil, and then does nothing.
func (m *Metrics) ObserveRateLimits(limits func() ratelimit.Stats, shared func() store.Stats) {
	if m != nil {
		m.rateLimits.source.Store(&rateLimitSource{limits, shared})
	}
}

// rateLimitMetrics are the metrics of rate limits, and of the store that counts them. The names of limits
// are those of the settings and of fields of the schema.
type rateLimitMetrics struct {
	source atomic.Pointer[rateLimitSource]
}

type rateLimitSource struct {
	limits func() ratelimit.Stats
	shared func() store.Stats
}

const labelLimit = attribute.Key("limit")

// register registers the instruments. Those of the store have values only if there is one.
func (r *rateLimitMetrics) register(meter metric.Meter) error {
	var failure error
	keep := func(err error) {
		if failure == nil {
			failure = err
		}
	}
	counter := func(name, unit, description string) metric.Int64ObservableCounter {
		c, err := meter.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
		keep(err)
		return c
	}
	gauge := func(name, unit, description string) metric.Int64ObservableGauge {
		g, err := meter.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(description))
		keep(err)
		return g
	}
	decisions := counter("gateway.ratelimit.decisions", "{decision}", "Decisions of rate limits, by limit and outcome: of a rule about requests, of a field about its places. A rule in dry run counts what it would refuse.")
	failures := counter("gateway.ratelimit.store.failures", "{decision}", "Decisions for which Redis did not answer in time, so that rateLimits.onStoreFailure held.")
	keys := gauge("gateway.ratelimit.keys", "{key}", "Counts of rate limits in memory.")
	evicted := counter("gateway.ratelimit.evictions", "{key}", "Counts of rate limits that were forgotten too early, since there were more than rateLimits.maxKeys.")
	up := gauge("gateway.store.up", "", "Whether Redis answers in time, and is asked.")
	lost := counter("gateway.store.lost", "{outage}", "How often Redis stopped answering in time.")
	operations := counter("gateway.store.operations", "{operation}", "Operations of Redis by outcome: ok, failed, timeout, and skipped while Redis is not up.")
	if failure != nil {
		return failure
	}
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		source := r.source.Load()
		if source == nil {
			return nil
		}
		limits := source.limits()
		for _, l := range limits.Limits {
			o.ObserveInt64(decisions, l.Passed, metric.WithAttributes(labelLimit.String(l.Name), labelOutcome.String("passed")))
			o.ObserveInt64(decisions, l.Refused, metric.WithAttributes(labelLimit.String(l.Name), labelOutcome.String("refused")))
		}
		if len(limits.Limits) > 0 {
			o.ObserveInt64(keys, limits.Keys)
			o.ObserveInt64(evicted, limits.Evicted)
		}
		shared := source.shared()
		if !shared.Configured {
			return nil
		}
		o.ObserveInt64(failures, limits.StoreFailures)
		value := int64(0)
		if shared.Up {
			value = 1
		}
		o.ObserveInt64(up, value)
		o.ObserveInt64(lost, shared.Lost)
		for outcome, n := range map[string]int64{"ok": shared.OK, "failed": shared.Failed, "timeout": shared.TimedOut, "skipped": shared.Skipped} {
			o.ObserveInt64(operations, n, metric.WithAttributes(labelOutcome.String(outcome)))
		}
		return nil
	}, decisions, failures, keys, evicted, up, lost, operations)
	return err
}
