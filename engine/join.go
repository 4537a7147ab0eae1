package engine

import (
	"context"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
)

// One answers a field that has one key in each parent, in the shape of gqlgen's
// batch resolvers: a value for each parent, and graphql.BatchErrorList when some
// failed. A nil key gives V's zero value, which must be V's null, and a key
// that the service leaves out gives b.Missing.
func One[P any, K comparable, V any](ctx context.Context, parents []*P, key func(*P) *K, b Batch[K, V]) ([]V, error) {
	keys := make([]K, 0, len(parents))
	at := make([]int, len(parents)) // where a parent's key lies in keys, -1 for none
	for i, parent := range parents {
		at[i] = -1
		if k := keyOf(parent, key); k != nil {
			at[i] = len(keys)
			keys = append(keys, *k)
		}
	}
	found, failures := LoaderFor(ctx, b).Load(ctx, keys)
	values := make([]V, len(parents))
	var errs graphql.BatchErrorList
	for i, k := range at {
		if k < 0 {
			continue
		}
		values[i] = found[k].Value
		if failures != nil && failures[k] != nil {
			errs = withError(errs, len(parents), i, failures[k])
		}
	}
	return spend(ctx, values, orNil(errs))
}

// keyOf spares the key functions from nil parents: gqlgen hands them over for lists
// that have null elements.
func keyOf[P, K any](parent *P, key func(*P) *K) *K {
	if parent == nil {
		return nil
	}
	return key(parent)
}

// Each answers a field that has a list of keys in each parent: the list of their
// values, in the order of the keys. A key the service does not know is left out,
// or stands as b.Missing when keepMissing is set. A nil list of keys gives nil.
func Each[P any, K comparable, V any](ctx context.Context, parents []*P, keys func(*P) []K, keepMissing bool, b Batch[K, V]) ([][]V, error) {
	var all []K
	counts := make([]int, len(parents)) // -1 for null
	for i, parent := range parents {
		counts[i] = -1
		if parent == nil {
			continue
		}
		if own := keys(parent); own != nil {
			counts[i] = len(own)
			all = append(all, own...)
		}
	}
	found, failures := LoaderFor(ctx, b).Load(ctx, all)
	values := make([][]V, len(parents))
	var errs graphql.BatchErrorList
	at := 0
	for i, n := range counts {
		if n < 0 {
			continue
		}
		values[i] = present(found[at:at+n], keepMissing)
		if failures != nil {
			if err := firstError(failures[at : at+n]); err != nil {
				errs = withError(errs, len(parents), i, err)
			}
		}
		at += n
	}
	return spend(ctx, values, orNil(errs))
}

// All is one call whose answer holds the values of all keys.
type All[V any] struct {
	// Name identifies the call with its arguments, as Batch.Name does.
	Name string
	// Missing is the value of a key that the answer leaves out; by default V's zero value.
	Missing V
	// Fetch makes the call. Its context is the operation's.
	Fetch func(ctx context.Context) (map[string]V, error)
}

// Whole answers a field that has one key in each parent from one answer for all of them,
// which an operation fetches once.
func Whole[P, V any](ctx context.Context, parents []*P, key func(*P) *string, all All[V]) ([]V, error) {
	keys := make([]*string, len(parents))
	wanted := false
	for i, parent := range parents {
		keys[i] = keyOf(parent, key)
		wanted = wanted || keys[i] != nil
	}
	values := make([]V, len(parents))
	if !wanted {
		return values, nil
	}
	answer, err := all.load(ctx)
	var errs graphql.BatchErrorList
	for i, k := range keys {
		if k == nil {
			continue
		}
		if err != nil {
			errs = withError(errs, len(parents), i, err)
			continue
		}
		value, ok := answer[*k]
		if !ok {
			value = all.Missing
		}
		values[i] = value
	}
	return spend(ctx, values, orNil(errs))
}

// load fetches the answer, or takes it from who fetched it before.
func (a All[V]) load(ctx context.Context) (map[string]V, error) {
	type everything struct{} // the one key of the loader
	found, errs := LoaderFor(ctx, Batch[everything, map[string]V]{
		Name: a.Name,
		Fetch: func(ctx context.Context, _ []everything) (map[everything]map[string]V, error) {
			answer, err := a.Fetch(ctx)
			return map[everything]map[string]V{{}: answer}, err
		},
	}).Load(ctx, []everything{{}})
	if errs != nil {
		return nil, errs[0]
	}
	return found[0].Value, nil
}

// spend takes joined values from the operation's budget, a list's elements one by one.
// The bytes of a JSON scalar are one value.
func spend[V any](ctx context.Context, values []V, err error) ([]V, error) {
	n := len(values)
	if t := reflect.TypeFor[V](); t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
		n = 0
		for _, v := range values {
			n += reflect.ValueOf(v).Len()
		}
	}
	if over := operationOf(ctx).spendItems(n); over != nil {
		return nil, over
	}
	return values, err
}

func present[V any](found []Found[V], keepMissing bool) []V {
	values := make([]V, 0, len(found))
	for _, f := range found {
		if f.OK || keepMissing {
			values = append(values, f.Value)
		}
	}
	return values
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
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
