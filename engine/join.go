package engine

import (
	"context"
	"errors"
	"reflect"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
)

// LoadOne resolves a field that has one key in each parent. Its results have the shape of
// gqlgen's batch resolvers: one value for each parent, and a graphql.BatchErrorList if some
// parents failed, or have a value that is not the present one, with a *Degraded.
//
// from names the fields of the parent that form the key, by their names in the graph. If
// the parent's service sent one of them with a value that does not fit the graph, that is the
// parent's error and its key is not fetched. A parent whose key is nil gets V's zero value, which
// must be V's null; a key that the service leaves out gets b.Missing. P is a pointer type; a nil
// parent has no key.
func LoadOne[P any, K comparable, V any](ctx context.Context, parents []P, from []string, key func(P) *K, b Batch[K, V]) ([]V, error) {
	if err := spendBeforeFetch[V](ctx, len(parents)); err != nil {
		return nil, err
	}
	keys := make([]K, 0, len(parents))
	keyIndex := make([]int, len(parents)) // of each parent's key in keys, -1 for none
	errs := keyErrors(ctx, parents, from)
	for i, parent := range parents {
		keyIndex[i] = -1
		if k := keyOf(parent, i, errs, key); k != nil {
			keyIndex[i] = len(keys)
			keys = append(keys, *k)
		}
	}
	found, failures := LoaderFor(ctx, b).Load(ctx, keys)
	values := make([]V, len(parents))
	for i, k := range keyIndex {
		if k < 0 {
			continue
		}
		values[i] = found[k].Value
		if failures != nil && failures[k] != nil {
			errs = setError(errs, len(parents), i, failures[k])
		} else if found[k].degraded != nil {
			errs = setError(errs, len(parents), i, degrade(values[i], found[k].degraded))
		}
	}
	return spendLists(ctx, values, errorOrNil(errs))
}

// keyErrors returns the errors of the parents whose keys are made of faulty fields, nil when
// there are none.
func keyErrors[P any](ctx context.Context, parents []P, from []string) graphql.BatchErrorList {
	faults := FaultsOf(ctx)
	if faults.Empty() {
		return nil
	}
	var errs graphql.BatchErrorList
	for i, parent := range parents {
		if err := faults.FieldFault(parent, from...); err != nil {
			errs = setError(errs, len(parents), i, err)
		}
	}
	return errs
}

// keyOf returns the key of the i-th parent, nil when it has none. It does not call key for a
// parent with an error in keyErrs, whose field holds a zero value that is not its key, nor for a
// nil parent, which gqlgen passes for a null element of a list.
func keyOf[P, K any](parent P, i int, keyErrs graphql.BatchErrorList, key func(P) *K) *K {
	if isNil(parent) || keyErrs != nil && keyErrs[i] != nil {
		return nil
	}
	return key(parent)
}

// isNil reports whether a parent is nil. It takes a P and uses reflection because Go compiles a
// function over *T once for each T, but one over a P of any type once for all pointers.
func isNil[P any](parent P) bool {
	v := reflect.ValueOf(parent)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// LoadMany resolves a field that has a list of keys in each parent. The result for each parent is
// the list of its keys' values, in the order of the keys; a nil list of keys gives a nil list. A
// key that the service does not know is left out. With keepMissing, b.Missing stands in its
// place; V's zero value must then be its null, because it also stands for a value that does not
// fit the graph. Each key counts as one item of the operation's budget, before anything is
// fetched. Everything else is as for LoadOne.
func LoadMany[P any, K comparable, V any](ctx context.Context, parents []P, from []string, keys func(P) []K, keepMissing bool, b Batch[K, V]) ([][]V, error) {
	op := operationOf(ctx)
	var all []K
	counts := make([]int, len(parents)) // of each parent's keys, -1 for a null list
	errs := keyErrors(ctx, parents, from)
	for i, parent := range parents {
		counts[i] = -1
		list := keyOf(parent, i, errs, func(p P) *[]K { return new(keys(p)) })
		if list == nil || *list == nil {
			continue
		}
		if err := op.spendItems(len(*list)); err != nil {
			return nil, err
		}
		counts[i] = len(*list)
		all = append(all, *list...)
	}
	found, failures := LoaderFor(ctx, b).Load(ctx, all)
	values := make([][]V, len(parents))
	first := 0 // index in all of the parent's first key
	for i, n := range counts {
		if n < 0 {
			continue
		}
		var failed []error
		if failures != nil {
			failed = failures[first : first+n]
		}
		var err error
		if values[i], err = listOf(ctx, found[first:first+n], failed, keepMissing); err != nil {
			errs = setError(errs, len(parents), i, err)
		}
		first += n
	}
	return values, errorOrNil(errs)
}

// LookupTable describes one call that returns the values of all keys.
type LookupTable[V any] struct {
	// Identity identifies the call, as in Batch.
	Identity Identity
	// Missing is the value of a key that the response leaves out. The default is V's zero value.
	Missing V
	// Fetch makes the call, with the context of the epoch. Its error may be a *decode.KeyFaults
	// for single keys, as in Batch.
	Fetch func(ctx context.Context) (map[string]V, error)
}

// LoadAll resolves a field that has one key in each parent from one response that holds the
// values of all keys. The response is fetched once in an epoch, and not at all if no parent has
// a key. Everything else is as for LoadOne.
func LoadAll[P, V any](ctx context.Context, parents []P, from []string, key func(P) *string, all LookupTable[V]) ([]V, error) {
	keys := make([]*string, len(parents))
	hasKey := false
	errs := keyErrors(ctx, parents, from)
	for i, parent := range parents {
		keys[i] = keyOf(parent, i, errs, key)
		hasKey = hasKey || keys[i] != nil
	}
	values := make([]V, len(parents))
	if !hasKey {
		return values, errorOrNil(errs)
	}
	if err := spendBeforeFetch[V](ctx, len(parents)); err != nil {
		return nil, err
	}
	got, err := all.load(ctx)
	for i, k := range keys {
		if k == nil {
			continue
		}
		if err != nil {
			errs = setError(errs, len(parents), i, err)
			continue
		}
		found, keyErr := got.lookup(*k, all.Missing)
		if keyErr == nil {
			keyErr = degrade(found.Value, found.degraded)
		}
		if keyErr != nil {
			errs = setError(errs, len(parents), i, keyErr)
		}
		values[i] = found.Value
	}
	return spendLists(ctx, values, errorOrNil(errs))
}

// load returns what Fetch returned, which is called once in an epoch: the call is the only key of
// a loader.
func (a LookupTable[V]) load(ctx context.Context) (fetched[string, V], error) {
	return CallOnce(ctx, a.Identity, func(ctx context.Context) (fetched[string, V], error) {
		return newFetched(a.Fetch(ctx))
	})
}

// spendBeforeFetch takes n joined values from the operation's budget before they are fetched, so
// that too many of them cost neither a call nor memory. If V is a list, it only checks that the
// budget is not exceeded yet: the number of elements is known when they have arrived.
func spendBeforeFetch[V any](ctx context.Context, n int) error {
	if isList[V]() {
		n = 0
	}
	return operationOf(ctx).spendItems(n)
}

// spendLists takes the elements of joined lists from the operation's budget. Values that are not
// lists were taken by spendBeforeFetch.
func spendLists[V any](ctx context.Context, values []V, err error) ([]V, error) {
	if !isList[V]() {
		return values, err
	}
	n := 0
	for _, v := range values {
		n += reflect.ValueOf(v).Len()
	}
	if exceeded := operationOf(ctx).spendItems(n); exceeded != nil {
		return nil, exceeded
	}
	return values, err
}

// isList reports whether V is a list of values. The bytes of a JSON scalar are one value.
func isList[V any]() bool {
	t := reflect.TypeFor[V]()
	return t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8
}

// listOf returns the list of one parent from the results and errors of its keys. An element whose
// value does not fit the graph fails alone if the list may hold a null in its place and the
// operation reports faults; every other error fails the list. A list with elements that are not the
// present ones is degraded, with the age of the oldest.
func listOf[V any](ctx context.Context, found []Found[V], failed []error, keepMissing bool) ([]V, error) {
	values := make([]V, 0, len(found))
	var faults []*decode.Fault
	var degraded []Degradation
	for i, f := range found {
		if failed != nil && failed[i] != nil {
			misfit, ok := errors.AsType[*decode.Fault](failed[i])
			if !ok {
				return nil, failed[i]
			}
			if !keepMissing || FaultsOf(ctx) == nil {
				return nil, &decode.Fault{Index: append([]int{len(values)}, misfit.Index...), Null: true, Err: misfit.Err}
			}
			faults = append(faults, &decode.Fault{Index: append([]int{len(values)}, misfit.Index...), Err: misfit.Err})
		}
		if f.OK || keepMissing {
			values = append(values, f.Value)
		}
		degraded = append(degraded, f.degraded...)
	}
	if !FaultsOf(ctx).AddElements(values, faults...) {
		return nil, faults[0]
	}
	return values, OldestDegraded(values, degraded)
}

// setError sets the i-th of n errors. It allocates the list when errs is nil.
func setError(errs graphql.BatchErrorList, n, i int, err error) graphql.BatchErrorList {
	if errs == nil {
		errs = make(graphql.BatchErrorList, n)
	}
	errs[i] = err
	return errs
}

// errorOrNil returns errs as an error that is nil when errs is nil.
func errorOrNil(errs graphql.BatchErrorList) error {
	if errs == nil {
		return nil
	}
	return errs
}
