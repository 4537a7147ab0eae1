package plan

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
)

// Object begins to encode an object. It returns the object's ordinal, by which its resolvers'
// answers are found, and whether some of the operation's answers do not fit the graph. The
// ordinal follows from the object's place, and not from what has been encoded before.
func (x *Run) Object(s *Selection) (ordinal int, faulty bool) {
	x.Spend(len(s.Fields))
	faulty = !x.faults.Empty()
	if s.slot < 0 || s.above == nil {
		return 0, faulty
	}
	return x.places[s.slot].find(x.path[len(x.path)-1-s.above.lists:]), faulty
}

// Close ends an object or a list that began at start; false is a null that must go up.
// Everything in it has been encoded even if something failed, for the errors.
func (x *Run) Close(b []byte, start int, end byte, ok, nonNull bool) ([]byte, bool) {
	if ok {
		return append(b, end), true
	}
	x.limit -= len(b) - start // or work without end would go into what is not shown
	x.checkAt = min(x.checkAt, x.limit)
	return append(b[:start], "null"...), !nonNull
}

// Null writes a null where a field has no value, of which the errors are told.
func Null(b []byte, nonNull bool) ([]byte, bool) { return append(b, "null"...), !nonNull }

// NoField writes a null where a resolver gave none, and tells that when the schema has none.
func (x *Run) NoField(b []byte, f *Field, nonNull bool) ([]byte, bool) {
	x.mustNotBeNull(f, nonNull)
	return Null(b, nonNull)
}

func (x *Run) mustNotBeNull(f *Field, nonNull bool) {
	if nonNull {
		x.addNullError(func() (context.Context, *graphql.FieldContext) { return x.at(f) })
	}
}

// NoValue writes a null where a value is missing, in a list or as a field that was pushed,
// and tells that when the schema has none there.
func (x *Run) NoValue(b []byte, nonNull bool) ([]byte, bool) {
	if nonNull {
		x.addNullError(x.current)
	}
	return Null(b, nonNull)
}

// addNullError adds the error of a null where the schema has none. What the resolvers of the
// place have added while collecting explains the null already; encoding itself adds no other
// error at the place of such a null.
func (x *Run) addNullError(place func() (context.Context, *graphql.FieldContext)) {
	if x.early == nil && x.omits(1) {
		return
	}
	ctx, fc := place()
	if !x.early[fc.Path().String()] && !x.omits(1) {
		graphql.AddInvalidNullError(ctx, "")
	}
}

// Leaf has gqlgen's executor write the value of a field: those of unusual types, and those
// with a null where the schema has none.
func (x *Run) Leaf(b []byte, f *Field, nonNull bool, value func(context.Context) graphql.Marshaler) ([]byte, bool) {
	ctx, _ := x.at(f)
	return marshal(b, value(ctx), nonNull)
}

// Fallback has gqlgen's executor answer a plain field of an object, guards, faults and all.
func (x *Run) Fallback(b []byte, f *Field, object any, answer func(context.Context) graphql.Marshaler) ([]byte, bool) {
	fc := x.here()
	fc.Result = object
	return marshal(b, answer(x.with(f, fc)), f.Definition.Type.NonNull)
}

// Delegate has gqlgen's executor answer a field for each of its parents, with all that is
// below them.
func Delegate[P any](x *Run, f *Field, parents []P, answer func(context.Context, P) graphql.Marshaler) {
	Single(x, f, parents, FieldHooks{}, func(_ context.Context, fc *graphql.FieldContext, parent P) (graphql.Marshaler, error) {
		above := *fc.Parent
		above.Result = parent
		return answer(x.with(f, &above), parent), nil
	})
}

// Delegated writes what Delegate has got.
func (x *Run) Delegated(b []byte, f *Field, ordinal int, nonNull bool) ([]byte, bool) {
	m, ok := Result[graphql.Marshaler](x, f, ordinal, nonNull)
	if !ok {
		return Null(b, nonNull)
	}
	return marshal(b, m, nonNull)
}

// faultsOf are the faults of a field's value; object is nil for a resolver's.
func (x *Run) faultsOf(f *Field, object, value any) []*decode.Fault {
	bad := x.faults.In(value)
	if object != nil {
		bad = append(bad[:len(bad):len(bad)], x.faults.Of(object, f.Name)...)
	}
	return bad
}

// told tells of the faults of a field's value, and whether the value stands.
func (x *Run) told(f *Field, object, value any) bool {
	bad := x.faultsOf(f, object, value)
	null := engine.NullFault(bad) != nil
	switch {
	case len(bad) == 0:
		return true
	case null && x.omits(1):
		return false
	case !null && x.omits(len(bad)):
		return true
	}
	ctx, _ := x.at(f)
	err := engine.ReportFaults(ctx, value, bad)
	if err != nil {
		x.op.Error(ctx, graphql.AddFieldLocationToError(ctx, err))
	}
	return err == nil
}

// asked is what the guards of a plain field said.
type asked struct{ err error }

// Hidden tells whether a plain field is not to be followed while collecting.
func (x *Run) Hidden(f *Field, guard func(context.Context) error) bool {
	return guard != nil && x.guarded(f, guard, func() context.Context { return x.with(f, x.fieldContext(f, 0)) }) != nil
}

// Visible tells whether a plain field that is encoded has a value; otherwise its errors are
// told.
func (x *Run) Visible(f *Field, guard func(context.Context) error, faulty bool, object, value any) bool {
	if guard != nil {
		err := x.guarded(f, guard, func() context.Context { ctx, _ := x.at(f); return ctx })
		if err != nil {
			x.addFieldError(f, err)
			return false
		}
	}
	return !faulty || x.told(f, object, value)
}

// addFieldError adds the error of a field of the object that is encoded.
func (x *Run) addFieldError(f *Field, err error) {
	if x.omits(countErrors(err)) {
		return
	}
	ctx, _ := x.at(f)
	x.op.Error(ctx, graphql.AddFieldLocationToError(ctx, own(err)))
}

// guarded asks a plain field's guards, once for all its objects.
func (x *Run) guarded(f *Field, guard func(context.Context) error, in func() context.Context) error {
	known, ok := x.nodes[f.slot].(*asked)
	if !ok {
		ctx := in()
		_, err := careful(x, ctx, func() (any, error) { return nil, guard(ctx) })
		known = &asked{err}
		x.nodes[f.slot] = known
	}
	return known.err
}

// Pass ends a chain of guards: the field may be answered.
func Pass(context.Context) (any, error) { return nil, nil }

// Top stands for the parent of root fields.
var Top = []struct{}{{}}

// NeedsFallback tells whether gqlgen's executor must answer a plain leaf, since it does not fit
// the graph.
func (x *Run) NeedsFallback(f *Field, object any) bool {
	return f.ID != 0 && f.Kind == Property && f.below == nil && len(x.faults.Of(object, f.Name)) > 0
}

// UnexpectedType writes a null for a value of an interface or a union that is of none of its
// types, which is a bug of a resolver by hand.
func (x *Run) UnexpectedType(b []byte, nonNull bool, value any) ([]byte, bool) {
	if x.omits(1) {
		return Null(b, nonNull)
	}
	ctx, _ := x.current()
	graphql.AddErrorf(ctx, "a value is of the Go type %T, which the schema does not have there", value)
	return Null(b, nonNull)
}
