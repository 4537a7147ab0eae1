package engine

import (
	"context"
	"errors"
	"reflect"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
)

// LoadOne answers a field that has one key in each parent, in the shape of gqlgen's
// batch resolvers: a value for each parent, and graphql.BatchErrorList when some
// failed. The key is made of the parent's fields from, by their names in the graph; where
// the parent's own service sent one of them wrong, that is the value's error. A nil key
// gives V's zero value, which must be V's null, and a key that the service leaves out
// gives b.Missing. P is a pointer; a nil one has no key.
func LoadOne[P any, K comparable, V any](ctx context.Context, parents []P, from []string, key func(P) *K, b Batch[K, V]) ([]V, error) {
	if err := spendBefore[V](ctx, len(parents)); err != nil {
		return nil, err
	}
	keys := make([]K, 0, len(parents))
	at := make([]int, len(parents)) // where a parent's key lies in keys, -1 for none
	errs := badKeys(ctx, parents, from)
	for i, parent := range parents {
		at[i] = -1
		if k := keyOf(parent, i, errs, key); k != nil {
			at[i] = len(keys)
			keys = append(keys, *k)
		}
	}
	found, failures := LoaderFor(ctx, b).Load(ctx, keys)
	values := make([]V, len(parents))
	for i, k := range at {
		if k < 0 {
			continue
		}
		values[i] = found[k].Value
		if failures != nil && failures[k] != nil {
			errs = withError(errs, len(parents), i, failures[k])
		}
	}
	return spendLists(ctx, values, orNil(errs))
}

// badKeys are the errors of the parents whose keys nobody knows, nil when there are none.
func badKeys[P any](ctx context.Context, parents []P, from []string) graphql.BatchErrorList {
	faults := FaultsOf(ctx)
	if faults.Empty() {
		return nil
	}
	var errs graphql.BatchErrorList
	for i, parent := range parents {
		if err := faults.Err(parent, from...); err != nil {
			errs = withError(errs, len(parents), i, err)
		}
	}
	return errs
}

// keyOf spares the key functions from parents without a key: those whose key is bad, and
// nil ones, which gqlgen hands over for lists that have null elements.
func keyOf[P, K any](parent P, i int, bad graphql.BatchErrorList, key func(P) *K) *K {
	if isNil(parent) || bad != nil && bad[i] != nil {
		return nil
	}
	return key(parent)
}

// isNil tells whether a parent is nil. That is asked in this way since Go compiles functions
// over *T again for each T, and those over a P that may be any type once for all pointers.
func isNil[P any](parent P) bool {
	v := reflect.ValueOf(parent)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// LoadMany answers a field that has a list of keys in each parent: the list of their
// values, in the order of the keys. A key the service does not know is left out,
// or stands as b.Missing when keepMissing is set; then V's zero value must be its null,
// since it stands for a value that does not fit the graph too. A nil list of keys gives
// nil. LoadMany key takes a value from the operation's budget, before any is fetched. The rest
// is as for One.
func LoadMany[P any, K comparable, V any](ctx context.Context, parents []P, from []string, keys func(P) []K, keepMissing bool, b Batch[K, V]) ([][]V, error) {
	op := operationOf(ctx)
	var all []K
	counts := make([]int, len(parents)) // -1 for null
	errs := badKeys(ctx, parents, from)
	for i, parent := range parents {
		counts[i] = -1
		own := keyOf(parent, i, errs, func(p P) *[]K { return new(keys(p)) })
		if own == nil || *own == nil {
			continue
		}
		if err := op.spendItems(len(*own)); err != nil {
			return nil, err
		}
		counts[i] = len(*own)
		all = append(all, *own...)
	}
	found, failures := LoaderFor(ctx, b).Load(ctx, all)
	values := make([][]V, len(parents))
	at := 0
	for i, n := range counts {
		if n < 0 {
			continue
		}
		var failed []error
		if failures != nil {
			failed = failures[at : at+n]
		}
		var err error
		if values[i], err = present(ctx, found[at:at+n], failed, keepMissing); err != nil {
			errs = withError(errs, len(parents), i, err)
		}
		at += n
	}
	return values, orNil(errs)
}

// All is one call whose answer holds the values of all keys.
type All[V any] struct {
	// Identity is the identity of the call, as in Batch.
	Identity Identity
	// Missing is the value of a key that the answer leaves out; by default V's zero value.
	Missing V
	// Fetch makes the call. Its context is the operation's. Its error may be for single
	// keys, as Batch.Fetch says.
	Fetch func(ctx context.Context) (map[string]V, error)
}

// LoadAll answers a field that has one key in each parent from one answer for all of them,
// which an operation fetches once. The rest is as for One.
func LoadAll[P, V any](ctx context.Context, parents []P, from []string, key func(P) *string, all All[V]) ([]V, error) {
	keys := make([]*string, len(parents))
	wanted := false
	errs := badKeys(ctx, parents, from)
	for i, parent := range parents {
		keys[i] = keyOf(parent, i, errs, key)
		wanted = wanted || keys[i] != nil
	}
	values := make([]V, len(parents))
	if !wanted {
		return values, orNil(errs)
	}
	if err := spendBefore[V](ctx, len(parents)); err != nil {
		return nil, err
	}
	answer, err := all.load(ctx)
	for i, k := range keys {
		if k == nil {
			continue
		}
		if err != nil {
			errs = withError(errs, len(parents), i, err)
			continue
		}
		found := answer.find(*k, all.Missing)
		if found.err != nil {
			errs = withError(errs, len(parents), i, found.err)
		}
		values[i] = found.Value
	}
	return spendLists(ctx, values, orNil(errs))
}

// load fetches the answer, or takes it from who fetched it before.
func (a All[V]) load(ctx context.Context) (answer[string, V], error) {
	type everything struct{} // the one key of the loader
	found, errs := LoaderFor(ctx, Batch[everything, answer[string, V]]{
		Identity: a.Identity,
		Fetch: func(ctx context.Context, _ []everything) (map[everything]answer[string, V], error) {
			got, err := answered(a.Fetch(ctx))
			return map[everything]answer[string, V]{{}: got}, err
		},
	}).Load(ctx, []everything{{}})
	if errs != nil {
		return answer[string, V]{}, errs[0]
	}
	return found[0].Value, nil
}

// spendBefore takes n joined values from the operation's budget before there are any, so
// that too many cost no call and no memory. Of lists it only checks that something is left:
// how many elements they have is known when they are there.
func spendBefore[V any](ctx context.Context, n int) error {
	if isList[V]() {
		n = 0
	}
	return operationOf(ctx).spendItems(n)
}

// spendLists takes the elements of joined lists from the operation's budget. Other values
// were taken before.
func spendLists[V any](ctx context.Context, values []V, err error) ([]V, error) {
	if !isList[V]() {
		return values, err
	}
	n := 0
	for _, v := range values {
		n += reflect.ValueOf(v).Len()
	}
	if over := operationOf(ctx).spendItems(n); over != nil {
		return nil, over
	}
	return values, err
}

// isList reports whether a V is a list of values. The bytes of a JSON scalar are one value.
func isList[V any]() bool {
	t := reflect.TypeFor[V]()
	return t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8
}

// present makes the list of one parent from what was found for its keys. Where the service
// answered for a key and the answer does not fit, only that element fails.
func present[V any](ctx context.Context, found []Found[V], failed []error, keepMissing bool) ([]V, error) {
	values := make([]V, 0, len(found))
	var bad []*decode.Fault // by element, when some are
	for i, f := range found {
		if failed != nil && failed[i] != nil {
			fit, ok := errors.AsType[*decode.Fault](failed[i])
			if !ok {
				return nil, failed[i]
			}
			if !keepMissing || FaultsOf(ctx) == nil {
				return nil, &decode.Fault{Index: append([]int{len(values)}, fit.Index...), Null: true, Err: fit.Err}
			}
			bad = append(bad, &decode.Fault{Index: append([]int{len(values)}, fit.Index...), Err: fit.Err})
		}
		if f.OK || keepMissing {
			values = append(values, f.Value)
		}
	}
	if !FaultsOf(ctx).Add(values, bad...) {
		return nil, bad[0]
	}
	return values, nil
}

func withError(errs graphql.BatchErrorList, n, i int, err error) graphql.BatchErrorList {
	if errs == nil {
		errs = make(graphql.BatchErrorList, n)
	}
	errs[i] = err
	return errs
}

// orNil keeps a nil list from becoming a non-nil error.
func orNil(errs graphql.BatchErrorList) error {
	if errs == nil {
		return nil
	}
	return errs
}
