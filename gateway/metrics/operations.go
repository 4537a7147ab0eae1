package metrics

import (
	"slices"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

// The labels of an operation.
const (
	labelType     = attribute.Key("graphql.operation.type")
	labelExecutor = attribute.Key("executor")
	labelReason   = attribute.Key("reason")
)

// other stands for what is not in our lists.
const other = "other"

// operations counts operations by kind, executor and reason. All there is room for is
// made at once, so that nothing that is counted can make more of it.
type operations struct {
	plans     []series                           // by kind
	fallbacks map[engine.FallbackReason][]series // by reason, then by kind
}

// series is one line of the page.
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

// newSeries are those of each kind of operations, with the same labels besides. The last
// is of what is none.
func newSeries(labels ...attribute.KeyValue) []series {
	all := make([]series, 4)
	for i, kind := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription, other} {
		all[i].kind = kind
		all[i].labels = metric.WithAttributeSet(attribute.NewSet(append(slices.Clone(labels), labelType.String(string(kind)))...))
	}
	return all
}

// Operation counts an operation that was executed: by gqlgen's executor if fallback has the
// reason, by a plan if it is empty.
func (m *Metrics) Operation(kind ast.Operation, fallback engine.FallbackReason) {
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

// tell shows queries and mutations by plans from the beginning, so that their first ones
// are seen as growth; of the others those that there were.
func (o *operations) tell(to metric.Int64Observer) {
	tell := func(all []series, always int) {
		for i := range all {
			if count := all[i].count.Load(); count > 0 || i < always {
				to.Observe(count, all[i].labels)
			}
		}
	}
	tell(o.plans, 2)
	for _, all := range o.fallbacks {
		tell(all, 0)
	}
}
