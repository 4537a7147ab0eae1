package engine

import (
	"context"
	"sync/atomic"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// What the response of one operation may have unless told otherwise.
const (
	DefaultMaxBytes  = 32_000_000
	DefaultMaxValues = 1_000_000
	// DefaultMaxGqlgenValues is how many of the values gqlgen's executor may give: each takes
	// it about ten microseconds and a kilobyte, many times what a plan needs.
	DefaultMaxGqlgenValues = 250_000
)

// MaxErrors is how many errors a response lists. One more is made, whose code the line about
// the others has.
const MaxErrors = 100

// Budget is what the response of one operation may still take. Executors spend from it before
// they do the work wherever the count is known before; what is spent is never given back. The
// first limit that is exceeded stops the operation: the response then has that error alone.
// It is safe for concurrent use. A nil budget has no limits.
type Budget struct {
	maxBytes, maxValues int64
	maxGqlgenValues     int64
	bytes, values       atomic.Int64
	gqlgenValues        atomic.Int64 // the values that gqlgen's executor has given
	fields              atomic.Int64 // that gqlgen's executor has begun
	errors              atomic.Int64
	stopped             atomic.Pointer[stop]
}

// stop is why an operation has been stopped.
type stop struct{ err error }

// init sets the limits; those that are not positive become the defaults.
func (b *Budget) init(o Options) {
	b.maxBytes, b.maxValues, b.maxGqlgenValues = o.MaxBytes, int64(o.MaxValues), int64(o.MaxValues)
	if b.maxBytes <= 0 {
		b.maxBytes = DefaultMaxBytes
	}
	if b.maxValues <= 0 {
		b.maxValues, b.maxGqlgenValues = DefaultMaxValues, DefaultMaxGqlgenValues
	}
}

// BudgetOf returns the budget of the operation in ctx, nil without an operation.
func BudgetOf(ctx context.Context) *Budget {
	if op, ok := ctx.Value(operationKey{}).(*operation); ok {
		return &op.budget
	}
	return nil
}

// Reset begins the next response of an operation that has several.
func (b *Budget) Reset() {
	b.bytes.Store(0)
	b.values.Store(0)
	b.gqlgenValues.Store(0)
	b.fields.Store(0)
	b.errors.Store(0)
	b.stopped.Store(nil)
}

// MaxBytes is the size limit of the response's data; false without one.
func (b *Budget) MaxBytes() (n int, limited bool) {
	if b == nil {
		return 0, false
	}
	return int(b.maxBytes), true
}

// Stop ends the operation with err, unless it has been stopped before. It returns the error
// by which the operation has been stopped.
func (b *Budget) Stop(err error) error {
	if b == nil {
		return err
	}
	b.stopped.CompareAndSwap(nil, &stop{err})
	return b.Err()
}

// Err returns why the operation has been stopped, nil while it runs.
func (b *Budget) Err() error {
	if b == nil {
		return nil
	}
	if s := b.stopped.Load(); s != nil {
		return s.err
	}
	return nil
}

// SpendValues takes n fields of objects or elements of lists, and stops the operation if there
// are too many.
func (b *Budget) SpendValues(n int) error {
	if b == nil {
		return nil
	}
	if b.values.Add(int64(n)) > b.maxValues {
		return b.stopAtValues(b.maxValues)
	}
	return b.Err()
}

// SpendGqlgenValues is SpendValues for values that gqlgen's executor gives.
func (b *Budget) SpendGqlgenValues(n int) error {
	if b != nil && b.gqlgenValues.Add(int64(n)) > b.maxGqlgenValues {
		return b.stopAtValues(b.maxGqlgenValues)
	}
	return b.SpendValues(n)
}

// ReserveValues stops the operation if n values, which will be spent later, are too many.
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

// SpendBytes takes n bytes of the response's data, and stops the operation if there are too
// many.
func (b *Budget) SpendBytes(n int) error {
	if b == nil {
		return nil
	}
	if b.bytes.Add(int64(n)) > b.maxBytes {
		return b.StopAtBytes()
	}
	return b.Err()
}

// StopAtBytes stops the operation since its response is too large.
func (b *Budget) StopAtBytes() error {
	return b.Stop(fault.New(fault.MaxResponse,
		"the response has more than %d bytes, which is the limit (execution.maxBytes); ask for fewer fields or shorter lists", b.maxBytes))
}

// checkEvery is after how many fields gqlgen's executor looks whether the operation's time is
// over.
const checkEvery = 1024

// BeginField counts a field of gqlgen's executor and returns why it must not be resolved: that
// the operation has been stopped, as it is by too many fields and when its time is over.
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

// AddErrors counts n errors. It reports whether the response has room for them.
func (b *Budget) AddErrors(n int) bool {
	return b == nil || b.errors.Add(int64(n)) <= MaxErrors+1
}

// HasRoom reports whether the response has room for another error.
func (b *Budget) HasRoom() bool { return b == nil || b.errors.Load() <= MaxErrors }

// OmittedErrors is how many errors were counted and not made.
func (b *Budget) OmittedErrors() int {
	if b == nil {
		return 0
	}
	return int(max(b.errors.Load()-MaxErrors-1, 0))
}
