package plan

import (
	"context"
	"strings"
	"weak"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/cache"
)

// What a planner remembers.
const (
	maxPlans     = 1000     // and operations
	maxPlanBytes = 16 << 20 // of all plans together, about
)

// About what is held in memory, in bytes: as measured at the most.
const (
	bytesPerPlan  = 1000
	bytesPerField = 240 // of a plan
	bytesPerNode  = 240 // of an operation's tree

	// What is selected below a field, where it was merged from several fields.
	bytesPerSelection = 16
)

// Planner makes plans and remembers them. It is safe for concurrent use.
type Planner struct {
	schema *ast.Schema
	types  Types

	operations *cache.Cache[operationKey, *operationInfo]
	plans      *cache.Cache[planKey, *Plan] // nil is a plan that would be too large
}

// operationKey names an operation without keeping its document, which may be large.
type operationKey = weak.Pointer[ast.OperationDefinition]

// planKey says which plan of an operation: the bits are the values of its conditions.
type planKey struct {
	operation  *ast.OperationDefinition
	conditions uint64
}

// operationInfo is what is known of one before the values of its variables are.
type operationInfo struct {
	fallback   engine.FallbackReason // why it is not planned; empty when it is
	conditions []string              // the variables in @skip and @include
	bytes      int                   // what its plans keep of the document
}

// NewPlanner makes a planner of a schema, of which types are the object types.
func NewPlanner(schema *ast.Schema, types Types) *Planner {
	return &Planner{
		schema: schema, types: types,
		operations: cache.New[operationKey, *operationInfo](cache.Options{Entries: maxPlans}),
		plans:      cache.New[planKey, *Plan](cache.Options{Entries: maxPlans, Weight: maxPlanBytes}),
	}
}

// Plan returns the plan that executes op. If no plan can, Plan returns the reason why gqlgen's
// executor must execute op. The error is that of ctx, when it ends before the plan is there.
// Exactly one of the three results is set.
func (p *Planner) Plan(ctx context.Context, op *graphql.OperationContext) (*Plan, engine.FallbackReason, error) {
	known, err := p.info(ctx, op)
	if err != nil {
		return nil, "", err
	}
	if known.fallback != "" {
		return nil, known.fallback, nil
	}
	plan, err := p.plan(ctx, op, known)
	switch {
	case err != nil:
		return nil, "", err
	case plan == nil:
		return nil, engine.FallbackTooLarge, nil
	case ctx.Err() != nil: // after the plan was made, which may take a while
		return nil, "", ctx.Err()
	}
	return plan, "", nil
}

// CanCoalesce tells whether callers of the same identity who ask for the same operation, with
// the same variables, get the same answer whatever else they sent: a query that is planned,
// all of whose calls are generated, none of them with a value of the client's request.
func (p *Planner) CanCoalesce(ctx context.Context, op *graphql.OperationContext) bool {
	if op.Operation.Operation != ast.Query {
		return false
	}
	known, err := p.info(ctx, op)
	if err != nil || known.fallback != "" {
		return false
	}
	plan, err := p.plan(ctx, op, known)
	return err == nil && plan != nil && !plan.requestScoped
}

// info returns what is known of an operation. Callers who ask for it at the same time
// have it found out once. The error is that of ctx, when it ends meanwhile.
func (p *Planner) info(ctx context.Context, op *graphql.OperationContext) (*operationInfo, error) {
	key := weak.Make(op.Operation)
	if known, ok := p.operations.Get(key); ok {
		return known, nil
	}
	return p.operations.Load(ctx, key, func() (*operationInfo, int) { return inspect(op), 1 })
}

// plan returns the plan of an operation, nil where it would be too large. It is made as
// operation has it. Each plan is weighed with its document, which it keeps: documents may be
// large, and their plans small. Those of one document weigh it again each, so that it is
// rather less that is held.
func (p *Planner) plan(ctx context.Context, op *graphql.OperationContext, known *operationInfo) (*Plan, error) {
	key := planKey{op.Operation, known.conditionBits(op.Variables)}
	if plan, ok := p.plans.Get(key); ok {
		return plan, nil
	}
	return p.plans.Load(ctx, key, func() (*Plan, int) {
		plan := newCompiler(p.schema, p.types, op).compile()
		return plan, plan.memory() + known.bytes
	})
}

// conditionBits are the values of the conditions.
func (o *operationInfo) conditionBits(variables map[string]any) (bits uint64) {
	for i, name := range o.conditions {
		if yes, _ := variables[name].(bool); yes {
			bits |= 1 << i
		}
	}
	return bits
}

// maxConditions is how many conditions have their bits in a planKey.
const maxConditions = 64

// inspect finds out what an operation is made of.
func inspect(op *graphql.OperationContext) *operationInfo {
	l := walk(op)
	found := &operationInfo{fallback: l.fallback, conditions: l.conditions, bytes: l.nodes*bytesPerNode + len(op.Operation.Position.Src.Input)}
	switch {
	case op.Operation.Operation == ast.Subscription:
		found.fallback = engine.FallbackSubscription
	case len(op.Operation.Directives) > 0:
		found.fallback = engine.FallbackDirectives
	case len(found.conditions) > maxConditions:
		found.fallback, found.conditions = engine.FallbackConditions, nil
	}
	return found
}

// inspector goes through an operation and the fragments that it uses.
type inspector struct {
	doc        *ast.QueryDocument
	fragments  map[string]bool // that it has been to
	variables  map[string]bool // that it has seen in conditions
	conditions []string        // the same, in their order
	nodes      int             // of the tree

	fallback engine.FallbackReason // why no plan will do
}

func walk(op *graphql.OperationContext) *inspector {
	w := &inspector{doc: op.Doc, fragments: map[string]bool{}, variables: map[string]bool{}}
	for _, v := range op.Operation.VariableDefinitions {
		w.nodes++
		w.value(v.DefaultValue)
	}
	w.set(op.Operation.SelectionSet)
	return w
}

func (w *inspector) set(set ast.SelectionSet) {
	for _, selected := range set {
		w.nodes++
		switch s := selected.(type) {
		case *ast.Field:
			w.directives(s.Directives)
			w.arguments(s.Arguments)
			if s.Name == "__schema" || s.Name == "__type" {
				w.fallback = engine.FallbackIntrospection
			}
			w.set(s.SelectionSet)
		case *ast.InlineFragment:
			w.directives(s.Directives)
			w.set(s.SelectionSet)
		case *ast.FragmentSpread:
			w.directives(s.Directives)
			w.fragment(s.Name)
		}
	}
}

func (w *inspector) fragment(name string) {
	if w.fragments[name] {
		return
	}
	w.fragments[name] = true
	w.nodes++
	fragment := w.doc.Fragments.ForName(name)
	w.directives(fragment.Directives)
	w.set(fragment.SelectionSet)
}

func (w *inspector) directives(list ast.DirectiveList) {
	for _, d := range list {
		w.nodes++
		w.arguments(d.Arguments)
		if d.Name != "skip" && d.Name != "include" {
			w.fallback = engine.FallbackDirectives
			continue
		}
		if on := d.Arguments.ForName("if"); on != nil && on.Value.Kind == ast.Variable && !w.variables[on.Value.Raw] {
			w.variables[on.Value.Raw] = true
			w.conditions = append(w.conditions, strings.Clone(on.Value.Raw)) // not to keep the text
		}
	}
}

func (w *inspector) arguments(list ast.ArgumentList) {
	for _, a := range list {
		w.nodes++
		w.value(a.Value)
	}
}

func (w *inspector) value(v *ast.Value) {
	if v == nil {
		return
	}
	w.nodes++
	for _, child := range v.Children {
		w.nodes++
		w.value(child.Value)
	}
}
