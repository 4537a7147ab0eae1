package metrics

import (
	"slices"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

// The labels of an operation. A plan has no reason.
const (
	labelType     = attribute.Key("graphql.operation.type")
	labelExecutor = attribute.Key("executor")
	labelReason   = attribute.Key("reason")
)

// other is the label for operation types and reasons that are not known, which bounds the series.
const other = "other"

// operations counts operations by kind, executor and reason. All series exist from the beginning, so
// that counting allocates nothing and cannot add any.
type operations struct {
	plans     []series                           // by kind
	fallbacks map[engine.FallbackReason][]series // by reason, then by kind
}

// series is a counter with its labels.
type series struct {
	kind   ast.Operation
	labels metric.MeasurementOption
	count  atomic.Int64
}

func newOperations() operations {
	o := operations{plans: newSeries(labelExecutor.String(engine.EnginePlan)), fallbacks: map[engine.FallbackReason][]series{}}
	for _, reason := range append(engine.FallbackReasons(), other) {
		o.fallbacks[reason] = newSeries(labelExecutor.String(engine.EngineGqlgen), labelReason.String(string(reason)))
	}
	return o
}

// newSeries returns a series for each kind of operation, with labels. The last one is for operations
// of any other kind.
func newSeries(labels ...attribute.KeyValue) []series {
	all := make([]series, 4)
	for i, kind := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription, other} {
		all[i].kind = kind
		all[i].labels = metric.WithAttributeSet(attribute.NewSet(append(slices.Clone(labels), labelType.String(string(kind)))...))
	}
	return all
}

// CountOperation counts an executed operation. fallback is why gqlgen's executor ran it, "" if a plan
// did.
func (m *Metrics) CountOperation(kind ast.Operation, fallback engine.FallbackReason) {
	all := m.operations.plans
	if fallback != "" {
		var known bool
		if all, known = m.operations.fallbacks[fallback]; !known {
			all = m.operations.fallbacks[other]
		}
	}
	for i := range all {
		if all[i].kind == kind || i == len(all)-1 {
			all[i].count.Add(1)
			return
		}
	}
}

// observe reports the counts. It reports queries and mutations by plans also while they are zero, so
// that their first one is seen as an increase, and others once there are any.
func (o *operations) observe(to metric.Int64Observer) {
	report := func(all []series, always int) {
		for i := range all {
			if count := all[i].count.Load(); count > 0 || i < always {
				to.Observe(count, all[i].labels)
			}
		}
	}
	report(o.plans, 2)
	for _, all := range o.fallbacks {
		report(all, 0)
	}
}
