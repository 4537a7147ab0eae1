package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"golang.org/x/sync/errgroup"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

// parallel is how many parents' own resolvers run at the same time.
const parallel = 16

// node is what a field's resolver has answered for the objects of its selection.
type node[T any] struct {
	values  []T
	err     error                       // of all
	errs    []error                     // one for each; nil when none failed
	batch   bool                        // the errors are a batch resolver's
	again   func(context.Context) error // decodes the arguments, which cannot be; nil when they can
	decoded map[string]any

	one struct { // room for the answer of one parent
		value [1]T
		err   [1]error
	}
}

func (n *node[T]) arguments() map[string]any { return n.decoded }

// ResolveFunc is how generated code calls the resolver of a field; P is a parent, or a list
// of them, and T the answer. Its arguments lie in the field context.
type ResolveFunc[P, T any] func(ctx context.Context, fc *graphql.FieldContext, parents P) (T, error)

// FieldHooks is what comes before a field's resolver is called. Each may be nil.
type FieldHooks struct {
	// Arguments decodes those of the client.
	Arguments func(context.Context, map[string]any) (map[string]any, error)
	// Guard is asked once for all parents.
	Guard func(context.Context) error
}

// Batch calls the resolver of a field once, with all of its parents, and gives the answers
// for the objects below.
func Batch[P, T any](x *Run, f *Field, parents []P, a FieldHooks, resolve ResolveFunc[[]P, []T]) []T {
	n := &node[T]{}
	x.nodes[f.slot] = n
	ctx, fc, ok := ask(x, n, f, a)
	if !ok {
		return nil
	}
	n.batch = true
	defer n.recover(x, ctx)
	values, err := resolve(engine.WithImmediateLoads(ctx), fc, parents)
	if errs, ok := err.(graphql.BatchErrors); ok {
		n.errs, err = errs.Errors(), nil
	}
	switch {
	case err != nil:
	case len(values) != len(parents):
		err = fmt.Errorf("the batch resolver of %s.%s gave %d values for %d parents", f.parent.object, f.Name, len(values), len(parents))
	case n.errs != nil && len(n.errs) != len(parents):
		err = fmt.Errorf("the batch resolver of %s.%s gave %d errors for %d parents", f.parent.object, f.Name, len(n.errs), len(parents))
	}
	n.values, n.err = values, err
	return n.found(f)
}

// Single calls the resolver of a field for each of its parents, a few at a time, and
// gives the answers for the objects below.
func Single[P, T any](x *Run, f *Field, parents []P, a FieldHooks, resolve ResolveFunc[P, T]) []T {
	n := &node[T]{}
	x.nodes[f.slot] = n
	ctx, fc, ok := ask(x, n, f, a)
	if !ok {
		return nil
	}
	n.values, n.errs = room(n.one.value[:], len(parents)), room(n.one.err[:], len(parents))
	if len(parents) == 1 {
		n.values[0], n.errs[0] = careful(x, ctx, func() (T, error) { return resolve(ctx, fc, parents[0]) })
		return n.found(f)
	}
	var group errgroup.Group
	group.SetLimit(parallel)
	for i := range parents {
		group.Go(func() error {
			if n.errs[i] = x.ctx.Err(); n.errs[i] == nil { // nobody waits for the others any more
				fc := x.fieldContext(f, i)
				ctx := x.with(f, fc)
				n.values[i], n.errs[i] = careful(x, ctx, func() (T, error) { return resolve(ctx, fc, parents[i]) })
			}
			return nil
		})
	}
	_ = group.Wait() // which has no error of its own
	return n.found(f)
}

// ask decodes a field's arguments and asks its guards, in this order, as gqlgen does. It
// gives the context of the first parent's field; false when nothing is to be called.
func ask[T any](x *Run, n *node[T], f *Field, a FieldHooks) (ctx context.Context, fc *graphql.FieldContext, ok bool) {
	fc = x.fieldContext(f, 0)
	ctx = x.with(f, fc)
	defer n.recover(x, ctx)
	if n.err = cmp.Or(ctx.Err(), x.budget.Err(), f.nullArgument(x.op.Variables)); n.err != nil {
		return ctx, fc, false
	}
	if a.Arguments != nil {
		args, bad := careful(x, ctx, func() (map[string]any, error) {
			return a.Arguments(ctx, f.ArgumentMap(x.op.Variables))
		})
		if bad != nil {
			n.again = func(ctx context.Context) error {
				_, bad := careful(x, ctx, func() (map[string]any, error) { return a.Arguments(ctx, f.ArgumentMap(x.op.Variables)) })
				return bad
			}
			return ctx, fc, false
		}
		fc.Args, n.decoded = args, args
	}
	if a.Guard != nil {
		n.err = a.Guard(ctx)
	}
	return ctx, fc, n.err == nil
}

// careful turns what a resolver throws into its error.
func careful[T any](x *Run, ctx context.Context, do func() (T, error)) (v T, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = x.op.RecoverFunc(ctx, thrown)
		}
	}()
	return do()
}

// recover turns what is thrown into the error of all. It must be deferred itself.
func (n *node[T]) recover(x *Run, ctx context.Context) {
	if thrown := recover(); thrown != nil {
		n.err, n.errs = x.op.RecoverFunc(ctx, thrown), nil
	}
}

// found are the values that will be shown, as the zero value where there is none. What does
// not fit the graph has that value already.
func (n *node[T]) found(f *Field) []T {
	if n.err != nil || !f.deep {
		return nil
	}
	if n.errs == nil {
		return n.values
	}
	shown := make([]T, len(n.values))
	for i, v := range n.values {
		if n.errs[i] == nil {
			shown[i] = v
		}
	}
	return shown
}

// Result gives what the resolver of a field has answered for the object that is encoded. It
// is false when the field is null, whose errors are told then.
func Result[T any](x *Run, f *Field, ordinal int, nonNull bool) (v T, ok bool) {
	n, known := x.nodes[f.slot].(*node[T])
	if ordinal == notCollected {
		n, known = &node[T]{err: errNotCollected}, true
	}
	if known && n.err == nil && n.errs == nil && n.again == nil {
		v = n.values[ordinal]
		return v, x.faults.Empty() || x.told(f, nil, v)
	}
	if !known {
		n = &node[T]{err: errNotCalled}
	}
	if err := n.failed(ordinal); err != nil || n.again != nil {
		n.tell(x, f, err, nonNull)
		return v, false
	}
	v = n.values[ordinal]
	return v, x.faults.Empty() || x.told(f, nil, v)
}

// errNotCollected is a bug of ours: the two phases have gone different ways.
var errNotCollected = errors.New("the object was not collected, so that no resolver was called for it")

var errNotCalled = errors.New("the resolver was not called, since what comes before it failed")

func (n *node[T]) failed(ordinal int) error {
	if n.err != nil || n.errs == nil {
		return n.err
	}
	return n.errs[ordinal]
}

// tell adds the error of a field in the way in which gqlgen does.
func (n *node[T]) tell(x *Run, f *Field, err error, nonNull bool) {
	switch count := countErrors(err); {
	case n.again != nil:
		if !x.omits(1) {
			ctx, _ := x.at(f)
			x.op.Error(ctx, n.again(ctx))
		}
	case !n.batch:
		x.addFieldError(f, err)
	case count == 0: // an empty list, which explains no null
		x.mustNotBeNull(f, nonNull)
	case !x.omits(count):
		ctx, _ := x.at(f)
		index, _ := graphql.BatchParentIndex(ctx)
		graphql.AddBatchError(ctx, int(index), err)
	}
}

// countErrors is how many errors of a response a field's error becomes.
func countErrors(err error) int {
	list, ok := err.(gqlerror.List)
	if !ok {
		return 1
	}
	n := 0
	for _, one := range list {
		if one != nil {
			n++
		}
	}
	return n
}

// own is an error that may be changed: that of a guard stands at many places.
func own(err error) error {
	if shared, ok := err.(*gqlerror.Error); ok {
		return new(*shared)
	}
	return err
}
