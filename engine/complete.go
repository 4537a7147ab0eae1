package engine

import (
	"context"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"golang.org/x/sync/errgroup"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// A service often returns objects of another service with a few fields only, such as an order
// whose customer has an id and a name. The types in this file complete such partial objects: if the
// client selects a field that did not come along, a batch fetches the whole objects by their keys.

// Entity describes how partial objects of one type are completed. K is the type of their keys.
type Entity[K comparable, T any] struct {
	// Types are the names of the type, and of the interfaces and unions that it belongs to:
	// the type conditions under which fragments select its fields.
	Types []string
	// From names the fields of the key.
	From []string
	// Guard, if not nil, is the guard of the call. Its error becomes the error of all objects,
	// and nothing is fetched.
	Guard func(context.Context) error
	// Guards are the guards of the type's fields. A selected field that its guard refuses does
	// not require a call.
	Guards map[string]func(context.Context) error
	// Key returns the key of an object, nil when it has none.
	Key func(*T) *K
	// Batch fetches whole objects.
	Batch Batch[K, *T]
	// NullOnError makes an object null whose service fails to send the whole one. Default false: it
	// has the error.
	NullOnError bool
	// DefaultOnError, if not nil, returns the object instead whose service fails to send the whole
	// one: a copy of what came along, its sent fields, with default values for the others.
	DefaultOnError func(partial *T, sent []string) *T
}

// Completer completes partial values, some of which may be nil. It returns whole values in the same
// order, and either nil or one error (or nil) for each, which may be a *Degraded. V is the pointer to
// an object, or the Go interface of a GraphQL interface or union.
type Completer[V any] func(ctx context.Context, values []V) ([]V, graphql.BatchErrorList)

// Completer returns a Completer of objects that come with the sent fields. It fetches whole objects
// only if the client selects a field that is not among them. An object that the entity's service
// does not know becomes null.
func (e Entity[K, T]) Completer(sent ...string) Completer[*T] {
	return func(ctx context.Context, objects []*T) ([]*T, graphql.BatchErrorList) {
		if !e.isNeeded(ctx, sent) {
			return objects, nil
		}
		if e.Guard != nil {
			if err := e.Guard(ctx); err != nil {
				return make([]*T, len(objects)), errorForEach(objects, err)
			}
		}
		whole, err := LoadOne(ctx, objects, e.From, e.Key, e.Batch)
		if err == nil {
			return whole, nil
		}
		if errs, ok := errors.AsType[graphql.BatchErrorList](err); ok {
			return e.degradeObjects(ctx, objects, whole, errs, sent)
		}
		return make([]*T, len(objects)), errorForEach(objects, err)
	}
}

// degradeObjects returns the results of a completion, with what objects have in the place of whole ones
// that could not be fetched.
func (e Entity[K, T]) degradeObjects(ctx context.Context, partial, whole []*T, errs graphql.BatchErrorList, sent []string) ([]*T, graphql.BatchErrorList) {
	switch {
	case e.DefaultOnError != nil:
		for i, err := range errs {
			f := Degradable(err)
			if f == nil {
				continue
			}
			if object, ok := e.withDefaults(ctx, partial[i], sent); ok {
				whole[i], errs[i] = object, &Degraded{Value: object, Degradations: []Degradation{{Mode: DegradedToDefault, Fault: f}}}
			}
		}
	case e.NullOnError:
		return whole, degradeEach(whole, errs, NullOnError[*T])
	}
	return whole, errs
}

// withDefaults returns an object that has the sent fields of partial, with their faults, and default
// values for the others. It reports whether the operation's table has room for the faults.
func (e Entity[K, T]) withDefaults(ctx context.Context, partial *T, sent []string) (object *T, ok bool) {
	object = e.DefaultOnError(partial, sent)
	faults := FaultsOf(ctx)
	if faults.Empty() {
		return object, true
	}
	for _, field := range sent {
		if !faults.AddField(object, field, faults.OfField(partial, field)...) {
			return nil, false
		}
	}
	return object, true
}

// isNeeded reports whether the client selects a field that neither came with the objects nor is
// refused, by its guard or by a limit.
func (e Entity[K, T]) isNeeded(ctx context.Context, sent []string) bool {
	refused := refusedFieldsOf(ctx)
	return selectsAny(ctx, e.Types, func(field graphql.CollectedField) bool {
		if field.Name == "__typename" || slices.Contains(sent, field.Name) || refused.refusesBelow(ctx, e.Types[0], field) {
			return false
		}
		guard := e.Guards[field.Name]
		return guard == nil || guard(ctx) == nil
	})
}

// errorForEach returns err for each object that is not nil.
func errorForEach[T any](objects []*T, err error) graphql.BatchErrorList {
	errs := make(graphql.BatchErrorList, len(objects))
	for i, object := range objects {
		if object != nil {
			errs[i] = err
		}
	}
	return errs
}

// MemberCompleter completes those values of an interface or a union that are objects of one type. It
// writes them to their places in whole, and leaves the other places alone.
type MemberCompleter[V any] func(ctx context.Context, values, whole []V) graphql.BatchErrorList

// NewMemberCompleter returns the MemberCompleter for a Completer of one type's objects.
func NewMemberCompleter[V, T any](complete Completer[*T]) MemberCompleter[V] {
	return func(ctx context.Context, values, whole []V) graphql.BatchErrorList {
		var objects []*T
		var indices []int // of objects in values
		for i, value := range values {
			if object, ok := any(value).(*T); ok && object != nil {
				objects, indices = append(objects, object), append(indices, i)
			}
		}
		if len(objects) == 0 {
			return nil
		}
		completed, failed := complete(ctx, objects)
		var errs graphql.BatchErrorList
		for n, i := range indices {
			whole[i] = abstractValue[V](completed[n])
			if failed == nil || failed[n] == nil {
				continue
			}
			err := failed[n]
			if all := degradationsOf(err); all != nil {
				err = degrade(whole[i], all)
			}
			errs = setError(errs, len(values), i, err)
		}
		return errs
	}
}

// abstractValue returns an object as a value of a Go interface, which is nil for a nil object.
func abstractValue[V, T any](object *T) (v V) {
	if object != nil {
		v = any(object).(V)
	}
	return v
}

// NewAbstractCompleter returns a Completer of the values of an interface or a union. The objects of each type
// are completed by a batch of their own, all batches at the same time. Objects of types without a
// MemberCompleter are returned as they are.
func NewAbstractCompleter[V any](members ...MemberCompleter[V]) Completer[V] {
	return func(ctx context.Context, values []V) ([]V, graphql.BatchErrorList) {
		whole := slices.Clone(values)
		failed := make([]graphql.BatchErrorList, len(members))
		var group errgroup.Group
		for m, member := range members {
			group.Go(func() error { // members write to different elements of whole
				failed[m] = completeMember(ctx, values, whole, member)
				return nil
			})
		}
		_ = group.Wait() // the functions return no error
		var errs graphql.BatchErrorList
		for _, list := range failed {
			errs = mergeErrors(whole, errs, list)
		}
		return whole, errs
	}
}

// completeMember calls member. A panic becomes the error of every value.
func completeMember[V any](ctx context.Context, values, whole []V, member MemberCompleter[V]) graphql.BatchErrorList {
	errs, err := recoverToError(ctx, member, func(ctx context.Context, member MemberCompleter[V]) (graphql.BatchErrorList, error) {
		return member(ctx, values, whole), nil
	})
	if err == nil {
		return errs
	}
	errs = make(graphql.BatchErrorList, len(values))
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// CompleteField resolves a field whose value is in each parent already, by completing these values.
func CompleteField[P, V any](ctx context.Context, parents []P, field string, value func(P) V, complete Completer[V]) ([]V, error) {
	errs := keyErrors(ctx, parents, []string{field})
	values := make([]V, len(parents))
	for i, parent := range parents {
		if !isNil(parent) {
			values[i] = value(parent)
		}
	}
	whole, failed := complete(ctx, values)
	return whole, errorOrNil(mergeErrors(whole, errs, failed))
}

// CompleteListField is CompleteField for a field whose value is a list. If the completion of an element
// fails, the element is null with an error at its place. If nonNull is set, because the elements
// must not be null, the list fails instead, as it does when all of its elements fail.
func CompleteListField[P, V any](ctx context.Context, parents []P, field string, values func(P) []V, nonNull bool, complete Completer[V]) ([][]V, error) {
	lists := make([][]V, len(parents))
	faults := make([][]*decode.Fault, len(parents))
	for i, parent := range parents {
		if !isNil(parent) {
			lists[i], faults[i] = values(parent), FaultsOf(ctx).OfField(parent, field)
		}
	}
	whole, errs := complete.completeLists(ctx, lists, faults, nonNull)
	return whole, errorOrNil(errs)
}

// CompleteValue completes the value that a call returned. It takes the results of the call.
func (c Completer[V]) CompleteValue(ctx context.Context, value V, err error) (V, error) {
	if isFailure(err) {
		return value, err
	}
	whole, errs := c(ctx, []V{value})
	failed := mergeErrors(whole, graphql.BatchErrorList{err}, errs)[0]
	if isFailure(failed) {
		var zero V
		return zero, failed
	}
	return whole[0], failed
}

// CompleteList completes the list that a call returned. It takes the results of the call; nonNull is as
// for CompleteListField.
func (c Completer[V]) CompleteList(ctx context.Context, values []V, err error, nonNull bool) ([]V, error) {
	if isFailure(err) {
		return values, err
	}
	lists, errs := c.completeLists(ctx, [][]V{values}, nil, nonNull)
	failed := mergeErrors(lists, graphql.BatchErrorList{err}, errs)[0]
	if isFailure(failed) {
		return nil, failed
	}
	return lists[0], failed
}

// CompleteBatch completes the values that a batch returned, one for each parent. It takes the results of
// the batch.
func (c Completer[V]) CompleteBatch(ctx context.Context, values []V, err error) ([]V, error) {
	batch, ok := errors.AsType[graphql.BatchErrorList](err)
	if err != nil && !ok {
		return values, err
	}
	whole, errs := c(ctx, values)
	return whole, errorOrNil(mergeErrors(whole, batch, errs))
}

// CompleteBatchLists completes the lists that a batch returned, one for each parent. It takes the results of
// the batch; nonNull is as for CompleteListField.
func (c Completer[V]) CompleteBatchLists(ctx context.Context, lists [][]V, err error, nonNull bool) ([][]V, error) {
	batch, ok := errors.AsType[graphql.BatchErrorList](err)
	if err != nil && !ok {
		return lists, err
	}
	whole, errs := c.completeLists(ctx, lists, nil, nonNull)
	return whole, errorOrNil(mergeErrors(whole, batch, errs))
}

// completeLists completes the elements of all lists by one batch. It returns the completed lists,
// and nil or one error (or nil) for each.
//
// Faults are found by the list that holds the faulty element. A completed list is a new one, so
// the faults of the old list have to be moved to it: those that the operation's table has for the
// old list, and those in faults, which has some for each list if it is not nil.
func (c Completer[V]) completeLists(ctx context.Context, lists [][]V, faults [][]*decode.Fault, nonNull bool) ([][]V, graphql.BatchErrorList) {
	var all []V
	for _, list := range lists {
		all = append(all, list...)
	}
	whole, errs := c(ctx, all)
	completed := make([][]V, len(lists))
	var failed graphql.BatchErrorList
	for i, start := 0, 0; i < len(lists); i, start = i+1, start+len(lists[i]) {
		problems := listErrors{nonNull: nonNull, faults: slices.Clone(FaultsOf(ctx).OfElements(lists[i]))}
		if faults != nil {
			problems.faults = append(problems.faults, faults[i]...)
		}
		end := start + len(lists[i])
		if lists[i] != nil {
			completed[i] = whole[start:end:end]
		}
		if errs != nil {
			problems.addElementErrors(errs[start:end])
		}
		err := problems.report(ctx, completed[i])
		if err == nil {
			err = degrade(completed[i], problems.degraded)
		}
		if err != nil {
			failed = setError(failed, len(lists), i, err)
		}
	}
	return completed, failed
}

// listErrors collects the errors of one completed list.
type listErrors struct {
	nonNull  bool // the elements must not be null
	faults   []*decode.Fault
	degraded []Degradation // of elements
	err      error         // of the whole list
}

// addElementErrors adds the errors of elements, some of which may be nil. If one call has failed for
// all elements, its error becomes that of the list.
func (l *listErrors) addElementErrors(errs []error) {
	if l.err = commonError(errs); l.err != nil {
		return
	}
	for i, err := range errs {
		if err == nil {
			continue
		}
		if d := AsDegraded(err); d != nil {
			for _, one := range d.Degradations {
				one.Index = []int{i}
				l.degraded = append(l.degraded, one)
			}
			continue
		}
		index := []int{i}
		if misfit, ok := errors.AsType[*decode.Fault](err); ok {
			index = append(index, misfit.Index...)
		}
		l.faults = append(l.faults, &decode.Fault{Index: index, Null: l.nonNull, Err: asFault(err)})
	}
}

// commonError returns the first error if every element has failed and none of them by a fault of its
// own value. Otherwise it returns nil.
func commonError(errs []error) error {
	for _, err := range errs {
		if _, ownFault := errors.AsType[*decode.Fault](err); !isFailure(err) || ownFault {
			return nil
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}

// asFault returns the fault in err, or an internal error with err as its cause.
func asFault(err error) *fault.Error {
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return known
	}
	return fault.New(fault.Internal, "internal error").WithCause(err)
}

// report adds the faults to the operation's table under list. It returns the error if the whole
// list fails: because a fault makes it null, because of its own error, or because the operation
// has no table or the table is full.
func (l *listErrors) report(ctx context.Context, list any) error {
	for _, f := range l.faults {
		if f.Null {
			return f
		}
	}
	if l.err == nil && !FaultsOf(ctx).AddElements(list, l.faults...) {
		return l.faults[0]
	}
	return l.err
}

// mergeErrors merges the errors of two steps, whose results are values. Where both have failed, the
// first error counts. A value that both have degraded has the degradations of both.
func mergeErrors[V any](values []V, first, second graphql.BatchErrorList) graphql.BatchErrorList {
	for i := range values {
		var before, after error
		if first != nil {
			before = first[i]
		}
		if second != nil {
			after = second[i]
		}
		switch all := slices.Concat(degradationsOf(before), degradationsOf(after)); {
		case isFailure(before):
		case isFailure(after):
			first = setError(first, len(values), i, after)
		case all != nil:
			first = setError(first, len(values), i, degrade(values[i], all))
		}
	}
	return first
}
