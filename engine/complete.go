package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"golang.org/x/sync/errgroup"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Entity says how objects of a type are completed when they come with some of their fields
// only: K is what they are asked for by.
type Entity[K comparable, T any] struct {
	// Types are the names of the type and of the interfaces and unions that it belongs to, by
	// which fragments select its fields.
	Types []string
	// From names the fields that the key is made of.
	From []string
	// Guard, if any, is that of the call: its error is the objects', and nothing is asked for.
	Guard func(context.Context) error
	// Guards are the guards of the type's fields. A field that is refused to the caller needs no call.
	Guards map[string]func(context.Context) error
	// Key is an object's key, nil when it has none.
	Key func(*T) *K
	// Batch asks for whole objects.
	Batch Batch[K, *T]
}

// Completion completes values that come with some of their fields only, of which some may
// be nil. It returns whole values in the same order, and nil or an error for each. V is an
// object's pointer, or the Go interface of an interface or a union.
type Completion[V any] func(ctx context.Context, values []V) ([]V, graphql.BatchErrorList)

// Beyond completes objects where the client asks for more than the sent fields. An object
// that its own service does not know is null.
func (e Entity[K, T]) Beyond(sent ...string) Completion[*T] {
	return func(ctx context.Context, objects []*T) ([]*T, graphql.BatchErrorList) {
		if !e.needed(ctx, sent) {
			return objects, nil
		}
		if e.Guard != nil {
			if err := e.Guard(ctx); err != nil {
				return make([]*T, len(objects)), forEach(objects, err)
			}
		}
		whole, err := LoadOne(ctx, objects, e.From, e.Key, e.Batch)
		if err == nil {
			return whole, nil
		}
		if errs, ok := errors.AsType[graphql.BatchErrorList](err); ok {
			return whole, errs
		}
		return make([]*T, len(objects)), forEach(objects, err)
	}
}

// needed reports whether the client asks for a field that neither comes with the objects nor
// is refused to the caller.
func (e Entity[K, T]) needed(ctx context.Context, sent []string) bool {
	return selectsOf(ctx, e.Types, func(field string) bool {
		if field == "__typename" || slices.Contains(sent, field) {
			return false
		}
		guard := e.Guards[field]
		return guard == nil || guard(ctx) == nil
	})
}

// forEach is an error of each object that is not nil.
func forEach[T any](objects []*T, err error) graphql.BatchErrorList {
	errs := make(graphql.BatchErrorList, len(objects))
	for i, object := range objects {
		if object != nil {
			errs[i] = err
		}
	}
	return errs
}

// Member completes those values of an interface or a union that are objects of one type. It
// writes them to their places in whole.
type Member[V any] func(ctx context.Context, values, whole []V) graphql.BatchErrorList

// MemberOf makes a member of the completion of a type's objects.
func MemberOf[V, T any](complete Completion[*T]) Member[V] {
	return func(ctx context.Context, values, whole []V) graphql.BatchErrorList {
		var objects []*T
		var at []int
		for i, value := range values {
			if object, ok := any(value).(*T); ok && object != nil {
				objects, at = append(objects, object), append(at, i)
			}
		}
		if len(objects) == 0 {
			return nil
		}
		completed, failed := complete(ctx, objects)
		var errs graphql.BatchErrorList
		for n, i := range at {
			whole[i] = valueOf[V](completed[n])
			if failed != nil && failed[n] != nil {
				errs = withError(errs, len(values), i, failed[n])
			}
		}
		return errs
	}
}

// valueOf is an object as a value of an interface or a union, whose null is nil.
func valueOf[V, T any](object *T) (v V) {
	if object != nil {
		v = any(object).(V)
	}
	return v
}

// Members completes the values of an interface or a union, the objects of each type by a batch
// of its own, side by side. Objects of other types are whole.
func Members[V any](members ...Member[V]) Completion[V] {
	return func(ctx context.Context, values []V) ([]V, graphql.BatchErrorList) {
		whole := slices.Clone(values)
		failed := make([]graphql.BatchErrorList, len(members))
		var group errgroup.Group
		for m, member := range members {
			group.Go(func() error {
				failed[m] = recovered(ctx, values, whole, member)
				return nil
			})
		}
		_ = group.Wait() // which has no error of its own
		var errs graphql.BatchErrorList
		for _, list := range failed {
			errs = merged(errs, list, len(values))
		}
		return whole, errs
	}
}

// recovered turns a panic of a member into an error of every value, since its goroutine has
// no caller that would recover it.
func recovered[V any](ctx context.Context, values, whole []V, member Member[V]) graphql.BatchErrorList {
	errs, err := careful(ctx, member, func(ctx context.Context, member Member[V]) (graphql.BatchErrorList, error) {
		return member(ctx, values, whole), nil
	})
	if err == nil {
		return errs
	}
	errs = make(graphql.BatchErrorList, len(values))
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// Complete gives the value that each parent holds in a field, whole where the client asks
// for more than what came with it.
func Complete[P, V any](ctx context.Context, parents []P, field string, value func(P) V, complete Completion[V]) ([]V, error) {
	errs := badKeys(ctx, parents, []string{field})
	values := make([]V, len(parents))
	for i, parent := range parents {
		if !isNil(parent) {
			values[i] = value(parent)
		}
	}
	whole, failed := complete(ctx, values)
	return whole, orNil(merged(errs, failed, len(parents)))
}

// CompleteEach is Complete for a field that holds a list of values. A value that cannot be had
// is null in its list, with an error at its place, unless must says that none may be: then the
// list fails, as it does when all of its values fail.
func CompleteEach[P, V any](ctx context.Context, parents []P, field string, values func(P) []V, must bool, complete Completion[V]) ([][]V, error) {
	lists := make([][]V, len(parents))
	bad := make([][]*decode.Fault, len(parents))
	for i, parent := range parents {
		if !isNil(parent) {
			lists[i], bad[i] = values(parent), FaultsOf(ctx).Of(parent, field)
		}
	}
	whole, errs := complete.lists(ctx, lists, bad, must)
	return whole, orNil(errs)
}

// Whole completes one value that a call has given.
func (c Completion[V]) Whole(ctx context.Context, value V, err error) (V, error) {
	if err != nil {
		return value, err
	}
	whole, errs := c(ctx, []V{value})
	if errs != nil && errs[0] != nil {
		var none V
		return none, errs[0]
	}
	return whole[0], nil
}

// List completes a list of values that a call has given. See CompleteEach for must.
func (c Completion[V]) List(ctx context.Context, values []V, err error, must bool) ([]V, error) {
	if err != nil {
		return values, err
	}
	lists, errs := c.lists(ctx, [][]V{values}, nil, must)
	if errs != nil {
		return nil, errs[0]
	}
	return lists[0], nil
}

// All completes the values of a batch, one for each of its parents.
func (c Completion[V]) All(ctx context.Context, values []V, err error) ([]V, error) {
	batch, ok := errors.AsType[graphql.BatchErrorList](err)
	if err != nil && !ok {
		return values, err
	}
	whole, errs := c(ctx, values)
	return whole, orNil(merged(batch, errs, len(values)))
}

// Lists completes the lists of a batch, one for each of its parents. See CompleteEach for
// must.
func (c Completion[V]) Lists(ctx context.Context, lists [][]V, err error, must bool) ([][]V, error) {
	batch, ok := errors.AsType[graphql.BatchErrorList](err)
	if err != nil && !ok {
		return lists, err
	}
	whole, errs := c.lists(ctx, lists, nil, must)
	return whole, orNil(merged(batch, errs, len(lists)))
}

// lists completes lists by one batch. The faults in bad are those of each list's elements,
// or of the list, besides those that the table has for it. The errors are nil, or one for
// each list.
func (c Completion[V]) lists(ctx context.Context, lists [][]V, bad [][]*decode.Fault, must bool) ([][]V, graphql.BatchErrorList) {
	var all []V
	for _, list := range lists {
		all = append(all, list...)
	}
	whole, errs := c(ctx, all)
	completed := make([][]V, len(lists))
	var failed graphql.BatchErrorList
	for i, at := 0, 0; i < len(lists); i, at = i+1, at+len(lists[i]) {
		elements := elementsOf(FaultsOf(ctx).In(lists[i]), must)
		if bad != nil {
			elements.faults = append(elements.faults, bad[i]...)
		}
		to := at + len(lists[i])
		if lists[i] != nil {
			completed[i] = whole[at:to:to]
		}
		if errs != nil {
			elements.failed(errs[at:to])
		}
		if err := elements.tell(ctx, completed[i]); err != nil {
			failed = withError(failed, len(lists), i, err)
		}
	}
	return completed, failed
}

// elements is what is wrong with the elements of a list that is made anew.
type elements struct {
	must   bool // none of them may be null
	faults []*decode.Fault
	err    error // of the list
}

func elementsOf(faults []*decode.Fault, must bool) *elements {
	return &elements{must: must, faults: slices.Clone(faults)}
}

// failed takes the errors of elements. Where one call has failed for all of them, the error is
// the list's.
func (e *elements) failed(errs []error) {
	if e.err = common(errs); e.err != nil {
		return
	}
	for i, err := range errs {
		if err == nil {
			continue
		}
		index := []int{i}
		if fit, ok := errors.AsType[*decode.Fault](err); ok {
			index = append(index, fit.Index...)
		}
		e.faults = append(e.faults, &decode.Fault{Index: index, Null: e.must, Err: asFault(err)})
	}
}

// common is the first error when every element has one and none is about its own value.
func common(errs []error) error {
	for _, err := range errs {
		if _, own := errors.AsType[*decode.Fault](err); err == nil || own {
			return nil
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}

// asFault is an error as one that a client may read.
func asFault(err error) *fault.Error {
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return known
	}
	return fault.New(fault.Internal, "internal error").WithCause(err)
}

// tell notes the faults of a list, or gives the error by which the list fails.
func (e *elements) tell(ctx context.Context, list any) error {
	for _, f := range e.faults {
		if f.Null {
			return f
		}
	}
	if e.err == nil && !FaultsOf(ctx).Add(list, e.faults...) {
		return e.faults[0]
	}
	return e.err
}

// merged merges the errors of two steps. The error of the first step wins.
func merged(first, second graphql.BatchErrorList, n int) graphql.BatchErrorList {
	for i, err := range second {
		if err != nil && (first == nil || first[i] == nil) {
			first = withError(first, n, i, err)
		}
	}
	return first
}
