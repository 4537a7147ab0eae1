package plan

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

// runOf starts a run in which Query.thing and Thing.o have resolvers.
func runOf(t *testing.T, query string) (*Run, context.Context) {
	t.Helper()
	calling := Types{}
	for name, info := range types {
		calling[name] = info
	}
	calling["Query"] = TypeInfo{ID: types["Query"].ID, Fields: map[string]FieldInfo{"thing": {ID: 1, Kind: Resolver}}}
	calling["Thing"] = TypeInfo{ID: types["Thing"].ID, Fields: map[string]FieldInfo{"o": {ID: 1, Kind: Resolver}}}
	op := operationOf(t, query, nil)
	ctx := graphql.WithResponseContext(graphql.WithOperationContext(t.Context(), op), graphql.DefaultErrorPresenter, nil)
	op.RecoverFunc = func(_ context.Context, value any) error { return fmt.Errorf("panic: %v", value) }
	x := &Run{}
	x.Start(ctx, planOf(t, NewPlanner(schema, calling), op))
	return x, ctx
}

// A panic of this package or of generated code, in either phase and in any goroutine, leaves no data.
func TestPanicLeavesNoData(t *testing.T) {
	panics := func() { panic("a bug") }
	succeeds := func(b []byte) ([]byte, bool) { return append(b, "{}"...), true }
	for name, run := range map[string]func(x *Run) engine.Result{
		"collecting": func(x *Run) engine.Result { return x.Execute(nil, panics, succeeds) },
		"encoding": func(x *Run) engine.Result {
			return x.Execute(nil, func() {}, func([]byte) ([]byte, bool) { panic("a bug") })
		},
		"collecting in another goroutine": func(x *Run) engine.Result {
			return x.Execute(nil, func() {
				w := x.NewTaskList()
				w.Add(panics)
				w.Add(func() {})
				w.Start()
			}, succeeds)
		},
	} {
		x, ctx := runOf(t, `{ __typename }`)
		response := run(x).Response
		if errs := graphql.GetErrors(ctx); string(response.Data) != "null" || len(errs) != 1 || errs[0].Message != "panic: a bug" {
			t.Errorf("%s: got %s with %v", name, response.Data, errs)
		}
	}
}

// Resolvers that take one parent run a few at a time, each with the context of its own field.
func TestSingle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, ctx := runOf(t, `{ thing { o { x } } }`)
		top := &x.plan.Root().Fields[0]
		s := top.SelectionOf(types["Thing"].ID)
		g := NewObjectList[*int](x)
		for i := range 40 {
			g.Add(new(i), 0)
		}
		StoreObjects(x, s, &g)
		var running, most atomic.Int32
		start := time.Now()
		CallEach(x, s.Calls[0], g.Objects, FieldHooks{}, func(ctx context.Context, fc *graphql.FieldContext, parent *int) (int, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			time.Sleep(time.Second)
			if path := fc.Path().String(); path != "thing.o" || graphql.GetFieldContext(ctx) != fc {
				t.Errorf("called at %s", path)
			}
			switch *parent {
			case 7:
				return 0, errors.New("seven")
			case 9:
				panic("nine")
			}
			return *parent * 2, nil
		})
		if took := time.Since(start); took != 3*time.Second || most.Load() > maxParallelParents {
			t.Errorf("%d at a time took %s", most.Load(), took)
		}
		x.Push(top, 0)
		var failed []string
		for i := range g.Objects {
			if v, ok := Result[int](x, s.Calls[0], i, false); ok && v != 2*i {
				t.Errorf("%d is %d", i, v)
			} else if !ok {
				failed = append(failed, fmt.Sprint(i))
			}
		}
		if errs := graphql.GetErrors(ctx); strings.Join(failed, " ") != "7 9" || texts(errs) != "input:1:11: thing.o seven; input:1:11: thing.o panic: nine" {
			t.Errorf("%v failed with %s", failed, texts(errs))
		}
	})
}

// No resolver is called after the end of the operation.
func TestSingleIsStopped(t *testing.T) {
	x, _ := runOf(t, `{ thing { o { x } } }`)
	ctx, stop := context.WithCancel(x.ctx)
	x.ctx = ctx
	top := &x.plan.Root().Fields[0]
	s := top.SelectionOf(types["Thing"].ID)
	g := NewObjectList[*int](x)
	for i := range 1000 {
		g.Add(new(i), 0)
	}
	StoreObjects(x, s, &g)
	var calls atomic.Int32
	CallEach(x, s.Calls[0], g.Objects, FieldHooks{}, func(context.Context, *graphql.FieldContext, *int) (int, error) {
		if calls.Add(1) == 1 {
			stop()
		}
		return 0, ctx.Err()
	})
	if n := calls.Load(); n == 0 || n > 2*maxParallelParents {
		t.Errorf("%d resolvers were called", n)
	}
}

// An object is found by its place, in whichever order places are looked up.
func TestOrdinals(t *testing.T) {
	var g ObjectList[string]
	type place struct{ parent, i, j int }
	collected := []place{{0, 0, 0}, {0, 0, 2}, {0, 3, 0}, {2, 0, 1}, {2, 1, 0}, {2, 1, 1}, {7, 0, 0}}
	for _, p := range collected {
		g.Add("", p.parent, p.i, p.j)
	}
	find := func(p place) int { return g.places.find([]pathElement{{&Field{}, p.parent}, {nil, p.i}, {nil, p.j}}) }
	orders := map[string]func(i int) int{
		"forwards":      func(i int) int { return i },
		"backwards":     func(i int) int { return len(collected) - 1 - i },
		"every other":   func(i int) int { return i * 2 % len(collected) },
		"the same ones": func(i int) int { return i / 2 },
	}
	for name, order := range orders {
		for i := range collected {
			if want := order(i); find(collected[want]) != want {
				t.Errorf("%s: %v is not found at %d", name, collected[want], want)
			}
		}
	}
	for _, p := range []place{{-1, 0, 0}, {0, 0, 1}, {0, 1, 0}, {1, 0, 0}, {2, 1, 2}, {7, 0, 1}, {8, 0, 0}} {
		for _, before := range collected {
			find(before)
			if got := find(p); got != notCollected {
				t.Errorf("%v, where nothing was collected, is found at %d", p, got)
			}
		}
	}
}

// An object that was not collected has an error, and not the result of another object.
func TestNotCollected(t *testing.T) {
	x, ctx := runOf(t, `{ thing { o { x } } }`)
	top := &x.plan.Root().Fields[0]
	s := top.SelectionOf(types["Thing"].ID)
	g := NewObjectList[*int](x)
	g.Add(new(1), 0)
	StoreObjects(x, s, &g)
	CallEach(x, s.Calls[0], g.Objects, FieldHooks{}, func(context.Context, *graphql.FieldContext, *int) (int, error) { return 1, nil })
	for parent, want := range map[int]bool{0: true, 1: false, notCollected: false} {
		x.Push(top, parent)
		ordinal, _ := x.BeginObject(s)
		if v, ok := Result[int](x, s.Calls[0], ordinal, false); ok != want || ok && v != 1 {
			t.Errorf("below the parent %d: %d, %t", parent, v, ok)
		}
		x.Pop()
	}
	if errs := texts(graphql.GetErrors(ctx)); strings.Count(errs, "thing.o the object was not collected") != 2 {
		t.Errorf("the errors are %s", errs)
	}
}

func texts(errs gqlerror.List) string {
	var all []string
	for _, err := range errs {
		all = append(all, err.Error())
	}
	return strings.Join(all, "; ")
}
