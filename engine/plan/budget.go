package plan

// stopped is the panic that ends a run which has exceeded its budget or its time. A panic leaves the
// generated code of both phases at once, without a check after each of its calls, as in encoding/json.
// It never leaves the package: recoverFailure recovers it at the top of each goroutine.
//
// What a run that was stopped has found depends on when it was stopped, so its response has no data.
type stopped struct{ err error }

// checkEvery is the number of values after which both phases check the budget and the context. A run
// whose time is over while it collects, typically because a service is slow, is still encoded if it has
// fewer values, which takes about a millisecond: its response then has what arrived in time.
const checkEvery = 1 << 14

// stopIf ends the run if err is not nil.
func (x *Run) stopIf(err error) {
	if err != nil {
		panic(stopped{x.budget.Stop(err)})
	}
}

// reserveValues counts n values that collecting has found and encoding will write, before anything is done
// for them. Goroutines call it concurrently. It only checks the budget; encoding spends from it.
func (x *Run) reserveValues(n int) {
	x.stopIf(x.budget.ReserveValues(x.collected.Add(int64(n))))
	x.stopIf(x.budget.ReserveMemory(int64(n) * bytesPerValue))
}

// bytesPerValue is about what collecting holds for a value beside the object that a response was
// decoded into, whose memory was reserved when the response was read.
const bytesPerValue = 32

// SpendValues counts n values that are about to be encoded. Every checkEvery values it takes them from the
// budget, and ends the run if they are too many or its time is over.
func (x *Run) SpendValues(n int) {
	if x.pendingValues += n; x.pendingValues >= checkEvery {
		x.spendPending()
		x.stopIf(x.ctx.Err())
	}
}

// spendPending takes the values that were counted since its last call from the budget.
func (x *Run) spendPending() {
	n := x.pendingValues
	x.pendingValues = 0
	x.stopIf(x.budget.SpendValues(n))
}

// CheckSize ends the run if b is larger than the budget, or the memory that all requests share,
// allows. Otherwise it returns b, or a larger copy:
// a large buffer is doubled here, because append would grow and copy it in small steps. A response
// takes up to twice its size in memory for this. Generated code calls CheckSize after each field.
func (x *Run) CheckSize(b []byte) []byte {
	if len(b) > x.checkAt {
		b = x.growBuffer(b)
	}
	return b
}

const (
	largeBuffer = 64 << 10 // the length from which on buffers are doubled
	fieldRoom   = 64 << 10 // room beyond the checked length for the field that exceeds it
)

func (x *Run) growBuffer(b []byte) []byte {
	if len(b) > x.limit {
		x.stopIf(x.budget.StopTooLarge())
	}
	x.checkAt = len(b) + min(len(b), x.limit-len(b))
	x.stopIf(x.budget.ReserveMemory(int64(x.checkAt - x.reserved)))
	x.reserved = x.checkAt
	if cap(b) < x.checkAt+fieldRoom {
		b = append(make([]byte, 0, x.checkAt+fieldRoom), b...)
	}
	return b
}

// countIfOmitted reports whether the response cannot list further errors. If so, it counts n errors, which
// need not be created.
func (x *Run) countIfOmitted(n int) bool {
	if x.budget.CanAddError() {
		return false
	}
	x.budget.AddErrors(n)
	return true
}
