// Package costlimit limits what one operation may cost, before it is executed.
//
// It promises that an operation which costs more than its caller may spend on one is refused before it
// joins the execution of another one and before any service is called, with the estimate and the maximum in
// the error. Package engine/cost computes the costs.
package costlimit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine/cost"
	"github.com/gatehouse-graphql/gatehouse/engine/facts"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// The values of Options.Mode.
const (
	// ModeEnforce refuses operations that cost too much.
	ModeEnforce = "enforce"
	// ModeLog executes them, and logs what would be refused.
	ModeLog = "log"
)

// ExposeAll in Options.Expose stands for all classes.
const ExposeAll = "all"

// Options are the limits of what one operation may cost. The zero value limits nothing, and nothing is
// computed then.
type Options struct {
	// Max is what an operation may cost at the most: the greater of the field cost and the type cost of
	// the GraphQL Cost Directives specification, at the worst. An operation that costs more is refused
	// with the code COST_ESTIMATED_TOO_EXPENSIVE. Default 0, no limit.
	Max int `yaml:"max"`
	// DefaultListSize is the number of elements that a list is estimated to have, if neither @listSize nor
	// the pagination of its binding says how many it has. Default 100.
	DefaultListSize int `yaml:"defaultListSize"`
	// Classes are the limits for callers of some classes, instead of max; -1 is no limit. The classes
	// anonymous and authenticated are always there. Default none.
	Classes map[string]int `yaml:"classes"`
	// Expose are the classes of the callers whose responses say what the operation costs, in
	// extensions.cost; all is every class. Default none.
	Expose []string `yaml:"expose"`
	// Mode is enforce, or log to execute operations that cost too much all the same and log each of them.
	// Default enforce.
	Mode string `yaml:"mode"`
}

// Unlimited in Options.Classes is no limit.
const Unlimited = -1

// Validate returns what is wrong with the options. Each error begins with the setting.
func (o Options) Validate() error {
	var errs []error
	if o.Max < 0 {
		errs = append(errs, fmt.Errorf("max is %d; write what an operation may cost, or leave it out for no limit", o.Max))
	}
	if o.DefaultListSize < 0 {
		errs = append(errs, fmt.Errorf("defaultListSize is %d; write how many elements a list has at the worst, or leave it out for %d", o.DefaultListSize, cost.DefaultListSize))
	}
	for _, class := range slices.Sorted(maps.Keys(o.Classes)) {
		if n := o.Classes[class]; n < Unlimited || n == 0 {
			errs = append(errs, fmt.Errorf("classes.%s is %d; write what an operation may cost, or -1 for no limit", class, n))
		}
	}
	if !slices.Contains([]string{"", ModeEnforce, ModeLog}, o.Mode) {
		errs = append(errs, fmt.Errorf("mode must be enforce or log, not %q", o.Mode))
	}
	if slices.Contains(o.Expose, ExposeAll) && len(o.Expose) > 1 {
		errs = append(errs, fmt.Errorf("expose has all and other classes; write [all], or the classes alone"))
	}
	return errors.Join(errs...)
}

// isZero reports whether nothing is limited or shown.
func (o Options) isZero() bool { return o.Max == 0 && len(o.Classes) == 0 && len(o.Expose) == 0 }

// maximum returns what an operation of a class may cost, 0 for any cost.
func (o Options) maximum(class string) cost.Cost {
	n, ok := o.Classes[class]
	switch {
	case !ok:
		n = o.Max
	case n == Unlimited:
		n = 0
	}
	return cost.Of(float64(n))
}

// Deps are what a Rule needs besides the options. All fields are required.
type Deps struct {
	// Models are those of the schema.
	Models *Models
	// Log gets a line for each operation that ModeLog executes although it costs too much.
	Log *slog.Logger
}

// Rule refuses operations that cost too much. It is an execute.Rule, which has to come before those that
// charge something.
type Rule struct {
	options Options
	deps    Deps
	model   *cost.Model
}

var _ execute.Rule = (*Rule)(nil)

// New returns a rule, nil if the options limit and show nothing.
func New(o Options, d Deps) *Rule {
	if o.isZero() {
		return nil
	}
	return &Rule{options: o, deps: d, model: d.Models.of(o.DefaultListSize)}
}

// Check implements execute.Rule: it sets the cost of op, and returns an error if that is more than the
// caller's operations may cost.
func (r *Rule) Check(ctx context.Context, op *execute.Operation) error {
	total, err := estimate(r.model, op)
	class := op.Caller.Class
	op.Cost = &execute.Cost{Estimated: total, Maximum: r.options.maximum(class), Exposed: r.exposes(class), Model: r.model}
	entry := request.LogEntryOf(ctx)
	entry.Cost.Estimated, entry.Cost.HasEstimate = total.Cost().Float(), true
	if op.Cost.Maximum == 0 {
		return nil
	}
	refusal := r.refusal(op, err)
	switch {
	case refusal == nil:
		return nil
	case r.options.Mode == ModeLog:
		r.deps.Log.LogAttrs(ctx, slog.LevelWarn, "the operation would be refused for its cost, which cost.mode only logs: "+refusal.Message,
			slog.String("request_id", entry.ID), slog.String("operation", op.Operation.Name), slog.String("class", class),
			slog.Float64("cost_estimated", entry.Cost.Estimated), slog.Float64("cost_maximum", op.Cost.Maximum.Float()))
		return nil
	}
	entry.Refuse(request.RefusedCost, class)
	return refusal
}

// estimate returns what an operation costs at the worst. After an error it is what is known of it.
func estimate(m *cost.Model, op *execute.Operation) (cost.Total, error) {
	return op.Document.Costs.Of(m, op.Operation).Estimate(op.Variables)
}

// Estimator returns a function that estimates what an operation costs, by the same options as a Rule. It
// does nothing before the first call.
func Estimator(o Options, m *Models) func(*execute.Operation) cost.Total {
	model := sync.OnceValue(func() *cost.Model { return m.of(o.DefaultListSize) })
	return func(op *execute.Operation) cost.Total {
		total, _ := estimate(model(), op)
		return total
	}
}

// refusal returns why an operation must not be executed, nil if it may be. err is the error of its
// estimate.
func (r *Rule) refusal(op *execute.Operation, err error) *fault.Error {
	estimated, maximum := op.Cost.Estimated.Cost(), op.Cost.Maximum
	switch {
	case estimated > maximum:
		f := fault.New(fault.CostTooExpensive, "the operation costs up to %s; the limit is %s: ask for fewer fields or shorter lists", estimated, maximum)
		f.Extensions = map[string]any{"cost": map[string]any{"estimated": estimated, "maximum": maximum}}
		return f
	case err != nil:
		return fault.New(fault.BadUserInput, "%s", err)
	}
	return nil
}

// exposes reports whether callers of a class are shown what their operations cost.
func (r *Rule) exposes(class string) bool {
	return slices.Contains(r.options.Expose, class) || slices.Contains(r.options.Expose, ExposeAll)
}

// Models has the model of a schema for the settings that are used, so that the costs of documents are
// kept when other settings change. It is safe for concurrent use.
type Models struct {
	schema graphql.ExecutableSchema

	mu       sync.Mutex
	listSize int         // of model; guarded by mu
	model    *cost.Model // the last one, nil before the first; guarded by mu
}

// NewModels returns the models of a schema, by what its directives state (facts.Schema).
func NewModels(schema graphql.ExecutableSchema) *Models { return &Models{schema: schema} }

// of returns the model with a size of lists.
func (m *Models) of(listSize int) *cost.Model {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.model == nil || m.listSize != listSize {
		m.model, m.listSize = cost.New(m.schema.Schema(), facts.Of(m.schema), cost.Options{ListSize: listSize}), listSize
	}
	return m.model
}
