package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
)

// Entity says how objects of a type are completed when they come with some of their fields
// only: K is what they are asked for by.
type Entity[K comparable, T any] struct {
	// From names the fields that the key is made of.
	From []string
	// Key is an object's key, nil when it has none.
	Key func(*T) *K
	// Batch asks for whole objects.
	Batch Batch[K, *T]
}

// Complete gives the object that each parent holds in a field, whole where the client asks
// for more than its sent fields. An object that its own service does not know is null.
func Complete[P, T any, K comparable](ctx context.Context, parents []P, field string, object func(P) *T, sent []string, e Entity[K, T]) ([]*T, error) {
	errs := badKeys(ctx, parents, []string{field})
	objects := make([]*T, len(parents))
	for i, parent := range parents {
		if !isNil(parent) {
			objects[i] = object(parent)
		}
	}
	whole, failed := e.whole(ctx, objects, sent)
	return whole, together(errs, failed, len(parents))
}

// CompleteEach is Complete for a field that holds a list of objects. An object that does
// not fit the graph is null in its list, unless must says that none may be: then the list
// fails, as it does when a call has failed.
func CompleteEach[P, T any, K comparable](ctx context.Context, parents []P, field string, objects func(P) []*T, sent []string, must bool, e Entity[K, T]) ([][]*T, error) {
	lists := make([][]*T, len(parents))
	bad := make([][]*decode.Fault, len(parents))
	for i, parent := range parents {
		if !isNil(parent) {
			lists[i], bad[i] = objects(parent), FaultsOf(ctx).Of(parent, field)
		}
	}
	whole, errs := e.lists(ctx, lists, bad, must, sent)
	return whole, orNil(errs)
}

// Whole completes one object that a call has given.
func (e Entity[K, T]) Whole(ctx context.Context, object *T, err error, sent ...string) (*T, error) {
	if err != nil {
		return object, err
	}
	whole, errs := e.whole(ctx, []*T{object}, sent)
	if errs != nil {
		return nil, errs[0]
	}
	return whole[0], nil
}

// List completes a list of objects that a call has given. See CompleteEach for must.
func (e Entity[K, T]) List(ctx context.Context, objects []*T, err error, must bool, sent ...string) ([]*T, error) {
	if err != nil {
		return objects, err
	}
	lists, errs := e.lists(ctx, [][]*T{objects}, nil, must, sent)
	if errs != nil {
		return nil, errs[0]
	}
	return lists[0], nil
}

// All completes the objects of a batch, one for each of its parents.
func (e Entity[K, T]) All(ctx context.Context, objects []*T, err error, sent ...string) ([]*T, error) {
	batch, ok := errors.AsType[graphql.BatchErrorList](err)
	if err != nil && !ok {
		return objects, err
	}
	whole, errs := e.whole(ctx, objects, sent)
	return whole, together(batch, errs, len(objects))
}

// Lists completes the lists of a batch, one for each of its parents. See CompleteEach for
// must.
func (e Entity[K, T]) Lists(ctx context.Context, lists [][]*T, err error, must bool, sent ...string) ([][]*T, error) {
	batch, ok := errors.AsType[graphql.BatchErrorList](err)
	if err != nil && !ok {
		return lists, err
	}
	whole, errs := e.lists(ctx, lists, nil, must, sent)
	return whole, together(batch, errs, len(lists))
}

// whole completes objects, of which some may be nil. Its errors are nil, or one for each.
func (e Entity[K, T]) whole(ctx context.Context, objects []*T, sent []string) ([]*T, graphql.BatchErrorList) {
	if !selectsMore(ctx, sent) {
		return objects, nil
	}
	whole, err := One(ctx, objects, e.From, e.Key, e.Batch)
	if err == nil {
		return whole, nil
	}
	if errs, ok := errors.AsType[graphql.BatchErrorList](err); ok {
		return whole, errs
	}
	errs := make(graphql.BatchErrorList, len(objects))
	for i := range errs {
		errs[i] = err
	}
	return make([]*T, len(objects)), errs
}

// lists completes lists by one batch. The faults in bad are those of each list's elements,
// or of the list, besides those that the table has for it. The errors are nil, or one for
// each list.
func (e Entity[K, T]) lists(ctx context.Context, lists [][]*T, bad [][]*decode.Fault, must bool, sent []string) ([][]*T, graphql.BatchErrorList) {
	var all []*T
	for _, list := range lists {
		all = append(all, list...)
	}
	whole, errs := e.whole(ctx, all, sent)
	completed := make([][]*T, len(lists))
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

// failed takes the errors of elements: what does not fit the graph is the element's, and
// anything else the list's.
func (e *elements) failed(errs []error) {
	for i, err := range errs {
		if err == nil {
			continue
		}
		fit, ok := errors.AsType[*decode.Fault](err)
		if !ok {
			e.err = err
			return
		}
		e.faults = append(e.faults, &decode.Fault{Index: append([]int{i}, fit.Index...), Null: e.must, Err: fit.Err})
	}
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

// together merges the errors of two steps, of which the first one counts.
func together(first, second graphql.BatchErrorList, n int) error {
	for i, err := range second {
		if err != nil && (first == nil || first[i] == nil) {
			first = withError(first, n, i, err)
		}
	}
	return orNil(first)
}
