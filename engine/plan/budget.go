package plan

// stopped is thrown to end a run that has exceeded its budget or its time. A panic leaves the
// generated code of both phases at once, without a test after each call in it.
type stopped struct{ err error }

// lookEvery is after how many values both phases look whether the run may go on. What a run
// whose time is over while it collects has found so far is still encoded when it is not more
// than this, which takes about a millisecond.
const lookEvery = 1 << 14

// stopOn ends the run if there is an error.
func (x *Run) stopOn(err error) {
	if err != nil {
		panic(stopped{x.budget.Stop(err)})
	}
}

// reserve counts n values that collecting has found, before anything is done for them.
func (x *Run) reserve(n int) { x.stopOn(x.budget.ReserveValues(x.collected.Add(int64(n)))) }

// Spend counts n values that are about to be encoded, and ends the run if these are too many,
// or if its time is over.
func (x *Run) Spend(n int) {
	if x.unspent += n; x.unspent >= lookEvery {
		x.settle()
		x.stopOn(x.ctx.Err())
	}
}

// settle takes the values that have been encoded from the budget.
func (x *Run) settle() {
	n := x.unspent
	x.unspent = 0
	x.stopOn(x.budget.SpendValues(n))
}

// CheckSize ends the run if its answer is too large, and returns a buffer with room for more.
// A large buffer is doubled, since append would let it grow, and copy it, in small steps: so a
// response takes twice its size while it is written.
func (x *Run) CheckSize(b []byte) []byte {
	if len(b) > x.checkAt {
		b = x.grow(b)
	}
	return b
}

const (
	largeBuffer = 1 << 20  // from which length on buffers are doubled
	lastField   = 64 << 10 // room for the field that ends behind where the buffer grows, or the limit
)

func (x *Run) grow(b []byte) []byte {
	if len(b) > x.limit {
		x.stopOn(x.budget.StopAtBytes())
	}
	b = append(make([]byte, 0, len(b)+min(len(b), x.limit-len(b))+lastField), b...)
	x.checkAt = min(x.limit, cap(b)-lastField)
	return b
}

// omits counts n errors when the response has no room for them. It reports whether it has
// none: then the errors need not be made.
func (x *Run) omits(n int) bool {
	if x.budget.HasRoom() {
		return false
	}
	x.budget.AddErrors(n)
	return true
}
