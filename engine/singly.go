package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"golang.org/x/sync/errgroup"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// parallel is how many parents Singly works for at the same time.
const parallel = 16

// ResolveEach answers a field with work of its own for each parent, a few at a time. A parent
// without a key gets V's zero value; from names the fields that the key is made of, as in
// One.
func ResolveEach[P, K, V any](ctx context.Context, parents []P, from []string, key func(P) *K, answer func(context.Context, K) (V, error)) ([]V, error) {
	values := make([]V, len(parents))
	errs := make(graphql.BatchErrorList, len(parents))
	bad := badKeys(ctx, parents, from)
	ctx = withoutImmediateLoads(ctx)
	var group errgroup.Group
	group.SetLimit(parallel)
	for i, parent := range parents {
		if bad != nil && bad[i] != nil {
			errs[i] = bad[i]
			continue
		}
		k := keyOf(parent, i, bad, key)
		if k == nil {
			continue
		}
		group.Go(func() error {
			if errs[i] = ctx.Err(); errs[i] == nil { // the operation waits for no more work
				values[i], errs[i] = careful(ctx, *k, answer)
			}
			return nil
		})
	}
	_ = group.Wait() // which has no error of its own
	for _, err := range errs {
		if err != nil {
			return values, errs
		}
	}
	return values, nil
}

// careful turns a panic into an error of its parent's, since nobody else would recover it.
func careful[K, V any](ctx context.Context, key K, answer func(context.Context, K) (V, error)) (v V, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fault.New(fault.Internal, "internal error").WithCause(fmt.Errorf("panic: %v", r))
		}
	}()
	return answer(ctx, key)
}

// KeyText writes the parts of a key, which are wire values or arrays of them, as one text,
// so that no two keys have the same.
func KeyText(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil {
		return fmt.Sprint(parts...)
	}
	return string(text)
}

// Selects tells whether the client asks for one of the named fields of the value that the
// field in ctx gives, through fragments too. Outside of an operation it does.
func Selects(ctx context.Context, names ...string) bool {
	return selects(ctx, func(field string) bool { return slices.Contains(names, field) })
}

// Given is v, the wire value of an argument of the field that is being answered, or
// encode.Absent when the client did not give it, not even as null.
func Given(ctx context.Context, argument string, v any) any {
	if v != nil || !graphql.HasOperationContext(ctx) || graphql.GetFieldContext(ctx) == nil {
		return v
	}
	given := graphql.GetFieldContext(ctx).Field.ArgumentMap(graphql.GetOperationContext(ctx).Variables)
	if _, ok := given[argument]; ok {
		return v
	}
	return encode.Absent
}

// selectsOf reports whether the client asks for a wanted field of those values that the field
// in ctx gives and that have one of the named types. Outside of an operation it does.
func selectsOf(ctx context.Context, types []string, wanted func(string) bool) bool {
	if !graphql.HasOperationContext(ctx) || graphql.GetFieldContext(ctx) == nil {
		return true
	}
	fields := graphql.CollectFields(graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field.Selections, types)
	return slices.ContainsFunc(fields, func(f graphql.CollectedField) bool { return wanted(f.Name) })
}

func selects(ctx context.Context, wanted func(string) bool) bool {
	if !graphql.HasOperationContext(ctx) || graphql.GetFieldContext(ctx) == nil {
		return true
	}
	return slices.ContainsFunc(graphql.CollectAllFields(ctx), wanted)
}
