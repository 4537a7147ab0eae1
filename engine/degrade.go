package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// A field may degrade instead of failing: its binding says with onError what the field has in place
// of the value that its service did not give. The resolver returns that value together with a
// *Degraded as its error, as io.Reader returns bytes together with io.EOF. Both executors know the
// place in the response, show the value, and call RecordDegraded instead of adding an error.

// DegradeMode says what a degraded field has in place of its value.
type DegradeMode string

// The modes.
const (
	DegradedToNull    DegradeMode = "NULL"
	DegradedToDefault DegradeMode = "DEFAULT"
	DegradedToStale   DegradeMode = "STALE"
)

// Degradation says why a field, or an element of its list, does not have its present value. It must
// not be changed once it was returned, since fields share it.
type Degradation struct {
	Mode DegradeMode
	// Index is the path through the field's lists to the value. It is nil for the field itself.
	Index []int
	// Age is how long ago the service sent the value, for DegradedToStale.
	Age time.Duration
	// Fault is the failure. Its cause is for the log.
	Fault *fault.Error
}

// Degraded is the error that a resolver returns together with the value of a degraded field. Code
// that does not know it takes the field as failed: errors.As finds the *fault.Error in it.
type Degraded struct {
	// Value is what the resolver returned beside the error. gqlgen drops values that come with an
	// error.
	Value any
	// Degradations has at least one element.
	Degradations []Degradation
	// KeyFaults are the faults of single keys, if Value has the values of all keys of a LookupTable.
	KeyFaults *decode.KeyFaults
}

// Error returns the mode and the text of the failure, for operators.
func (d *Degraded) Error() string {
	return "degraded to " + string(d.Degradations[0].Mode) + ": " + d.Degradations[0].Fault.Error()
}

// Unwrap returns the failure.
func (d *Degraded) Unwrap() error { return d.Degradations[0].Fault }

// AsDegraded returns err as a *Degraded, or nil if it is another error.
func AsDegraded(err error) *Degraded {
	d, _ := err.(*Degraded) // no errors.As: code that wraps it has lost the value
	return d
}

// StaleValue returns the results of a call that failed with f, but whose last good value of a given
// age is known.
func StaleValue[V any](v V, age time.Duration, f *fault.Error) (V, error) {
	return v, &Degraded{Value: v, Degradations: []Degradation{{Mode: DegradedToStale, Age: age, Fault: f}}}
}

// DegradedKeys is an error of Batch.Fetch for keys whose values are not the present ones. It is
// returned together with those values, as Degraded is.
type DegradedKeys struct {
	// Keys are the degradations by key. A key among them that has no value has Batch.Missing.
	Keys map[string]Degradation
	// Err is the error for all other keys. If it is a *decode.KeyFaults, those that it does not name
	// have their values.
	Err error
}

// Error returns the text of Err.
func (d *DegradedKeys) Error() string { return d.Err.Error() }

// Unwrap returns Err.
func (d *DegradedKeys) Unwrap() error { return d.Err }

// degrades says for each code whether a failure with it may degrade a field. Those that do are
// failures of a service to answer. What a service or the gateway decided about the request must be
// told: a client that is shown a stale value, or a null, instead of FORBIDDEN or NOT_FOUND, is wrong
// about its rights or about the data.
var degrades = map[fault.Code]bool{
	fault.DownstreamService:  true,
	fault.GatewayTimeout:     true,
	fault.ServiceUnavailable: true,
	fault.Overloaded:         true, // of a service; the gateway's own has none
	fault.RateLimited:        true, // likewise

	fault.Unauthenticated: false,
	fault.Forbidden:       false,
	fault.NotFound:        false,
	fault.Conflict:        false,
	fault.BadUserInput:    false,
	fault.BadRequest:      false, // among them the operation's own limits
	fault.Internal:        false, // a mistake in the gateway, its settings or the project's code

	fault.ParseFailed:           false,
	fault.ValidationFailed:      false,
	fault.OperationResolution:   false,
	fault.IntrospectionDisabled: false,
	fault.PersistedNotSupported: false,
	fault.PersistedNotFound:     false,
	fault.PersistedMismatch:     false,
	fault.PersistedIDRequired:   false,
	fault.NotInSafelist:         false,
	fault.CostTooExpensive:      false,
	fault.MaxDepth:              false,
	fault.MaxAliases:            false,
	fault.MaxRootFields:         false,
	fault.MaxDirectives:         false,
	fault.MaxSelections:         false,
	fault.MaxResponse:           false,
}

// Degradable returns the failure of a service in err, nil if err must not degrade a field: if it is
// not the failure of a service, if the service has decided about the request, or if the call ended
// because the client left. If the rules of the binding gave the failure one of the gateway's own
// codes, that code decides.
func Degradable(err error) *fault.Error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || AsDegraded(err) != nil || f.Service == "" || !degrades[CodeShown(f)] || errors.Is(f, context.Canceled) {
		return nil
	}
	return f
}

// CodeShown returns the code of a failure that a client is told of a degraded field: the one that the
// binding's rules gave it, if that is one of the gateway's own, and otherwise that of the fault. Other
// codes are a service's text.
func CodeShown(f *fault.Error) fault.Code {
	if mapped, ok := f.Extensions["code"].(string); ok {
		if _, known := degrades[fault.Code(mapped)]; known {
			return fault.Code(mapped)
		}
	}
	return f.Code
}

// NullOnError returns the results of a field that degrades to null. It takes the results of the
// field's call.
func NullOnError[V any](v V, err error) (V, error) {
	f := Degradable(err)
	if f == nil {
		return v, err
	}
	var null V
	return null, &Degraded{Value: null, Degradations: []Degradation{{Mode: DegradedToNull, Fault: f}}}
}

// DefaultOnError returns a function like NullOnError for a field that degrades to a default value.
// newDefault returns a new one for each call.
func DefaultOnError[V any](newDefault func() V) func(V, error) (V, error) {
	return func(v V, err error) (V, error) {
		f := Degradable(err)
		if f == nil {
			return v, err
		}
		v = newDefault()
		return v, &Degraded{Value: v, Degradations: []Degradation{{Mode: DegradedToDefault, Fault: f}}}
	}
}

// NullEachOnError is NullOnError for a batch resolver, whose results are those of all parents.
func NullEachOnError[V any](values []V, err error) ([]V, error) {
	return eachOnError(values, err, NullOnError[V])
}

// DefaultEachOnError is DefaultOnError for a batch resolver, whose results are those of all parents.
func DefaultEachOnError[V any](newDefault func() V) func([]V, error) ([]V, error) {
	return func(values []V, err error) ([]V, error) { return eachOnError(values, err, DefaultOnError(newDefault)) }
}

// eachOnError applies onError to the results of each parent. An error that no parent has alone stays:
// it is that of a limit.
func eachOnError[V any](values []V, err error, onError func(V, error) (V, error)) ([]V, error) {
	if errs, ok := err.(graphql.BatchErrorList); ok {
		return values, degradeEach(values, errs, onError)
	}
	return values, err
}

// degradeEach applies onError to each value that has an error. It changes both lists, and returns
// errs.
func degradeEach[V any](values []V, errs graphql.BatchErrorList, onError func(V, error) (V, error)) graphql.BatchErrorList {
	for i, err := range errs {
		if err != nil {
			values[i], errs[i] = onError(values[i], err)
		}
	}
	return errs
}

// degrade returns the error of a value with degradations. It returns nil if there are none.
func degrade(value any, degradations []Degradation) error {
	if len(degradations) == 0 {
		return nil
	}
	return &Degraded{Value: value, Degradations: degradations}
}

// degradationsOf returns the degradations in err, none if it is another error.
func degradationsOf(err error) []Degradation {
	if d := AsDegraded(err); d != nil {
		return d.Degradations
	}
	return nil
}

// isFailure reports whether err is an error other than a *Degraded.
func isFailure(err error) bool { return err != nil && AsDegraded(err) == nil }

// OldestDegraded returns the error of a value that is made of degraded ones: a *Degraded with the one of
// the greatest age, as that of the whole field. It returns nil if there are none.
func OldestDegraded(value any, all []Degradation) error { return degrade(value, oldest(all)) }

// oldest returns the degradation with the greatest age as that of a whole field.
func oldest(all []Degradation) []Degradation {
	if len(all) == 0 {
		return nil
	}
	d := slices.MaxFunc(all, func(a, b Degradation) int { return cmp.Compare(a.Age, b.Age) })
	d.Index = nil
	return []Degradation{d}
}

// MaxDegraded is the maximum number of degraded fields that a response lists.
const MaxDegraded = 100

// DegradedField is a degradation at its place in the response.
type DegradedField struct {
	Path ast.Path
	Degradation
}

// DegradedBy says by which service, and in which mode, fields were degraded.
type DegradedBy struct {
	Service string
	Mode    DegradeMode
}

// DegradedFields are the degraded fields of a response.
type DegradedFields struct {
	// Fields has the first MaxDegraded of them, sorted by their paths.
	Fields []DegradedField
	// Counts has the numbers of all. It is nil if there are none.
	Counts map[DegradedBy]int
}

// NotShown returns how many fields are degraded and not among Fields.
func (d DegradedFields) NotShown() int {
	n := -len(d.Fields)
	for _, count := range d.Counts {
		n += count
	}
	return n
}

// degradedFields collects DegradedFields.
type degradedFields struct {
	mu             sync.Mutex
	DegradedFields // guarded by mu
}

// RecordDegraded records that the field at a path of the response is degraded. Executors call it once
// for each such field of the response. Without an operation in ctx it does nothing.
func RecordDegraded(ctx context.Context, path ast.Path, d *Degraded) {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return
	}
	all := &op.degraded
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, one := range d.Degradations {
		if all.Counts == nil {
			all.Counts = map[DegradedBy]int{}
		}
		all.Counts[DegradedBy{one.Fault.Service, one.Mode}]++
		if len(all.Fields) == MaxDegraded {
			continue
		}
		at := slices.Clip(path)
		for _, i := range one.Index {
			at = append(at, ast.PathIndex(i))
		}
		all.Fields = append(all.Fields, DegradedField{at, one})
	}
}

// TakeDegraded returns the degraded fields of the response of the operation in ctx. The next response
// of the operation begins without any.
func TakeDegraded(ctx context.Context) DegradedFields {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return DegradedFields{}
	}
	op.degraded.mu.Lock()
	defer op.degraded.mu.Unlock()
	taken := op.degraded.DegradedFields
	op.degraded.DegradedFields = DegradedFields{}
	slices.SortStableFunc(taken.Fields, func(a, b DegradedField) int { return slices.CompareFunc(a.Path, b.Path, comparePathElements) })
	return taken
}

// comparePathElements orders indices by number before names by text.
func comparePathElements(a, b ast.PathElement) int {
	i, isIndex := a.(ast.PathIndex)
	j, isOtherIndex := b.(ast.PathIndex)
	switch {
	case isIndex && isOtherIndex:
		return int(i - j)
	case isIndex:
		return -1
	case isOtherIndex:
		return 1
	}
	return strings.Compare(string(a.(ast.PathName)), string(b.(ast.PathName)))
}
