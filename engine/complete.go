package engine

import (
	"context"
	"errors"

	"github.com/99designs/gqlgen/graphql"
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
func Complete[P, T any, K comparable](ctx context.Context, parents []*P, field string, object func(*P) *T, sent []string, e Entity[K, T]) ([]*T, error) {
	errs := badKeys(ctx, parents, []string{field})
	objects := make([]*T, len(parents))
	for i, parent := range parents {
		if parent != nil {
			objects[i] = object(parent)
		}
	}
	whole, failed := e.whole(ctx, objects, sent)
	return whole, together(errs, failed, len(parents))
}

// CompleteEach is Complete for a field that holds a list of objects.
func CompleteEach[P, T any, K comparable](ctx context.Context, parents []*P, field string, objects func(*P) []*T, sent []string, e Entity[K, T]) ([][]*T, error) {
	errs := badKeys(ctx, parents, []string{field})
	lists := make([][]*T, len(parents))
	for i, parent := range parents {
		if parent != nil {
			lists[i] = objects(parent)
		}
	}
	whole, failed := e.lists(ctx, lists, sent)
	return whole, together(errs, failed, len(parents))
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

// All completes a list of objects that a call has given, or the objects of a batch, one for
// each of its parents.
func (e Entity[K, T]) All(ctx context.Context, objects []*T, err error, sent ...string) ([]*T, error) {
	batch, ok := errors.AsType[graphql.BatchErrorList](err)
	if err != nil && !ok {
		return objects, err
	}
	whole, errs := e.whole(ctx, objects, sent)
	return whole, together(batch, errs, len(objects))
}

// Lists completes the lists of a batch, one for each of its parents.
func (e Entity[K, T]) Lists(ctx context.Context, lists [][]*T, err error, sent ...string) ([][]*T, error) {
	batch, ok := errors.AsType[graphql.BatchErrorList](err)
	if err != nil && !ok {
		return lists, err
	}
	whole, errs := e.lists(ctx, lists, sent)
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

// lists completes lists by one batch. A list with an object that fails fails.
func (e Entity[K, T]) lists(ctx context.Context, lists [][]*T, sent []string) ([][]*T, graphql.BatchErrorList) {
	var all []*T
	for _, list := range lists {
		all = append(all, list...)
	}
	whole, errs := e.whole(ctx, all, sent)
	completed := make([][]*T, len(lists))
	var failed graphql.BatchErrorList
	at := 0
	for i, list := range lists {
		if list == nil {
			continue
		}
		completed[i] = whole[at : at+len(list) : at+len(list)]
		if errs != nil {
			if err := firstOf(errs[at : at+len(list)]); err != nil {
				failed = withError(failed, len(lists), i, err)
			}
		}
		at += len(list)
	}
	return completed, failed
}

func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
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
