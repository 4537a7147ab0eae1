package engine

import (
	"context"
	"sync/atomic"

	"github.com/gatehouse-graphql/gatehouse/engine/cost"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// The default limits of the response of one operation.
const (
	DefaultMaxBytes  = 32_000_000
	DefaultMaxValues = 1_000_000
	// DefaultMaxGqlgenValues is the maximum for values that gqlgen's executor writes. Each of
	// them costs about ten microseconds and a kilobyte, many times what a plan needs.
	DefaultMaxGqlgenValues = 250_000
)

// MaxErrors is the maximum number of errors that a response lists. One more is created: its code
// is used for the last line, which says how many errors were omitted.
const MaxErrors = 100

// Budget limits the values, bytes and errors of one operation's response. It is the only limit
// that does not depend on why a response is large: joins in circles, aliases and long lists all
// count the same.
//
// Executors spend from it before they do the work wherever the amount is known by then. What was
// spent is never returned. Exceeding a limit stops the operation: its response has no data, and
// the error of the limit that was exceeded first as its only error. A Budget is safe for
// concurrent use. A nil Budget has no limits.
type Budget struct {
	maxBytes, maxValues int64
	maxGqlgenValues     int64
	bytes, values       atomic.Int64
	gqlgenValues        atomic.Int64 // those of the values that gqlgen's executor wrote
	fields              atomic.Int64 // fields that gqlgen's executor began to resolve
	errors              atomic.Int64 // all errors, including omitted ones
	stopped             atomic.Pointer[stop]

	costs *cost.Counter // nil if nothing asks what the operation costs

	ctx    context.Context // in which memory is waited for
	memory *MemoryShare    // of the request; nil without a limit
}

// stop holds the error that an operation was stopped with, since an atomic.Pointer cannot hold an
// interface.
type stop struct{ err error }

// init sets the limits. A limit that is not positive gets its default.
func (b *Budget) init(ctx context.Context, o Options) {
	b.ctx, b.memory = ctx, MemoryShareOf(ctx)
	b.maxBytes, b.maxValues, b.maxGqlgenValues = o.MaxBytes, int64(o.MaxValues), int64(o.MaxValues)
	if b.maxBytes <= 0 {
		b.maxBytes = DefaultMaxBytes
	}
	if b.maxValues <= 0 {
		b.maxValues, b.maxGqlgenValues = DefaultMaxValues, DefaultMaxGqlgenValues
	}
}

// BudgetOf returns the budget of the operation in ctx. It returns nil without an operation.
func BudgetOf(ctx context.Context) *Budget {
	if op, ok := ctx.Value(operationKey{}).(*operation); ok {
		return &op.budget
	}
	return nil
}

// CountCosts has the executors count what the operation costs. It must be called before it is executed.
func (b *Budget) CountCosts(c *cost.Counter) { b.costs = c }

// Costs returns the counter of what the operation costs, nil if that is not counted.
func (b *Budget) Costs() *cost.Counter {
	if b == nil {
		return nil
	}
	return b.costs
}

// Reset restores the full budget for the next response of an operation that has several, such as a
// subscription.
func (b *Budget) Reset() {
	b.bytes.Store(0)
	b.values.Store(0)
	b.gqlgenValues.Store(0)
	b.fields.Store(0)
	b.errors.Store(0)
	b.stopped.Store(nil)
}

// MaxBytes returns the size limit of the response's data, and whether there is one.
func (b *Budget) MaxBytes() (n int, limited bool) {
	if b == nil {
		return 0, false
	}
	return int(b.maxBytes), true
}

// Stop stops the operation with err, unless it was stopped before. It returns the error that the
// operation was stopped with first.
func (b *Budget) Stop(err error) error {
	if b == nil {
		return err
	}
	b.stopped.CompareAndSwap(nil, &stop{err})
	return b.Err()
}

// Err returns the error that the operation was stopped with, nil while it runs.
func (b *Budget) Err() error {
	if b == nil {
		return nil
	}
	if s := b.stopped.Load(); s != nil {
		return s.err
	}
	return nil
}

// SpendValues takes n fields of objects or elements of lists from the budget. It stops the
// operation if there are too many, and returns the error that the operation was stopped with.
func (b *Budget) SpendValues(n int) error {
	if b == nil {
		return nil
	}
	if b.values.Add(int64(n)) > b.maxValues {
		return b.stopAtValues(b.maxValues)
	}
	return b.Err()
}

// SpendGqlgenValues is SpendValues for values that gqlgen's executor writes.
func (b *Budget) SpendGqlgenValues(n int) error {
	if err := b.ReserveMemory(int64(n) * bytesPerGqlgenValue); err != nil {
		return err
	}
	if b != nil && b.gqlgenValues.Add(int64(n)) > b.maxGqlgenValues {
		return b.stopAtValues(b.maxGqlgenValues)
	}
	return b.SpendValues(n)
}

// The estimated memory of values, in bytes.
const (
	bytesPerGqlgenValue = 256
)

// ReserveMemory reserves n bytes of memory for the operation, MemoryShare.Reserve. It stops the
// operation if they are refused, and returns the error that the operation was stopped with.
func (b *Budget) ReserveMemory(n int64) error {
	if b == nil || b.memory == nil {
		return nil
	}
	if err := b.memory.Reserve(b.ctx, n); err != nil {
		return b.Stop(err)
	}
	return nil
}

// ReserveValues stops the operation if it will spend n values in total and these are too many. It
// takes nothing from the budget, and returns the error that the operation was stopped with.
func (b *Budget) ReserveValues(n int64) error {
	if b == nil {
		return nil
	}
	if n > b.maxValues {
		return b.stopAtValues(b.maxValues)
	}
	return b.Err()
}

func (b *Budget) stopAtValues(limit int64) error {
	return b.Stop(fault.New(fault.MaxResponse,
		"the response has more than %d values, which is the limit (execution.maxValues); ask for fewer fields or shorter lists", limit))
}

// SpendBytes takes n bytes of the response's data from the budget. It stops the operation if there
// are too many, and returns the error that the operation was stopped with.
func (b *Budget) SpendBytes(n int) error {
	if b == nil {
		return nil
	}
	if b.bytes.Add(int64(n)) > b.maxBytes {
		return b.StopTooLarge()
	}
	if err := b.ReserveMemory(int64(n)); err != nil {
		return err
	}
	return b.Err()
}

// StopTooLarge stops the operation because its response has too many bytes.
func (b *Budget) StopTooLarge() error {
	return b.Stop(fault.New(fault.MaxResponse,
		"the response has more than %d bytes, which is the limit (execution.maxBytes); ask for fewer fields or shorter lists", b.maxBytes))
}

// checkEvery is the number of fields after which gqlgen's executor checks whether the operation's
// context has ended.
const checkEvery = 1024

// BeginField counts a field that gqlgen's executor is about to resolve. It stops the operation if
// there are too many fields or its context has ended. If the operation has been stopped, it returns
// the error, and the field must not be resolved.
func (b *Budget) BeginField(ctx context.Context) error {
	if b == nil {
		return nil
	}
	n := b.fields.Add(1)
	if n > b.maxGqlgenValues {
		return b.stopAtValues(b.maxGqlgenValues)
	}
	if n%checkEvery == 0 && ctx.Err() != nil {
		return b.Stop(ctx.Err())
	}
	return b.Err()
}

// AddErrors counts n errors. It reports whether the response may list them.
func (b *Budget) AddErrors(n int) bool {
	return b == nil || b.errors.Add(int64(n)) <= MaxErrors+1
}

// CanAddError reports whether the response may list another error.
func (b *Budget) CanAddError() bool { return b == nil || b.errors.Load() <= MaxErrors }

// OmittedErrors returns the number of errors that were counted but not created.
func (b *Budget) OmittedErrors() int {
	if b == nil {
		return 0
	}
	return int(max(b.errors.Load()-MaxErrors-1, 0))
}
