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

// chance decides about one thing in one world.
type chance struct{ *rand.Rand }

func (r *Resolver) chance(about ...any) chance {
	h := fnv.New64a()
	fmt.Fprint(h, about...)
	return chance{rand.New(rand.NewPCG(r.World, h.Sum64()))}
}

// in is true once in n times.
func (c chance) in(n int) bool { return c.IntN(n) == 0 }

// failure is an error of one of the kinds that resolvers give.
func (c chance) failure() error {
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

// deepest is how deep objects hold others.
const deepest = 3

// one answers a field of the root.
func one[T any](ctx context.Context, r *Resolver, about ...any) (v T, err error) {
	r.called(ctx, 1)
	c := r.chance(append([]any{graphql.GetFieldContext(ctx).Field.Name}, about...)...)
	if c.in(15) {
		graphql.AddError(ctx, fault.New(fault.BadRequest, "by the way"))
	}
	switch {
	case c.in(12):
		return v, c.failure()
	case c.in(30):
		panic("by chance")
	}
	c.fill(reflect.ValueOf(&v).Elem(), deepest)
	return v, nil
}

// each answers a field of all parents.
func each[P, T any](ctx context.Context, r *Resolver, parents []*P, about ...any) ([]T, error) {
	r.called(ctx, len(parents))
	name := fmt.Sprintf("%T.%s", parents, graphql.GetFieldContext(ctx).Field.Name)
	c := r.chance(append(about, name)...)
	switch c.IntN(25) {
	case 0:
		return nil, c.failure()
	case 1:
		panic("by chance")
	case 2:
		return make([]T, len(parents)+1), nil
	}
	values, errs := make([]T, len(parents)), make(graphql.BatchErrorList, len(parents))
	for i, parent := range parents {
		if parent == nil {
			continue
		}
		own := r.chance(append(about, name, identity(parent))...)
		if own.in(8) {
			errs[i] = own.failure()
			if own.in(2) { // and a value, which nobody shall see
				continue
			}
		}
		own.fill(reflect.ValueOf(&values[i]).Elem(), deepest-1)
	}
	if c.in(2) || errors.Join(errs...) != nil {
		return values, errs
	}
	return values, nil
}

// identity tells an object from others.
func identity(object any) string {
	if item, ok := object.(*model.Item); ok {
		if item.ID == nil {
			return fmt.Sprint(item.MustN)
		}
		return fmt.Sprint(*item.ID)
	}
	first := reflect.ValueOf(object).Elem().Field(0)
	return fmt.Sprint(first.Interface())
}

var strange = []string{"", "plain", "Grüße, 世界", "\"\\/\b\f\n\r\t\x00\x1f<>&\u2028", "a longer text of several words"}

// fill makes up a value.
func (c chance) fill(v reflect.Value, deep int) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(c.Int64N(4e9), c.Int64N(1e9)).UTC()))
		return
	case scalar.Decimal:
		v.SetString("-1.50")
		return
	case scalar.JSON:
		if !c.in(3) {
			v.SetBytes([]byte(`{"a": [1, null]}`))
		}
		return
	case model.Kind:
		v.Set(reflect.ValueOf(model.AllKind[c.IntN(len(model.AllKind))]))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint(c.IntN(1e9), strange[c.IntN(len(strange))]))
	case reflect.Int, reflect.Int64:
		v.SetInt(c.Int64N(1e9) - 5e8)
	case reflect.Bool:
		v.SetBool(c.in(2))
	case reflect.Float64:
		v.SetFloat([]float64{0, 1, -1.5, 1e21, 1e-9, 123456789, math.NaN(), math.Inf(1)}[c.IntN(8)])
	case reflect.Struct:
		for i := range v.NumField() {
			c.fill(v.Field(i), deep-1)
		}
	default:
		c.reference(v, deep)
	}
}

// reference makes up what may be nil.
func (c chance) reference(v reflect.Value, deep int) {
	scalars := v.Kind() == reflect.Pointer && v.Type().Elem().Kind() != reflect.Struct
	if deep <= 0 && !scalars || c.in(9) || scalars && c.in(3) {
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
		c.abstract(v, deep)
	}
}

// abstract chooses one of the types that an interface or a union stands for.
func (c chance) abstract(v reflect.Value, deep int) {
	for _, object := range []any{&model.Place{}, &model.Person{}, &model.Thing{}, &model.Place{}} {
		if made := reflect.ValueOf(object); made.Type().Implements(v.Type()) && (c.in(2) || v.IsNil()) {
			c.fill(made.Elem(), deep)
			v.Set(made)
		}
	}
}

// value is what an argument says, not where it lies.
func value(argument any) string {
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
