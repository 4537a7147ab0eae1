package metrics

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// Connections are the connections of clients at a moment, and what became of others since the start.
type Connections struct {
	// Open connections, and how many there may be, 0 without a limit.
	Open, Max int64
	// Refused counts new connections that were closed, since all others were in use; Evicted unused
	// ones that were closed for a new one; Reset those of clients of HTTP/2 that cancelled too many
	// requests; FailedHandshakes those of TLS.
	Refused, Evicted, Reset, FailedHandshakes int64
	// Certificates are the ends of the certificates by the names of their settings, nil without TLS.
	Certificates map[string]time.Time
}

// ObserveConnections has the metrics show what connections returns when they are read. It may be called
// for nil, and then does nothing.
func (m *Metrics) ObserveConnections(connections func() Connections) {
	if m != nil {
		m.connections.source.Store(&connections)
	}
}

// connectionMetrics are the metrics of Connections.
type connectionMetrics struct {
	source atomic.Pointer[func() Connections]
}

const labelCertificate = attribute.Key("certificate")

// register registers the instruments. They have no values before ObserveConnections.
func (c *connectionMetrics) register(meter metric.Meter) error {
	open, err1 := meter.Int64ObservableGauge("gateway.connections.open", metric.WithUnit("{connection}"),
		metric.WithDescription("Connections of clients that are open."))
	limit, err2 := meter.Int64ObservableGauge("gateway.connections.limit", metric.WithUnit("{connection}"),
		metric.WithDescription("How many connections of clients may be open, http.maxConnections; 0 is no limit."))
	closed, err3 := meter.Int64ObservableCounter("gateway.connections.closed", metric.WithUnit("{connection}"),
		metric.WithDescription("Connections that the gateway closed, by cause: refused, since all others were in use; evicted, an unused one for a new one; resets, since the client cancelled too many requests; handshake, since TLS failed."))
	expiry, err4 := meter.Float64ObservableGauge("gateway.tls.certificate.expiry.timestamp", metric.WithUnit("s"),
		metric.WithDescription("When a certificate ends, in seconds since 1970."))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	cause := func(text string) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(labelCause.String(text)))
	}
	refused, evicted, resets, handshake := cause("refused"), cause("evicted"), cause("resets"), cause("handshake")
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		source := c.source.Load()
		if source == nil {
			return nil
		}
		now := (*source)()
		o.ObserveInt64(open, now.Open)
		o.ObserveInt64(limit, now.Max)
		o.ObserveInt64(closed, now.Refused, refused)
		o.ObserveInt64(closed, now.Evicted, evicted)
		o.ObserveInt64(closed, now.Reset, resets)
		o.ObserveInt64(closed, now.FailedHandshakes, handshake)
		for name, ends := range now.Certificates {
			o.ObserveFloat64(expiry, float64(ends.Unix()), metric.WithAttributes(labelCertificate.String(name)))
		}
		return nil
	}, open, limit, closed, expiry)
	return err
}
