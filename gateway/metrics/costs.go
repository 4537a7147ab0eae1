package metrics

import (
	"context"

	"go.opentelemetry.io/otel/metric"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// costs are histograms of what operations cost. They are empty unless the settings limit or show costs.
type costs struct{ estimated, actual metric.Float64Histogram }

// costBounds are the bounds of the buckets.
var costBounds = []float64{1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000}

// CountCost counts the cost of an operation.
func (m *Metrics) CountCost(c request.Cost) {
	ctx := context.Background()
	if c.HasEstimate {
		m.costs.estimated.Record(ctx, c.Estimated)
	}
	if c.HasActual {
		m.costs.actual.Record(ctx, c.Actual)
	}
}

// register registers the instruments.
func (c *costs) register(meter metric.Meter) (err error) {
	bounds := metric.WithExplicitBucketBoundaries(costBounds...)
	if c.estimated, err = meter.Float64Histogram("gateway.operation.cost.estimated", bounds,
		metric.WithDescription("What operations cost at the worst, refused ones included (cost).")); err != nil {
		return err
	}
	c.actual, err = meter.Float64Histogram("gateway.operation.cost.actual", bounds,
		metric.WithDescription("What operations have cost that were executed (cost)."))
	return err
}
