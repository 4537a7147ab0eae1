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
	maxPlans = 1000     // and operations
	maxBytes = 16 << 20 // of all plans together, about
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

	mu         sync.Mutex
	operations *simplelru.LRU[operationKey, *operation] // guarded by mu
	plans      *simplelru.LRU[planKey, remembered]      // guarded by mu
	bytes      int                                      // of plans; guarded by mu
}

// operationKey names an operation without keeping its document, which may be large.
type operationKey = weak.Pointer[ast.OperationDefinition]

// planKey says which plan of an operation: the bits are the values of its conditions.
type planKey struct {
	operation  *ast.OperationDefinition
	conditions uint64
}

// remembered is a plan, or none where it would be too large, with the memory that it holds.
type remembered struct {
	plan  *Plan
	bytes int
}

// operation is what is known of one before the values of its variables are.
type operation struct {
	stock      string   // why it is not planned, "" when it is
	conditions []string // the variables in @skip and @include
	bytes      int      // what its plans keep of the document
}

// NewPlanner makes a planner of a schema, of which types are the object types.
func NewPlanner(schema *ast.Schema, types Types) *Planner {
	p := &Planner{schema: schema, types: types}
	p.operations, _ = simplelru.NewLRU[operationKey, *operation](maxPlans, nil) // no error for a positive size
	p.plans, _ = simplelru.NewLRU(maxPlans, func(_ planKey, old remembered) { p.bytes -= old.bytes })
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

// Shareable tells whether callers of the same identity who ask for the same operation, with
// the same variables, get the same answer whatever else they sent: a query that is planned,
// all of whose calls are generated, none of them with a value of the client's request.
func (p *Planner) Shareable(op *graphql.OperationContext) bool {
	if op.Operation.Operation != ast.Query {
		return false
	}
	known := p.operation(op)
	if known.stock != "" {
		return false
	}
	plan := p.plan(op, known)
	return plan != nil && !plan.alone
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
	found, ok := p.plans.Get(key)
	p.mu.Unlock()
	if ok {
		return found.plan
	}
	plan := newCompiler(p.schema, p.types, op).compile()
	p.remember(key, remembered{plan, plan.size() + known.bytes})
	return plan
}

// remember forgets old plans for a new one. Each is weighed with its document, which it
// keeps: documents may be large, and their plans small. Those of one document weigh it
// again each, so that it is rather less that is held.
func (p *Planner) remember(key planKey, one remembered) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plans.Remove(key)
	p.plans.Add(key, one)
	for p.bytes += one.bytes; p.bytes > maxBytes; {
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

// maxConditions is how many conditions have their bits in a planKey.
const maxConditions = 64

// look finds out what an operation is made of.
func look(op *graphql.OperationContext) *operation {
	l := walk(op)
	found := &operation{stock: l.stock, conditions: l.conditions, bytes: l.nodes*bytesPerNode + len(op.Operation.Position.Src.Input)}
	switch {
	case op.Operation.Operation == ast.Subscription:
		found.stock = engine.StockSubscription
	case len(op.Operation.Directives) > 0:
		found.stock = engine.StockDirectives
	case len(found.conditions) > maxConditions:
		found.stock, found.conditions = engine.StockConditions, nil
	}
	return found
}

// Conditions are the variables of an operation that say, in @skip and @include, what of it
// is selected.
func Conditions(op *graphql.OperationContext) []string { return walk(op).conditions }

// walker goes through an operation and the fragments that it uses.
type walker struct {
	doc        *ast.QueryDocument
	fragments  map[string]bool // that it has been to
	variables  map[string]bool // that it has seen in conditions
	conditions []string        // the same, in their order
	stock      string          // why no plan will do
	nodes      int             // of the tree
}

func walk(op *graphql.OperationContext) *walker {
	w := &walker{doc: op.Doc, fragments: map[string]bool{}, variables: map[string]bool{}}
	for _, v := range op.Operation.VariableDefinitions {
		w.nodes++
		w.value(v.DefaultValue)
	}
	w.set(op.Operation.SelectionSet)
	return w
}

func (w *walker) set(set ast.SelectionSet) {
	for _, selected := range set {
		w.nodes++
		switch s := selected.(type) {
		case *ast.Field:
			w.directives(s.Directives)
			w.arguments(s.Arguments)
			if s.Name == "__schema" || s.Name == "__type" {
				w.stock = engine.StockIntrospection
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

func (w *walker) fragment(name string) {
	if w.fragments[name] {
		return
	}
	w.fragments[name] = true
	w.nodes++
	fragment := w.doc.Fragments.ForName(name)
	w.directives(fragment.Directives)
	w.set(fragment.SelectionSet)
}

func (w *walker) directives(list ast.DirectiveList) {
	for _, d := range list {
		w.nodes++
		w.arguments(d.Arguments)
		if d.Name != "skip" && d.Name != "include" {
			w.stock = engine.StockDirectives
			continue
		}
		if on := d.Arguments.ForName("if"); on != nil && on.Value.Kind == ast.Variable && !w.variables[on.Value.Raw] {
			w.variables[on.Value.Raw] = true
			w.conditions = append(w.conditions, strings.Clone(on.Value.Raw)) // not to keep the text
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
