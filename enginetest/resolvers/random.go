package resolvers

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
	"github.com/gatehouse-graphql/gatehouse/enginetest/graph/model"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// source is a source of random values about one thing.
type source struct{ *rand.Rand }

func (r *Resolver) source(about ...any) source {
	h := fnv.New64a()
	fmt.Fprint(h, about...)
	return source{rand.New(rand.NewPCG(r.Seed, h.Sum64()))}
}

// oneIn reports true once in n times.
func (c source) oneIn(n int) bool { return c.IntN(n) == 0 }

// randomError returns an error of one of the kinds that resolvers return.
func (c source) randomError() error {
	switch c.IntN(4) {
	case 0:
		return errors.New("secret")
	case 1:
		return &gqlerror.Error{Message: "in its own words", Extensions: map[string]any{"code": "OWN"}}
	case 2:
		return fmt.Errorf("around: %w", fault.New(fault.GatewayTimeout, "too late"))
	}
	return fault.New(fault.NotFound, "not there")
}

// maxDepth bounds how deeply objects nest.
const maxDepth = 3

// resolveOne resolves a field of a root type: with a value, an error, a panic, or an error besides
// the value.
func resolveOne[T any](ctx context.Context, r *Resolver, about ...any) (v T, err error) {
	r.recordCall(ctx, 1)
	c := r.source(append([]any{graphql.GetFieldContext(ctx).Field.Name}, about...)...)
	if c.oneIn(15) {
		graphql.AddError(ctx, fault.New(fault.BadRequest, "by the way"))
	}
	switch {
	case c.oneIn(12):
		return v, c.randomError()
	case c.oneIn(30):
		panic("at random")
	}
	c.fill(reflect.ValueOf(&v).Elem(), maxDepth)
	return v, nil
}

// resolveBatch resolves a field of all parents: with values, errors of single parents, an error of
// all, a panic, or a result of the wrong length.
func resolveBatch[P, T any](ctx context.Context, r *Resolver, parents []*P, about ...any) ([]T, error) {
	r.recordCall(ctx, len(parents))
	name := fmt.Sprintf("%T.%s", parents, graphql.GetFieldContext(ctx).Field.Name)
	c := r.source(append(about, name)...)
	switch c.IntN(25) {
	case 0:
		return nil, c.randomError()
	case 1:
		panic("at random")
	case 2:
		return make([]T, len(parents)+1), nil
	}
	values, errs := make([]T, len(parents)), make(graphql.BatchErrorList, len(parents))
	for i, parent := range parents {
		if parent == nil {
			continue
		}
		own := r.source(append(about, name, objectKey(parent))...)
		if own.oneIn(8) {
			errs[i] = own.randomError()
			if own.oneIn(2) { // otherwise with a value besides the error, which must not appear
				continue
			}
		}
		own.fill(reflect.ValueOf(&values[i]).Elem(), maxDepth-1)
	}
	if c.oneIn(2) || errors.Join(errs...) != nil {
		return values, errs
	}
	return values, nil
}

// objectKey returns a text that distinguishes an object from others.
func objectKey(object any) string {
	if item, ok := object.(*model.Item); ok {
		if item.ID == nil {
			return fmt.Sprint(item.MustN)
		}
		return fmt.Sprint(*item.ID)
	}
	first := reflect.ValueOf(object).Elem().Field(0)
	return fmt.Sprint(first.Interface())
}

var awkwardStrings = []string{"", "plain", "Grüße, 世界", "\"\\/\b\f\n\r\t\x00\x1f<>&\u2028", "a longer text of several words"}

// fill sets v to a random value.
func (c source) fill(v reflect.Value, deep int) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(c.Int64N(4e9), c.Int64N(1e9)).UTC()))
		return
	case scalar.Decimal:
		v.SetString("-1.50")
		return
	case scalar.JSON:
		if !c.oneIn(3) {
			v.SetBytes([]byte(`{"a": [1, null]}`))
		}
		return
	case model.Kind:
		v.Set(reflect.ValueOf(model.AllKind[c.IntN(len(model.AllKind))]))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint(c.IntN(1e9), awkwardStrings[c.IntN(len(awkwardStrings))]))
	case reflect.Int, reflect.Int64:
		v.SetInt(c.Int64N(1e9) - 5e8)
	case reflect.Bool:
		v.SetBool(c.oneIn(2))
	case reflect.Float64:
		v.SetFloat([]float64{0, 1, -1.5, 1e21, 1e-9, 123456789, math.NaN(), math.Inf(1)}[c.IntN(8)])
	case reflect.Struct:
		for i := range v.NumField() {
			c.fill(v.Field(i), deep-1)
		}
	default:
		c.fillNilable(v, deep)
	}
}

// fillNilable sets a value that may be nil, or leaves it nil.
func (c source) fillNilable(v reflect.Value, deep int) {
	scalars := v.Kind() == reflect.Pointer && v.Type().Elem().Kind() != reflect.Struct
	if deep <= 0 && !scalars || c.oneIn(9) || scalars && c.oneIn(3) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		c.fill(v.Elem(), deep)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), c.IntN(4), 4))
		for i := range v.Len() {
			c.fill(v.Index(i), deep)
		}
	case reflect.Interface:
		c.fillAbstract(v, deep)
	}
}

// fillAbstract sets v to one of the types of an interface or a union.
func (c source) fillAbstract(v reflect.Value, deep int) {
	for _, object := range []any{&model.Place{}, &model.Person{}, &model.Thing{}, &model.Place{}} {
		if made := reflect.ValueOf(object); made.Type().Implements(v.Type()) && (c.oneIn(2) || v.IsNil()) {
			c.fill(made.Elem(), deep)
			v.Set(made)
		}
	}
}

// argumentText returns the value of an argument as text, whatever pointers lead to it.
func argumentText(argument any) string {
	v := reflect.ValueOf(argument)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if f, ok := v.Interface().(model.Filter); ok {
		size, _ := f.Size.ValueOK()
		return fmt.Sprint(size != nil, f.Kinds.IsSet())
	}
	return fmt.Sprint(v.Interface())
}
