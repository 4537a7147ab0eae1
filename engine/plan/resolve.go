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

// maxParallelParents is the maximum number of parents for which CallEach calls a resolver at the same
// time.
const maxParallelParents = 16

// fieldResult holds the results of a field's resolver for all objects of the field's selection. The
// i-th result belongs to the object with the ordinal i.
//
// The goroutine that collects the field is the only one that writes it. Other goroutines read it
// only if they were started afterwards (collecting below the field) or after collecting has ended
// (encoding), so that it needs no lock.
type fieldResult[T any] struct {
	values []T
	err    error   // of all objects, nil when the resolver was called
	errs   []error // one (or nil) for each object; nil when none failed. A *engine.Degraded goes with its value
	batch  bool    // errs are from a batch resolver, which reports them in a form of its own

	// decodeArgs decodes the arguments again; nil unless that failed. The error of a decoder has the
	// path of the field context in which it ran, so report decodes again for each object.
	decodeArgs func(context.Context) error
	args       map[string]any

	inline struct { // memory for the result of a single parent, which saves allocations
		value [1]T
		err   [1]error
	}
}

// argumentHolder is implemented by every fieldResult. fieldContext uses it without knowing T.
type argumentHolder interface{ fieldArgs() map[string]any }

func (n *fieldResult[T]) fieldArgs() map[string]any { return n.args }

// ResolveFunc is the call of a field's resolver in generated code. P is a parent, or a list of
// parents; T is the result, or a list of results. The arguments are in fc.
type ResolveFunc[P, T any] func(ctx context.Context, fc *graphql.FieldContext, parents P) (T, error)

// FieldHooks run before a field's resolver. Each may be nil.
type FieldHooks struct {
	// Arguments decodes the arguments that the client sent.
	Arguments func(context.Context, map[string]any) (map[string]any, error)
	// Guard returns the error if the client must not see the field. It is called once for all
	// parents.
	Guard func(context.Context) error
}

// CallBatch calls the batch resolver of a field once, with all parents, and stores its results. It
// returns the values to collect below the field: see collectable.
func CallBatch[P, T any](x *Run, f *Field, parents []P, hooks FieldHooks, resolve ResolveFunc[[]P, []T]) []T {
	n := &fieldResult[T]{}
	x.results[f.slot] = n
	ctx, fc, ok := prepare(x, n, f, hooks)
	if !ok {
		return nil
	}
	n.batch = true
	defer n.recoverPanic(x, ctx)
	values, err := resolve(engine.WithImmediateLoads(ctx), fc, parents)
	if errs, ok := err.(graphql.BatchErrors); ok {
		n.errs, err = errs.Errors(), nil
	}
	if d := engine.AsDegraded(err); d != nil { // of another field, since a batch has one error for each parent
		err = d.Unwrap()
	}
	switch {
	case err != nil:
	case len(values) != len(parents):
		err = fmt.Errorf("the batch resolver of %s.%s returned %d values for %d parents", f.parent.typeName, f.Name, len(values), len(parents))
	case n.errs != nil && len(n.errs) != len(parents):
		err = fmt.Errorf("the batch resolver of %s.%s returned %d errors for %d parents", f.parent.typeName, f.Name, len(n.errs), len(parents))
	}
	n.values, n.err = values, err
	return n.collectable(f)
}

// CallEach calls the resolver of a field for each parent, a few at a time, and stores its results. It
// returns the values to collect below the field: see collectable.
func CallEach[P, T any](x *Run, f *Field, parents []P, hooks FieldHooks, resolve ResolveFunc[P, T]) []T {
	n := &fieldResult[T]{}
	x.results[f.slot] = n
	ctx, fc, ok := prepare(x, n, f, hooks)
	if !ok {
		return nil
	}
	n.values, n.errs = inlineOrMake(n.inline.value[:], len(parents)), inlineOrMake(n.inline.err[:], len(parents))
	if len(parents) == 1 {
		n.values[0], n.errs[0] = recoverToError(x, ctx, func() (T, error) { return resolve(ctx, fc, parents[0]) })
		return n.collectable(f)
	}
	var group errgroup.Group
	group.SetLimit(maxParallelParents)
	for i := range parents {
		group.Go(func() error {
			if n.errs[i] = x.ctx.Err(); n.errs[i] == nil { // no further call after the operation's end
				fc := x.fieldContext(f, i)
				ctx := x.contextOf(f, fc)
				n.values[i], n.errs[i] = recoverToError(x, ctx, func() (T, error) { return resolve(ctx, fc, parents[i]) })
			}
			return nil
		})
	}
	_ = group.Wait() // the functions return no error
	return n.collectable(f)
}

// prepare checks that a field may be resolved, decodes its arguments and calls its guard, in the
// order of gqlgen. It returns the context of the field for the first parent. If ok is false, the
// resolver must not be called, and n has the error.
func prepare[T any](x *Run, n *fieldResult[T], f *Field, hooks FieldHooks) (ctx context.Context, fc *graphql.FieldContext, ok bool) {
	fc = x.fieldContext(f, 0)
	ctx = x.contextOf(f, fc)
	defer n.recoverPanic(x, ctx)
	if n.err = cmp.Or(ctx.Err(), x.budget.Err(), f.nullArgument(x.op.Variables)); n.err != nil {
		return ctx, fc, false
	}
	if hooks.Arguments != nil {
		args, err := recoverToError(x, ctx, func() (map[string]any, error) {
			return hooks.Arguments(ctx, f.ArgumentMap(x.op.Variables))
		})
		if err != nil {
			n.decodeArgs = func(ctx context.Context) error {
				_, err := recoverToError(x, ctx, func() (map[string]any, error) { return hooks.Arguments(ctx, f.ArgumentMap(x.op.Variables)) })
				return err
			}
			return ctx, fc, false
		}
		fc.Args, n.args = args, args
	}
	if hooks.Guard != nil {
		n.err = hooks.Guard(ctx)
	}
	return ctx, fc, n.err == nil
}

// recoverToError calls do and returns its results. It returns a panic of do as an error.
func recoverToError[T any](x *Run, ctx context.Context, do func() (T, error)) (v T, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = x.op.RecoverFunc(ctx, value)
		}
	}()
	return do()
}

// recoverPanic turns a panic into the error of all objects. It must be deferred directly, because
// recover has no effect in a function that a deferred function calls.
func (n *fieldResult[T]) recoverPanic(x *Run, ctx context.Context) {
	if value := recover(); value != nil {
		n.err, n.errs = x.op.RecoverFunc(ctx, value), nil
	}
}

// collectable returns the values to collect below the field, with the zero value, which is a null, for
// each that failed. A value that does not fit the graph is the zero value already. It returns nil if
// no resolver has to be called below the field.
func (n *fieldResult[T]) collectable(f *Field) []T {
	if n.err != nil || !f.hasCallsBelow {
		return nil
	}
	if n.errs == nil {
		return n.values
	}
	values := make([]T, len(n.values))
	for i, v := range n.values {
		if n.errs[i] == nil || engine.AsDegraded(n.errs[i]) != nil {
			values[i] = v
		}
	}
	return values
}

// Result returns the result of a field's resolver for the object that is being encoded, which has the
// given ordinal. If ok is false, the field is null, and its errors have been added.
func Result[T any](x *Run, f *Field, ordinal int, nonNull bool) (v T, ok bool) {
	n, known := x.results[f.slot].(*fieldResult[T])
	if ordinal == notCollected {
		n, known = &fieldResult[T]{err: errNotCollected}, true
	}
	if known && n.err == nil && n.errs == nil && n.decodeArgs == nil {
		v = n.values[ordinal]
		return v, x.faults.Empty() || x.reportFaults(f, nil, v)
	}
	if !known {
		n = &fieldResult[T]{err: errNotCalled}
	}
	err := n.errorAt(ordinal)
	if d := engine.AsDegraded(err); d != nil && n.err == nil {
		x.recordDegraded(f, d)
		err = nil
	}
	if err != nil || n.decodeArgs != nil {
		n.report(x, f, err, nonNull)
		return v, false
	}
	v = n.values[ordinal]
	return v, x.faults.Empty() || x.reportFaults(f, nil, v)
}

// errNotCollected is the error of an object that encoding found and collecting did not. That is a bug
// in this package or in generated code. An error is better than the data of another object.
var errNotCollected = errors.New("the object was not collected, so that no resolver was called for it")

// errNotCalled is the error of a field that is encoded although collecting did not come to it, which
// is a bug as well.
var errNotCalled = errors.New("the resolver was not called, because an earlier step failed")

// errorAt returns the error for the object with the given ordinal, nil if it has a value.
func (n *fieldResult[T]) errorAt(ordinal int) error {
	if n.err != nil || n.errs == nil {
		return n.err
	}
	return n.errs[ordinal]
}

// report adds the error of a field to the response in the way in which gqlgen does.
func (n *fieldResult[T]) report(x *Run, f *Field, err error, nonNull bool) {
	switch count := countErrors(err); {
	case n.decodeArgs != nil:
		if !x.countIfOmitted(1) {
			ctx, _ := x.fieldContextHere(f)
			x.op.Error(ctx, n.decodeArgs(ctx))
		}
	case !n.batch:
		x.addFieldError(f, err)
	case count == 0: // an empty list of errors, which does not explain the null
		x.addNullFieldError(f, nonNull)
	case !x.countIfOmitted(count):
		ctx, _ := x.fieldContextHere(f)
		index, _ := graphql.BatchParentIndex(ctx)
		graphql.AddBatchError(ctx, int(index), err)
	}
}

// countErrors returns the number of errors in a response that a field's error becomes.
func countErrors(err error) int {
	list, ok := err.(gqlerror.List)
	if !ok {
		return 1
	}
	n := 0
	for _, e := range list {
		if e != nil {
			n++
		}
	}
	return n
}

// copyError returns a copy of err if it is a *gqlerror.Error. gqlgen sets the path of such an error,
// and the same error of a guard is added at many paths.
func copyError(err error) error {
	if shared, ok := err.(*gqlerror.Error); ok {
		return new(*shared)
	}
	return err
}
