package plan

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
)

// Encoding is one pass of generated code over the plan, in one goroutine. It appends to one buffer:
//
//   - Each function gets the buffer b, appends a value and returns the buffer, and false if the value
//     is a null that its place must not have. Such a null propagates (section 6.4.4 of the GraphQL
//     specification): the function that encodes the object or list around it continues with the
//     other values, so that their errors are added as well, and then Close cuts the buffer back to
//     where the object or list began and writes null in its place. If that place must not be null
//     either, Close returns false in turn.
//   - A function that returns a null has added the error that explains it, or the error was added
//     while collecting. A null must not have two errors, see addNullError.
//   - Three kinds of values have no statement of their own in generated code: leaves of unusual Go
//     types, invalid values, and fields of the kind Fallback. gqlgen's executor marshals them and
//     adds their errors.

// BeginObject begins to encode an object. It returns the ordinal of the object, and whether the operation has
// any faults. The ordinal is 0 if no resolvers are called for the selection's objects.
func (x *Run) BeginObject(s *Selection) (ordinal int, faulty bool) {
	x.SpendValues(len(s.Fields))
	if x.objects != nil {
		x.objects[s.id]++
	}
	faulty = !x.faults.Empty()
	if s.slot < 0 || s.field == nil {
		return 0, faulty
	}
	return x.places[s.slot].find(x.path[len(x.path)-1-s.field.lists:]), faulty
}

// Close ends an object or a list that begins at start in b. With ok it appends end. Otherwise one of its
// values is a null that must not be there: Close replaces the object or list by null, and returns
// false if it must not be null itself, so that the null propagates.
func (x *Run) Close(b []byte, start int, end byte, ok, nonNull bool) ([]byte, bool) {
	if ok {
		return append(b, end), true
	}
	x.limit -= len(b) - start // bytes that are discarded count, or they would allow unlimited work
	x.checkAt = min(x.checkAt, x.limit)
	return append(b[:start], "null"...), !nonNull
}

// AppendNull appends a null, whose errors have been added. It returns false if its place must not be null.
func AppendNull(b []byte, nonNull bool) ([]byte, bool) { return append(b, "null"...), !nonNull }

// AppendMissingField appends the null of a field without a value. It adds an error and returns false if the field
// must not be null.
func (x *Run) AppendMissingField(b []byte, f *Field, nonNull bool) ([]byte, bool) {
	x.addNullFieldError(f, nonNull)
	return AppendNull(b, nonNull)
}

// addNullFieldError adds the error of a null field that must not be null.
func (x *Run) addNullFieldError(f *Field, nonNull bool) {
	if nonNull {
		x.addNullError(func() (context.Context, *graphql.FieldContext) { return x.fieldContextHere(f) })
	}
}

// AppendMissingValue appends a null for the field or list element that was pushed last. It adds an error and returns
// false if it must not be null.
func (x *Run) AppendMissingValue(b []byte, nonNull bool) ([]byte, bool) {
	if nonNull {
		x.addNullError(x.contextHere)
	}
	return AppendNull(b, nonNull)
}

// addNullError adds the error of a null in a place that must not be null, unless a resolver has added an
// error at this place while collecting: then that error explains the null, and gqlgen adds no
// other. Errors that encoding has added need no check, because it adds them only for values that are
// not passed to addNullError.
func (x *Run) addNullError(place func() (context.Context, *graphql.FieldContext)) {
	if x.collectErrors == nil && x.countIfOmitted(1) {
		return
	}
	ctx, fc := place()
	if !x.collectErrors[fc.Path().String()] && !x.countIfOmitted(1) {
		graphql.AddInvalidNullError(ctx, "")
	}
}

// AppendLeaf appends the value of a leaf field that gqlgen's executor marshals: one of an unusual Go type, or a
// null in a place that must not be null.
func (x *Run) AppendLeaf(b []byte, f *Field, nonNull bool, value func(context.Context) graphql.Marshaler) ([]byte, bool) {
	ctx, _ := x.fieldContextHere(f)
	return appendMarshaler(b, value(ctx), nonNull)
}

// AppendFallback appends the value of a property of the object that was pushed last, as gqlgen's executor
// resolves it, with the field's guards and faults.
func (x *Run) AppendFallback(b []byte, f *Field, object any, resolve func(context.Context) graphql.Marshaler) ([]byte, bool) {
	if x.costs != nil { // the field is counted with its object
		x.costs.Pause()
		defer x.costs.Resume()
	}
	fc := x.pathContext()
	fc.Result = object
	return appendMarshaler(b, resolve(x.contextOf(f, fc)), f.Definition.Type.NonNull)
}

// CallFallback has gqlgen's executor resolve a field for each of its parents, together with its selections,
// and stores the results.
func CallFallback[P any](x *Run, f *Field, parents []P, resolve func(context.Context, P) graphql.Marshaler) {
	CallEach(x, f, parents, FieldHooks{}, func(_ context.Context, fc *graphql.FieldContext, parent P) (graphql.Marshaler, error) {
		parentContext := *fc.Parent
		parentContext.Result = parent
		return resolve(x.contextOf(f, &parentContext), parent), nil
	})
}

// AppendFallbackResult appends the result of CallFallback for the object with the given ordinal.
func (x *Run) AppendFallbackResult(b []byte, f *Field, ordinal int, nonNull bool) ([]byte, bool) {
	m, ok := Result[graphql.Marshaler](x, f, ordinal, nonNull)
	if !ok {
		return AppendNull(b, nonNull)
	}
	return appendMarshaler(b, m, nonNull)
}

// faultsOf returns the faults of a field's value. object is the object that holds the value as a
// property, nil for the result of a resolver.
func (x *Run) faultsOf(f *Field, object, value any) []*decode.Fault {
	bad := x.faults.OfElements(value)
	if object != nil {
		bad = append(bad[:len(bad):len(bad)], x.faults.OfField(object, f.Name)...)
	}
	return bad
}

// reportFaults adds the errors of the faults of a field's value. It reports whether the field has a value,
// in which elements may be null.
func (x *Run) reportFaults(f *Field, object, value any) bool {
	bad := x.faultsOf(f, object, value)
	null := engine.NullFault(bad) != nil
	switch {
	case len(bad) == 0:
		return true
	case null && x.countIfOmitted(1):
		return false
	case !null && x.countIfOmitted(len(bad)):
		return true
	}
	ctx, _ := x.fieldContextHere(f)
	err := engine.ReportFaults(ctx, value, bad)
	if err != nil {
		x.op.Error(ctx, graphql.AddFieldLocationToError(ctx, err))
	}
	return err == nil
}

// recordDegraded records that a field of the object that is being encoded is degraded.
func (x *Run) recordDegraded(f *Field, d *engine.Degraded) {
	ctx, fc := x.fieldContextHere(f)
	engine.RecordDegraded(ctx, fc.Path(), d)
}

// guardResult is the result of a property's guard, which is called once for all objects of the selection.
type guardResult struct{ err error }

// Hidden reports whether collecting must not go below a property, because its guard refuses it.
func (x *Run) Hidden(f *Field, guard func(context.Context) error) bool {
	return guard != nil && x.checkGuard(f, guard, func() context.Context { return x.contextOf(f, x.fieldContext(f, 0)) }) != nil
}

// Visible reports whether a property that is being encoded has a value: its guard, if any, allows it, and
// its faults do not make it null. Otherwise Visible has added the errors.
func (x *Run) Visible(f *Field, guard func(context.Context) error, faulty bool, object, value any) bool {
	if guard != nil {
		err := x.checkGuard(f, guard, func() context.Context { ctx, _ := x.fieldContextHere(f); return ctx })
		if err != nil {
			x.addFieldError(f, err)
			return false
		}
	}
	return !faulty || x.reportFaults(f, object, value)
}

// addFieldError adds the error of a field of the object that is being encoded.
func (x *Run) addFieldError(f *Field, err error) {
	if x.countIfOmitted(countErrors(err)) {
		return
	}
	ctx, _ := x.fieldContextHere(f)
	x.op.Error(ctx, graphql.AddFieldLocationToError(ctx, copyError(err)))
}

// checkGuard returns the error of a property's guard. The first call for the field calls the guard, with
// the context that newContext returns.
func (x *Run) checkGuard(f *Field, guard func(context.Context) error, newContext func() context.Context) error {
	known, ok := x.results[f.slot].(*guardResult)
	if !ok {
		ctx := newContext()
		_, err := recoverToError(x, ctx, func() (any, error) { return nil, guard(ctx) })
		known = &guardResult{err}
		x.results[f.slot] = known
	}
	return known.err
}

// Allow is the end of a chain of guards: it allows the field.
func Allow(context.Context) (any, error) { return nil, nil }

// RootParents is the list of parents of root fields, which have a single one without a value.
var RootParents = []struct{}{{}}

// NeedsFallback reports whether gqlgen's executor must resolve a property of an object, because it is a leaf
// that does not fit the graph.
func (x *Run) NeedsFallback(f *Field, object any) bool {
	return f.ID != 0 && f.Kind == Property && f.selections == nil && len(x.faults.OfField(object, f.Name)) > 0
}

// AppendUnexpectedType appends a null for a value of an interface or a union whose Go type is not that of one of
// its possible types. This is a bug in a handwritten resolver.
func (x *Run) AppendUnexpectedType(b []byte, nonNull bool, value any) ([]byte, bool) {
	if x.countIfOmitted(1) {
		return AppendNull(b, nonNull)
	}
	ctx, _ := x.contextHere()
	graphql.AddErrorf(ctx, "a value is of the Go type %T, which the schema does not have there", value)
	return AppendNull(b, nonNull)
}
