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

// The limits of a planner's caches.
const (
	maxPlans     = 1000     // also the maximum number of operations
	maxPlanBytes = 16 << 20 // estimated memory of all plans, with the documents that they keep
)

// Estimates of memory, in bytes. They are the maxima that were measured.
const (
	bytesPerPlan      = 1000
	bytesPerField     = 240 // of a plan
	bytesPerNode      = 240 // of an operation's syntax tree
	bytesPerSelection = 16  // below a field: a list that was merged from several fields is a copy
)

// Planner compiles plans and caches them. It is safe for concurrent use.
type Planner struct {
	schema *ast.Schema
	types  Types

	operations *cache.Cache[operationKey, *operationInfo]
	plans      *cache.Cache[planKey, *Plan] // nil for an operation whose plan would be too large
}

// operationKey identifies an operation. It is weak so that the cache does not keep the operation's
// document in memory, which may be large.
type operationKey = weak.Pointer[ast.OperationDefinition]

// planKey identifies a plan of an operation, which has one for each combination of the values of the
// variables in its conditions.
type planKey struct {
	operation  *ast.OperationDefinition
	conditions uint64 // see conditionBits
}

// operationInfo is the information about an operation that does not depend on its variables.
type operationInfo struct {
	fallback      engine.FallbackReason // why no plan can execute it, empty if one can
	conditions    []string              // the variables in the conditions of @skip and @include
	documentBytes int                   // estimated memory of the document, which each plan keeps
	sharedCalls   *engine.SharedCalls   // nil for none
}

// NewPlanner returns a planner for a schema with these object types.
func NewPlanner(schema *ast.Schema, types Types) *Planner {
	return &Planner{
		schema: schema, types: types,
		operations: cache.New[operationKey, *operationInfo](cache.Options{MaxEntries: maxPlans}),
		plans:      cache.New[planKey, *Plan](cache.Options{MaxEntries: maxPlans, MaxWeight: maxPlanBytes}),
	}
}

// HasGuards reports whether a field of the schema has a guard that needs the caller's identity.
func (p *Planner) HasGuards() bool {
	for _, t := range p.types {
		for _, f := range t.Fields {
			if f.Guarded {
				return true
			}
		}
	}
	return false
}

// Plan returns the plan that executes op. If no plan can, Plan returns the reason why gqlgen's
// executor must execute op:
//
//   - it is a subscription;
//   - it selects __schema or __type;
//   - it has directives other than @skip and @include, which gqlgen's executor calls;
//   - its conditions have more than maxConditions variables;
//   - its plan would be too large: it would have more than maxFields fields, or more than maxSteps
//     selections would have to be merged for it.
//
// The error is that of ctx, if ctx ends before there is a plan. Exactly one of the three results is set.
func (p *Planner) Plan(ctx context.Context, op *graphql.OperationContext) (*Plan, engine.FallbackReason, error) {
	known, err := p.operationInfo(ctx, op)
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
	case ctx.Err() != nil: // compiling a plan may take some time
		return nil, "", ctx.Err()
	}
	return plan, "", nil
}

// CanCoalesce reports whether clients with the same identity that send the operation with the same
// variables get the same response, whatever else their requests contain. This is certain for a query with
// a plan if generated code resolves all of its fields and none of its calls uses a value of the request.
// It returns false if ctx ends before there is a plan.
func (p *Planner) CanCoalesce(ctx context.Context, op *graphql.OperationContext) bool {
	if op.Operation.Operation != ast.Query {
		return false
	}
	known, err := p.operationInfo(ctx, op)
	if err != nil || known.fallback != "" {
		return false
	}
	plan, err := p.plan(ctx, op, known)
	return err == nil && plan != nil && !plan.requestScoped
}

// maxPinnedConditions is the number of conditions up to which all plans of a pinned operation are
// compiled. Of an operation with more of them, only the plan for the variables' defaults is: the number of
// plans doubles with each condition.
const maxPinnedConditions = 3

// Pin compiles the plans of op, and keeps them beside the limits of the cache until release is called. It
// returns an estimate of their memory in bytes, without the document's, 0 for an operation that no plan can execute. The
// values of op's variables do not matter.
func (p *Planner) Pin(op *graphql.OperationContext) (bytes int, release func()) {
	infoKey := weak.Make(op.Operation)
	known, _, _ := p.operations.Pin(infoKey, func() (*operationInfo, int) { return inspect(p.schema, p.types, op), 1 })
	var keys []planKey
	if known.fallback == "" {
		keys = known.pinnedKeys(op.Operation)
	}
	for _, key := range keys {
		_, weight, _ := p.plans.Pin(key, func() (*Plan, int) {
			return p.compile(&graphql.OperationContext{Doc: op.Doc, Operation: op.Operation, Variables: known.variables(key.conditions)}, known)
		})
		bytes += weight - known.documentBytes
	}
	return bytes, func() {
		p.operations.Unpin(infoKey)
		for _, key := range keys {
			p.plans.Unpin(key)
		}
	}
}

// pinnedKeys returns the keys of the plans that Pin compiles.
func (o *operationInfo) pinnedKeys(op *ast.OperationDefinition) []planKey {
	if len(o.conditions) > maxPinnedConditions {
		defaults := map[string]any{}
		for _, v := range op.VariableDefinitions {
			defaults[v.Variable] = v.DefaultValue != nil && v.DefaultValue.Raw == "true"
		}
		return []planKey{{op, o.conditionBits(defaults)}}
	}
	keys := make([]planKey, 1<<len(o.conditions))
	for bits := range keys {
		keys[bits] = planKey{op, uint64(bits)}
	}
	return keys
}

// operationInfo returns the information about an operation. The first of concurrent callers finds it out
// and the others wait. The error is that of ctx, if ctx ends meanwhile.
func (p *Planner) operationInfo(ctx context.Context, op *graphql.OperationContext) (*operationInfo, error) {
	key := weak.Make(op.Operation)
	if known, ok := p.operations.Get(key); ok {
		return known, nil
	}
	return p.operations.Load(ctx, key, func() (*operationInfo, int) { return inspect(p.schema, p.types, op), 1 })
}

// plan returns the plan of an operation, nil if it would be too large. Concurrent callers share its
// compilation, as in operationInfo.
//
// The weight of a plan includes that of its document, because the plan keeps the document in memory, and
// a large document may have a small plan. Several plans of one document each count it, so that the
// sum is rather too high.
func (p *Planner) plan(ctx context.Context, op *graphql.OperationContext, known *operationInfo) (*Plan, error) {
	key := planKey{op.Operation, known.conditionBits(op.Variables)}
	if plan, ok := p.plans.Get(key); ok {
		return plan, nil
	}
	return p.plans.Load(ctx, key, func() (*Plan, int) { return p.compile(op, known) })
}

// compile returns the plan of an operation by the values of its variables, nil if it would be too
// large, and its weight.
func (p *Planner) compile(op *graphql.OperationContext, known *operationInfo) (*Plan, int) {
	plan := newCompiler(p.schema, p.types, op).compile()
	if plan != nil {
		plan.sharedCalls = known.sharedCalls
	}
	return plan, plan.memory() + known.documentBytes
}

// conditionBits returns the values of the conditions, one bit for each. A variable that is null or
// absent counts as false.
func (o *operationInfo) conditionBits(variables map[string]any) (bits uint64) {
	for i, name := range o.conditions {
		if set, _ := variables[name].(bool); set {
			bits |= 1 << i
		}
	}
	return bits
}

// variables returns values of the variables in conditions whose conditionBits are bits.
func (o *operationInfo) variables(bits uint64) map[string]any {
	values := map[string]any{}
	for i, name := range o.conditions {
		values[name] = bits&(1<<i) != 0
	}
	return values
}

// maxConditions is the number of conditions that fit into a planKey.
const maxConditions = 64

// inspect returns the information about an operation.
func inspect(schema *ast.Schema, types Types, op *graphql.OperationContext) *operationInfo {
	w := walkOperation(op)
	info := &operationInfo{fallback: w.fallback, conditions: w.conditions, documentBytes: w.nodes*bytesPerNode + len(op.Operation.Position.Src.Input)}
	info.sharedCalls = sharedCalls(schema, types, op)
	switch {
	case op.Operation.Operation == ast.Subscription:
		info.fallback = engine.FallbackSubscription
	case len(op.Operation.Directives) > 0:
		info.fallback = engine.FallbackDirectives
	case len(info.conditions) > maxConditions:
		info.fallback, info.conditions = engine.FallbackConditions, nil
	}
	return info
}

// walker walks an operation and the fragments that it spreads, each once.
type walker struct {
	doc        *ast.QueryDocument
	fragments  map[string]bool // those that were walked
	variables  map[string]bool // those in conditions
	conditions []string        // the same, in the order of the document
	nodes      int             // number of nodes of the syntax tree

	fallback engine.FallbackReason // why no plan can execute the operation, empty if one can
}

func walkOperation(op *graphql.OperationContext) *walker {
	w := &walker{doc: op.Doc, fragments: map[string]bool{}, variables: map[string]bool{}}
	for _, v := range op.Operation.VariableDefinitions {
		w.nodes++
		w.value(v.DefaultValue)
	}
	w.selectionSet(op.Operation.SelectionSet)
	return w
}

func (w *walker) selectionSet(set ast.SelectionSet) {
	for _, selected := range set {
		w.nodes++
		switch s := selected.(type) {
		case *ast.Field:
			w.directives(s.Directives)
			w.arguments(s.Arguments)
			if s.Name == "__schema" || s.Name == "__type" {
				w.fallback = engine.FallbackIntrospection
			}
			w.selectionSet(s.SelectionSet)
		case *ast.InlineFragment:
			w.directives(s.Directives)
			w.selectionSet(s.SelectionSet)
		case *ast.FragmentSpread:
			w.directives(s.Directives)
			w.fragment(s.Name)
		}
	}
}

func (w *walker) fragment(name string) {
	if w.fragments[name] {
		return
	}
	w.fragments[name] = true
	w.nodes++
	fragment := w.doc.Fragments.ForName(name)
	w.directives(fragment.Directives)
	w.selectionSet(fragment.SelectionSet)
}

func (w *walker) directives(list ast.DirectiveList) {
	for _, d := range list {
		w.nodes++
		w.arguments(d.Arguments)
		if d.Name != "skip" && d.Name != "include" {
			w.fallback = engine.FallbackDirectives
			continue
		}
		if on := d.Arguments.ForName("if"); on != nil && on.Value.Kind == ast.Variable && !w.variables[on.Value.Raw] {
			w.variables[on.Value.Raw] = true
			w.conditions = append(w.conditions, strings.Clone(on.Value.Raw)) // a copy, which does not keep the document in memory
		}
	}
}

func (w *walker) arguments(list ast.ArgumentList) {
	for _, a := range list {
		w.nodes++
		w.value(a.Value)
	}
}

func (w *walker) value(v *ast.Value) {
	if v == nil {
		return
	}
	w.nodes++
	for _, child := range v.Children {
		w.nodes++
		w.value(child.Value)
	}
}
