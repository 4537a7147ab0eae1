package plan

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
)

// Run is one operation while it is answered. Generated code embeds it. Collecting uses it
// from several goroutines, each of which owns the slots of its own fields and selections;
// encoding uses it from one.
type Run struct {
	ctx    context.Context
	op     *graphql.OperationContext
	plan   *Plan
	faults *decode.Faults
	budget *engine.Budget
	top    graphql.FieldContext // of the root object
	roots  []context.Context    // of the root fields

	nodes  []any    // by Field.slot; written by who collects the field
	places []places // by Selection.slot; written by who collects the selection
	group  sync.WaitGroup
	broken brokenRun
	few    struct { // room for a small operation's
		roots  [2]context.Context
		nodes  [4]any
		places [2]places
	}

	collected atomic.Int64 // values that collecting has found, which encoding will write

	// What follows belongs to encoding.

	path    []step          // to where the encoding is
	limit   int             // how long the buffer may become; lowered by what is taken out of it again
	checkAt int             // from which length of the buffer on something is to be done; at most limit
	unspent int             // values that the budget does not know of yet
	early   map[string]bool // the paths of errors from collecting; nil when there are none
}

// brokenRun is what ended a run early: what our own code threw, or stopped. It leaves no
// answer.
type brokenRun struct {
	mu     sync.Mutex
	thrown any // guarded by mu; the first one
}

// Start begins a run of a plan, in the context that the answer is made in.
func (x *Run) Start(ctx context.Context, p *Plan) {
	x.ctx, x.op, x.plan, x.faults, x.budget = ctx, graphql.GetOperationContext(ctx), p, engine.FaultsOf(ctx), engine.BudgetOf(ctx)
	x.nodes, x.places = room(x.few.nodes[:], p.fields), room(x.few.places[:], p.selections)
	engine.SetProjection(ctx, p.wanted)
	x.top.Object = p.root.object
	x.roots = room(x.few.roots[:], len(p.root.Fields))
	for i := range p.root.Fields {
		f := &p.root.Fields[i]
		x.roots[i] = graphql.WithRootFieldContext(x.epoch(ctx, i), &graphql.RootFieldContext{Object: f.Name, Field: f.CollectedField})
	}
}

// epoch is the context of the i-th root field before it has one of its own: in a mutation,
// each field after the first begins an epoch of the operation.
func (x *Run) epoch(ctx context.Context, i int) context.Context {
	if i == 0 || x.op.Operation.Operation != ast.Mutation {
		return ctx
	}
	return engine.WithEpoch(ctx)
}

// room is for n values, in few if those are enough.
func room[T any](few []T, n int) []T {
	if n <= len(few) {
		return few[:n]
	}
	return make([]T, n)
}

// Execute executes the operation in both phases: it runs collect, waits for all goroutines
// that it started, and then runs encode, which appends the response's data to its argument and
// reports whether these are not null. The data are written into buf, from its beginning, or
// into a larger buffer, which the result has. After a panic in collect or encode the data are
// null and the response has one more error; panics of resolvers are errors of their fields
// already.
func (x *Run) Execute(buf []byte, collect func(), encode func([]byte) ([]byte, bool)) engine.Result {
	x.safely(collect)
	x.group.Wait()
	b := slices.Grow(buf[:0], x.plan.expected())
	ok := false
	if x.broken.thrown == nil {
		x.safely(func() {
			x.beginEncoding()
			b, ok = encode(b)
			x.settle()
		})
	}
	if x.broken.thrown != nil {
		graphql.AddError(x.ctx, x.brokenBy(x.broken.thrown))
		ok = false
	}
	if !ok {
		b = append(b[:0], "null"...)
	}
	x.plan.answered.Store(int64(len(b)))
	return engine.Result{Response: &graphql.Response{Data: b}, Buffer: b}
}

// beginEncoding prepares the second phase, which begins when the first one has ended.
func (x *Run) beginEncoding() {
	x.limit = math.MaxInt
	if most, limited := x.budget.MaxBytes(); limited {
		x.limit = most
	}
	x.checkAt = min(x.limit, largeBuffer)
	for _, err := range graphql.GetErrors(x.ctx) {
		if x.early == nil {
			x.early = map[string]bool{}
		}
		x.early[err.Path.String()] = true
	}
}

// brokenBy returns the error of a run that has no answer.
func (x *Run) brokenBy(thrown any) error {
	if s, ok := thrown.(stopped); ok {
		return s.err
	}
	return x.op.RecoverFunc(x.ctx, thrown)
}

func (x *Run) safely(do func()) {
	defer func() {
		if thrown := recover(); thrown != nil {
			x.broken.mu.Lock()
			defer x.broken.mu.Unlock()
			if x.broken.thrown == nil {
				x.broken.thrown = thrown
			}
		}
	}()
	do()
}

// Work is what one goroutine has found to do while it collects.
type Work struct {
	x     *Run
	last  func()
	tasks []func() // those before the last
}

// Work begins a list of tasks.
func (x *Run) Work() *Work { return &Work{x: x} }

// Add puts a task on the list.
func (w *Work) Add(task func()) {
	if w.last != nil {
		w.tasks = append(w.tasks, w.last)
	}
	w.last = task
}

// Do starts all tasks side by side, the last one in this goroutine.
func (w *Work) Do() {
	x := w.x
	for _, task := range w.tasks {
		x.group.Go(func() { x.safely(task) })
	}
	if w.last != nil {
		w.last()
	}
}

// Wait does the tasks and waits for all that they start.
func (w *Work) Wait() {
	w.Do()
	w.x.group.Wait()
	w.tasks, w.last = nil, nil
}

// places say where a selection's objects are: for each the ordinal of its parent, and its
// indices in the lists of the field above. They are sorted, by the parent and then by the
// indices, since collecting goes through the parents and their lists in this order.
type places struct {
	parents, indices []int32
	next             int // the ordinal after the one that was looked up last
}

// at compares the place of an object with the one that path leads to, from the field above on.
func (p *places) at(ordinal int, path []step) int {
	parent, lists := path[0].index, path[1:]
	order := cmp.Compare(int(p.parents[ordinal]), parent)
	for i := 0; order == 0 && i < len(lists); i++ {
		order = cmp.Compare(int(p.indices[ordinal*len(lists)+i]), lists[i].index)
	}
	return order
}

// find returns the ordinal of the object at a place, -1 when none has been collected there.
// Places that are asked for in their order are found at once.
func (p *places) find(path []step) int {
	n := len(p.parents)
	if p.next >= n || p.at(p.next, path) != 0 {
		p.next = sort.Search(n, func(i int) bool { return p.at(i, path) >= 0 })
		if p.next == n || p.at(p.next, path) != 0 {
			return notCollected
		}
	}
	p.next++
	return p.next - 1
}

// notCollected is the ordinal of an object that no resolver was called for. Below it, it is
// the parent of no object.
const notCollected = -1

// Group gathers the objects of a selection in the order of their places.
type Group[T any] struct {
	Objects []T
	places  places
	run     *Run
	visited int // elements of lists that the run has not counted yet
}

// NewGroup returns a group without objects.
func NewGroup[T any](x *Run) Group[T] { return Group[T]{run: x} }

// Add takes an object that is not nil.
func (g *Group[T]) Add(object T, parent int, indices ...int) {
	g.Objects = append(g.Objects, object)
	g.places.parents = append(g.places.parents, int32(parent))
	for _, i := range indices {
		g.places.indices = append(g.places.indices, int32(i))
	}
}

// Visit counts the n elements of a list before they are looked at. Several parents may hold
// the same list, so that a few answers of services do not bound them.
func (g *Group[T]) Visit(n int) {
	if g.visited += n; g.visited >= lookEvery {
		g.run.reserve(g.visited)
		g.run.stopOn(g.run.ctx.Err())
		g.visited = 0
	}
}

// Room is Visit for the innermost list: it makes room for n objects, which are in as many
// lists of the field above.
func (g *Group[T]) Room(n, lists int) {
	g.Visit(n)
	g.Objects = slices.Grow(g.Objects, n)
	g.places.parents = slices.Grow(g.places.parents, n)
	g.places.indices = slices.Grow(g.places.indices, n*lists)
}

// Enter notes where a selection's objects are, and counts their fields. It reports whether
// anything is to be done for them.
func Enter[T any](x *Run, s *Selection, g *Group[T]) bool {
	x.reserve(g.visited + len(g.Objects)*len(s.Fields))
	if s.slot < 0 || len(g.Objects) == 0 {
		return false
	}
	x.places[s.slot] = g.places
	return true
}

// fieldContext is that of a field of the object at an ordinal of its selection.
func (x *Run) fieldContext(f *Field, ordinal int) *graphql.FieldContext {
	return x.newFieldContext(f, x.objectContext(f.parent, ordinal))
}

// objectContext is what gqlgen has as the parent of an object's fields.
func (x *Run) objectContext(s *Selection, ordinal int) *graphql.FieldContext {
	f := s.above
	if f == nil {
		return &x.top
	}
	at := x.places[s.slot]
	fc := x.fieldContext(f, int(at.parents[ordinal]))
	for _, i := range at.indices[ordinal*f.lists : (ordinal+1)*f.lists] {
		fc = &graphql.FieldContext{Parent: fc, Index: new(int(i))}
	}
	return fc
}

func (x *Run) newFieldContext(f *Field, parent *graphql.FieldContext) *graphql.FieldContext {
	fc := &graphql.FieldContext{
		Parent: parent, Object: f.parent.object, Field: f.CollectedField,
		IsMethod: f.Kind != Property, IsResolver: f.Kind != Property, Child: noChild,
	}
	if f.slot >= 0 {
		if with, ok := x.nodes[f.slot].(interface{ arguments() map[string]any }); ok {
			fc.Args = with.arguments()
		}
	}
	return fc
}

var errNoChild = errors.New("a resolver that is called by a plan has no FieldContext.Child")

func noChild(context.Context, graphql.CollectedField) (*graphql.FieldContext, error) {
	return nil, errNoChild
}

// with is the context of a field's own work. It stands in that of its root field.
func (x *Run) with(f *Field, fc *graphql.FieldContext) context.Context {
	parent := fc.Parent
	ctx := graphql.WithFieldContext(x.roots[f.root], fc)
	fc.Parent = parent
	return ctx
}

// step is a field or a list on the way to where the encoding is.
type step struct {
	field *Field // nil for a list
	index int    // of the list's element, or the ordinal of the field's object
}

// Push goes into a field of the object with an ordinal.
func (x *Run) Push(f *Field, ordinal int) { x.path = append(x.path, step{f, ordinal}) }

// PushList goes into a list of n elements.
func (x *Run) PushList(n int) {
	x.Spend(n)
	x.path = append(x.path, step{})
}

// At goes to an element of the list.
func (x *Run) At(i int) { x.path[len(x.path)-1].index = i }

// Pop goes back out.
func (x *Run) Pop() { x.path = x.path[:len(x.path)-1] }

// here is the context of where the encoding is.
func (x *Run) here() *graphql.FieldContext {
	fc := &x.top
	for _, s := range x.path {
		if s.field != nil {
			fc = x.newFieldContext(s.field, fc)
			continue
		}
		fc = &graphql.FieldContext{Parent: fc, Index: new(s.index)}
	}
	return fc
}

// at is the context of a field of the object that is encoded.
func (x *Run) at(f *Field) (context.Context, *graphql.FieldContext) {
	fc := x.newFieldContext(f, x.here())
	return x.with(f, fc), fc
}

// current is the context of the field or the element that is encoded.
func (x *Run) current() (context.Context, *graphql.FieldContext) {
	fc := x.here()
	return x.with(x.path[0].field, fc), fc
}
