package metrics

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
)

// labelResult is the label of what became of the id or the text of a request.
const labelResult = attribute.Key("result")

// documentCounts counts requests by the outcome of their id or text. All series exist from the beginning.
type documentCounts map[documents.Outcome]*atomic.Int64

func newDocumentCounts() documentCounts {
	d := documentCounts{}
	for _, outcome := range documents.Outcomes() {
		d[outcome] = new(atomic.Int64)
	}
	return d
}

// CountDocument counts a request by the id of a document, or a text that was compared with the manifests.
func (m *Metrics) CountDocument(outcome documents.Outcome) {
	if count := m.documents[outcome]; count != nil {
		count.Add(1)
	}
}

// register registers the instrument. It shows nothing while nothing is counted, since most gateways use no
// documents.
func (d documentCounts) register(meter metric.Meter) error {
	_, err := meter.Int64ObservableCounter("gateway.documents.requests",
		metric.WithDescription("Requests by the id of a document, and texts that were compared with the manifests, by result."),
		metric.WithUnit("{request}"),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			used := false
			for _, count := range d {
				used = used || count.Load() > 0
			}
			for outcome, count := range d {
				if used {
					o.Observe(count.Load(), metric.WithAttributes(labelResult.String(string(outcome))))
				}
			}
			return nil
		}),
	)
	return err
}
