package plan

import (
	"context"
	"strings"
	"sync"
	"weak"

	"github.com/99designs/gqlgen/graphql"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

// What a planner remembers.
const (
	maxPlans  = 1000    // and operations
	maxWeight = 200_000 // of all plans together, which is some 50 MB
)

// Planner makes plans and remembers them. It is safe for concurrent use.
type Planner struct {
	schema *ast.Schema
	types  Types

	mu         sync.Mutex
	operations *simplelru.LRU[operationKey, *operation] // guarded by mu
	plans      *simplelru.LRU[planKey, *Plan]           // guarded by mu; nil is too large
	weight     int                                      // of plans; guarded by mu
}

// operationKey names an operation without keeping its document, which may be large.
type operationKey = weak.Pointer[ast.OperationDefinition]

// planKey says which plan of an operation: the bits are the values of its conditions.
type planKey struct {
	operation  *ast.OperationDefinition
	conditions uint64
}

// operation is what is known of one before the values of its variables are.
type operation struct {
	stock      string   // why it is not planned, "" when it is
	conditions []string // the variables in @skip and @include
}

// NewPlanner makes a planner of a schema, of which types are the object types.
func NewPlanner(schema *ast.Schema, types Types) *Planner {
	p := &Planner{schema: schema, types: types}
	p.operations, _ = simplelru.NewLRU[operationKey, *operation](maxPlans, nil) // no error for a positive size
	p.plans, _ = simplelru.NewLRU(maxPlans, func(_ planKey, old *Plan) { p.weight -= old.size() })
	return p
}

// Plan gives the plan for the operation in ctx. It is nil where gqlgen's executor must
// answer: where ctx does not ask for plans, or where one would not do, which it notes
// for who asked.
func (p *Planner) Plan(ctx context.Context) *Plan {
	execution := engine.ExecutionOf(ctx)
	if execution == nil || execution.Stock != "" {
		return nil
	}
	op := graphql.GetOperationContext(ctx)
	known := p.operation(op)
	if known.stock != "" {
		execution.Stock = known.stock
		return nil
	}
	plan := p.plan(op, known)
	if plan == nil {
		execution.Stock = engine.StockTooLarge
	}
	return plan
}

func (p *Planner) operation(op *graphql.OperationContext) *operation {
	key := weak.Make(op.Operation)
	p.mu.Lock()
	known, ok := p.operations.Get(key)
	p.mu.Unlock()
	if ok {
		return known
	}
	known = look(op)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.operations.Add(key, known)
	return known
}

// plan takes a plan from the cache, or makes it. Two may make the same one.
func (p *Planner) plan(op *graphql.OperationContext, known *operation) *Plan {
	key := planKey{op.Operation, known.bits(op.Variables)}
	p.mu.Lock()
	plan, ok := p.plans.Get(key)
	p.mu.Unlock()
	if ok {
		return plan
	}
	plan = newCompiler(p.schema, p.types, op).compile()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remember(key, plan)
	return plan
}

// remember forgets old plans for a new one. It is called under mu.
func (p *Planner) remember(key planKey, plan *Plan) {
	p.plans.Remove(key)
	p.plans.Add(key, plan)
	for p.weight += plan.size(); p.weight > maxWeight; {
		p.plans.RemoveOldest()
	}
}

// bits are the values of the conditions.
func (o *operation) bits(variables map[string]any) (bits uint64) {
	for i, name := range o.conditions {
		if yes, _ := variables[name].(bool); yes {
			bits |= 1 << i
		}
	}
	return bits
}

// look finds out what an operation is made of.
func look(op *graphql.OperationContext) *operation {
	l := looker{found: &operation{}, variables: map[string]bool{}, doc: op.Doc, seen: map[string]bool{}}
	switch {
	case op.Operation.Operation == ast.Subscription:
		l.found.stock = engine.StockSubscription
	case len(op.Operation.Directives) > 0:
		l.found.stock = engine.StockDirectives
	default:
		l.set(op.Operation.SelectionSet)
	}
	if len(l.found.conditions) > 64 {
		l.found.stock = engine.StockConditions
	}
	return l.found
}

// looker walks through an operation and the fragments that it uses.
type looker struct {
	found     *operation
	variables map[string]bool
	doc       *ast.QueryDocument
	seen      map[string]bool // fragments
}

func (l *looker) set(set ast.SelectionSet) {
	for _, selected := range set {
		switch s := selected.(type) {
		case *ast.Field:
			l.directives(s.Directives)
			if s.Name == "__schema" || s.Name == "__type" {
				l.found.stock = engine.StockIntrospection
			}
			l.set(s.SelectionSet)
		case *ast.InlineFragment:
			l.directives(s.Directives)
			l.set(s.SelectionSet)
		case *ast.FragmentSpread:
			l.directives(s.Directives)
			l.fragment(s.Name)
		}
	}
}

func (l *looker) fragment(name string) {
	if l.seen[name] {
		return
	}
	l.seen[name] = true
	fragment := l.doc.Fragments.ForName(name)
	l.directives(fragment.Directives)
	l.set(fragment.SelectionSet)
}

func (l *looker) directives(list ast.DirectiveList) {
	for _, d := range list {
		if d.Name != "skip" && d.Name != "include" {
			l.found.stock = engine.StockDirectives
			continue
		}
		if on := d.Arguments.ForName("if"); on != nil && on.Value.Kind == ast.Variable && !l.variables[on.Value.Raw] {
			l.variables[on.Value.Raw] = true
			l.found.conditions = append(l.found.conditions, strings.Clone(on.Value.Raw)) // not to keep the text
		}
	}
}
